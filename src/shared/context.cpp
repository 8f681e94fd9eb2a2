// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "shared/context.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace assent::shared {

void recent_outcomes::note(gtrid const& id, known_outcome what) noexcept
{
    std::lock_guard const held{mutex_};
    auto const before = known_.size();
    try {
        known_.insert_or_assign(id, what);
        if (known_.size() == before) return;
        order_.push_back(id);
    } catch (std::bad_alloc const&) {
        if (known_.size() != before) known_.erase(id);
        return;
    }
    if (order_.size() > kept_max) {
        known_.erase(order_.front());
        order_.pop_front();
    }
}

known_outcome recent_outcomes::find(gtrid const& id) const
{
    std::lock_guard const held{mutex_};
    auto const found = known_.find(id);
    return found == known_.end() ? known_outcome::unknown : found->second;
}

context::context(limits const& all, std::shared_ptr<observer> sink,
                 std::unique_ptr<ports::coordinator_log> opened, ports::clock& clock)
    : bounds(all), log(std::move(opened)), time(clock), observer_(std::move(sink))
{
}

void context::note_finished(xid const& branch) noexcept
{
    if (branch.global.parts().place == decision_place::log) {
        log->note_finished(branch);
    } else {
        rows.note_finished(branch);
    }
}

limits::duration context::presumption_delay() const
{
    if (bounds.presumed_abort_delay.count() == 0) return limits::duration{0};
    return std::max<limits::duration>(bounds.presumed_abort_delay, log->presumption_delay());
}

void context::tell(severity level, std::string_view name, std::string_view resource_manager,
                   std::string_view id, std::string_view text) const noexcept
{
    if (!observer_) return;
    try {
        observer_->on({level, name, resource_manager, id, text});
    } catch (...) {
        // An observer that fails is not told of its own failure.
    }
}

void context::found_twin(std::string const& evidence)
{
    {
        std::lock_guard const held{mutex_};
        if (!twin_.empty()) return;
        twin_ = evidence;
    }
    tell(severity::alarm, "log.twin", {}, {}, evidence);
    for (auto const& tx : live.all()) {
        tx->mark_rollback_only({"a copy of this log is, or was, at work: " + evidence, false});
    }
}

std::string context::twin() const
{
    std::lock_guard const held{mutex_};
    return twin_;
}

bool context::quarantine(std::string const& branch_and_why)
{
    std::lock_guard const held{mutex_};
    return quarantined_.insert(branch_and_why).second;
}

std::vector<std::string> context::quarantined() const
{
    std::lock_guard const held{mutex_};
    return {quarantined_.begin(), quarantined_.end()};
}

void context::settle_quarantined(std::string const& branch)
{
    std::lock_guard const held{mutex_};
    std::erase_if(quarantined_, [&](auto const& each) { return each.starts_with(branch); });
}

void context::set_guard_refused(std::string const& resource_manager, bool is_refused)
{
    std::lock_guard const held{mutex_};
    if (is_refused) {
        guard_refused_.insert(resource_manager);
    } else {
        guard_refused_.erase(resource_manager);
    }
}

void context::note_guard(std::string const& resource_manager, bool is_held)
{
    std::lock_guard const held{mutex_};
    if (is_held) {
        guarded_.insert(resource_manager);
    } else {
        guarded_.erase(resource_manager);
    }
}

bool context::is_guarded_everywhere() const
{
    auto const bound = log->bindings();
    std::lock_guard const held{mutex_};
    return std::all_of(bound.begin(), bound.end(), [this](auto const& each) {
        return !ports::is_real(each) || guarded_.count(each.name) != 0;
    });
}

std::uint64_t context::first_session(server_life const& where, std::uint64_t first)
{
    // A server that does not tell which it is may be anybody's.
    if (where.instance.empty() || where.start.empty() || first == 0) return first;
    std::lock_guard const held{mutex_};
    auto const [at, is_new] = first_sessions_.try_emplace({where.instance, where.start}, first);
    at->second = std::min(at->second, first);
    return at->second;
}

void context::note_life(std::uint16_t id, server_life const& where)
{
    std::lock_guard const held{mutex_};
    instances_[id] = where.instance;
}

bool context::are_apart(std::uint16_t one, std::uint16_t other) const
{
    std::lock_guard const held{mutex_};
    auto const a = instances_.find(one);
    auto const b = instances_.find(other);
    if (a == instances_.end() || b == instances_.end()) return false;
    return !a->second.empty() && !b->second.empty() && a->second != b->second;
}

bool context::may_presume_abort() const
{
    if (log->state().is_poisoned) return false;
    std::lock_guard const held{mutex_};
    return twin_.empty() && guard_refused_.empty();
}

}  // namespace assent::shared
