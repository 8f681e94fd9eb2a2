// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.hpp -- the database in memory, as its clients' sessions see it.
//
//   driver, session, memory_connection --(session id)--> server: sessions --> branches --> rows
//
//   server.cpp    requests and replies: waiting, the history
//   script.cpp    faults: requests that are answered otherwise, lost, late or held
//   verbs.cpp     XA's verbs by tables 6-2 and 6-4, the personalities, violations
//   sessions.cpp  sessions that come, go, linger and hold locks
//   crash.cpp     crash and restart, backup and restore
//   rows.cpp      statements
//   decisions.cpp the table assent_decision
//   branches.cpp  the table assent_branch
//   tasks.cpp     the tables assent_task and assent_key
//
// One mutex guards everything; it is held for a few map operations and never while waiting or
// while calling out.  Clients know their sessions by a key only, so that a session may vanish
// at any moment without any client object being touched.  A key is never given again; the number
// that a server shows for its sessions may be, by the next start of that server.

#ifndef ASSENT_ADAPTERS_MEMORY_SERVER_HPP
#define ASSENT_ADAPTERS_MEMORY_SERVER_HPP

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include <assent/driver.hpp>
#include <assent/testing.hpp>

#include "adapters/memory/faults.hpp"
#include "ports/numbering.hpp"

namespace assent::inline v0::testing::memory {

using row_map = std::map<std::string, std::int64_t>;

/// Table 6-4, with active and idle folded together because xa_end travels inside other verbs.
enum class phase : std::uint8_t { active, prepared, heuristic, finished };

/// What a start does in the transaction that it begins.
struct row_at_start
{
    std::optional<branch_row> inserts;
    std::optional<xid> takes;
};

struct branch
{
    xid id;
    phase at = phase::finished;
    branch_fate fate = branch_fate::never_seen;
    std::uint64_t owner = 0;  // the session it is attached to; 0: none
    deadline kept_until{};    // while that session, which is not listed any more, is taken apart
    row_map writes;
    std::map<std::string, std::optional<branch_row>> reservations;  // by name; nothing: deleted
    row_at_start led_by;
    std::optional<branch_row> taken;         // by that
    std::map<std::uint64_t, task_row> puts;  // by id
    std::set<std::uint64_t> takes;           // ids
    std::set<std::uint16_t> slots;
    std::map<std::string, std::string> inboxes;  // as they will be, locked

    bool has_written() const noexcept
    {
        return !writes.empty() || !reservations.empty() || !puts.empty() || !takes.empty() ||
               !inboxes.empty();
    }
    std::string witness;
    xa_code heuristic = xa_code::ok;
    bool is_rollback_only = false;
    branch_modes modes;
    bool refuses_writes = false;
    std::set<std::string> reads;  // locked until it ends, at the higher levels
    std::uint64_t left_by = 0;    // the session that left it behind the manager's back

    // What the manager did and heard, to judge what it does next.
    bool had_prepare = false;
    bool had_commit = false;
    bool had_one_phase = false;
    bool had_rollback = false;
    std::uint64_t started_by = 0;  // the process
    std::uint64_t start = 0;       // of the server, when it was started
    bool is_disputed = false;      // a copy of the manager has asked for its end
    bool is_yes_heard = false;
    std::uint64_t end_heard_in = 0;  // as server::deaths_ counts; 0: it was not heard
};

/// Of what differs between the branches of one log.
struct hash_of_branch
{
    std::size_t operator()(xid const& x) const noexcept
    {
        std::uint64_t sequence = 0;
        std::uint64_t number = 0;
        auto const global = x.global.text();
        if (!global.empty()) {
            std::memcpy(&sequence, global.data() + global.size() - sizeof sequence,
                        sizeof sequence);
        }
        std::memcpy(&number, x.branch.text().data(), sizeof number);
        return (sequence * 31 + number) * 0x9e3779b97f4a7c15u >> 16;
    }
};

/// What a message has got that a relay has placed.
struct placed_mark
{
    std::string position;
    std::string previous;
    deadline due{};
    unsigned tries = 0;
    bool is_parked = false;
};

/// What survives a crash and what a backup holds.
struct durable_state
{
    std::string identity;
    row_map rows;
    std::unordered_map<xid, branch, hash_of_branch> branches;  // every one that there ever was
    std::map<std::string, row_map> foreign;  // prepared under names that are not ours
    bool has_decision_table = false;
    std::map<std::string, decision_row> decisions;  // by the text of their names
    std::map<std::uint64_t, kept_past> pasts;       // by node
    bool has_task_table = false;
    std::map<std::uint64_t, task_row> tasks;  // by id
    std::uint64_t tasks_made = 0;             // ids are never given again, rolled back or not
    bool has_lane_table = false;
    std::string source;
    std::map<std::string, std::string> last_positions;  // by the lanes' names
    std::map<std::uint64_t, placed_mark> placed;        // by the ids of their messages
    bool has_inbox_table = false;
    std::map<std::string, std::string> inboxes;  // positions, by the rows' names
    bool has_branch_table = false;
    std::map<std::string, branch_row> reservations;  // by the text of their names
};

/// The reply to a verb, on its way to its client.
struct pending_reply
{
    verb what = verb::start;
    xid branch;
    reply answer;
    bool is_answered = false;
    bool is_lost = false;  // `answer` is what the client makes of the silence
    bool is_late = false;  // on the wire until `ready_at`, and lost with the connection
    deadline ready_at{};
    std::uint64_t session = 0;         // that asked, and
    std::uint64_t process = 0;         // whose it is
    std::optional<std::size_t> event;  // in the history; none when it was never sent
    std::uint64_t restores = 0;        // of the server, when it was sent
};

struct session
{
    std::uint64_t process = 0;  // the resource manager it was opened by; 0: the application
    session_purpose purpose = session_purpose::work;
    std::optional<xid> attached;
    bool is_in_local_transaction = false;
    row_map local_writes;
    bool is_failed = false;  // PostgreSQL: a statement failed in this transaction
    branch_modes next;
    bool announces_row = false;
    row_at_start leads;            // of the next start
    std::optional<xid> looks_for;  // a reservation; the answer was not heard yet
    bool is_read_only = false;     // what is not told otherwise reads only
    bool is_client_gone = false;   // the server has not noticed, or has still to read its socket
    bool is_cancelled = false;
    bool is_out_of_step = false;  // an answer to a call of the driver is still to come
    deadline lease_end = deadline::max();
    std::shared_ptr<pending_reply> outstanding;
    std::optional<decision_row> carried;  // by the next one-phase commit
};

class server : public std::enable_shared_from_this<server>
{
public:
    explicit server(memory_options chosen);

    memory_options const& options() const noexcept { return options_; }
    driver_capabilities capabilities() const noexcept;

    // Clients.
    std::unique_ptr<memory_connection> open(std::uint64_t process, session_purpose purpose);
    void close(std::uint64_t session) noexcept;
    /// How the next branch of this session is begun, and whether it will carry a row.
    void declare(std::uint64_t session, branch_modes const& next) noexcept;
    void announce(std::uint64_t session) noexcept;
    void set_read_only(std::uint64_t session, bool is_on);
    std::uint64_t new_process();
    void kill_process(std::uint64_t process);
    bool is_connected(std::uint64_t session) const;
    static std::uint64_t key_of(memory_connection const& handle) noexcept { return handle.id_; }
    static std::uint64_t number_of(std::uint64_t session) noexcept { return session % numbers_max; }

    // XA.
    std::shared_ptr<pending_reply> submit(std::uint64_t session, verb v, xid const& x);
    std::optional<reply> collect(pending_reply& waiting, deadline until);
    bool is_reusable(std::uint64_t session) const;

    // Statements.
    void set(std::uint64_t session, std::string const& key, std::int64_t value);
    std::optional<std::int64_t> get(std::uint64_t session, std::string const& key);
    std::int64_t add(std::uint64_t session, std::string const& key, std::int64_t delta);
    void begin_local(std::uint64_t session);
    void end_local(std::uint64_t session, bool by_commit);
    void reset(std::uint64_t session);

    // The driver's other calls.  Each begins with enter(), which applies faults and throws.
    struct entered
    {
        bool is_cut_after = false;  // the session, once the call has had its effect
        bool is_without_effect = false;
        std::chrono::milliseconds late_by{0};  // the effect
    };
    entered enter(driver_call call, std::uint64_t session, deadline until, std::string const& name);
    server_facts facts() const;
    server_life present_life() const;
    scan_result scan() const;
    bool try_guard(std::uint64_t session, std::uint64_t node);
    void renew_lease(std::uint64_t session);
    std::optional<kept_past> read_past(std::uint64_t node) const;
    bool keep_past(std::uint64_t node, kept_past const& what);
    session_presence presence(std::uint64_t number) const;
    session_presence sessions_before(std::uint64_t number) const;
    void cancel(std::uint64_t number);
    void kill(std::uint64_t number, entered const& how);
    bool kill_idle(std::uint64_t number, entered const& how);
    witness_state ask(std::string const& witness) const;
    /// Makes an application's session a process's.  @return why not; empty when it was done.
    std::string adopt(memory_connection const& handle, std::uint64_t process,
                      server_facts const& expected);

    // The table assent_decision.
    void ensure_decisions();
    void carry(std::uint64_t session, decision_row const& row);
    std::optional<decision_row> fence(gtrid const& which);
    std::vector<decision_row> list_decisions(std::string_view prefix, std::size_t at_most) const;
    void prune(decision_row const& horizon_row, std::vector<gtrid> const& gone);
    void drop_decisions();

    // The table assent_branch.
    void ensure_branches();
    void insert(std::uint64_t session, branch_row const& row);
    std::optional<branch_row> take(std::uint64_t session, xid const& name);
    bool contains(std::uint64_t session, xid const& name);
    void lead(std::uint64_t session, row_at_start what);
    std::optional<branch_row> taken(std::uint64_t session);
    void ask_contains(std::uint64_t session, xid const& name);
    /// @return what it was asked for; nobody waits for that any more.
    xid asked_for(std::uint64_t session);
    std::vector<xid> list_branches(std::string_view manager) const;
    std::vector<branch_row> reservations() const;

    // The tables assent_task and assent_key.
    void ensure_tasks();
    void drop_tasks();
    void put(std::uint64_t session, std::vector<task_row> const& rows,
             std::vector<std::uint16_t> const& slots);
    std::optional<task_row> take_task(std::uint64_t session, std::string_view to);
    std::string slot_holder(std::vector<std::uint16_t> const& slots) const;
    std::vector<task_row> tasks() const;

    // The table assent_lane.
    void ensure_lanes();
    std::string lane_source() const;
    std::vector<std::uint8_t> claim_lanes(std::uint64_t owner, std::string_view to,
                                          std::uint8_t from, std::size_t at_most);
    std::vector<placed_task> place_tasks(std::string_view to,
                                         std::vector<std::uint8_t> const& which,
                                         turn_limits const& limits);
    void end_turn(std::uint64_t owner, std::string_view to, std::vector<lane_end> const& ends);

    // The table assent_inbox.
    void ensure_inbox();
    inbox_finding move_inbox(std::uint64_t session, inbox_move const& what);
    void set_inbox(std::uint64_t session, std::string const& name, std::string const& position);

    // The script.
    void arm(std::shared_ptr<request_rule> rule);
    void arm(std::shared_ptr<call_rule> rule);
    void clear_faults();
    std::size_t faults_pending() const;
    void release();
    std::size_t hanging() const;

    // memory_database.
    std::optional<std::int64_t> value(std::string const& key) const;
    row_map rows() const;
    branch_fate fate(xid const& x) const;
    std::vector<xid> prepared() const;
    std::map<xid, xa_code> heuristics() const;
    std::vector<memory_event> history() const;
    std::vector<std::string> violations() const;
    std::vector<std::uint64_t> sessions() const;
    bool is_guarded(std::uint64_t node) const;
    std::optional<std::uint64_t> guard_holder(std::uint64_t node) const;
    void cut(std::uint64_t number);
    void linger(bool on);
    void detach_slowly(std::chrono::milliseconds takes);
    void freeze();
    void thaw();
    void crash();
    void restart();
    bool is_up() const;
    void set_writable(bool is_writable);
    void set_identity(std::string identity);
    void settle(xid const& x, bool by_commit);
    void prepare_branch(xid const& x, row_map writes);
    void prepare_foreign(std::string const& name, row_map writes);
    void commit_foreign(std::string const& name);
    memory_backup backup() const;
    void restore(memory_backup const& from);

private:
    using lock = std::unique_lock<std::mutex>;

    static constexpr std::uint64_t numbers_max = std::uint64_t{1} << 40;

    struct held_request
    {
        std::uint64_t session;
        std::shared_ptr<pending_reply> waiting;
        bool is_before_effect;
        bool is_frozen;             // by freeze(), so thaw() lets it go; others wait for release()
        bool is_in_commit = false;  // done for good, and not visible yet
        bool is_in_xa_commit = false;  // under way: the end of its session takes it back
    };

    deadline now() const;
    bool wait(lock& held, deadline until);

    // server.cpp, under the mutex
    void receive(std::uint64_t id, std::shared_ptr<pending_reply> const& waiting, deadline present);
    void note(pending_reply const& waiting, reply const& what, bool was_carried_out);
    void answer(pending_reply& waiting, reply what, bool was_carried_out);
    void lose(pending_reply& waiting);
    void note_heard(pending_reply const& waiting);

    // script.cpp, under the mutex
    void apply(request_rule const& rule, std::uint64_t id,
               std::shared_ptr<pending_reply> const& waiting, deadline present);
    void carry_out_held(bool only_frozen);

    // verbs.cpp, under the mutex
    std::string objection(std::uint64_t id, session const& s, verb v, xid const& x) const;
    bool is_forgotten(branch const& b) const;
    bool is_anothers(session const& s, branch const& b) const;
    void remember(session const& by, verb v, branch& b);
    reply carry_out(std::uint64_t id, verb v, xid const& x);
    reply carry_out_as(std::uint64_t id, verb v, xid const& x, reply const& wanted);
    reply start(std::uint64_t id, xid const& x);
    reply prepare(std::uint64_t id, branch& b);
    reply commit(std::uint64_t id, branch& b);
    reply commit_one_phase(std::uint64_t id, branch& b);
    std::optional<reply> insert_carried(std::uint64_t id);
    void require_decisions() const;
    void require_branches() const;
    branch& working(std::uint64_t session);
    void keep_reservations(branch const& of);
    void claim_reservation(branch& by, std::string const& key, bool to_insert);
    void insert(branch& by, branch_row const& row);
    std::optional<branch_row> take(branch& by, xid const& name);
    std::optional<reply> run_lead(branch& by);
    void require_tasks() const;
    branch const* holder_of(std::vector<std::uint16_t> const& slots, branch const* but) const;
    void keep_tasks(branch const& of);
    branch& inbox_writer(std::uint64_t session, std::string const& name);
    void require_lanes() const;
    bool is_due(std::string_view to, std::uint8_t lane, deadline present) const;
    std::set<std::uint64_t> untaken(std::vector<ports::waiting_task> const& tasks) const;
    void release_lanes(std::uint64_t owner);
    reply roll_back(std::uint64_t id, branch& b);
    bool loses_name(branch const& b);
    reply forget(branch& b);
    std::optional<reply> no_vote(std::uint64_t id, branch& b);
    std::optional<reply> refusal(std::uint64_t id, branch& b);
    void go_live(branch& b, branch_fate fate);
    void detach(branch& b);
    void finish(branch& b, branch_fate fate);
    void settle_heuristically(branch& b, xa_code code);

    // rows.cpp, under the mutex
    row_map* writes_of(session& s);
    void write(std::uint64_t id, std::string const& key, std::int64_t value);
    std::optional<std::int64_t> read(std::uint64_t id, std::string const& key);
    void check_unlocked(std::uint64_t id, std::string const& key, bool to_write) const;
    void claim(std::uint64_t id, session& s, std::string const& key, bool to_write);
    void leave_branch(session& s, bool by_commit);
    session& live(std::uint64_t id);

    std::string adopt(std::uint64_t id, std::uint64_t process, server_facts const& expected);
    server_life life() const;  // under the mutex

    // sessions.cpp, under the mutex
    std::uint64_t key_of(std::uint64_t number) const noexcept { return numbered_ + number; }
    void object_to_end_of(std::uint64_t id, char const* what);
    std::string difference_to(server_facts const& expected) const;
    void drop_client(std::uint64_t id);
    void end_session(std::uint64_t id);
    void notice_departures();
    void lease(session& to, deadline present);
    void expire_leases(deadline present);

    // crash.cpp, under the mutex
    void crash_locked();
    void start_again();

    bool is_proceeding(std::uint64_t id) const;

    memory_options const options_;
    std::string instance_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    durable_state durable_;
    std::set<xid> live_;      // the branches that are not finished
    std::set<xid> nameless_;  // of those, prepared and listed no more
    std::map<std::uint64_t, session> sessions_;
    std::map<std::uint64_t, std::uint64_t> guards_;     // node, session
    std::map<std::string, std::uint64_t> lane_owners_;  // name, session
    std::set<std::uint64_t> dead_processes_;
    std::uint64_t deaths_ = 1;  // of processes: the next one knows only its log and the scans
    std::deque<held_request> held_;
    std::vector<std::pair<deadline, std::uint64_t>> late_kills_;
    deadline quiet_until_ = deadline::max();  // no lease ends, and no KILL comes, before that
    fault_rules faults_;
    std::vector<memory_event> history_;
    std::vector<std::string> violations_;
    std::uint64_t sessions_made_ = 0;  // since they are numbered so
    std::uint64_t numbered_ = 0;       // in every key of today
    std::uint64_t processes_made_ = 0;
    std::uint64_t witnesses_made_ = 0;
    std::uint64_t starts_ = 1;
    std::uint64_t restores_ = 0;
    std::chrono::milliseconds detach_takes_{0};
    bool is_up_ = true;
    bool is_frozen_ = false;
    bool is_writable_ = true;
    bool is_lingering_ = false;
};

std::string_view name_of(verb v) noexcept;

/// A request on a connection that is dead: never sent, and answered by that.
std::shared_ptr<pending_reply> lost_request();

/// Whether the code is XA_RB*.
bool is_rollback_code(xa_code code) noexcept;

/// A reply with a code and the server's words.
reply make_reply(xa_code code, std::string text = {}, reply_detail detail = reply_detail::none);

}  // namespace assent::inline v0::testing::memory

#endif  // ASSENT_ADAPTERS_MEMORY_SERVER_HPP
