// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// witness.cpp -- see witness.hpp.

#include "witness.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>
#include <variant>

namespace assent::testing {

namespace {

deadline an_hour()
{
    return std::chrono::steady_clock::now() + std::chrono::hours{1};
}

std::uint64_t bits(std::size_t branches) noexcept
{
    return branches >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << branches) - 1;
}

bool is_same(ports::heuristic_record const& a, ports::heuristic_record const& b)
{
    return a.branch == b.branch && a.resource_manager == b.resource_manager && a.code == b.code &&
           a.text == b.text && a.unix_ms == b.unix_ms;
}

bool is_same(ports::binding const& a, ports::binding const& b)
{
    return a.name == b.name && a.kind == b.kind && a.identity == b.identity;
}

}  // namespace

std::string testimony::text() const
{
    std::string all = wrong;
    if (lost.empty()) return all;
    if (!all.empty()) all += "; ";
    return all + "lost " + std::to_string(lost.size()) + ", " + std::string(lost.front().text());
}

void witness::opened(log::file_log const& log)
{
    std::lock_guard const held(mutex_);
    node_ = log.node();
    openings_[log.current().epoch] = log.current().nonce;
}

void witness::opened(ports::opening const& which)
{
    std::lock_guard const held(mutex_);
    openings_[which.epoch] = which.nonce;
}

ports::force_result witness::commit(log::file_log& log, ports::decision const& what)
{
    {
        std::lock_guard const held(mutex_);
        decisions_[what.global].branches = {what.branches.begin(), what.branches.end()};
    }
    auto result = log.force(what, an_hour());
    std::lock_guard const held(mutex_);
    promise& mine = decisions_[what.global];
    if (std::holds_alternative<ports::durable_decision>(result)) {
        mine.said = answer::durable;
    } else if (std::get<ports::force_failure>(result).what ==
               ports::force_failure::kind::not_submitted) {
        mine.said = answer::not_submitted;
    }
    return result;
}

std::uint16_t witness::bind(log::file_log& log, std::string const& name)
{
    ports::binding const what{0, name, "memory", "server of " + name};
    std::size_t at = 0;
    {
        std::lock_guard const held(mutex_);
        at = bindings_.size();
        bindings_.push_back({what});
    }
    std::uint16_t const id = log.bind(what.name, what.kind, what.identity);
    std::lock_guard const held(mutex_);
    bindings_[at].what.id = id;
    bindings_[at].how = answer::durable;
    return id;
}

void witness::record(log::file_log& log, ports::heuristic_record const& what)
{
    std::size_t at = 0;
    {
        std::lock_guard const held(mutex_);
        at = heuristics_.size();
        heuristics_.push_back({what});
    }
    log.record(what);
    std::lock_guard const held(mutex_);
    heuristics_[at].how = answer::durable;
}

void witness::forget(log::file_log& log, xid const& branch)
{
    std::size_t at = 0;
    {
        std::lock_guard const held(mutex_);
        at = forgotten_.size();
        forgotten_.push_back({branch});
    }
    log.record(log::operator_record{branch, log::operator_verdict::forget_heuristic, 7, "who",
                                    "the rows were compared by hand"});
    std::lock_guard const held(mutex_);
    forgotten_[at].how = answer::durable;
}

void witness::start(log::file_log& log, std::uint16_t id, std::string const& text)
{
    std::pair const key{id, log.current().epoch};
    std::size_t at = 0;
    {
        std::lock_guard const held(mutex_);
        at = starts_[key].size();
        starts_[key].push_back({text});
    }
    log.note_server_start(id, text);
    std::lock_guard const held(mutex_);
    starts_[key][at].how = answer::durable;
}

void witness::finish(log::file_log& log, ports::decision const& what)
{
    {
        std::lock_guard const held(mutex_);
        decisions_[what.global].finished = bits(what.branches.size());
    }
    for (bqual const& branch : what.branches) {
        log.note_finished({what.global, branch});
    }
}

void witness::roll_back(log::file_log& log, gtrid const& which)
{
    {
        std::lock_guard const held(mutex_);
        rolled_back_.insert(which);
    }
    log.note_rolled_back(which);
}

void witness::raise(log::file_log& log, std::uint16_t id, ports::position to)
{
    {
        std::lock_guard const held(mutex_);
        raised_[id].raise(to);
    }
    log.raise_horizon(id, to);
}

void witness::raise_alone(log::file_log& log, std::uint16_t id, ports::position to)
{
    {
        std::lock_guard const held(mutex_);
        raised_[id].raise_alone(to);
    }
    log.raise_epoch_horizon(id, to);
}

std::size_t witness::durable() const
{
    std::lock_guard const held(mutex_);
    return static_cast<std::size_t>(
        std::count_if(decisions_.begin(), decisions_.end(),
                      [](auto const& one) { return one.second.said == answer::durable; }));
}

bool witness::has_unanswered() const
{
    std::lock_guard const held(mutex_);
    return std::any_of(decisions_.begin(), decisions_.end(),
                       [](auto const& one) { return one.second.said == answer::none; });
}

bool witness::has_raised(std::uint16_t id, ports::horizon const& seen) const
{
    ports::horizon all;
    for (witness const* one = this; one != nullptr; one = one->before_) {
        std::lock_guard const held(one->mutex_);
        auto const at = one->raised_.find(id);
        if (at == one->raised_.end()) continue;
        auto mine = at->second;
        all.absorb(mine);
    }
    return seen.everything() <= all.everything() &&
           std::all_of(seen.alone().begin(), seen.alone().end(), [&](auto const& each) {
               return all.covers({each.first, each.second});
           });
}

void witness::judge_decision(log::packed_gtrid const& global, promise const& mine,
                             log::log_image const& seen, log::decision_entry const* entry,
                             testimony& of) const
{
    if (entry == nullptr) {
        if (mine.said != answer::durable) return;
        auto const at = global.position();
        bool const is_forgettable =
            mine.finished == bits(mine.branches.size()) &&
            std::all_of(mine.branches.begin(), mine.branches.end(),
                        [&](log::packed_bqual const& branch) {
                            return seen.horizon(branch.parts().resource_manager).covers(at);
                        });
        if (!is_forgettable) of.lost.push_back(global);
    } else if (mine.said == answer::not_submitted) {
        of.wrong = "a decision that was refused: " + global.text();
    } else if (entry->branches != mine.branches) {
        of.wrong = "a decision over other branches: " + global.text();
    } else if ((entry->finished & ~mine.finished) != 0) {
        of.wrong = "a branch that nobody called finished: " + global.text();
    }
}

/// Both are sorted, so one walk compares them.  @return how many of `seen` are ours.
std::size_t witness::judge_decisions(log::log_image const& seen, testimony& of) const
{
    std::lock_guard const held(mutex_);
    std::size_t met = 0;
    auto at = seen.decisions().begin();
    auto const end = seen.decisions().end();
    for (auto const& [global, mine] : decisions_) {
        while (at != end && at->first < global) {
            ++at;
        }
        bool const is_there = at != end && at->first == global;
        met += is_there ? 1U : 0U;
        judge_decision(global, mine, seen, is_there ? &at->second : nullptr, of);
    }
    return met;
}

std::size_t witness::judge_bindings(log::log_image const& seen, testimony& of) const
{
    std::lock_guard const held(mutex_);
    std::size_t met = 0;
    for (auto const& mine : bindings_) {
        auto const at =
            std::find_if(seen.bindings().begin(), seen.bindings().end(),
                         [&](auto const& one) { return is_same(one.second, mine.what); });
        bool const is_there = at != seen.bindings().end() &&
                              (mine.how != answer::durable || at->first == mine.what.id);
        met += is_there ? 1U : 0U;
        if (!is_there && mine.how == answer::durable) {
            of.wrong = "the binding of " + mine.what.name + " is gone or changed";
        }
    }
    return met;
}

void witness::judge_openings(log::log_image const& seen, testimony& of) const
{
    std::lock_guard const held(mutex_);
    for (auto const& [epoch, nonce] : openings_) {
        if (seen.openings().count({epoch, nonce}) == 0) {
            of.wrong = "opening " + std::to_string(epoch) + " is gone or changed";
        }
    }
}

void witness::judge_heuristics(log::log_image const& seen, testimony& of) const
{
    std::vector<said<ports::heuristic_record>> all;
    std::vector<said<xid>> forgotten;
    std::size_t others = 0;
    for (witness const* one = this; one != nullptr; one = one->before_) {
        std::lock_guard const held(one->mutex_);
        all.insert(all.begin(), one->heuristics_.begin(), one->heuristics_.end());
        forgotten.insert(forgotten.begin(), one->forgotten_.begin(), one->forgotten_.end());
        others += one->other_decrees_;
    }
    auto const is_forgotten = [&](xid const& branch) {
        return std::any_of(forgotten.begin(), forgotten.end(),
                           [&](auto const& one) { return one.what == branch; });
    };
    auto at = seen.heuristics().begin();
    for (auto const& mine : all) {
        if (at != seen.heuristics().end() && is_same(*at, mine.what)) {
            ++at;
        } else if (mine.how == answer::durable && !is_forgotten(mine.what.branch)) {
            of.wrong = "a heuristic is gone or changed: " + mine.what.text;
        }
    }
    if (at != seen.heuristics().end()) of.wrong = "a heuristic nobody recorded: " + at->text;
    auto const durable = static_cast<std::size_t>(
        std::count_if(forgotten.begin(), forgotten.end(),
                      [](auto const& one) { return one.how == answer::durable; }));
    if (seen.operator_records().size() < durable) of.wrong = "an operator's record is gone";
    if (seen.operator_records().size() > forgotten.size() + others) {
        of.wrong = "an operator's record that nobody made";
    }
}

void witness::judge_starts(log::log_image const& seen, testimony& of) const
{
    std::lock_guard const held(mutex_);
    for (auto const& [key, texts] : starts_) {
        // The last one that was acknowledged, or one that was asked for after it.
        auto const last = std::find_if(texts.rbegin(), texts.rend(),
                                       [](auto const& one) { return one.how == answer::durable; });
        bool const is_due = last != texts.rend();
        auto const first = is_due ? std::prev(last.base()) : texts.begin();
        auto const at = seen.server_starts().find(key);
        bool const is_there = at != seen.server_starts().end();
        bool const is_sound =
            is_there ? std::any_of(first, texts.end(),
                                   [&](auto const& one) { return one.what == at->second; })
                     : !is_due || seen.horizon(key.first).everything().epoch > key.second;
        if (!is_sound) of.wrong = "the server's start is gone or changed";
    }
}

std::size_t witness::judge_rollbacks(log::log_image const& seen) const
{
    std::lock_guard const held(mutex_);
    return static_cast<std::size_t>(
        std::count_if(rolled_back_.begin(), rolled_back_.end(),
                      [&](auto const& which) { return seen.was_rolled_back(which); }));
}

testimony witness::judge(log::log_image const& seen) const
{
    testimony of;
    std::size_t decisions = 0;
    std::size_t bindings = 0;
    std::size_t rollbacks = 0;
    for (witness const* one = this; one != nullptr; one = one->before_) {
        decisions += one->judge_decisions(seen, of);
        bindings += one->judge_bindings(seen, of);
        rollbacks += one->judge_rollbacks(seen);
        one->judge_openings(seen, of);
        one->judge_starts(seen, of);
    }
    judge_heuristics(seen, of);
    if (decisions != seen.decisions().size()) of.wrong = "a decision that nobody made";
    if (bindings != seen.bindings().size()) of.wrong = "a binding that nobody asked for";
    if (rollbacks != seen.rollback_count()) of.wrong = "a rollback that nobody noted";
    for (auto const& [id, horizon] : seen.horizons()) {
        if (!has_raised(id, horizon)) of.wrong = "a horizon that nobody raised so far";
    }
    return of;
}

testimony witness::judge(log::file_log const& seen) const
{
    testimony of;
    for (witness const* one = this; one != nullptr; one = one->before_) {
        std::lock_guard const held(one->mutex_);
        if (one->node_ != 0 && one->node_ != seen.node()) of.wrong = "another node";
        for (auto const& [epoch, nonce] : one->openings_) {
            if (!seen.knows({epoch, nonce})) of.wrong = "an opening is not known";
        }
        for (auto const& [global, mine] : one->decisions_) {
            auto const there = seen.find(global);
            std::vector<bqual> const mine_too(mine.branches.begin(), mine.branches.end());
            if (there && there->what.branches != mine_too) of.wrong = "other branches";
            if (mine.said != answer::durable || there) continue;
            if (mine.finished != bits(mine.branches.size())) of.lost.push_back(global);
        }
    }
    return of;
}

}  // namespace assent::testing
