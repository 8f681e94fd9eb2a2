// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/driver.hpp"

#include <stdexcept>
#include <utility>

#include "adapters/dialects/row_wait.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/odbc/connect_string.hpp"
#include "adapters/odbc/speakers.hpp"

namespace assent::odbc_adapter {

namespace {

using sql_text::gate;
using sql_text::speaker;

session& own(driver_session& any)
{
    auto* const mine = dynamic_cast<session*>(&any);
    if (mine == nullptr) throw std::logic_error("a session of another driver");
    return *mine;
}

}  // namespace

driver::driver(std::string name, connect_method source, odbc::safety_options safety)
    : source_(std::move(source)), safety_(safety)
{
    require_name(name);
    if (!source_.connect && split(source_.where.connect).empty()) {
        throw driver_error(
            errc::bad_argument,
            dialects::subject(name) + "the connect string is empty: name a DRIVER or a DSN");
    }
    family_->name = std::move(name);
    family_->make_speaker = &make_speaker;
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    switch (static_cast<database_kind>(kind_.load(std::memory_order_relaxed))) {
        case database_kind::postgresql:
            can.has_one_phase_witness = true;
            break;
        case database_kind::mysql:
            break;
        case database_kind::sqlite:
            can.is_two_phase = false;
            can.is_always_serializable = true;
            break;
        case database_kind::mariadb:
        default:
            can.stays_attached_after_prepare = true;
            break;
    }
    return can;
}

std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline until)
{
    auto const connect = [source = source_, purpose](std::shared_ptr<gate> passes,
                                                     unsigned seconds) {
        return odbc_link::open(source, purpose, std::move(passes), seconds);
    };
    auto opened = session::open(connect, purpose, family_, until);
    kind_.store(static_cast<int>(opened->kind()), std::memory_order_relaxed);
    if (purpose != session_purpose::work) return opened;
    // Manager's sessions are not held to the facts: reading them again is what they are for.
    std::optional<server_facts> expected;
    {
        std::lock_guard const hold(mutex_);
        expected = facts_;
    }
    if (expected) {
        opened->ask(until, [what = *expected, lax = safety_.allow_non_durable](speaker& speaks) {
            speaks.check_work(what, lax);
        });
    }
    return opened;
}

std::unique_ptr<driver_session> driver::borrow(void* handle, server_facts const& expected,
                                               deadline until)
{
    if (handle == nullptr) {
        throw driver_error(errc::bad_argument,
                           dialects::subject(name()) + "the borrowed handle is null");
    }
    sql_text::lending lent;
    lent.make_link = [handle](std::shared_ptr<gate> passes) {
        auto made = odbc_link::borrow(handle, std::move(passes));
        if (made->has_autocommit() == false) {
            throw driver_error(
                "the connection is refused: its autocommit is off, so it may be in a transaction: "
                "switch SQL_ATTR_AUTOCOMMIT on");
        }
        return made;
    };
    auto borrowed = session::borrow(std::move(lent), family_, until);
    borrowed->ask(until, [expected, lax = safety_.allow_non_durable](speaker& speaks) {
        speaks.check_work(expected, lax);
    });
    return borrowed;
}

server_facts driver::preflight(driver_session& manage, deadline until)
{
    server_facts facts = facts_of(manage, until);
    hold_to(manage, facts);
    return facts;
}

server_facts driver::facts_of(driver_session& manage, deadline until)
{
    return own(manage).ask(until, [lax = safety_.allow_non_durable](speaker& speaks) {
        return speaks.preflight(lax);
    });
}

void driver::hold_to(driver_session&, server_facts const& seen)
{
    std::lock_guard const hold(mutex_);
    facts_ = seen;
}

/// Ends, at the server, the sessions whose sockets could not be cut.
void driver::end_unreachable(driver_session& manage, deadline until)
{
    family_->unreachable.end_all(
        manage,
        [&](std::uint64_t id) {
            own(manage).ask(until, [id](speaker& speaks) { speaks.end_session(id); });
        },
        [&](std::uint64_t id) { return end_idle_session(manage, id, until); });
}

scan_result driver::scan(driver_session& manage, deadline until)
{
    end_unreachable(manage, until);
    auto seen = own(manage).ask(until, [](speaker& speaks) { return speaks.scan(); });
    family_->unreachable.tell(seen);
    return seen;
}

dialects::any_branch_list driver::list_any(driver_session& manage, deadline until)
{
    return own(manage).ask(until, [](speaker& speaks) { return speaks.list_any(); });
}

std::vector<std::uint64_t> driver::other_sessions(driver_session& manage, deadline until)
{
    return own(manage).ask(until, [](speaker& speaks) { return speaks.other_sessions(); });
}

std::optional<kept_past> driver::read_past(driver_session& manage, std::uint64_t node,
                                           deadline until)
{
    return own(manage).ask(until, [node](speaker& speaks) { return speaks.read_past(node); });
}

bool driver::keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                       deadline until)
{
    return own(manage).ask(until,
                           [node, past](speaker& speaks) { return speaks.keep_past(node, past); });
}

bool driver::try_guard(driver_session& guardian, std::uint64_t node, deadline until)
{
    return own(guardian).ask(until, [node](speaker& speaks) { return speaks.try_guard(node); });
}

void driver::heartbeat(driver_session& guardian, deadline until)
{
    own(guardian).ask(until, [](speaker& speaks) { speaks.heartbeat(); });
}

std::string driver::guard_holder(driver_session& guardian, std::uint64_t node, deadline until)
{
    return own(guardian).ask(until, [node](speaker& speaks) { return speaks.guard_holder(node); });
}

session_presence driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    end_unreachable(manage, until);
    return own(manage).ask(until, [id](speaker& speaks) { return speaks.presence(id); });
}

session_presence driver::sessions_before(driver_session& ours, std::uint64_t first, deadline until)
{
    return own(ours).ask(until, [first](speaker& speaks) { return speaks.sessions_before(first); });
}

void driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    own(manage).ask(until, [id, family = family_](speaker& speaks) {
        speaks.cancel_statement(id, *family->cancelled);
    });
}

void driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    family_->cancelled->add(id);
    own(manage).ask(until, [id](speaker& speaks) { speaks.end_session(id); });
}

bool driver::end_idle_session(driver_session& manage, std::uint64_t id, deadline until)
{
    bool const is_ended =
        own(manage).ask(until, [id](speaker& speaks) { return speaks.end_idle_session(id); });
    if (is_ended) family_->cancelled->add(id);
    return is_ended;
}

witness_state driver::ask_witness(driver_session& manage, std::string const& witness,
                                  deadline until)
{
    return own(manage).ask(until,
                           [witness](speaker& speaks) { return speaks.ask_witness(witness); });
}

// ---- commit rows -----------------------------------------------------------------------------

void driver::ensure(driver_session& manage, deadline until)
{
    own(manage).ask(until, [](speaker& speaks) { speaks.ensure_rows(); });
}

/// Of the table of commit rows.
std::string driver::database() const
{
    std::lock_guard const hold(mutex_);
    if (!facts_)
        throw driver_error(dialects::subject(name()) +
                           "no server has answered yet, so its database is not known");
    return facts_->database;
}

void driver::announce(driver_session& session)
{
    own(session).announce(trial(own(session).kind(), database()));
}

void driver::carry(driver_session& session, decision_row const& inserted)
{
    own(session).carry(insertion(own(session).kind(), database(), inserted));
}

std::optional<decision_row> driver::fence(driver_session& manage, gtrid const& row_name,
                                          deadline until)
{
    return own(manage).ask(until, [row_name, wait = dialects::row_wait(until)](speaker& speaks) {
        return speaks.fence(row_name, wait);
    });
}

std::vector<decision_row> driver::list(driver_session& manage, std::string_view prefix,
                                       std::size_t at_most, deadline until)
{
    return own(manage).ask(until, [prefix = std::string{prefix}, at_most](speaker& speaks) {
        return speaks.list_rows(prefix, at_most);
    });
}

void driver::prune(driver_session& manage, decision_row const& horizon_row,
                   std::vector<gtrid> const& gone, deadline until)
{
    own(manage).ask(until,
                    [horizon_row, gone](speaker& speaks) { speaks.prune_rows(horizon_row, gone); });
}

// ---- reservations ----------------------------------------------------------------------------

void driver::ensure_branches(driver_session& manage, deadline until)
{
    own(manage).ask(until, [](speaker& speaks) { speaks.ensure_branches(); });
}

void driver::insert(driver_session& session, branch_row const& reserved, deadline until)
{
    own(session).ask(until,
                     [in = database(), reserved](speaker& speaks) { speaks.insert(in, reserved); });
}

std::optional<branch_row> driver::take(driver_session& session, xid const& name, deadline until)
{
    return own(session).ask(
        until, [in = database(), name](speaker& speaks) { return speaks.take(in, name); });
}

bool driver::contains(driver_session& session, xid const& name, deadline until)
{
    return own(session).ask(
        until, [in = database(), name](speaker& speaks) { return speaks.contains(in, name); });
}

std::vector<xid> driver::list_branches(driver_session& manage, std::string_view manager,
                                       deadline until)
{
    return own(manage).ask(until, [manager = std::string{manager}](speaker& speaks) {
        return speaks.list_branches(manager);
    });
}

examination driver::examine(driver_session& manage, deadline until)
{
    bool const allow_non_durable = safety_.allow_non_durable;
    examination told = own(manage).ask(
        until, [allow_non_durable](speaker& speaks) { return speaks.examine(allow_non_durable); });
    if (told.kind == "sqlite" || own(manage).can_be_severed()) return told;
    told.add("socket of the driver", finding_level::warning, "not found",
             "connect by TCP: without it a lent connection is refused, and a leased one that falls "
             "silent is ended only by another connection");
    return told;
}

}  // namespace assent::odbc_adapter
