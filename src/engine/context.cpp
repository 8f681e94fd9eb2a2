// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/context.hpp"

#include <new>
#include <utility>

namespace assent::engine {

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
    return found == known_.end() ? known_outcome::not_known : found->second;
}

context::context(limits const& all, std::shared_ptr<observer> sink,
                 std::unique_ptr<ports::coordinator_log> opened, ports::clock& clock)
    : bounds(all), log(std::move(opened)), time(clock), observer_(std::move(sink))
{
}

recovery::log_facts context::facts() const
{
    auto known = recovery::facts_of(*log);
    auto const in_log = std::move(known.find);
    auto const left_in_log = std::move(known.unfinished);
    known.find = [this, in_log](gtrid const& which) -> recovery::finding {
        if (which.parts().place != decision_place::commit_row) return in_log(which);
        auto says = rows.find(which);
        if (!says) return {};
        return {true, std::move(*says)};
    };
    known.are_rows_listed = [this](std::uint16_t id) { return rows.are_listed(id); };
    known.unfinished = [this, left_in_log] {
        auto all = left_in_log();
        for (auto& each : rows.unfinished())
            all.push_back(std::move(each));
        return all;
    };
    return known;
}

void context::note_finished(xid const& branch) noexcept
{
    if (branch.global.parts().place == decision_place::log) {
        log->note_finished(branch);
    } else {
        rows.note_finished(branch);
    }
}

void context::let_go_of_decided()
{
    for (auto const& tx : live.all()) {
        if (!tx->is_undecided || !log->find(tx->id)) continue;
        tell(severity::info, "decision.durable_after_all", {}, tx->id.text(), {});
        live.leave(*tx);
    }
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

void context::set_guard_refused(std::string const& resource_manager, bool is_refused)
{
    std::lock_guard const held{mutex_};
    if (is_refused) {
        guard_refused_.insert(resource_manager);
    } else {
        guard_refused_.erase(resource_manager);
    }
}

bool context::may_presume_abort() const
{
    if (log->state().is_poisoned) return false;
    std::lock_guard const held{mutex_};
    return twin_.empty() && guard_refused_.empty();
}

}  // namespace assent::engine
