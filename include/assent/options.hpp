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

/// The bounds of a manager: every wait ends by one of these.  What cannot be kept is refused.
struct limits
{
    using duration = std::chrono::milliseconds;

    duration transaction{60'000};        ///< default life of a transaction, begin() to decision
    duration phase2_wait{5'000};         ///< how long a caller waits for replies after the decision
    duration rollback_wait{5'000};       ///< ... for replies to rollbacks
    duration destructor_wait{1'000};     ///< ... in ~transaction
    duration deadline_grace{1'000};      ///< from cancelling a late statement to ending its session
    duration cancel_call{1'000};         ///< one cancel at the server: the owner's end waits for it
    duration connect{5'000};             ///< one connection attempt
    duration first_scan{10'000};         ///< lease, enlist: wait for a resource manager to serve
    duration server_call{5'000};         ///< one call of the manager's own to a server
    duration close{10'000};              ///< ~transaction_manager
    duration log_lock{10'000};           ///< wait for the lock of the log at opening
    duration log_force{10'000};          ///< a force that takes longer poisons the log
    duration retry_min{50};              ///< first back-off towards a server that fails
    duration retry_max{5'000};           ///< last
    duration completion_retry_max{500};  ///< last, while a branch waits to be finished there
    duration scan_interval{10'000};      ///< between scans when nothing is in doubt
    duration heartbeat{2'000};           ///< of the guardian
    duration guardian_lapse{5'000};      ///< no heartbeat for so long (5 s at most): all vote no
    /// After the guardian's lock was taken: abort is presumed only this much later, so that a copy
    /// of this log has noticed: guardian_lapse or more, and 0 where the log cannot be copied.
    duration presumed_abort_delay{5'000};
    std::uint32_t segment_bytes = 16u << 20;  ///< of the log
    /// Decisions that the log may keep at once, some 250 bytes of memory each; beyond them begin()
    /// is refused: a branch of one was not finished, or a transaction was open, for very long.
    std::uint64_t kept_decisions_max = 4'000'000;
    duration log_force_slow{100};  ///< a slower force of the log is told to the observer
    /// Sessions for leases, in use and idle, per database; a lease beyond them waits for one.
    std::uint32_t pooled_sessions_max = 64;
    duration session_idle_max{180'000};   ///< idle for longer: closed, as firewalls forget it
    duration session_age_max{1'800'000};  ///< older: replaced, as addresses and certificates change
    /// What a lease did to its session (SET, USE, temporary tables, prepared statements, locks) is
    /// undone before the next one.  Sessions of a user's own connect function, and those behind
    /// ODBC, are leased again as they are.
    bool reset_leases = true;
};

/// How a manager is opened.
class options
{
public:
    options& log_directory(std::string path)
    {
        log_directory_ = std::move(path);
        return *this;
    }
    /// Required: a name for people, kept in the log, which is refused under another one.
    options& node_label(std::string label)
    {
        node_label_ = std::move(label);
        return *this;
    }
    options& observe(std::shared_ptr<observer> sink)
    {
        observer_ = std::move(sink);
        return *this;
    }
    options& bounds(limits const& all)
    {
        limits_ = all;
        return *this;
    }
    options& transaction_timeout(limits::duration life)
    {
        limits_.transaction = life;
        return *this;
    }
    options& presumed_abort_delay(limits::duration delay)
    {
        limits_.presumed_abort_delay = delay;
        return *this;
    }
    /// As limits::pooled_sessions_max.
    options& pooled_sessions_max(std::uint32_t sessions)
    {
        limits_.pooled_sessions_max = sessions;
        return *this;
    }
    /// As limits::reset_leases.
    options& reset_leases(bool is_on)
    {
        limits_.reset_leases = is_on;
        return *this;
    }
    /// Accepts a log directory on a file system that is refused otherwise, by its name: "tmpfs",
    /// "ramfs" and "overlay" may lose the log, on "nfs" and "cifs" two hosts may share it.
    options& allow_file_system(std::string name)
    {
        allowed_file_systems_.push_back(std::move(name));
        return *this;
    }

    std::string const& log_directory() const noexcept { return log_directory_; }
    std::string const& node_label() const noexcept { return node_label_; }
    std::shared_ptr<observer> const& observe() const noexcept { return observer_; }
    limits const& bounds() const noexcept { return limits_; }
    std::vector<std::string> const& allowed_file_systems() const noexcept
    {
        return allowed_file_systems_;
    }

private:
    std::string log_directory_;
    std::string node_label_;
    std::shared_ptr<observer> observer_;
    limits limits_;
    std::vector<std::string> allowed_file_systems_;
};

/// How a transaction is begun.
class begin_options
{
public:
    /// From begin() until the decision is handed to the log; 0 is the manager's default.
    begin_options& deadline(limits::duration life)
    {
        life_ = life;
        return *this;
    }
    limits::duration deadline() const noexcept { return life_; }

    /// The decision lives in a row of `last`, which is not prepared: one local transaction commits
    /// its work and the row (docs/guide/commit-row.md).  Saves one prepare and the force of the
    /// log, and is the only way to have a database without two-phase commit beside others.
    begin_options& commit_row(resource_manager last)
    {
        commit_row_ = std::move(last);
        return *this;
    }
    std::optional<resource_manager> const& commit_row() const noexcept { return commit_row_; }

private:
    limits::duration life_{0};
    std::optional<resource_manager> commit_row_;
};

/// How transaction_manager::run() repeats.
class run_options
{
public:
    run_options& attempts_max(int attempts)
    {
        attempts_max_ = attempts;
        return *this;
    }
    /// Which of the user's own exceptions may pass, besides retry_requested.
    run_options& retry_if(std::function<bool(std::exception const&)> is_transient)
    {
        retry_if_ = std::move(is_transient);
        return *this;
    }
    run_options& deadline(limits::duration life)
    {
        begin_.deadline(life);
        return *this;
    }
    /// As begin_options::commit_row().
    run_options& commit_row(resource_manager last)
    {
        begin_.commit_row(std::move(last));
        return *this;
    }

    int attempts_max() const noexcept { return attempts_max_; }
    std::function<bool(std::exception const&)> const& retry_if() const noexcept
    {
        return retry_if_;
    }
    begin_options const& begin() const noexcept { return begin_; }

private:
    int attempts_max_ = 5;
    std::function<bool(std::exception const&)> retry_if_;
    begin_options begin_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_OPTIONS_HPP
