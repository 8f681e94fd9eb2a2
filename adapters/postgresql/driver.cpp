// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driver.cpp -- sessions are opened, borrowed and checked here.

#include "adapters/postgresql/driver.hpp"

#include <stdexcept>
#include <utility>

#include "adapters/dialects/postgresql/branches.hpp"
#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/examination.hpp"
#include "adapters/dialects/postgresql/inbox.hpp"
#include "adapters/dialects/postgresql/lanes.hpp"
#include "adapters/dialects/postgresql/tasks.hpp"
#include "adapters/dialects/row_wait.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/postgresql/error.hpp"
#include "adapters/postgresql/question.hpp"
#include "adapters/sql_text/lent.hpp"

namespace assent::postgresql_adapter {

using dialects::named;

namespace {

session& ours(driver_session& any)
{
    auto* const mine = dynamic_cast<session*>(&any);
    if (mine == nullptr) throw std::logic_error("a session of another driver");
    return *mine;
}

/// What the client library alone can tell about a connection that is lent to us.
std::string why_unfit(PGconn* connection)
{
    if (connection == nullptr) return "the handle is null";
    if (PQstatus(connection) != CONNECTION_OK) return "the connection is not open";
    if (PQpipelineStatus(connection) != PQ_PIPELINE_OFF) return "it is in pipeline mode";
    switch (PQtransactionStatus(connection)) {
        case PQTRANS_IDLE:
            return {};
        case PQTRANS_ACTIVE:
            return "it is busy: the result of a query or COPY was not read to its end";
        case PQTRANS_INTRANS:
        case PQTRANS_INERROR:
            return "it is in a transaction: end the transaction first";
        case PQTRANS_UNKNOWN:
            return "the connection is lost";
    }
    return "its state is unknown";
}

question asked_of(driver_session& any, deadline until)
{
    return {ours(any).connection(), until};
}

/// The session, if statements of ours can be run in its branch now.
/// @throws driver_error  errc::invalid_state: nothing was sent.
session& working_in_branch(driver_session& any)
{
    auto const refuse = [](char const* why) { throw driver_error(errc::invalid_state, why); };
    auto* const mine = dynamic_cast<session*>(&any);
    if (mine == nullptr) {
        refuse("messages go by a lease or an enlisted handle, and not by a sql_session");
    }
    switch (mine->connection().transaction_status()) {
        case PQTRANS_INTRANS:
            break;
        case PQTRANS_ACTIVE:
            refuse(
                "the result of a query or COPY was not read to its end, and messages are put "
                "and taken between queries");
            break;
        case PQTRANS_INERROR:
            throw driver_error("a statement of this transaction has failed before", "25P02");
        default:
            throw driver_error("the branch's transaction is not there any more");
    }
    return *mine;
}

}  // namespace

driver::driver(connect_method source, postgresql::safety_options safety)
    : source_(std::move(source)), safety_(safety)
{
    require_name(source_.name);
    lent_->name = source_.name;
    lent_->make_speaker = &sql_text::make_postgresql;
    lent_->cancelled = cancelled_;
    if (!source_.connect) check_conninfo(source_.conninfo);
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    can.has_one_phase_witness = true;
    return can;
}

std::string driver::why_unfit_for_work(session_identity const& who) const
{
    std::lock_guard const hold(mutex_);
    if (!facts_) return {};
    std::string const wrong = difference(who, *facts_);
    return wrong.empty() ? login_difference(who, manager_) : wrong;
}

std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline until)
{
    connection_ptr opened = open_connection(source_, purpose, until);
    // A number that was cancelled once may have been given to this new session.
    cancelled_->forget(static_cast<std::uint64_t>(PQbackendPID(opened.get())));
    session_identity who;
    {
        wire asking{opened.get(), false};
        who = introduce(asking, source_, purpose, until);
    }
    // Manager's sessions are not held to the facts: reading them again is what they are for.
    std::string const wrong =
        purpose == session_purpose::work ? why_unfit_for_work(who) : std::string{};
    if (!wrong.empty()) {
        throw driver_error(dialects::subject(source_.name) +
                           "a new connection is refused: " + wrong);
    }
    auto made = std::make_unique<session>(opened.get(), true, std::move(who), cancelled_);
    static_cast<void>(opened.release());
    if (!source_.connect) made->allow_reset();
    return made;
}

std::unique_ptr<driver_session> driver::borrow(void* handle, server_facts const& expected,
                                               deadline until)
{
    auto* const connection = static_cast<PGconn*>(handle);
    std::string const doing = dialects::subject(source_.name) + "the connection is refused";
    std::string const unfit = why_unfit(connection);
    if (!unfit.empty()) throw driver_error(errc::bad_argument, doing + ": " + unfit);
    if (!set_close_on_exec(PQsocket(connection))) {
        throw driver_error(doing + ": its socket cannot be marked close-on-exec");
    }
    session_identity who = look_at(connection, until, doing);
    std::string wrong = difference(who, expected);
    if (wrong.empty()) wrong = why_unfit_for_work(who);
    if (!wrong.empty()) throw driver_error(errc::bad_argument, doing + ": " + wrong);
    return std::make_unique<session>(connection, false, std::move(who), cancelled_);
}

std::unique_ptr<driver_session> driver::borrow_session(sql_session& lent,
                                                       server_facts const& expected, deadline until)
{
    auto borrowed =
        sql_text::borrow(lent, sql_text::database_kind::postgresql, lent_, expected, until);
    session_identity who;
    who.login = borrowed->ask(until, [](sql_text::speaker& speaks) { return speaks.login(); });
    std::string wrong;
    {
        std::lock_guard const hold(mutex_);
        if (facts_) wrong = login_difference(who, manager_);
    }
    if (wrong.empty()) return borrowed;
    throw driver_error(errc::bad_argument,
                       dialects::subject(name()) + "the connection is refused: " + wrong);
}

server_facts driver::preflight(driver_session& manage, deadline until)
{
    server_facts facts = facts_of(manage, until);
    hold_to(manage, facts);
    return facts;
}

server_facts driver::facts_of(driver_session& manage, deadline until)
{
    return named(name(), [&] {
        auto q = asked_of(manage, until);
        return server::preflight(q, ours(manage).who(), safety_.allow_non_durable);
    });
}

void driver::hold_to(driver_session& manage, server_facts const& seen)
{
    std::lock_guard const hold(mutex_);
    facts_ = seen;
    manager_ = ours(manage).who();
}

/// Lent sessions that were to be cut, and could not be: they keep their branches until they end.
void driver::end_unreachable(driver_session& manage, deadline until)
{
    lent_->unreachable.end_all(
        manage, [&](std::uint64_t id) { end_session(manage, id, until); },
        [&](std::uint64_t id) { return end_idle_session(manage, id, until); });
}

scan_result driver::scan(driver_session& manage, deadline until)
{
    end_unreachable(manage, until);
    auto q = asked_of(manage, until);
    scan_result seen = named(name(), [&] { return server::scan(q); });
    lent_->unreachable.tell(seen);
    return seen;
}

dialects::any_branch_list driver::list_any(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    return named(name(), [&] { return server::list_any(q); });
}

/// @throws driver_error  a lock of this session's would hold nothing.
void driver::require_locks_that_hold(driver_session& owner, char const* which,
                                     char const* therefore) const
{
    if (!ours(owner).who().is_proxied || safety_.pools_by_session) return;
    throw driver_error(
        dialects::subject(name()) +
        "the connection goes through a proxy that gives out process ids of its own; where it gives "
        "a server's session to several clients, " +
        which + " holds nothing, so " + therefore +
        ": connect past the proxy, or, where each client keeps its session until it disconnects, "
        "say so by safety_options::pools_by_session");
}

bool driver::try_guard(driver_session& guardian, std::uint64_t node, deadline until)
{
    require_locks_that_hold(guardian, "the node's lock", "no branch is decided here");
    auto q = asked_of(guardian, until);
    auto taken = named(name(), [&] { return server::try_guard(q, node); });
    bool const is_taken = taken.has_value();
    if (is_taken) ours(guardian).held = std::move(taken);
    return is_taken;
}

std::string driver::guard_holder(driver_session& guardian, std::uint64_t node, deadline until)
{
    auto q = asked_of(guardian, until);
    return named(name(), [&] { return server::guard_holder(q, node); });
}

void driver::heartbeat(driver_session& guardian, deadline until)
{
    auto q = asked_of(guardian, until);
    named(name(), [&] { server::heartbeat(q, ours(guardian).held); });
}

session_presence driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    end_unreachable(manage, until);
    auto q = asked_of(manage, until);
    return named(name(), [&] { return server::presence(q, ours(manage).who(), id); });
}

/// By the time at which each began: process ids do not rise.
session_presence driver::sessions_before(driver_session& any, std::uint64_t, deadline until)
{
    auto q = asked_of(any, until);
    return named(name(), [&] { return server::older_sessions(q, ours(any).who()); });
}

void driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    // Noted before it is sent: a session must not be reused between the two.
    cancelled_->add(id);
    auto q = asked_of(manage, until);
    named(name(), [&] { server::cancel_statement(q, ours(manage).who(), id); });
}

void driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    cancelled_->add(id);
    auto q = asked_of(manage, until);
    named(name(), [&] { server::end_session(q, ours(manage).who(), id); });
}

witness_state driver::ask_witness(driver_session& manage, std::string const& witness,
                                  deadline until)
{
    auto q = asked_of(manage, until);
    return named(name(), [&] { return server::ask_witness(q, ours(manage).who(), witness); });
}

examination driver::examine(driver_session& manage, deadline until)
{
    int const library = PQlibVersion();
    auto const client =
        "libpq " + std::to_string(library / 10000) + "." + std::to_string(library % 10000);
    auto q = asked_of(manage, until);
    return named(name(), [&] {
        return postgresql_dialect::examine(q, ours(manage).who(),
                                           {safety_.allow_non_durable, safety_.pools_by_session},
                                           {client, {}});
    });
}

// ---- commit rows -----------------------------------------------------------------------------

void driver::ensure(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    named(name(), [&] { decisions::ensure(q, ours(manage).who()); });
}

void driver::announce(driver_session& session)
{
    ours(session).announce_row();
}

void driver::carry(driver_session& session, decision_row const& row)
{
    ours(session).carry(decisions::insert(row));
}

std::optional<decision_row> driver::fence(driver_session& manage, gtrid const& row_name,
                                          deadline until)
{
    auto q = asked_of(manage, until);
    auto const wait = dialects::row_wait(until);
    return named(name(), [&] { return decisions::fence(q, row_name, wait); });
}

std::vector<decision_row> driver::list(driver_session& manage, std::string_view prefix,
                                       std::size_t at_most, deadline until)
{
    auto q = asked_of(manage, until);
    return named(name(), [&] { return decisions::list(q, prefix, at_most); });
}

void driver::prune(driver_session& manage, decision_row const& horizon_row,
                   std::vector<gtrid> const& gone, deadline until)
{
    auto q = asked_of(manage, until);
    named(name(), [&] { decisions::prune(q, horizon_row, gone); });
}

// ---- reservations ----------------------------------------------------------------------------

void driver::ensure_branches(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    named(name(), [&] { branches::ensure(q, ours(manage).who()); });
}

void driver::insert(driver_session& session, branch_row const& row, deadline until)
{
    auto q = asked_of(session, until);
    named(name(), [&] { branches::insert(q, row); });
}

std::optional<branch_row> driver::take(driver_session& session, xid const& name, deadline until)
{
    auto q = asked_of(session, until);
    return named(this->name(), [&] { return branches::take(q, name); });
}

bool driver::contains(driver_session& session, xid const& name, deadline until)
{
    auto q = asked_of(session, until);
    return named(this->name(), [&] { return branches::contains(q, name); });
}

bool driver::insert_at_start(driver_session& session, branch_row const& row)
{
    ours(session).lead(branches::insertion(row), branches::inserted);
    return true;
}

bool driver::take_at_start(driver_session& session, xid const& name)
{
    ours(session).lead(branches::taking_in_time(name), branches::taken_in_time);
    return true;
}

std::optional<branch_row> driver::taken(driver_session& session, xid const& name)
{
    return named(this->name(), [&] { return branches::taken(ours(session).led(), name); });
}

bool driver::ask_contains(driver_session& session, xid const& name)
{
    auto q = asked_of(session, {});
    named(this->name(), [&] { q.send(branches::looking(name), branches::looking_for); });
    return true;
}

bool driver::hear_contains(driver_session& session, deadline until)
{
    auto q = asked_of(session, until);
    return named(name(), [&] { return !q.hear(branches::looking_for).empty(); });
}

std::vector<xid> driver::list_branches(driver_session& manage, std::string_view manager,
                                       deadline until)
{
    auto q = asked_of(manage, until);
    return named(name(), [&] { return branches::list(q, manager); });
}

// ---- messages --------------------------------------------------------------------------------

void driver::ensure_tasks(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    named(name(), [&] { tasks::ensure(q, ours(manage).who()); });
}

void driver::put_tasks(driver_session& session, std::vector<task_row> const& rows,
                       std::vector<std::uint16_t> const& slots, deadline until)
{
    named(name(), [&] {
        auto& working = working_in_branch(session);
        question q{working.connection(), until};
        tasks::put(q, working.guard(), working.gtrid(), rows, slots, dialects::row_wait(until));
    });
}

std::optional<task_row> driver::take_task(driver_session& session, std::string_view to,
                                          deadline until)
{
    return named(name(), [&] {
        auto& working = working_in_branch(session);
        question q{working.connection(), until};
        return tasks::take(q, working.guard(), to);
    });
}

std::string driver::slot_holder(driver_session& manage, std::vector<std::uint16_t> const& slots,
                                deadline until)
{
    auto q = asked_of(manage, until);
    return named(name(), [&] { return tasks::slot_holder(q, slots); });
}

void driver::ensure_lanes(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    named(name(), [&] { postgresql_dialect::lanes::ensure(q, ours(manage).who()); });
}

std::string driver::lane_source(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    return named(name(), [&] { return postgresql_dialect::lanes::source(q); });
}

std::vector<std::uint8_t> driver::claim_lanes(driver_session& owner, std::string_view to,
                                              std::uint8_t from, std::size_t at_most,
                                              deadline until)
{
    require_locks_that_hold(owner, "a lane's lock", "nothing is sent from here");
    auto q = asked_of(owner, until);
    return named(name(), [&] { return postgresql_dialect::lanes::claim(q, to, from, at_most); });
}

std::vector<placed_task> driver::place_tasks(driver_session& owner, std::string_view to,
                                             std::vector<std::uint8_t> const& lanes,
                                             turn_limits const& limits, deadline until)
{
    auto q = asked_of(owner, until);
    return named(name(), [&] { return postgresql_dialect::lanes::place(q, to, lanes, limits); });
}

void driver::end_turn(driver_session& owner, std::string_view to, std::vector<lane_end> const& ends,
                      deadline until)
{
    auto q = asked_of(owner, until);
    named(name(), [&] { postgresql_dialect::lanes::end_turn(q, to, ends); });
}

void driver::ensure_inbox(driver_session& manage, deadline until)
{
    auto q = asked_of(manage, until);
    named(name(), [&] { postgresql_dialect::inbox::ensure(q, ours(manage).who()); });
}

inbox_finding driver::move_inbox(driver_session& session, inbox_move const& what, deadline until)
{
    return named(name(), [&] {
        auto& working = working_in_branch(session);
        question q{working.connection(), until};
        return postgresql_dialect::inbox::move(q, working.guard(), working.gtrid(), what,
                                               dialects::row_wait(until));
    });
}

void driver::set_inbox(driver_session& session, std::string const& row_name,
                       std::string const& position, deadline until)
{
    named(name(), [&] {
        auto& working = working_in_branch(session);
        question q{working.connection(), until};
        postgresql_dialect::inbox::set(q, working.guard(), working.gtrid(), row_name, position,
                                       dialects::row_wait(until));
    });
}

}  // namespace assent::postgresql_adapter
