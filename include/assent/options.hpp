// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// options.hpp -- every limit of the library, with its name, unit and default.
//
//   assent::options{}.log_directory("/var/lib/shop/txlog").node_label("shop-1")

#ifndef ASSENT_OPTIONS_HPP
#define ASSENT_OPTIONS_HPP

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/observer.hpp>
#include <assent/resource_manager.hpp>

namespace assent {
inline namespace v0 {

/// The bounds of a manager: every wait ends by one of these.  A manager refuses to open with values
/// that it cannot keep.
struct limits
{
    /// The type of every limit of time: milliseconds.
    using duration = std::chrono::milliseconds;

    duration transaction{60'000};     ///< default life of a transaction, begin() to decision
    duration phase2_wait{5'000};      ///< how long replies are waited for after the decision
    duration rollback_wait{5'000};    ///< how long a caller waits for replies to rollbacks
    duration destructor_wait{1'000};  ///< how long ~transaction waits for replies to rollbacks
    duration deadline_grace{1'000};   ///< from cancelling a late statement to ending its session
    duration cancel_call{1'000};      ///< one cancel at the server; the branch's end waits for it
    duration connect{5'000};          ///< one connection attempt
    duration first_scan{10'000};      ///< how long lease and enlist wait for a database to serve
    duration server_call{5'000};      ///< one call of the manager's own to a server
    duration close{10'000};           ///< how long ~transaction_manager closes
    duration log_lock{10'000};        ///< how long opening waits for the lock of the log

    /// A decision whose force took longer is answered as committed only where every guardian was
    /// fresh without a gap; otherwise it is in doubt, and recovery finishes it.
    duration log_force{2'000};
    duration log_hang{10'000};  ///< a force that takes longer than this poisons the log
    /// How long after a session was seen to be gone a branch that it had prepared is finished by
    /// name, on a server that keeps such a branch for its session (MariaDB).  Before that the
    /// server may still be taking the session apart, and would answer OK to a COMMIT that does
    /// nothing.
    duration detach_settle{1'000};
    duration retry_min{50};              ///< first back-off towards a server that fails
    duration retry_max{5'000};           ///< longest back-off
    duration completion_retry_max{500};  ///< longest back-off while a branch is to be finished

    /// Connections for each database, opened when they are needed, that finish branches there.
    std::uint32_t completion_sessions_max = 4;
    duration scan_interval{10'000};  ///< between scans when nothing is in doubt
    duration heartbeat{2'000};       ///< between two heartbeats of the guardian

    /// After this time without a heartbeat of the guardian no vote counts.  At most 5 s, and
    /// together with log_force at most 7 s, because a copy of this log waits no longer than that.
    duration guardian_lapse{5'000};
    /// How long after its guardian took the lock the manager first presumes abort: by then a copy
    /// of this log has noticed that it lost the lock, and its last force has ended.  0 means no
    /// wait, and is right only where the log cannot be copied.  Any other value is a minimum: where
    /// an opening of this log recorded a longer sum of guardian_lapse and log_force, the wait is
    /// that sum (an older version recorded none, and counts as 15 s).
    duration presumed_abort_delay{7'000};
    std::uint32_t segment_bytes = 16u << 20;  ///< size of one file of the log

    /// How many decisions the log may keep at once.  Each takes some 250 bytes of memory, or 400
    /// while it is not finished.  Beyond this number begin() is refused: a branch was not finished,
    /// or a transaction was open, for very long.
    std::uint64_t kept_decisions_max = 4'000'000;
    duration log_force_slow{100};  ///< a slower force of the log is told to the observer

    /// Sessions for leases, in use and idle, per database; a lease beyond them waits for one.
    std::uint32_t pooled_sessions_max = 64;
    /// Sessions that were idle for longer are closed: firewalls forget such connections.
    duration session_idle_max{180'000};
    /// Older sessions are replaced: addresses and certificates change.
    duration session_age_max{1'800'000};

    /// What a lease did to its session (SET, USE, temporary tables, prepared statements, locks) is
    /// undone before the next one.  Sessions of a user's own connect function, and those behind
    /// ODBC, are leased again as they are.  Those of reservations are reset whatever this says.
    bool reset_leases = true;
};

/// How a manager is opened.  Each function sets one thing and returns the object, so that calls
/// chain; their order makes no difference.
class options
{
public:
    /// What was chosen.
    struct values
    {
        std::string log_directory;                   ///< empty: it was not given
        std::string node_label;                      ///< empty: it was not given
        std::shared_ptr<assent::observer> observer;  ///< null: nobody hears of events
        assent::limits limits;                       ///< all of them
        std::vector<std::string> file_systems;       ///< those that were allowed
    };

    /// Required: the directory of the decision log, on a local disk; one process owns it at a time.
    /// A relative path is one of the directory that the process is in when the manager is opened: a
    /// service that is started in another one makes a new log there, which knows nothing.
    options& log_directory(std::string path)
    {
        given_.log_directory = std::move(path);
        return *this;
    }
    /// Required: a name of this node, for people.  The log keeps it, and does not open under
    /// another label.
    options& node_label(std::string label)
    {
        given_.node_label = std::move(label);
        return *this;
    }
    /// The observer, which hears what happens.
    options& observe(std::shared_ptr<observer> sink)
    {
        given_.observer = std::move(sink);
        return *this;
    }
    /// All limits at once.  A limit that is also set by a function of its own, before or after this
    /// call, keeps the value from that function.
    options& limits(assent::limits const& all)
    {
        given_.limits = all;
        for (auto const& set : single_)
            set(given_.limits);
        return *this;
    }
    /// As limits::transaction.
    options& transaction_timeout(assent::limits::duration life)
    {
        return set([life](assent::limits& all) { all.transaction = life; });
    }
    /// As limits::presumed_abort_delay.
    options& presumed_abort_delay(assent::limits::duration delay)
    {
        return set([delay](assent::limits& all) { all.presumed_abort_delay = delay; });
    }
    /// As limits::pooled_sessions_max.
    options& pooled_sessions_max(std::uint32_t sessions)
    {
        return set([sessions](assent::limits& all) { all.pooled_sessions_max = sessions; });
    }
    /// As limits::reset_leases.
    options& reset_leases(bool is_on)
    {
        return set([is_on](assent::limits& all) { all.reset_leases = is_on; });
    }
    /// Accepts a log directory on the file system `name`, which is refused otherwise: "tmpfs",
    /// "ramfs" and "overlay" may lose the log, and on "nfs" and "cifs" two hosts may share it.
    options& allow_file_system(std::string name)
    {
        given_.file_systems.push_back(std::move(name));
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

private:
    options& set(std::function<void(assent::limits&)> one)
    {
        one(given_.limits);
        single_.push_back(std::move(one));
        return *this;
    }

    values given_;
    std::vector<std::function<void(assent::limits&)>> single_;  // limits() asks them again
};

/// When commit() returns, in the words of X/Open's TX.
enum class commit_return : std::uint8_t {
    /// When every branch has confirmed, or limits::phase2_wait has passed.
    completed = 0,
    /// As soon as the decision is durable; every branch confirms behind the caller's back.
    decision_logged = 1,
};

/// How a transaction is begun.
class begin_options
{
public:
    /// What was chosen.
    struct values
    {
        limits::duration timeout{0};                 ///< 0: the manager's default
        std::optional<resource_manager> commit_row;  ///< nothing: the decision lives in the log
        branch_modes modes;                          ///< of every branch
        std::vector<resource_manager> expected;      ///< who must serve when it is begun
        assent::commit_return returns = assent::commit_return::completed;  ///< when commit() does
    };

    /// The time from begin() until the decision is handed to the log; 0 is the manager's default.
    /// Ten years or more is none: the application may take as long as it likes, and each wait of
    /// the manager's in this transaction lasts limits::transaction at most.
    begin_options& timeout(limits::duration life)
    {
        given_.timeout = life;
        return *this;
    }

    /// Makes `last` the last resource: its branch is not prepared, but one local transaction there
    /// commits its work and a row that is the decision (docs/guide/commit-row.md).  This saves one
    /// prepare and the force of the log, and is the only way to have a database without two-phase
    /// commit beside others.
    begin_options& commit_row(resource_manager last)
    {
        given_.commit_row = std::move(last);
        return *this;
    }

    /// The isolation level of every branch.  A database that does not have it refuses at enlist
    /// and lease.  If this is not called, each branch is begun at the default of its connection, or
    /// at what the application chose there for its next transaction (docs/guide/isolation.md).
    begin_options& isolation_level(isolation level)
    {
        given_.modes.level = level;
        return *this;
    }
    /// With true every branch is access::read_only, whatever lease() and enlist() ask for.  With
    /// false it is begun READ WRITE where the connection's default is to read only.  If this is not
    /// called, that default holds.
    begin_options& read_only(bool is_on = true)
    {
        given_.modes.may = is_on ? access::read_only : access::read_write;
        return *this;
    }

    /// Who will take part.  begin() throws errc::unavailable unless each of `all`, which were added
    /// to the manager, serves and is guarded at that moment, as far as the manager knows from its
    /// last contact: no database is asked, and none was given anything to lock.  One that dies
    /// later is found before any is asked to prepare, or by its vote.
    template <class... ResourceManagers>
    begin_options& expect(ResourceManagers const&... all)
    {
        (given_.expected.push_back(all), ...);
        return *this;
    }

    /// When commit() returns.  With commit_return::decision_logged it returns committed_pending as
    /// soon as the decision is durable and COMMIT was sent to every branch, whose leased session is
    /// given back when it has answered (docs/guide/early-return.md).  What another session reads
    /// meanwhile may be from before.  A branch on a borrowed connection is waited for, and so is a
    /// commit in one phase, which is the decision.
    begin_options& commit_return(assent::commit_return when)
    {
        given_.returns = when;
        return *this;
    }

    /// Whether a transaction that commits in one phase, on one database, asks that database first
    /// by which name it will remember the transaction.  That costs a round trip on PostgreSQL.
    /// Without it nobody can say what became of a commit whose reply is lost: in_doubt_error with
    /// resolver::nobody.  MySQL and MariaDB have no such name; over ODBC it is always asked for.
    begin_options& commit_witness(bool is_on = true)
    {
        given_.modes.has_witness = is_on;
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

private:
    values given_;
};

/// How transaction_manager::run() repeats.
class run_options
{
public:
    /// What was chosen.
    struct values
    {
        int attempts_max = 5;                                 ///< how often the work is run
        std::function<bool(std::exception const&)> retry_if;  ///< empty: it was not given
        begin_options begin;                                  ///< how each attempt is begun
    };

    /// How often the work is run at most; at least 1.
    run_options& attempts_max(int attempts)
    {
        given_.attempts_max = attempts;
        return *this;
    }
    /// Says after which of the user's own exceptions, besides retry_requested, the work is run
    /// again.
    run_options& retry_if(std::function<bool(std::exception const&)> is_transient)
    {
        given_.retry_if = std::move(is_transient);
        return *this;
    }
    /// As begin_options::timeout(), for each attempt.
    run_options& timeout(limits::duration life)
    {
        given_.begin.timeout(life);
        return *this;
    }
    /// As begin_options::commit_row().
    run_options& commit_row(resource_manager last)
    {
        given_.begin.commit_row(std::move(last));
        return *this;
    }
    /// As begin_options::isolation_level().
    run_options& isolation_level(isolation level)
    {
        given_.begin.isolation_level(level);
        return *this;
    }
    /// As begin_options::read_only().
    run_options& read_only(bool is_on = true)
    {
        given_.begin.read_only(is_on);
        return *this;
    }
    /// As begin_options::expect(), for each attempt; errc::unavailable ends the run.
    template <class... ResourceManagers>
    run_options& expect(ResourceManagers const&... all)
    {
        given_.begin.expect(all...);
        return *this;
    }
    /// As begin_options::commit_return().
    run_options& commit_return(assent::commit_return when)
    {
        given_.begin.commit_return(when);
        return *this;
    }
    /// As begin_options::commit_witness().
    run_options& commit_witness(bool is_on = true)
    {
        given_.begin.commit_witness(is_on);
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

private:
    values given_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_OPTIONS_HPP
