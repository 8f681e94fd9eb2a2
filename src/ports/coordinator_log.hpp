// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// coordinator_log.hpp -- everything the engine and recovery ask of the durable log.
//
// One process owns a log at a time.  An opened log has a fresh epoch and nonce, forced before the
// constructor returned; live decisions were copied forward and forced with it, so whatever this
// interface shows is durable, never merely read.

#ifndef ASSENT_PORTS_COORDINATOR_LOG_HPP
#define ASSENT_PORTS_COORDINATOR_LOG_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/decision_port.hpp"
#include "ports/horizon.hpp"

namespace assent::ports {

/// One opening of the log.  The log keeps every pair it ever had.
struct opening
{
    std::uint32_t epoch = 0;
    std::uint64_t nonce = 0;  ///< 48 random bits

    friend bool operator==(opening const&, opening const&) = default;
};

/// A resource manager as the log knows it.  The id is assigned once and never reused.
struct binding
{
    std::uint16_t id = 0;  ///< from 1
    std::string name;
    std::string kind;
    std::string identity;
    /// The opening that gave the number, where it was recorded: no transaction of an older one can
    /// name it.  0: the first, or an older version of the library gave it.
    std::uint32_t epoch = 0;
    /// A person gave the database up: its name and its database may be bound anew, by another id.
    bool is_retired = false;
    /// The opening in which a person said that the database has this identity now, and had another
    /// one: what it lacks of older ones may have been lost with the old database.  0: none.
    std::uint32_t rebound_epoch = 0;
};

/// The kind of a binding that stands for one which a damaged log lost: it keeps ids from being
/// given again, and no database has it.
inline constexpr std::string_view lost_kind = "lost";

/// Whether the binding is that of a database that is still there, and no placeholder.
inline bool is_real(binding const& which) noexcept
{
    return which.kind != lost_kind && !which.is_retired;
}

/// Where a global transaction stands in the order of its node's transactions.
inline position position_of(gtrid const& which) noexcept
{
    auto const parts = which.parts();
    return {parts.epoch, parts.sequence};
}

/// A commit decision in the log and how far it has been carried out.
struct logged_decision
{
    decision what;
    std::vector<bool> is_finished;  ///< per branch: verified committed, or settled otherwise

    bool is_complete() const noexcept
    {
        for (bool finished : is_finished) {
            if (!finished) return false;
        }
        return true;
    }
};

/// What became of a transaction, where the log can tell.
enum class recorded_outcome : std::uint8_t {
    unknown = 0,
    committed = 1,    ///< a decision is in the log
    rolled_back = 2,  ///< a rollback was noted; absence alone never says so
    /// A person ended a branch of it against the decision, or without one: neither can be said.
    by_person = 3,
};

/// Something that happened against the decision, or that cannot be known.
struct heuristic_record
{
    xid branch;
    std::string resource_manager;  ///< by name
    /// XA_HEURCOM ... XA_HEURHAZ; hazard also for a lost mark and for a branch found missing.
    xa_code code = xa_code::heurhaz;
    std::string text;  ///< what was seen, for the operator; at most 500 bytes
    std::int64_t unix_ms = 0;
};

enum class operator_verdict : std::uint8_t {
    commit = 1,
    roll_back = 2,
    forget_heuristic = 3,
};

/// A person decided what the manager could not know, or repaired the log: then it names no branch,
/// and the verdict is `commit` where nothing was lost, `roll_back` where something was.
struct operator_record
{
    xid branch;
    operator_verdict verdict = operator_verdict::commit;
    std::int64_t unix_ms = 0;
    std::string who;
    std::string why;
};

struct log_state
{
    bool is_poisoned = false;  ///< a force failed: begin is refused until the log is reopened
    std::string why;
    std::uint64_t decisions = 0;  ///< forced in this epoch
    std::uint64_t forces = 0;     ///< forced writes of decisions in this epoch
    std::chrono::steady_clock::duration force_time{0};  ///< of the former, together
    std::size_t waiting = 0;                            ///< requests that no force has ended yet
    std::uint64_t other_forces = 0;    ///< bindings, heuristics, horizons, new segments, seals
    std::uint64_t live_decisions = 0;  ///< not complete
    std::uint64_t kept_decisions = 0;  ///< those, and the complete ones above a horizon
    std::uint64_t heuristics = 0;      ///< that are kept until an operator forgets them
    std::int64_t room = 0;             ///< transactions that may still begin; `why` when none may
    std::string medium;                ///< "ext4, O_DIRECT and O_DSYNC": where forces go, and how
    std::string caution;  ///< what about the medium a person should know; empty: nothing
};

/// Thread safety: every member may be called from several threads at once.
class coordinator_log : public decision_port
{
public:
    virtual std::uint64_t node() const noexcept = 0;
    virtual std::string const& node_label() const noexcept = 0;
    virtual opening current() const noexcept = 0;

    /// Keeps room for the decision of a transaction that begins, so that a full disk refuses its
    /// beginning and never strikes between prepare and decision.  Never waits.
    /// @return false when there is none, or the log takes nothing any more: state().why says why.
    virtual bool reserve() noexcept = 0;
    /// Gives that room back; once for each reserve() that returned true.
    virtual void release() noexcept = 0;

    /// Whether this log ever had that opening (rule: exact ownership).
    virtual bool knows(opening const& which) const noexcept = 0;

    // Bindings.  Durability: forced before bind returns.  @throws std::system_error when not.
    virtual std::vector<binding> bindings() const = 0;
    /// Assigns the next id to `name`, or returns the existing id when name, kind and identity are
    /// the same.  @pre  a name already bound has this identity; an identity has one name.
    virtual std::uint16_t bind(std::string const& name, std::string const& kind,
                               std::string const& identity) = 0;

    // Decisions.
    virtual std::optional<logged_decision> find(gtrid const& which) const = 0;
    /// Every decision that was unfinished from before the call until it returns, and perhaps
    /// others. What commits meanwhile does not wait for it.
    virtual std::vector<logged_decision> unfinished() const = 0;
    /// The same, for decisions with an unfinished branch of that resource manager.  The time that
    /// it takes grows with their number, and not with all that is kept.
    virtual std::vector<logged_decision> unfinished_at(std::uint16_t resource_manager) const = 0;
    virtual recorded_outcome outcome(gtrid const& which) const = 0;

    /// Notes, lazily, that a branch of a logged decision is finished.
    /// Durability: with the next force; losing it only costs a repeated commit.
    virtual void note_finished(xid const& branch) noexcept = 0;
    /// Notes, lazily, that a transaction was rolled back.
    virtual void note_rolled_back(gtrid const& which) noexcept = 0;

    // Heuristics.  Durability: forced before the call returns.  @throws std::system_error, also
    // where the log keeps as many as it may and an operator has to forget some first.
    virtual void record(heuristic_record const& what) = 0;
    virtual std::vector<heuristic_record> heuristics() const = 0;

    /// Records what a person decided; forget_heuristic drops the branch's heuristics.
    /// Durability: forced before the call returns.  @throws std::system_error
    virtual void record(operator_record const& what) = 0;
    virtual std::vector<operator_record> operator_records() const = 0;

    // Horizon: on resource manager `id`, everything that it covers is finished and was forgotten.
    // A branch of it that is listed has reappeared.  Raised in memory, forced before any decision
    // that it covers is dropped, which happens when a segment is begun.
    virtual ports::horizon horizon(std::uint16_t id) const = 0;
    virtual void raise_horizon(std::uint16_t id, position to) noexcept = 0;
    /// Raises the horizon for the epoch of `to` alone, while branches of the epochs before it may
    /// yet come.
    virtual void raise_epoch_horizon(std::uint16_t id, position to) noexcept = 0;

    // Server starts: which start of resource manager `id` the epoch `of` noted last.  The last, not
    // the first: a server that restarted during an epoch still has that epoch's newer sessions.
    // Durability: forced before the call returns.  @throws std::system_error.
    virtual void note_server_start(std::uint16_t id, std::string const& start) = 0;
    virtual std::optional<std::string> server_start(std::uint16_t id, std::uint32_t of) const = 0;

    /// How long after taking a guardian's lock whoever has this log, or a copy of it, may not
    /// presume abort: the longest sum, over all openings of this log, of the lapse and the force
    /// that the opening recorded.
    virtual std::chrono::milliseconds presumption_delay() const noexcept = 0;

    virtual log_state state() const = 0;

    /// Forces the notes that were put off, then releases the log; later forces answer
    /// not_submitted.
    virtual bool close() noexcept { return true; }

    /// In a forked child: closes the descriptors, writes nothing.
    virtual void abandon() noexcept = 0;
};

/// Room for one decision, given back when it ends.
///
/// Thread safety: distinct objects safe.
class reservation
{
public:
    reservation() noexcept = default;
    /// Holds nothing when `log` has no room.
    explicit reservation(coordinator_log& log) noexcept : log_(log.reserve() ? &log : nullptr) {}
    reservation(reservation&& other) noexcept : log_(std::exchange(other.log_, nullptr)) {}
    reservation& operator=(reservation&& other) noexcept
    {
        std::swap(log_, other.log_);
        return *this;
    }
    ~reservation() { release(); }

    explicit operator bool() const noexcept { return log_ != nullptr; }
    void release() noexcept
    {
        if (auto* const held = std::exchange(log_, nullptr)) held->release();
    }

private:
    coordinator_log* log_ = nullptr;
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_COORDINATOR_LOG_HPP
