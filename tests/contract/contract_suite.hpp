// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// contract_suite.hpp -- what a database must be able to do under test, so that its adapter can be
// held to the contract (adapters/README.md).
//
//   contract_suite.cpp             the tests, the same for every adapter
//   <database>_contract_test.cpp   a contract_target for that database, plugged in so:
//
//       INSTANTIATE_TEST_SUITE_P(postgresql, contract, ::testing::Values(&make_target));
//
// The tests speak to the adapter through the public port only; whatever needs the database's own
// client (writing a row, killing a session from outside) is the target's.  Invariant: a
// target never helps the adapter.  Its own connections are its own, and it checks what it did.

#ifndef ASSENT_TESTS_CONTRACT_CONTRACT_SUITE_HPP
#define ASSENT_TESTS_CONTRACT_CONTRACT_SUITE_HPP

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include <assent/driver.hpp>

#include "tests/contract/answers.hpp"

namespace assent::contract {

/// What a target may lack.  A test that needs it is skipped, by name.
enum class feature : std::uint8_t {
    freeze,             ///< the server can be stopped in its tracks
    crash,              ///< the server can be killed, and started again with its data
    move,               ///< ... on another address
    outside_kill,       ///< a session can be ended by an administrator
    blocked_statement,  ///< a statement can be made to wait, and be cancelled
    foreign_branches,   ///< a prepared branch with a name that is not ours can be made
    borrowed_handles,   ///< there are native handles to lend
    sockets,            ///< a session is a socket of this process
    two_phase,          ///< branches can be prepared
    session_ids,        ///< sessions have numbers, and can be looked for and ended by them
    busy_handles,       ///< a lent handle can hold results that were not read
    guardian,           ///< there is a lock that a node can hold
    starts,             ///< it tells its start, and can be told from its next life
    ended_sessions,     ///< the manager can end a session
    modes,              ///< a branch can be begun at a level, or read only
    one_phase,          ///< branches can be committed in one phase
    session_work,       ///< what a branch did ends with its session, as long as it is not prepared
    session_ends,       ///< a branch is ended on the session that it was prepared on
    polled_votes,       ///< a vote that is not there can be waited for again
    several_writers,    ///< a transaction that writes keeps no other from writing
};

/// The condition of a connection that the application lends.
enum class handle_kind : std::uint8_t {
    good,            ///< idle, the right server, database and account
    in_transaction,  ///< the application began a transaction
    busy,            ///< a query was sent and its result was not read
    other_server,    ///< a different server with the same names
    other_database,  ///< another database of the same server
};

/// A database under test.  A failure of the target itself throws std::runtime_error.
class contract_target
{
public:
    virtual ~contract_target() = default;

    virtual bool has(feature what) const = 0;

    /// Why the database cannot be had here; empty when it can.  Its tests are then skipped.
    virtual std::string why_missing() const { return {}; }
    /// Client library and server with their versions, for the matrix; empty: not counted there.
    virtual std::string client_version() { return {}; }
    virtual std::string server_version() { return {}; }

    /// Before each test: the server runs, the table is empty, no branch is prepared.
    virtual void reset() = 0;

    /// A driver for the database of the tests, at its present address.
    virtual std::shared_ptr<resource_manager_driver> driver() = 0;

    /// Writes the row `key` (unique) on the session's own native handle, within its branch.
    virtual void write_row(driver_session& session, int key) = 0;

    /// How many rows `key` are committed, seen from a connection of the target's own.
    virtual int count_rows(int key) = 0;

    /// Whether the server runs the branch that is active on the session, and wrote, at this level.
    virtual bool runs_at(driver_session& session, isolation level) = 0;
    /// Where nothing else was asked for.
    virtual isolation default_level() const = 0;
    /// By a statement of the application's: what is begun on the session from now on reads only,
    /// unless it is begun otherwise.
    virtual void make_read_only(driver_session& session) = 0;

    // feature::foreign_branches
    /// Prepares a branch that writes row `key`, under a name that is not of our layout.
    virtual void prepare_foreign(int key) { missing(key); }
    /// Commits it.  @throws when it is no longer there, untouched.
    virtual void commit_foreign() { missing(0); }

    // feature::outside_kill
    /// Ends the session `id` at the server as an administrator, and waits until it is gone.
    virtual void kill_session(std::uint64_t id) { missing(static_cast<int>(id)); }

    // feature::freeze
    virtual void freeze() { missing(0); }
    virtual void thaw() { missing(0); }

    // feature::crash, feature::move.  After any of them driver() leads to the new address.
    /// kill -9.  Also thaws.
    virtual void crash() { missing(0); }
    virtual void start() { missing(0); }
    /// Stops the server in order and starts it again.
    virtual void restart() { missing(0); }
    virtual void restart_elsewhere() { missing(0); }

    // feature::blocked_statement
    /// Runs, on another thread and on the session's native handle, a statement that waits for a
    /// lock that the target holds.  Returns when the server shows it waiting.
    /// @return true when the statement failed because it was cancelled or its session ended.
    virtual std::future<bool> run_blocked(driver_session& session)
    {
        missing(static_cast<int>(session.id()));
        return {};
    }
    /// Lets go of the lock that run_blocked holds.
    virtual void release_blocker() { missing(0); }

    // feature::borrowed_handles
    virtual void* open_handle(handle_kind kind)
    {
        missing(static_cast<int>(kind));
        return nullptr;
    }
    /// Whether the application can still run a statement on its handle.
    virtual bool is_usable(void* handle) { return handle == nullptr; }
    virtual void close_handle(void* handle) { missing(handle != nullptr); }

private:
    static void missing(int) { throw std::logic_error("the target lacks this feature"); }
};

/// Makes, or returns, the target; a program starts its server once and shares it between tests.
using target_factory = std::shared_ptr<contract_target> (*)();

/// The fixture of every test, here and in the adapters' own.
class contract : public ::testing::TestWithParam<target_factory>
{
protected:
    void SetUp() override;
    void TearDown() override;

    using session_ptr = std::unique_ptr<driver_session>;

    session_ptr open(session_purpose purpose);
    server_facts facts();

    /// A name for the next branch, on `session`.
    static xid next_xid(driver_session const& session);

    /// Submits and collects, for at most ten seconds; no answer in that time fails the test.
    static reply run(driver_session& session, verb v, xid const& x);

    /// Opens a session, starts a branch on it and writes row `key`.
    struct started
    {
        session_ptr session;
        xid id;
    };
    started start_branch(int key, branch_modes const& begun = {});
    /// The same on a session of another driver.
    started start_on(resource_manager_driver& from, int key, branch_modes const& begun = {});
    /// ... and prepares it.
    started prepare_branch(int key);

    /// Why the driver does not borrow the handle.
    std::string refusal_of(void* handle);

    /// Repeats `v` on a manager's session of its own, as the completion queue does: until the
    /// answer is final, or the branch is no longer listed.
    void finish_elsewhere(verb v, xid const& x);

    /// Repeats `rollback` until the session that worked on the branch is gone and a later scan
    /// lacks it: before that a PREPARE may still sit in the server's socket.
    void roll_back_lost(std::uint64_t session, xid const& x);

    bool is_listed(xid const& x);

    contract_target& target() { return *target_; }
    resource_manager_driver& driver() { return *driver_; }
    /// After the server moved or restarted.
    void refresh_driver() { driver_ = target_->driver(); }

private:
    std::shared_ptr<contract_target> target_;
    std::shared_ptr<resource_manager_driver> driver_;
};

/// Asks `condition` again and again, for at most ten seconds.
bool eventually(std::function<bool()> const& condition);

/// `count` seconds from now.
deadline in_seconds(int count);

}  // namespace assent::contract

#define ASSENT_NEEDS(what)                                  \
    if (!target().has(::assent::contract::feature::what)) { \
        GTEST_SKIP() << "this target has no " #what;        \
    }                                                       \
    static_assert(true)

#endif  // ASSENT_TESTS_CONTRACT_CONTRACT_SUITE_HPP
