// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_image.cpp -- see log_image.hpp.

#include "log/log_image.hpp"

#include <algorithm>

namespace assent::log {

namespace {

std::uint64_t all_branches(decision_entry const& entry) noexcept
{
    std::size_t const count = entry.branches.size();
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

ports::decision unpacked(packed_gtrid const& global, decision_entry const& entry)
{
    return {global, {entry.branches.begin(), entry.branches.end()}};
}

}  // namespace

bool decision_entry::is_complete() const noexcept
{
    return finished == all_branches(*this);
}

ports::logged_decision as_logged(packed_gtrid const& global, decision_entry const& entry)
{
    ports::logged_decision logged{unpacked(global, entry), {}};
    for (std::size_t i = 0; i < entry.branches.size(); ++i) {
        logged.is_finished.push_back(entry.is_finished(i));
    }
    return logged;
}

bool raise_by(horizon_record const& what, ports::horizon& which)
{
    return what.is_epoch_alone ? which.raise_alone(what.to) : which.raise(what.to);
}

bool log_image::apply(record const& what)
{
    return std::visit([this](auto const& one) { return apply_one(one); }, what);
}

bool log_image::apply_one(opening_record const& what)
{
    openings_.emplace(std::pair{what.which.epoch, what.which.nonce}, what.unix_ms);
    return true;
}

bool log_image::apply_one(ports::binding const& what)
{
    auto const [at, is_new] = bindings_.emplace(what.id, what);
    if (what.epoch > 1) binding_epochs_[what.id] = what.epoch;
    auto& seen = at->second;
    seen.is_retired = retirements_.count(what.id) != 0;
    return is_new ||
           (seen.name == what.name && seen.kind == what.kind && seen.identity == what.identity);
}

bool log_image::apply_one(decision_record const& what)
{
    decision_entry made;
    made.branches.assign(what.what.branches.begin(), what.what.branches.end());
    made.unix_ms = what.unix_ms;
    // Nearly every decision comes after all that are there.
    auto const before = decisions_.size();
    auto const at = decisions_.emplace_hint(decisions_.end(), what.what.global, std::move(made));
    if (decisions_.size() == before) return false;
    at->second.finished = what.finished;
    try {
        note_unfinished(*at);
    } catch (...) {
        decisions_.erase(at);
        throw;
    }
    branches_ += at->second.branches.size();
    live_ += !at->second.is_complete();
    return true;
}

bool log_image::apply_one(end_record const& what)
{
    auto const at = decisions_.find(what.global);
    // Its decision may have been dropped by the snapshot that this note outlived in the queue.
    if (at == decisions_.end()) return true;
    if ((what.finished & ~all_branches(at->second)) != 0) return false;
    mark(*at, what.finished);
    return true;
}

bool log_image::apply_one(ports::heuristic_record const& what)
{
    heuristics_.push_back(what);
    return true;
}

bool log_image::apply_one(horizon_record const& what)
{
    raise(what);
    return true;
}

bool log_image::apply_one(server_start_record const& what)
{
    server_starts_[{what.id, what.epoch}] = what.start;
    return true;
}

bool log_image::apply_one(operator_record const& what)
{
    operators_.push_back(what);
    obey(what);
    return true;
}

bool log_image::apply_one(rollback_record const& what)
{
    add_rollback(what.global);
    return true;
}

bool log_image::apply_one(opening_limits_record const& what)
{
    if (!limits_ || limits_->which.epoch <= what.which.epoch) limits_ = what;
    return true;
}

/// What was about to be bound when a process ended may be bound later: the last one counts.
bool log_image::apply_one(binding_epoch_record const& what)
{
    binding_epochs_[what.id] = what.epoch;
    return true;
}

bool log_image::apply_one(retirement_record const& what)
{
    retirements_.emplace(what.id, what);
    auto const at = bindings_.find(what.id);
    if (at != bindings_.end()) at->second.is_retired = true;
    return true;
}

bool log_image::apply_one(rebinding_record const& what)
{
    rebindings_.push_back({what, what.to});
    obey(rebindings_.back());
    return true;
}

void log_image::absorb(log_image& fresh) noexcept
{
    openings_.merge(fresh.openings_);
    if (fresh.limits_) limits_ = std::exchange(fresh.limits_, std::nullopt);
    bindings_.merge(fresh.bindings_);
    binding_epochs_.merge(fresh.binding_epochs_);
    for (auto const& [id, epoch] : fresh.binding_epochs_)
        binding_epochs_.find(id)->second = epoch;
    fresh.binding_epochs_.clear();
    for (auto const& [id, one] : fresh.retirements_) {
        auto const at = bindings_.find(id);
        if (at != bindings_.end()) at->second.is_retired = true;
    }
    for (rebinding& one : fresh.rebindings_)
        obey(one);
    rebindings_.splice(rebindings_.end(), fresh.rebindings_);
    retirements_.merge(fresh.retirements_);
    fresh.retirements_.clear();
    decisions_.merge(fresh.decisions_);
    unfinished_.merge(fresh.unfinished_);
    live_ += std::exchange(fresh.live_, 0);
    branches_ += std::exchange(fresh.branches_, 0);
    // What an operator forgets came before; what is fresh and still there came after.
    for (operator_record const& one : fresh.operators_) {
        obey(one);
    }
    operators_.splice(operators_.end(), fresh.operators_);
    heuristics_.splice(heuristics_.end(), fresh.heuristics_);
    horizons_.merge(fresh.horizons_);
    for (auto& [id, horizon] : fresh.horizons_) {
        horizons_.find(id)->second.absorb(horizon);
    }
    fresh.horizons_.clear();
    server_starts_.merge(fresh.server_starts_);
    for (auto& [key, start] : fresh.server_starts_) {
        server_starts_.find(key)->second.swap(start);
    }
    fresh.server_starts_.clear();
}

void log_image::for_each_kept(std::function<void(record const&)> const& visit,
                              std::function<void()> const& between) const
{
    // What is left out counts on the horizons that are said here, and not on later ones.
    auto const horizons = horizons_;
    auto const rollbacks_end = rollback_next_;
    for (auto at = first_kept_opening(); at != openings_.end(); ++at) {
        visit(opening_record{{at->first.first, at->first.second}, at->second});
    }
    for (auto const& [id, binding] : bindings_) {
        visit(as_bound(binding));
    }
    for (auto const& [id, epoch] : binding_epochs_)
        visit(binding_epoch_record{id, epoch});
    for (auto const& [id, one] : retirements_)
        visit(one);
    for (auto const& one : rebindings_)
        visit(one.what);
    if (limits_) visit(*limits_);
    for_each_horizon([&](horizon_record const& one) {
        visit(one);
        return true;
    });
    for (auto const& [key, start] : server_starts_) {
        if (is_of_use(key.first, key.second)) {
            visit(server_start_record{key.first, key.second, start});
        }
    }
    for (auto const& one : operators_) {
        visit(one);
    }
    // After the operator's records, which forget only the heuristics that came before them.
    for (auto const& one : heuristics_) {
        visit(one);
    }
    std::size_t seen = 0;
    for (auto const& [global, entry] : decisions_) {
        if (between && ++seen % decisions_at_once == 0) between();
        if (!is_forgettable(global, entry, horizons)) {
            visit(decision_record{unpacked(global, entry), entry.finished, entry.unix_ms});
        }
    }
    for (auto const& [order, global] : rollback_order_) {
        if (order < rollbacks_end) visit(rollback_record{global});
    }
}

bool log_image::for_each_horizon(std::function<bool(horizon_record const&)> const& visit) const
{
    for (auto const& [id, horizon] : horizons_) {
        if (!visit({id, horizon.everything(), false})) return false;
        for (auto const& [epoch, sequence] : horizon.alone()) {
            if (!visit({id, {epoch, sequence}, true})) return false;
        }
    }
    return true;
}

std::uint32_t log_image::snapshot_pages_max() const noexcept
{
    // A page is left when the next record does not fit, so no more than that stays unused in it.
    constexpr std::size_t used_min = page_payload_bytes - record_bytes_max;
    // An opening, its limits, a binding's epoch, a horizon, a rollback.
    constexpr std::size_t small_max = 48;
    constexpr std::size_t start_max = 32 + server_start_bytes_max;
    constexpr std::size_t binding_max = 32 + name_bytes_max + kind_bytes_max + identity_bytes_max;
    constexpr std::size_t story_max = 96 + name_bytes_max + text_bytes_max;
    std::size_t horizon_records = horizons_.size();
    for (auto const& [id, horizon] : horizons_)
        horizon_records += horizon.alone().size();
    std::size_t const small =
        openings_.size() + 1 + binding_epochs_.size() + horizon_records + rollbacks_.size();
    std::size_t const bytes =
        small * small_max + server_starts_.size() * start_max + bindings_.size() * binding_max +
        (operators_.size() + heuristics_.size() + retirements_.size()) * story_max +
        rebindings_.size() * (story_max + 2 * identity_bytes_max) +
        decisions_.size() * (decision_bytes(0) + 4) + branches_ * 12;
    return static_cast<std::uint32_t>(bytes / used_min + 1);
}

bool log_image::is_forgettable(packed_gtrid const& global, decision_entry const& entry,
                               horizon_map const& horizons) const noexcept
{
    if (!entry.is_complete()) return false;
    auto const at = global.position();
    return std::all_of(entry.branches.begin(), entry.branches.end(), [&](packed_bqual const& b) {
        auto const id = b.parts().resource_manager;
        auto const known = horizons.find(id);
        bool const is_passed = known != horizons.end() && known->second.covers(at);
        return is_passed || retirements_.count(id) != 0;
    });
}

/// Below the horizon's epoch every session was proved gone, and nobody asks again; but for what is
/// still to be carried out there, as a salvaged log may have it.
bool log_image::is_of_use(std::uint16_t id, std::uint32_t epoch) const noexcept
{
    if (epoch >= horizon(id).everything().epoch) return true;
    auto at = unfinished_.lower_bound({id, packed_gtrid{}});
    if (at == unfinished_.end() || at->first != id) return false;
    // All are of one node and one place, and so in the order of their epochs.
    auto parts = at->second.parts();
    parts.epoch = epoch;
    parts.nonce = 0;
    parts.sequence = 0;
    at = unfinished_.lower_bound({id, packed_gtrid{parts}});
    return at != unfinished_.end() && at->first == id && at->second.position().epoch == epoch;
}

/// Of more openings than openings_max, the oldest are forgotten that lie below every horizon, and
/// of which no decision is kept: no branch of theirs is left.  One that reappears all the same is
/// then taken for a twin's, which is safe.
log_image::opening_map::const_iterator log_image::first_kept_opening() const noexcept
{
    auto at = openings_.begin();
    if (openings_.size() <= openings_max) return at;
    std::uint32_t needed = last_epoch();
    for (auto const& [id, bound] : bindings_) {
        needed = std::min(needed, horizon(id).everything().epoch);
    }
    for (auto const& [global, entry] : decisions_) {
        needed = std::min(needed, global.position().epoch);
    }
    for (auto left = openings_.size(); left > openings_max && at->first.first < needed; --left) {
        ++at;
    }
    return at;
}

std::chrono::milliseconds log_image::presumption_delay() const noexcept
{
    if (openings_.empty()) return std::chrono::milliseconds{0};
    if (!limits_) return presumption_unrecorded;
    // An older version that opened the log since recorded nothing.
    bool const is_newest = limits_->which.epoch == last_epoch();
    return is_newest ? limits_->presumption
                     : std::max(limits_->presumption, presumption_unrecorded);
}

void log_image::drop_forgettable(std::function<void()> const& between) noexcept
{
    openings_.erase(openings_.cbegin(), first_kept_opening());
    for (auto next = drop_decisions({}, decisions_at_once); next;) {
        if (between) between();
        next = drop_decisions(*next, decisions_at_once);
    }
    for (auto at = server_starts_.begin(); at != server_starts_.end();) {
        bool const is_kept = is_of_use(at->first.first, at->first.second);
        at = is_kept ? std::next(at) : server_starts_.erase(at);
    }
}

std::optional<packed_gtrid> log_image::drop_decisions(packed_gtrid const& from,
                                                      std::size_t count) noexcept
{
    auto at = decisions_.lower_bound(from);
    for (; count > 0 && at != decisions_.end(); --count) {
        bool const is_dropped = is_forgettable(at->first, at->second, horizons_);
        if (is_dropped) branches_ -= at->second.branches.size();
        at = is_dropped ? decisions_.erase(at) : std::next(at);
    }
    if (at == decisions_.end()) return std::nullopt;
    return at->first;
}

std::optional<packed_gtrid> log_image::visit_unfinished(packed_gtrid const& from, std::size_t count,
                                                        decision_visit const& visit) const
{
    auto at = decisions_.lower_bound(from);
    for (; count > 0 && at != decisions_.end(); --count, ++at) {
        if (!at->second.is_complete()) visit(at->first, at->second);
    }
    if (at == decisions_.end()) return std::nullopt;
    return at->first;
}

std::optional<packed_gtrid> log_image::visit_unfinished_at(std::uint16_t id,
                                                           packed_gtrid const& from,
                                                           std::size_t count,
                                                           decision_visit const& visit) const
{
    auto at = unfinished_.lower_bound({id, from});
    for (; count > 0 && at != unfinished_.end() && at->first == id; --count, ++at) {
        auto const& [global, entry] = *decisions_.find(at->second);
        visit(global, entry);
    }
    if (at == unfinished_.end() || at->first != id) return std::nullopt;
    return at->second;
}

std::uint64_t log_image::finish(xid const& branch) noexcept
{
    auto const at = decisions_.find(branch.global);
    if (at == decisions_.end()) return 0;
    auto const& branches = at->second.branches;
    auto const found = std::find(branches.begin(), branches.end(), packed_bqual(branch.branch));
    if (found == branches.end()) return 0;
    std::uint64_t const bit = std::uint64_t{1} << (found - branches.begin());
    if ((at->second.finished & bit) != 0) return 0;
    mark(*at, bit);
    return bit;
}

void log_image::mark(decision_map::value_type& which, std::uint64_t bits) noexcept
{
    auto& [global, entry] = which;
    bool const was_complete = entry.is_complete();
    std::uint64_t const fresh = bits & ~entry.finished;
    entry.finished |= bits;
    if (!was_complete && entry.is_complete()) --live_;
    for (std::size_t i = 0; i < entry.branches.size(); ++i) {
        if ((fresh >> i & 1) == 0) continue;
        auto const id = entry.branches[i].parts().resource_manager;
        bool is_left = false;  // of several branches there
        for (std::size_t k = 0; k < entry.branches.size(); ++k) {
            is_left = is_left ||
                      (!entry.is_finished(k) && entry.branches[k].parts().resource_manager == id);
        }
        if (!is_left) unfinished_.erase({id, global});
    }
}

void log_image::note_unfinished(decision_map::value_type const& which)
{
    auto const& global = which.first;
    auto const& entry = which.second;
    auto const forget = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            unfinished_.erase({entry.branches[i].parts().resource_manager, global});
        }
    };
    std::size_t i = 0;
    try {
        for (; i < entry.branches.size(); ++i) {
            if (entry.is_finished(i)) continue;
            unfinished_.emplace(entry.branches[i].parts().resource_manager, global);
        }
    } catch (...) {
        forget(i);
        throw;
    }
}

bool log_image::raise(horizon_record const& what)
{
    return raise_by(what, horizons_[what.id]);
}

ports::horizon const& log_image::horizon(std::uint16_t id) const noexcept
{
    static ports::horizon const none;
    auto const at = horizons_.find(id);
    return at == horizons_.end() ? none : at->second;
}

void log_image::obey(operator_record const& what) noexcept
{
    if (what.verdict != operator_verdict::forget_heuristic) return;
    heuristics_.remove_if([&](auto const& one) { return one.branch == what.branch; });
}

bool log_image::has_heuristic(xid const& branch) const noexcept
{
    auto const is_it = [&](auto const& one) { return one.branch == branch; };
    return std::any_of(heuristics_.begin(), heuristics_.end(), is_it) ||
           std::any_of(operators_.begin(), operators_.end(), [&](operator_record const& one) {
               return one.verdict == operator_verdict::forget_heuristic && is_it(one);
           });
}

/// A heuristic is recorded before a person's act, unless that carries out what was decided.
bool log_image::was_ended_by_person(packed_gtrid const& which) const noexcept
{
    return std::any_of(operators_.begin(), operators_.end(), [&](operator_record const& one) {
        bool const is_act =
            !is_about_the_log(one) && one.verdict != operator_verdict::forget_heuristic;
        return is_act && packed_gtrid{one.branch.global} == which && has_heuristic(one.branch);
    });
}

/// Takes the spare text where the binding is known.
void log_image::obey(rebinding& what) noexcept
{
    auto const at = bindings_.find(what.what.id);
    if (at == bindings_.end()) return;
    at->second.identity.swap(what.spare);
    at->second.rebound_epoch = what.what.epoch;
}

/// As it was bound at first: whoever does not know rebindings refuses the new identity.
ports::binding log_image::as_bound(ports::binding which) const
{
    auto const first = std::find_if(rebindings_.begin(), rebindings_.end(),
                                    [&](rebinding const& one) { return one.what.id == which.id; });
    if (first != rebindings_.end()) which.identity = first->what.from;
    return which;
}

void log_image::add_rollback(packed_gtrid const& which)
{
    auto const [at, is_new] = rollbacks_.emplace(which, rollback_next_);
    if (!is_new) return;
    try {
        rollback_order_.emplace(rollback_next_, which);
    } catch (...) {
        rollbacks_.erase(at);
        throw;
    }
    ++rollback_next_;
    trim_rollbacks();
}

void log_image::trim_rollbacks() noexcept
{
    while (rollbacks_.size() > rollback_notes_max) {
        auto const oldest = rollback_order_.begin();
        rollbacks_.erase(oldest->second);
        rollback_order_.erase(oldest);
    }
}

}  // namespace assent::log
