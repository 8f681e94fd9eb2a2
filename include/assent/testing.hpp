// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// testing.hpp -- a database in memory with scripted faults, for your own tests.
//
//   assent::testing::memory_database bank;                       // the server
//   auto accounts = manager.add(assent::testing::memory_resource_manager{"accounts", bank});
//
//   bank.script().on(assent::verb::commit).lose_after_effect();  // the next commit's reply is lost
//   auto tx = manager.begin();
//   assent::testing::memory_connection* c = tx.lease(accounts);
//   c->add("alice", -100);
//   ...
//   EXPECT_EQ(bank.value("alice"), 900);
//   EXPECT_TRUE(bank.violations().empty());                      // the manager kept to XA
//
// A memory_database is the server: it outlives drivers, managers and their "crashes".  Everything
// is deterministic: no threads, no sleeps, and with a time_source of your own no real clock.
//
// Invariant: a request that XA's tables forbid is refused, and reported by violations().

#ifndef ASSENT_TESTING_HPP
#define ASSENT_TESTING_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/branch_table.hpp>
#include <assent/decision_table.hpp>
#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/task_table.hpp>
#include <assent/xa.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {
namespace testing {

namespace memory {
class server;
struct durable_state;
struct request_rule;
struct call_rule;
}  // namespace memory

/// Which database a memory_database behaves like where databases differ.
enum class personality : std::uint8_t {
    /// By XA's tables alone: votes XA_RDONLY for a branch that wrote nothing.
    plain = 1,
    /// A prepared branch stays with its session: other sessions are answered XAER_NOTA although it
    /// is listed.  A branch that wrote nothing answers read_only_owner_left after its session has
    /// gone.
    mariadb = 2,
    /// A failed statement spoils the branch; a one-phase commit leaves a witness; a branch that
    /// another session is working on is busy; a reservation that is not committed is not seen, so
    /// that nobody waits for it.
    postgresql = 3,
};

/// Where the time comes from.  The default is the steady clock, and waiting is real.
struct time_source
{
    /// The present.  Called with no lock held.
    std::function<deadline()> now;
    /// Called with no lock held when a reply is not there yet: lets time pass until `when`, or
    /// until something else may have happened.  When `now` is given and this is not, a wait that
    /// is not over at once counts as run out, so that nothing ever blocks.
    std::function<void(deadline when)> wait_until;
};

/// What a memory_database is like.
struct memory_options
{
    personality acts_as = personality::plain;  ///< which database it behaves like
    std::string identity;                      ///< empty: an identity of its own
    /// Differs between servers of one identity: a primary and its replica.  Empty: as the identity.
    std::string instance;
    std::string user = "assent";          ///< the account of every session
    std::string database = "memory";      ///< its name
    bool is_proxied = false;              ///< sessions cannot be seen or ended by their ids
    bool is_two_phase = true;             ///< it can prepare
    bool is_always_serializable = false;  ///< it begins a branch at no other level
    bool holds_commit_rows = true;        ///< commit rows may live there
    /// A restore is noticed by what a node keeps there (kept_past); there is no history of its own.
    bool keeps_past = false;
    bool gives_numbers_again = false;  ///< each start numbers its sessions from one again
    /// Rows of reservations go with the start of their transactions, and votes are asked for before
    /// they are heard; else as through a client that takes one statement in a message.
    bool joins_messages = true;
    std::chrono::milliseconds guardian_lease{10'000};  ///< of a guardian that falls silent
    time_source time;                                  ///< where its time comes from
};

/// What became of a branch.
enum class branch_fate : std::uint8_t {
    never_seen = 0,
    active = 1,
    prepared = 2,
    committed = 3,
    rolled_back = 4,
    mixed = 5,  ///< heuristically: a part of its writes was committed
};

/// One request that was sent, and what the server answered.
struct memory_event
{
    std::uint64_t session = 0;  ///< the session that sent it
    verb what = verb::start;    ///< what it asked for
    xid branch;                 ///< on which branch
    reply answer;  ///< of the server; meaningless while the request is held, or never arrived
    bool was_carried_out = false;  ///< the server did it
    bool was_heard = false;        ///< collect() returned the server's own answer
    branch_modes modes;            ///< of start: as it was asked for
};

/// The calls of a driver that are not verbs, for faults.
enum class driver_call : std::uint8_t {
    connect = 1,
    borrow = 2,
    preflight = 3,
    scan = 4,
    guard = 5,
    heartbeat = 6,
    presence = 7,
    sessions_before = 8,
    cancel_statement = 9,
    end_session = 10,
    ask_witness = 11,
    ensure_decisions = 12,
    fence_decision = 13,
    list_decisions = 14,
    prune_decisions = 15,
    read_past = 16,
    keep_past = 17,
    ensure_branches = 18,
    insert_branch = 19,
    take_branch = 20,
    find_branch = 21,
    list_branches = 22,
    ensure_tasks = 23,
    put_tasks = 24,
    take_task = 25,
    find_slot_holder = 26,
    ensure_lanes = 27,
    claim_lanes = 28,
    place_tasks = 29,
    end_turn = 30,
    ensure_inbox = 31,
    move_inbox = 32,
};

/// A connection: what a lease converts to, and what enlist and join take.  Inside a branch its
/// writes belong to the branch, inside begin() to a local transaction; otherwise each commits by
/// itself.  A write locks its row until the end of its transaction, and so does a read in a branch
/// that was begun at REPEATABLE READ or SERIALIZABLE; below these levels a read sees what is
/// committed.  A locked row is never waited for.
///
/// @throws driver_error  from every statement: the connection is lost, or SQLSTATE 40001, the row
///                       is locked by another transaction.  Safe to retry, with the whole
///                       transaction: after 40001.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class ASSENT_EXPORT memory_connection
{
public:
    ~memory_connection();
    memory_connection(memory_connection const&) = delete;
    memory_connection& operator=(memory_connection const&) = delete;

    /// Writes a row.
    void set(std::string const& key, std::int64_t value);
    /// Reads a row.  @return nothing where there is none.
    std::optional<std::int64_t> get(std::string const& key);
    /// Adds to a row, which begins at 0.  @return the new value.
    std::int64_t add(std::string const& key, std::int64_t delta);

    /// The application's own transaction.  Inside a branch commit() and rollback() leave it
    /// behind the manager's back, as they do on PostgreSQL; MariaDB's personality refuses them.
    void begin();
    void commit();    ///< ends it, and makes its writes permanent
    void rollback();  ///< ends it, and takes its writes back
    /// Sets whether work that is not begun otherwise refuses writes from now on (SET SESSION
    /// CHARACTERISTICS).
    void read_only(bool is_on);
    /// As mysql_reset_connection and DISCARD: rolls back, leaves the branch, and goes on.
    void reset();

    /// The server's number for this session; after a restart another session may have it.
    std::uint64_t id() const noexcept;
    /// Whether the server still has it.
    bool is_open() const;

private:
    friend class memory_database;
    friend class memory::server;
    memory_connection(std::shared_ptr<memory::server> server, std::uint64_t id);

    std::shared_ptr<memory::server> server_;
    std::uint64_t id_;  // never given again
};

/// A fault for a verb that is being described; the last call of the chain puts it in force.  It
/// waits for the nth request that fits (the next one unless nth() is called) and fires as often as
/// times() says (once unless it is called).
///
/// @throws error  errc::bad_argument, from nth() and times(): less than 1.
class ASSENT_EXPORT verb_fault
{
public:
    verb_fault& nth(int count);             ///< waits for the nth request that fits
    verb_fault& times(int count);           ///< fires so often
    verb_fault& branch(xid const& id);      ///< only this branch fits
    verb_fault& session(std::uint64_t id);  ///< only this session fits

    /// The server answers `code`, with the effect that XA gives this answer: XA_RB* rolls the
    /// branch back, XA_HEUR* settles it until forget, XAER_RMFAIL ends the session, XAER_PROTO does
    /// nothing.
    void reply(xa_code code);
    /// The same, with more than a code.
    void reply(assent::reply answer);
    /// The server replies with `answer` and does nothing.
    void reply_without_effect(assent::reply answer);
    /// The server does what was asked and replies with `answer`.
    void reply_after_effect(assent::reply answer);
    /// The connection breaks before the server has received the request.
    void lose_before_effect();
    /// The connection breaks after the server has done what was asked.
    void lose_after_effect();
    /// The request sits in the server's socket until released.
    void hang();
    /// The server does it and sends its reply when released.
    void hang_after_effect();
    /// The server has committed it on its own disk and waits for a standby: nobody sees it, its
    /// locks are kept, and neither its client's end nor its session's takes it back.  Released, it
    /// becomes visible; so it does by a restart.  For commit_one_phase.
    void hang_in_commit();
    /// The server has begun the commit and waits for space for its binlog, as MariaDB's XA COMMIT
    /// does.  Its client's end changes nothing; if anybody ends its session (KILL), the branch is
    /// rolled back; a crash leaves it prepared.  For commit.
    void hang_in_xa_commit();
    /// The server does it, and its reply arrives with this delay.
    void delay(std::chrono::milliseconds by);
    /// The server dies instead of doing it.
    void crash_server_before_effect();
    /// The server does it and dies.
    void crash_server_after_effect();

private:
    friend class fault_script;
    verb_fault(std::shared_ptr<memory::server> server, verb v);
    void arm();

    std::shared_ptr<memory::server> server_;
    std::shared_ptr<memory::request_rule> rule_;
};

/// A fault for a call of the driver.
///
/// @throws error  errc::bad_argument, from nth() and times(): less than 1.
class ASSENT_EXPORT call_fault
{
public:
    call_fault& nth(int count);    ///< waits for the nth call
    call_fault& times(int count);  ///< fires so often

    /// Throws driver_error.
    void fail(std::string const& why = "scripted failure");
    /// Waits until the deadline of the call, then throws driver_error.
    void time_out();
    /// The session that asks is cut.
    void cut();
    /// The call is answered as done, and is never done.  For end_session.
    void get_lost();
    /// The call is answered as done, and is done with this delay.  For end_session.
    void arrive_late(std::chrono::milliseconds by);
    /// The server does what was asked, and then the session is cut.  For fence_decision and
    /// prune_decisions.
    void cut_after_effect();

private:
    friend class fault_script;
    call_fault(std::shared_ptr<memory::server> server, driver_call call);
    void arm();

    std::shared_ptr<memory::server> server_;
    std::shared_ptr<memory::call_rule> rule_;
};

/// What shall go wrong: a cheap handle on the faults that a database has yet to meet.
///
/// Thread safety: every member may be called from several threads at once.
class ASSENT_EXPORT fault_script
{
public:
    verb_fault on(verb v);                     ///< at the next such request
    verb_fault on(verb v, int nth);            ///< at the nth
    verb_fault on(verb v, xid const& branch);  ///< at the next on that branch
    call_fault on(driver_call call);           ///< at the next such call
    call_fault on(driver_call call, int nth);  ///< at the nth

    /// Releases everything that hangs: held requests are carried out now, in order.
    void release();
    /// How many requests and replies hang.
    std::size_t hanging() const;
    /// How many faults have yet to fire: a test that ends with one did not test it.
    std::size_t pending() const;
    /// Forgets every fault that has yet to fire.
    void clear();

private:
    friend class memory_database;
    explicit fault_script(std::shared_ptr<memory::server> server);
    std::shared_ptr<memory::server> server_;
};

/// What a restore brings back.
using memory_backup = std::shared_ptr<memory::durable_state const>;

/// The server.  A cheap handle on shared state.
///
/// Thread safety: every member may be called from several threads at once.
class ASSENT_EXPORT memory_database
{
public:
    /// An empty database, up and writable.
    explicit memory_database(memory_options chosen = {});

    /// What shall go wrong here.
    fault_script script() const;

    // The application's side.
    std::unique_ptr<memory_connection> connect() const;               ///< opens a session
    std::optional<std::int64_t> value(std::string const& key) const;  ///< of a row, committed
    std::map<std::string, std::int64_t> rows() const;                 ///< all that is committed

    // For checkers.
    branch_fate fate(xid const& id) const;  ///< what became of a branch
    std::vector<xid> prepared() const;      ///< those that are prepared
    /// Branches settled heuristically and not yet forgotten.
    std::map<xid, xa_code> heuristics() const;
    /// Every request that was sent, in order.
    std::vector<memory_event> history() const;
    /// What the manager did against XA, in words; a right manager leaves it empty.
    std::vector<std::string> violations() const;
    std::vector<std::uint64_t> sessions() const;  ///< those that the server has
    bool is_guarded(std::uint64_t node) const;    ///< somebody holds that node's lock
    std::string identity() const;                 ///< as scans say it
    /// The reservations that are neither confirmed nor cancelled: the committed rows of the table
    /// assent_branch, by name.
    std::vector<branch_row> reservations() const;
    /// The messages that were put and not taken: the committed rows of the table assent_task, by
    /// id.
    std::vector<task_row> tasks() const;
    /// The committed rows of the table assent_decision, by name.
    std::vector<decision_row> decisions() const;

    // Sessions.
    /// The network between this session and its client breaks; the server notices at once.
    void cut(std::uint64_t session);
    /// From now on the server does not notice that a client has gone, until reap_sessions().
    void linger_sessions();
    void reap_sessions();  ///< it notices now
    /// From now on, with MariaDB's personality, a session that ends is not listed any more, but
    /// lets go of its prepared branch only after this time.  Until then a commit or rollback by
    /// another session is answered OK and does nothing, and the branch is listed again only after a
    /// restart.
    void detach_slowly(std::chrono::milliseconds takes);

    // The server itself.
    /// Stops answering, connections included, until thaw(); what was sent is received then.
    void freeze();
    void thaw();  ///< answers again
    /// Loses every session; rows and prepared branches stay.  Down until restart().
    void crash_server();
    void restart();      ///< up again, as another life of the same server
    bool is_up() const;  ///< it has not crashed
    /// A standby: scans say that it is no writable primary.
    void set_writable(bool is_writable);
    /// The database is another server from now on.
    void set_identity(std::string identity);
    /// Somebody drops the table assent_decision.
    void drop_decisions();
    /// Somebody drops the tables assent_task and assent_key.
    void drop_tasks();

    // What happens behind the manager's back.
    /// Ends a prepared branch as an operator would, leaving no trace in the lists.
    /// @throws error  errc::invalid_state: it is not prepared there.
    void settle(xid const& id, bool by_commit);
    /// Makes a prepared branch that this manager never made, or that a copy of it made.
    /// @throws error  errc::invalid_state: it is known already.
    void prepare_branch(xid const& id, std::string const& key, std::int64_t value);
    /// Makes a prepared branch whose name does not have our layout.
    /// @throws error  errc::invalid_state: it is known already.
    void prepare_foreign(std::string const& name, std::string const& key, std::int64_t value);
    /// Commits such a branch.
    /// @throws error  errc::invalid_state: it is no longer there.
    void commit_foreign(std::string const& name);
    /// Copies the rows and prepared branches as they are now.
    memory_backup backup() const;
    /// Crashes the server and starts it again with the rows and prepared branches of then.
    void restore(memory_backup const& from);

private:
    friend class memory_resource_manager;
    std::shared_ptr<memory::server> server_;
};

/// The resource manager to give to transaction_manager::add().
class ASSENT_EXPORT memory_resource_manager : public resource_manager
{
public:
    /// What a lease converts to, and what enlist and join take.
    using handle_type = memory_connection*;

    /// @throws driver_error  errc::bad_argument: the name is not 1 to 64 printable ASCII characters
    ///                       without blanks.
    /// Safe to retry: the same call fails again.
    memory_resource_manager(std::string name, memory_database const& database);

    /// What the server sees of kill -9: all sessions of this resource manager's process end, and
    /// the process never reaches the server again.  Make another one for the next process.
    void kill_process();

    /// The same database, whose leases come from the application's own pool.
    /// @throws driver_error  errc::bad_argument: a function of `pool` is missing.
    /// Safe to retry: the same call fails again.
    memory_resource_manager leases_from(connection_source<handle_type> pool) const
    {
        memory_resource_manager with = *this;
        with.lease_from(std::move(pool));
        return with;
    }
};

}  // namespace testing
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TESTING_HPP
