// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/driver.hpp"

#include <utility>

#include "adapters/dialects/subject.hpp"
#include "adapters/xopen/codes.hpp"
#include "adapters/xopen/identity_file.hpp"
#include "adapters/xopen/listing.hpp"
#include "adapters/xopen/session.hpp"

namespace assent::xopen_switch {

driver::driver(std::string name, switch_instance& is, xopen::options::values chosen)
    : name_(std::move(name)), is_(is), chosen_(std::move(chosen))
{
    is_.numbers->expect(chosen_.sessions_end_within);
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    can.is_thread_bound = true;
    return can;
}

void driver::fail(std::string const& why) const
{
    throw driver_error(dialects::subject(name_) + why);
}

std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline)
{
    std::shared_ptr<thread_opening> on;
    if (purpose == session_purpose::guardian) {
        is_.numbers->open();  // the log's lock is held, as it may not have been when this was made
    } else {
        on = thread_opening::of(is_);
        on->require_open(name_);
    }
    return std::make_unique<session>(name_, std::move(on),
                                     is_.numbers->take(purpose == session_purpose::work),
                                     chosen_.moves_by_join);
}

std::unique_ptr<driver_session> driver::borrow(void*, server_facts const&, deadline)
{
    throw driver_error(errc::bad_argument,
                       dialects::subject(name_) +
                           "a switch has no handles that could be lent: take a lease, and work by "
                           "the resource manager's own interface on the same thread");
}

std::string driver::identity() const
{
    if (!chosen_.identity.empty()) return chosen_.identity;
    return identity_in(name_, chosen_.identity_file);
}

server_facts driver::preflight(driver_session&, deadline)
{
    server_facts facts;
    facts.kind = "xopen";
    facts.identity = identity();
    facts.server_start = no_server;
    facts.version = is_.entries.name;
    facts.database = is_.entries.name;
    facts.user = "as xa_info says";
    return facts;
}

scan_result driver::scan(driver_session& manage, deadline)
{
    auto& opening = static_cast<session&>(manage).opening();
    scan_result seen;
    seen.identity = identity();
    list(name_, opening, seen);
    if (identity() != seen.identity) fail("its identity changed while it was listed");
    seen.life = {{}, no_server};
    seen.is_writable_primary = true;
    seen.warnings.emplace_back(
        "it is unguarded: only the lock on this log keeps a copy of the log from rolling back what "
        "is committed here");
    return seen;
}

/// Declared: options::unguarded().
bool driver::try_guard(driver_session&, std::uint64_t, deadline)
{
    return true;
}

void driver::heartbeat(driver_session&, deadline) {}

session_presence driver::presence(driver_session&, std::uint64_t id, deadline)
{
    return is_.numbers->presence(id, chosen_.sessions_end_within);
}

/// The numbers of another driver are no measure for this one's.
session_presence driver::sessions_before(driver_session& ours, std::uint64_t first, deadline)
{
    return is_.numbers->before(is_.numbers->is_own(first) ? first : ours.id(),
                               chosen_.sessions_end_within);
}

void driver::cancel_statement(driver_session&, std::uint64_t, deadline)
{
    fail(
        "a switch has no call that stops another thread's work: it goes on until that thread ends "
        "the transaction, which can only be rolled back");
}

void driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    cancel_statement(manage, id, until);
}

bool driver::works_outside() const noexcept
{
    auto const* const on = thread_opening::of_rmid(is_.rmid());
    return on != nullptr && on->is_outside();
}

witness_state driver::ask_witness(driver_session&, std::string const&, deadline)
{
    return witness_state::unknown;
}

}  // namespace assent::xopen_switch
