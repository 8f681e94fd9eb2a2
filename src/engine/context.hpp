// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// context.hpp -- what the parts of one engine share: bounds, log, clock, live table, alarms.

#ifndef ASSENT_ENGINE_CONTEXT_HPP
#define ASSENT_ENGINE_CONTEXT_HPP

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <assent/observer.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>

#include "engine/commit_rows.hpp"
#include "engine/live_table.hpp"
#include "ports/clock.hpp"
#include "ports/coordinator_log.hpp"
#include "recovery/resolver.hpp"

namespace assent::engine {

/// The last outcomes of this process, for outcome(gtrid): what no log keeps (one-phase, rollback).
class recent_outcomes
{
public:
    /// Without memory for it the outcome is "not known", which is never untrue.
    void note(gtrid const& id, known_outcome what) noexcept;
    known_outcome find(gtrid const& id) const;

private:
    static constexpr std::size_t kept_max = 65'536;

    mutable std::mutex mutex_;
    std::unordered_map<gtrid, known_outcome> known_;
    std::deque<gtrid> order_;
};

/// Thread safety: every member may be called from several threads at once.
class context
{
public:
    context(limits const& all, std::shared_ptr<observer> sink,
            std::unique_ptr<ports::coordinator_log> opened, ports::clock& clock);

    limits const bounds;
    std::unique_ptr<ports::coordinator_log> const log;
    ports::clock& time;
    live_table live;
    commit_rows rows;
    recent_outcomes outcomes;

    /// What is known of decisions, wherever they live, for the rules of recovery.
    recovery::log_facts facts() const;
    /// A branch of a decision is verified committed, or settled otherwise.
    void note_finished(xid const& branch) noexcept;

    /// Lets go of transactions whose force ended, well, after their owners had given up waiting:
    /// from here on they are decided, and the scans that begin now finish them.
    void let_go_of_decided();

    /// Tells the observer; what it throws is dropped, so that it cannot change an outcome.
    void tell(severity level, std::string_view name, std::string_view resource_manager,
              std::string_view id, std::string_view text) const noexcept;

    bool is_observed() const noexcept { return observer_ != nullptr; }

    /// A copy of this log is, or was, at work: refuses begin, and what runs can only roll back.
    void found_twin(std::string const& evidence);
    std::string twin() const;

    /// A listed branch that nobody may decide but a person.  @return whether it is a new one.
    bool quarantine(std::string const& branch_and_why);
    std::vector<std::string> quarantined() const;

    /// Another process holds the node's lock on this resource manager (or no longer does).
    void set_guard_refused(std::string const& resource_manager, bool is_refused);

    /// Whether nothing in the whole process speaks against presuming abort.
    bool may_presume_abort() const;

    std::atomic<bool> is_closing{false};

private:
    std::shared_ptr<observer> const observer_;
    mutable std::mutex mutex_;
    std::string twin_;
    std::set<std::string> quarantined_;
    std::set<std::string> guard_refused_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_CONTEXT_HPP
