// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// context.hpp -- what the parts of one engine share: bounds, log, clock, live table, alarms.

#ifndef ASSENT_SHARED_CONTEXT_HPP
#define ASSENT_SHARED_CONTEXT_HPP

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <assent/observer.hpp>
#include <assent/options.hpp>
#include <assent/outcome.hpp>

#include "ports/clock.hpp"
#include "ports/coordinator_log.hpp"
#include "shared/commit_rows.hpp"
#include "shared/live_table.hpp"
#include "shared/phase_times.hpp"

namespace assent::shared {

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
    phase_times phases;

    /// Notes in the log that a branch of a decision is verified committed, or settled otherwise.
    void note_finished(xid const& branch) noexcept;

    /// How long a guardian must have held its lock before abort is presumed, so that whoever had it
    /// before has noticed; 0 where the log cannot be copied.
    limits::duration presumption_delay() const;

    /// Tells the observer; what it throws is dropped, so that it cannot change an outcome.
    void tell(severity level, std::string_view name, std::string_view resource_manager,
              std::string_view id, std::string_view text) const noexcept;

    bool is_observed() const noexcept { return observer_ != nullptr; }

    /// A twin, a copy of this log, is or was at work: refuses begin, and what runs can only roll
    /// back.
    void found_twin(std::string const& evidence);
    std::string twin() const;

    /// Notes a listed branch that only a person may decide.  @return whether it is a new one.
    bool quarantine(std::string const& branch_and_why);
    std::vector<std::string> quarantined() const;
    /// A person had it ended: what begins with that is over.
    void settle_quarantined(std::string const& branch);

    /// Another process holds the node's lock on this resource manager (or no longer does).
    void set_guard_refused(std::string const& resource_manager, bool is_refused);
    void note_guard(std::string const& resource_manager, bool is_held);
    /// Whether the node's lock is held on every database that the log knows.
    bool is_guarded_everywhere() const;

    /// This run has session `first` on that life of a server.  @return its first there.
    std::uint64_t first_session(server_life const& where, std::uint64_t first);
    /// Notes on which server a resource manager was last seen.
    void note_life(std::uint16_t id, server_life const& where);
    /// Whether both are known to be on different servers.
    bool are_apart(std::uint16_t one, std::uint16_t other) const;

    /// Whether nothing in the whole process speaks against presuming abort.
    bool may_presume_abort() const;

    std::atomic<bool> is_closing{false};

private:
    std::shared_ptr<observer> const observer_;
    mutable std::mutex mutex_;
    std::string twin_;
    std::set<std::string> quarantined_;
    std::set<std::string> guard_refused_;
    std::set<std::string> guarded_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> first_sessions_;
    std::map<std::uint16_t, std::string> instances_;
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_CONTEXT_HPP
