// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/reservations/driver.hpp"

#include <utility>

#include "adapters/dialects/checks.hpp"
#include "adapters/dialects/subject.hpp"
#include "ports/fnv.hpp"
#include "ports/handler_marks.hpp"

namespace assent::reservations {

using dialects::named;

namespace {

constexpr std::size_t identity_max = 120;  // as the log keeps it

driver_session& on(driver_session& any)
{
    return static_cast<session&>(any).database();
}

[[noreturn]] void is_committing()
{
    throw driver_error("its attempt is being committed just now");
}

}  // namespace

driver::driver(std::shared_ptr<service> of)
    : of_(std::move(of)),
      suffix_(ports::identity_suffix_of_reservations(of_->name)),
      mark_(ports::fnv1a(of_->name))
{
}

std::shared_ptr<settler> driver::workers()
{
    std::lock_guard const held{mutex_};
    auto all = settler_.lock();
    if (!all || all->is_closed()) settler_ = all = std::make_shared<settler>(of_);
    return all;
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    can.runs_handlers = true;
    can.is_always_serializable = database().capabilities().is_always_serializable;
    return can;
}

std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline until)
{
    return named(name(), [&] {
        return std::make_unique<session>(of_, workers(), database().connect(purpose, until),
                                         purpose);
    });
}

void driver::end_work() noexcept
{
    std::shared_ptr<settler> all;
    {
        std::lock_guard const held{mutex_};
        all = settler_.lock();
    }
    if (all) all->close();
}

/// The database's own, and its table.
examination driver::examine(driver_session& manage, deadline until)
{
    auto* const patient = dynamic_cast<examined_driver*>(&database());
    if (patient == nullptr) {
        throw driver_error(dialects::subject(name()) + "its database cannot be examined");
    }
    auto told = patient->examine(on(manage), until);
    told.identity += suffix_;
    // What is advice, or nothing, for whoever does without them refuses the start of whoever does
    // not.
    bool is_refused = false;
    for (auto& each : told.findings) {
        if (each.check != dialects::table_of_reservations) continue;
        is_refused = each.level != finding_level::ok || !each.advice.empty();
        if (is_refused) each.level = finding_level::error;
    }
    if (is_refused) return told;
    try {
        auto const left = of_->table.list_branches(on(manage), name(), until).size();
        told.add("reservations", finding_level::ok, std::to_string(left) + " are pending");
    } catch (driver_error const& e) {
        told.add(
            "reservations", finding_level::advice, e.what(),
            "the application makes the table assent_branch when it starts, if its account may");
    }
    return told;
}

std::unique_ptr<driver_session> driver::borrow(void*, server_facts const&, deadline)
{
    throw driver_error(errc::invalid_state, dialects::subject(name()) +
                                                "reservations are made by tcc::attempt(), and on "
                                                "no connection that is lent");
}

server_facts driver::preflight(driver_session& manage, deadline until)
{
    auto facts = named(name(), [&] { return database().preflight(on(manage), until); });
    facts.identity += suffix_;
    if (facts.identity.size() > identity_max) {
        throw driver_error(errc::bad_argument,
                           dialects::subject(name()) + "its name, beside the identity of its " +
                               "database, is longer than " + std::to_string(identity_max) +
                               " bytes: choose a shorter one");
    }
    if (!facts.one_phase_hazard.empty()) {
        throw driver_error(dialects::subject(name()) + facts.one_phase_hazard +
                           ", and so an attempt, a confirm or a cancel: use a server without one");
    }
    if (is_known_) require_table(manage, until);
    named(name(), [&] { of_->table.ensure_branches(on(manage), until); });
    std::lock_guard const held{mutex_};
    life_ = facts.life();
    return facts;
}

/// One that was lost takes with it what is to be confirmed, and lists nothing when it is made anew.
void driver::require_table(driver_session& manage, deadline until)
{
    try {
        of_->table.list_branches(on(manage), name(), until);
    } catch (driver_error const& e) {
        bool const is_held = e.sqlstate() == "55P03" || e.native_code() == 1205;  // a lock
        throw driver_error(e.why(),
                           dialects::subject(name()) +
                               "the table assent_branch, which was there, cannot be read (" +
                               e.what() + ")" +
                               (is_held ? ""
                                        : ": give it back; if it is lost, put right by hand what "
                                          "it held, and make it anew"),
                           e.sqlstate(), e.native_code(), e.must_close());
    }
}

scan_result driver::scan(driver_session& manage, deadline until)
{
    auto seen = named(name(), [&] { return database().scan(on(manage), until); });
    seen.identity += suffix_;
    seen.ours = named(name(), [&] { return of_->table.list_branches(on(manage), name(), until); });
    seen.foreign_count = 0;
    std::lock_guard const held{mutex_};
    // Where a server does not tell, it is the one that was seen.
    if (seen.life.instance.empty()) seen.life.instance = life_.instance;
    if (seen.life.start.empty()) seen.life.start = life_.start;
    seen.of_strangers.clear();
    return seen;
}

std::optional<kept_past> driver::read_past(driver_session& manage, std::uint64_t node,
                                           deadline until)
{
    return database().read_past(on(manage), own(node), until);
}

bool driver::keep_past(driver_session& manage, std::uint64_t node, kept_past const& past,
                       deadline until)
{
    return database().keep_past(on(manage), own(node), past, until);
}

bool driver::try_guard(driver_session& guardian, std::uint64_t node, deadline until)
{
    bool const is_ours = database().try_guard(on(guardian), own(node), until);
    if (is_ours) of_->guarded.note();
    return is_ours;
}

void driver::heartbeat(driver_session& guardian, deadline until)
{
    database().heartbeat(on(guardian), until);
    of_->guarded.note();
}

std::string driver::guard_holder(driver_session& guardian, std::uint64_t node, deadline until)
{
    return database().guard_holder(on(guardian), own(node), until);
}

session_presence driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    return database().presence(on(manage), id, until);
}

session_presence driver::sessions_before(driver_session& ours, std::uint64_t first, deadline until)
{
    return database().sessions_before(on(ours), first, until);
}

void driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    auto const cancel = [&] { database().cancel_statement(on(manage), id, until); };
    if (!of_->gate.cancel(id, cancel)) is_committing();
}

void driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    auto const end = [&] { database().end_session(on(manage), id, until); };
    if (!of_->gate.cancel(id, end)) is_committing();
}

bool driver::end_idle_session(driver_session& manage, std::uint64_t id, deadline until)
{
    return database().end_idle_session(on(manage), id, until);
}

witness_state driver::ask_witness(driver_session&, std::string const&, deadline)
{
    return witness_state::unknown;  // nothing is committed in one phase here
}

}  // namespace assent::reservations
