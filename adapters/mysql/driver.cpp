// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/driver.hpp"

#include <algorithm>
#include <utility>

#include "adapters/dialects/mysql/branches.hpp"
#include "adapters/dialects/mysql/decisions.hpp"
#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/examination.hpp"
#include "adapters/dialects/mysql/inbox.hpp"
#include "adapters/dialects/mysql/lanes.hpp"
#include "adapters/dialects/mysql/opening.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/mysql/tasks.hpp"
#include "adapters/dialects/row_wait.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/mysql/question.hpp"
#include "adapters/sql_text/lent.hpp"

namespace assent::mysql_adapter {

namespace {

constexpr char answer_is_due[] =
    "an answer that was not read is still to come; read it, or close the handle";

// Sessions reach the driver through the port, and only its own ones do.
session& own(driver_session& from)
{
    return static_cast<session&>(from);
}

[[noreturn]] void refuse(std::string const& resource_manager, std::string const& why)
{
    throw driver_error(errc::bad_argument, dialects::subject(resource_manager) + why);
}

// What the client library knows without a round trip.  Nothing was sent when this throws.
void check_handle(MYSQL* handle, std::string const& resource_manager)
{
    if (handle == nullptr) refuse(resource_manager, "the borrowed handle is null");
    if (socket_of(handle) < 0) refuse(resource_manager, "the borrowed handle is not connected");
    if (reconnects(handle)) {
        refuse(resource_manager,
               "the borrowed handle reconnects by itself, which would leave its branch without "
               "telling: switch MYSQL_OPT_RECONNECT off");
    }
    if (handle->status != MYSQL_STATUS_READY || mysql_more_results(handle)) {
        refuse(resource_manager,
               "the borrowed handle is busy: a result was not read to its end; read or free it");
    }
}

bool is_ascii(std::string const& text)
{
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

// A connection for work, lent or opened.  The flags are believed behind an answer only: before it
// they may be of a transaction that a reset, or the server itself, has ended since.
void check(question& q, server_facts const& expected, whose_session whose)
{
    server_life seen;
    if (!check_work_session(q, expected, whose, seen)) q.asked().set_proxied();
    q.asked().set_life(std::move(seen));
    if ((q.asked().connection().server_status() & SERVER_STATUS_IN_TRANS) != 0) {
        q.fail("the connection is in a transaction: end the transaction first");
    }
    // A commit row names the database, and by the session's character set.
    if (!is_ascii(expected.database)) {
        q.asked().note_database(std::string(text_of(q.one_row("select database()", 1), 0)));
    }
}

}  // namespace

driver::driver(std::string name, connect_method source, mysql::safety_options safety)
    : name_(std::move(name)), source_(std::move(source)), safety_(safety)
{
    require_name(name_);
    lent_->name = name_;
    lent_->make_speaker = &sql_text::make_mysql;
    lent_->cancelled = cancelled_;
    if (source_.connect) return;
    if (source_.where.database.empty()) {
        refuse(name_,
               "no database is chosen, and a branch belongs to one database: name it in the "
               "connect options");
    }
    if (!source_.where.password.empty() && !source_.where.password_file.empty()) {
        refuse(name_, "both a password and a password_file are given");
    }
    check_options(source_.where, name_);
    hosts_ = hosts_of(source_.where);
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    can.stays_attached_after_prepare = keeps_prepared_.load(std::memory_order_relaxed);
    return can;
}

std::unique_ptr<session> driver::adopt(std::unique_ptr<wire> connection)
{
    bool const keeps = is_mariadb(connection->handle());
    keeps_prepared_.store(keeps, std::memory_order_relaxed);
    return std::make_unique<session>(std::move(connection), cancelled_, keeps);
}

/// The first host that answers, takes writes, and is the database that was seen, if one was.  Each
/// gets its share of the time, so that a silent one does not keep the others from being asked.
std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline until)
{
    std::string why;
    for (std::size_t i = 0; i + 1 < hosts_.size(); ++i) {
        auto const now = deadline::clock::now();
        if (now >= until) break;
        auto const share = now + (until - now) / static_cast<int>(hosts_.size() - i);
        try {
            return connect_to(hosts_[i], purpose, share);
        } catch (driver_error const& error) {
            why += hosts_[i].host + ": " + error.what() + "; ";
        }
    }
    if (why.empty()) return connect_to(hosts_.back(), purpose, until);
    try {
        return connect_to(hosts_.back(), purpose, until);
    } catch (driver_error const& error) {
        throw driver_error(error.why(), why + hosts_.back().host + ": " + error.what(),
                           error.sqlstate(), error.native_code());
    }
}

/// Of several hosts, whoever does not serve as the one that was seen.
void driver::require_primary(question& q)
{
    auto const who = read_answer(q);
    std::lock_guard const hold(mutex_);
    if (!who.is_writable) q.fail("the connection leads to a read-only server");
    if (facts_ && who.identity != facts_->identity) {
        q.fail("the connection leads to another server: its identity is " + who.identity);
    }
}

std::unique_ptr<driver_session> driver::connect_to(host_and_port const& at, session_purpose purpose,
                                                   deadline until)
{
    bool const is_work = purpose == session_purpose::work;
    auto opened = adopt(open_connection(source_, at, is_work, name_, until));
    question q{*opened, name_, until};
    if (hosts_.size() > 1) require_primary(q);
    prepare_session(q, purpose);
    opened->set_life(read_life(q));
    if (!is_work) return opened;
    // A branch that is prepared elsewhere than where it is looked for would seem to be finished.
    std::optional<server_facts> expected;
    {
        std::lock_guard const hold(mutex_);
        expected = facts_;
    }
    if (expected) check(q, *expected, whose_session::ours);
    if (!source_.connect && opened->can_be_reset()) {
        opened->allow_reset(told_after_reset(q, [&] {
            if (!opened->reset(until)) {
                throw driver_error(dialects::subject(name_) + "the session could not be reset");
            }
        }));
    }
    return opened;
}

std::unique_ptr<driver_session> driver::borrow(void* handle, server_facts const& expected,
                                               deadline until)
{
    auto* const lent = static_cast<MYSQL*>(handle);
    check_handle(lent, name_);
    set_close_on_exec(socket_of(lent), name_);
    auto borrowed = adopt(std::make_unique<wire>(lent, ownership::borrowed));
    question q{*borrowed, name_, until};
    auto why = borrowed->why_out_of_turn();
    if (why.empty() && !borrowed->prove_turn(until)) why = answer_is_due;
    if (!why.empty()) {
        throw driver_error(dialects::subject(name_) + "the borrowed handle cannot be used: " + why,
                           {}, 0, true);
    }
    try {
        check(q, expected, whose_session::lent);
    } catch (driver_error const& error) {
        // Bytes were sent.  Where the answer was heard its owner may go on with it, in whatever
        // transaction it is; else its state is unknown.
        throw driver_error(error.why(), error.what(), error.sqlstate(), error.native_code(),
                           !borrowed->is_in_step());
    }
    return borrowed;
}

std::unique_ptr<driver_session> driver::borrow_session(sql_session& lent,
                                                       server_facts const& expected, deadline until)
{
    auto const kind = expected.kind == "mariadb" ? sql_text::database_kind::mariadb
                                                 : sql_text::database_kind::mysql;
    return sql_text::borrow(lent, kind, lent_, expected, until);
}

server_facts driver::preflight(driver_session& manage, deadline until)
{
    server_facts facts = facts_of(manage, until);
    hold_to(manage, facts);
    return facts;
}

server_facts driver::facts_of(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    return read_facts(q, safety_.allow_non_durable);
}

void driver::hold_to(driver_session&, server_facts const& seen)
{
    std::lock_guard const hold(mutex_);
    facts_ = seen;
}

/// Lent sessions that were to be cut, and could not be: they keep their branches until they end.
void driver::end_unreachable(question& q)
{
    lent_->unreachable.end_all(
        q.asked(), [&q](std::uint64_t id) { kill_session(q, id); },
        [&q](std::uint64_t id) { return kill_idle_session(q, id); });
}

scan_result driver::scan(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    end_unreachable(q);
    scan_result seen = read_branches(q);
    lent_->unreachable.tell(seen);
    return seen;
}

dialects::any_branch_list driver::list_any(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::list_any(q);
}

std::vector<std::uint64_t> driver::other_sessions(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::other_sessions(q);
}

std::optional<kept_past> driver::read_past(driver_session& manage, std::uint64_t node,
                                           deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::read_past(q, node);
}

bool driver::keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                       deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::keep_past(q, node, past);
}

bool driver::try_guard(driver_session& guardian, std::uint64_t node, deadline until)
{
    question q{own(guardian), name_, until};
    auto lock = take_guard(q, node);
    if (!lock) return false;
    own(guardian).set_guard_name(std::move(*lock));
    return true;
}

void driver::heartbeat(driver_session& guardian, deadline until)
{
    question q{own(guardian), name_, until};
    renew_guard(q, own(guardian).guard_name());
}

std::string driver::guard_holder(driver_session& guardian, std::uint64_t node, deadline until)
{
    question q{own(guardian), name_, until};
    return mysql_dialect::guard_holder(q, node);
}

session_presence driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    end_unreachable(q);
    return find_session(q, id);
}

session_presence driver::sessions_before(driver_session& ours, std::uint64_t first, deadline until)
{
    question q{own(ours), name_, until};
    return find_sessions_before(q, first);
}

void driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    cancel_running(q, id, *cancelled_);
}

void driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    kill_session(q, id);
}

bool driver::end_idle_session(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    return kill_idle_session(q, id);
}

witness_state driver::ask_witness(driver_session&, std::string const&, deadline)
{
    return witness_state::unknown;  // this server forgets a transaction with its end
}

examination driver::examine(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::examination_settings how;
    how.allow_non_durable = safety_.allow_non_durable;
    how.client.name = client_version();
    return mysql_dialect::examine(q, how);
}

// ---- commit rows -----------------------------------------------------------------------------

void driver::ensure(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::decisions::ensure(q);
}

/// The database of the table, by its name in the session's character set.
std::string driver::database_of(session const& working) const
{
    if (!working.database().empty()) return working.database();
    std::lock_guard const hold(mutex_);
    if (!facts_) {
        throw driver_error(dialects::subject(name_) +
                           "no server has answered yet, so its database is not known");
    }
    return facts_->database;
}

void driver::announce(driver_session& session)
{
    auto& working = own(session);
    working.announce(mysql_dialect::decisions::delete_none(database_of(working)));
}

void driver::carry(driver_session& session, decision_row const& row)
{
    auto& working = own(session);
    working.carry(mysql_dialect::decisions::insert(database_of(working), row));
}

std::optional<decision_row> driver::fence(driver_session& manage, gtrid const& row_name,
                                          deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::decisions::fence(q, row_name, dialects::row_wait(until));
}

std::vector<decision_row> driver::list(driver_session& manage, std::string_view prefix,
                                       std::size_t at_most, deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::decisions::list(q, prefix, at_most);
}

void driver::prune(driver_session& manage, decision_row const& horizon_row,
                   std::vector<gtrid> const& gone, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::decisions::prune(q, horizon_row, gone);
}

// ---- reservations ----------------------------------------------------------------------------

void driver::ensure_branches(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::branches::ensure(q);
}

void driver::insert(driver_session& session, branch_row const& row, deadline until)
{
    question q{own(session), name_, until};
    mysql_dialect::branches::insert(q, database_of(own(session)), row);
}

std::optional<branch_row> driver::take(driver_session& session, xid const& name, deadline until)
{
    question q{own(session), name_, until};
    return mysql_dialect::branches::take(q, database_of(own(session)), name);
}

bool driver::contains(driver_session& session, xid const& name, deadline until)
{
    question q{own(session), name_, until};
    return mysql_dialect::branches::contains(q, database_of(own(session)), name);
}

bool driver::insert_at_start(driver_session& session, branch_row const& row)
{
    own(session).lead({mysql_dialect::branches::insertion(database_of(own(session)), row)});
    return true;
}

bool driver::take_at_start(driver_session& session, xid const& name)
{
    question const q{own(session), name_, {}};
    own(session).lead(mysql_dialect::branches::taking(q, database_of(own(session)), name));
    return true;
}

std::optional<branch_row> driver::taken(driver_session& session, xid const& name)
{
    question const q{own(session), name_, {}};
    return mysql_dialect::branches::taken(q, own(session).led(), name);
}

bool driver::ask_contains(driver_session& session, xid const& name)
{
    question{own(session), name_, {}}.send(
        mysql_dialect::branches::looking(database_of(own(session)), name));
    return true;
}

bool driver::hear_contains(driver_session& session, deadline until)
{
    return !question{own(session), name_, until}.hear().front().empty();
}

std::vector<xid> driver::list_branches(driver_session& manage, std::string_view manager,
                                       deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::branches::list(q, manager);
}

// ---- messages --------------------------------------------------------------------------------

namespace {

/// Statements of ours, within the branch that is active on a session.
class branch_question final : public mysql_dialect::tasks::branch_question
{
public:
    /// @throws driver_error  errc::invalid_state: nothing was sent; else the session is of no use.
    branch_question(driver_session& any, std::string const& resource_manager, deadline until)
        : working_(working(any, resource_manager)), question_(working_, resource_manager, until)
    {
        auto const why = working_.why_out_of_turn();
        if (!why.empty()) refuse(resource_manager, "messages go between queries: " + why);
        if (!working_.prove_turn(until)) {
            // What we said may have met a query of the application's.
            working_.sever();
            throw driver_error(errc::unavailable,
                               dialects::subject(resource_manager) +
                                   "messages go between queries: " + answer_is_due,
                               {}, 0, true);
        }
        require_branch();
    }

    mysql_dialect::question& of() override { return question_; }
    std::string_view gtrid() const override { return working_.gtrid(); }
    std::optional<isolation> declared_level() const override { return working_.declared_level(); }
    std::uint64_t changed() const override { return working_.changed_rows(); }
    void require_branch() const override
    {
        if (working_.is_in_branch()) return;
        question_.fail("the session is not in its branch any more: it was reset, or replaced");
    }

private:
    static session& working(driver_session& any, std::string const& resource_manager)
    {
        auto* const mine = dynamic_cast<session*>(&any);
        if (mine != nullptr) return *mine;
        refuse(resource_manager,
               "messages go by a lease or an enlisted handle, and not by a sql_session");
    }
    [[noreturn]] static void refuse(std::string const& resource_manager, std::string const& why)
    {
        throw driver_error(errc::invalid_state, dialects::subject(resource_manager) + why);
    }

    session& working_;
    question question_;
};

}  // namespace

void driver::ensure_tasks(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::tasks::ensure(q);
}

void driver::put_tasks(driver_session& session, std::vector<task_row> const& rows,
                       std::vector<std::uint16_t> const& slots, deadline until)
{
    branch_question q{session, name_, until};
    mysql_dialect::tasks::put(q, database_of(own(session)), rows, slots, dialects::row_wait(until));
}

std::optional<task_row> driver::take_task(driver_session& session, std::string_view to,
                                          deadline until)
{
    branch_question q{session, name_, until};
    return mysql_dialect::tasks::take(q, database_of(own(session)), to);
}

/// The server shows that only to accounts that may see every session.
std::string driver::slot_holder(driver_session&, std::vector<std::uint16_t> const&, deadline)
{
    return {};
}

void driver::ensure_lanes(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::lanes::ensure(q);
}

std::string driver::lane_source(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::lanes::source(q);
}

std::vector<std::uint8_t> driver::claim_lanes(driver_session& owner, std::string_view to,
                                              std::uint8_t from, std::size_t at_most,
                                              deadline until)
{
    question q{own(owner), name_, until};
    return mysql_dialect::lanes::claim(q, to, from, at_most);
}

std::vector<placed_task> driver::place_tasks(driver_session& owner, std::string_view to,
                                             std::vector<std::uint8_t> const& lanes,
                                             turn_limits const& limits, deadline until)
{
    question q{own(owner), name_, until};
    return mysql_dialect::lanes::place(q, to, lanes, limits);
}

void driver::end_turn(driver_session& owner, std::string_view to, std::vector<lane_end> const& ends,
                      deadline until)
{
    question q{own(owner), name_, until};
    mysql_dialect::lanes::end_turn(q, to, ends);
}

void driver::ensure_inbox(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::inbox::ensure(q);
}

inbox_finding driver::move_inbox(driver_session& session, inbox_move const& what, deadline until)
{
    branch_question q{session, name_, until};
    return mysql_dialect::inbox::move(q, database_of(own(session)), what,
                                      dialects::row_wait(until));
}

void driver::set_inbox(driver_session& session, std::string const& row_name,
                       std::string const& position, deadline until)
{
    branch_question q{session, name_, until};
    mysql_dialect::inbox::set(q, database_of(own(session)), row_name, position,
                              dialects::row_wait(until));
}

}  // namespace assent::mysql_adapter
