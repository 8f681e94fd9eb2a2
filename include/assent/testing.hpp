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
// The one invariant: requests that XA's tables forbid are refused and kept in violations().

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

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
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

/// Which database it behaves like where databases differ.
enum class personality : std::uint8_t {
    /// By XA's tables alone: votes XA_RDONLY for a branch that wrote nothing.
    plain = 1,
    /// A prepared branch stays with its session: others hear XAER_NOTA though it is listed.  One
    /// that wrote nothing answers read_only_owner_left after its session has gone.
    mariadb = 2,
    /// A failed statement spoils the branch; a one-phase commit leaves a witness; a branch that
    /// another session is working on is busy.
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

struct memory_options
{
    personality acts_as = personality::plain;
    std::string identity;  ///< empty: one of its own
    std::string user = "assent";
    std::string database = "memory";
    bool is_proxied = false;  ///< sessions cannot be seen or ended by their ids
    bool is_two_phase = true;
    bool holds_commit_rows = true;
    std::chrono::milliseconds guardian_lease{10'000};
    time_source time;
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
    std::uint64_t session = 0;
    verb what = verb::start;
    xid branch;
    reply answer;  ///< of the server; meaningless while the request is held, or never arrived
    bool was_carried_out = false;
    bool was_heard = false;  ///< collect() returned the server's own answer
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
    older_sessions = 8,
    cancel_statement = 9,
    end_session = 10,
    ask_witness = 11,
    ensure_decisions = 12,
    fence_decision = 13,
    list_decisions = 14,
    prune_decisions = 15,
};

/// A connection: what a lease converts to, and what enlist and join take.  Inside a branch its
/// writes belong to the branch, inside begin() to a local transaction; otherwise each commits by
/// itself.  A write locks its row to the end; a locked row is never waited for.
///
/// @throws driver_error  from every statement: the connection is lost, or SQLSTATE 40001, the row
///                       is locked by another transaction.
///
/// Thread safety: distinct objects safe, one shared object unsafe.
class ASSENT_EXPORT memory_connection
{
public:
    ~memory_connection();
    memory_connection(memory_connection const&) = delete;
    memory_connection& operator=(memory_connection const&) = delete;

    void set(std::string const& key, std::int64_t value);
    std::optional<std::int64_t> get(std::string const& key);
    /// Adds to a row, which begins at 0.  @return the new value.
    std::int64_t add(std::string const& key, std::int64_t delta);

    /// The application's own transaction.  Inside a branch commit() and rollback() leave it
    /// behind the manager's back, as they do on PostgreSQL; MariaDB's personality refuses them.
    void begin();
    void commit();
    void rollback();
    /// As mysql_reset_connection and DISCARD: rolls back, leaves the branch, and goes on.
    void reset();

    std::uint64_t id() const noexcept;
    bool is_open() const;

private:
    friend class memory_database;
    friend class memory::server;
    memory_connection(std::shared_ptr<memory::server> server, std::uint64_t id);

    std::shared_ptr<memory::server> server_;
    std::uint64_t id_;
};

/// A fault for a verb, in the making; the last call of the chain puts it in force.  It waits for
/// the nth request that fits (the next one unless said otherwise) and fires `times` times.
class ASSENT_EXPORT verb_fault
{
public:
    verb_fault& nth(int count);
    verb_fault& times(int count);
    verb_fault& branch(xid const& which);
    verb_fault& session(std::uint64_t which);

    /// Answers so, with the effect that XA gives this answer: XA_RB* rolls the branch back,
    /// XA_HEUR* settles it until forget, XAER_RMFAIL ends the session, XAER_PROTO does nothing.
    void reply(xa_code code);
    void reply(assent::reply answer);
    /// Answers so and does nothing.
    void reply_without_effect(assent::reply answer);
    /// Does what was asked and answers so.
    void reply_after_effect(assent::reply answer);
    /// The connection breaks before the server has received the request.
    void lose_before_effect();
    /// ... after the server has done it.
    void lose_after_effect();
    /// The request sits in the server's socket until released.
    void hang();
    /// The server does it and sends its reply when released.
    void hang_after_effect();
    /// The server has committed it on its own disk and waits for a standby: nobody sees it, its
    /// locks are kept, and neither its client's end nor its session's takes it back.  Released, it
    /// becomes visible; so it does by a restart.  For commit_one_phase.
    void hang_in_commit();
    /// The server does it and its reply arrives so much later.
    void delay(std::chrono::milliseconds by);
    void crash_server_before_effect();
    void crash_server_after_effect();

private:
    friend class fault_script;
    verb_fault(std::shared_ptr<memory::server> server, verb what);
    void arm();

    std::shared_ptr<memory::server> server_;
    std::shared_ptr<memory::request_rule> rule_;
};

/// A fault for a call of the driver.
class ASSENT_EXPORT call_fault
{
public:
    call_fault& nth(int count);
    call_fault& times(int count);

    /// Throws driver_error.
    void fail(std::string const& why = "scripted failure");
    /// Waits until the deadline of the call, then throws driver_error.
    void time_out();
    /// The session that asks is cut.
    void cut();
    /// The server does what was asked, and then the session is cut.  For fence_decision and
    /// prune_decisions.
    void cut_after_effect();

private:
    friend class fault_script;
    call_fault(std::shared_ptr<memory::server> server, driver_call what);
    void arm();

    std::shared_ptr<memory::server> server_;
    std::shared_ptr<memory::call_rule> rule_;
};

/// What shall go wrong.  A cheap handle on the database's script.
///
/// Thread safety: every member may be called from several threads at once.
class ASSENT_EXPORT fault_script
{
public:
    verb_fault on(verb what);
    verb_fault on(verb what, int nth);
    verb_fault on(verb what, xid const& branch);
    call_fault on(driver_call what);
    call_fault on(driver_call what, int nth);

    /// Lets go of everything that hangs: held requests are carried out now, in order.
    void release();
    /// How many requests and replies hang.
    std::size_t hanging() const;
    /// How many faults have yet to fire: a test that ends with one did not test it.
    std::size_t pending() const;
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
    explicit memory_database(memory_options chosen = {});

    fault_script script() const;

    // The application's side.
    std::unique_ptr<memory_connection> connect() const;
    std::optional<std::int64_t> value(std::string const& key) const;
    std::map<std::string, std::int64_t> rows() const;

    // For checkers.
    branch_fate fate(xid const& which) const;
    std::vector<xid> prepared() const;
    /// Branches settled heuristically and not yet forgotten.
    std::map<xid, xa_code> heuristics() const;
    std::vector<memory_event> history() const;
    /// What the manager did against XA, in words; a right manager leaves it empty.
    std::vector<std::string> violations() const;
    std::vector<std::uint64_t> sessions() const;
    bool is_guarded(std::uint64_t node) const;
    std::string identity() const;
    /// The committed rows of the table assent_decision, by name.
    std::vector<decision_row> decisions() const;

    // Sessions.
    /// The network between this session and its client breaks; the server notices at once.
    void cut(std::uint64_t session);
    /// From now on the server does not notice that a client has gone, until reap_sessions().
    void linger_sessions();
    void reap_sessions();

    // The server itself.
    /// Stops answering, connections included, until thaw(); what was sent is received then.
    void freeze();
    void thaw();
    /// Loses every session; rows and prepared branches stay.  Down until restart().
    void crash_server();
    void restart();
    bool is_up() const;
    /// A standby: scans say that it is no writable primary.
    void set_writable(bool is_writable);
    void set_identity(std::string identity);
    /// Somebody drops the table assent_decision.
    void drop_decisions();

    // What happens behind the manager's back.
    /// Ends a prepared branch as an operator would, leaving no trace in the lists.
    void settle(xid const& which, bool by_commit);
    /// A prepared branch that this manager never made, or that a copy of it did.
    void prepare_branch(xid const& which, std::string const& key, std::int64_t value);
    /// A prepared branch whose name is not of our layout.
    void prepare_foreign(std::string const& name, std::string const& key, std::int64_t value);
    /// @throws std::logic_error  when it is no longer there.
    void commit_foreign(std::string const& name);
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
    using handle_type = memory_connection*;

    /// @throws std::invalid_argument  the name has not 1 to 64 printable ASCII bytes.
    memory_resource_manager(std::string name, memory_database const& database);

    /// What the server sees of kill -9: all sessions of this resource manager's process end, and
    /// the process never reaches the server again.  Make another one for the next process.
    void kill_process();

    /// The same database, whose leases come from the application's own pool.
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
