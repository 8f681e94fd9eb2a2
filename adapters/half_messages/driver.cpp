// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/half_messages/driver.hpp"

#include <algorithm>

#include "adapters/dialects/subject.hpp"
#include "ports/handler_marks.hpp"

namespace assent::half_messages {

namespace {

constexpr std::size_t identity_max = 120;  // as the log keeps it

bool is_good_identity(std::string const& text) noexcept
{
    return !text.empty() && text.size() <= identity_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

void driver::fail(std::string const& why) const
{
    throw driver_error(dialects::subject(name()) + why);
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    can.runs_handlers = true;
    return can;
}

/// Nothing is connected to: the broker's connections are the application's.
std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline)
{
    // The log's lock is held, as it may not have been when this was made.
    if (purpose == session_purpose::guardian) of_->numbers->open();
    bool const can_prepare = purpose == session_purpose::work;
    return std::make_unique<session>(of_, of_->sessions.take(*of_->numbers, can_prepare));
}

std::unique_ptr<driver_session> driver::borrow(void*, server_facts const&, deadline)
{
    throw driver_error(errc::invalid_state,
                       dialects::subject(name()) +
                           "half messages are sent by half::send(), and on no connection that is "
                           "lent");
}

half::listing driver::list(driver_session& manage, deadline until) const
{
    auto seen = dialects::named(name(), [&] {
        try {
            return static_cast<session&>(manage).list(until);
        } catch (...) {
            of_->identity.set({});
            throw;
        }
    });
    if (!is_good_identity(seen.broker)) {
        fail("its broker does not say which it is: half::listing::broker is 1 to " +
             std::to_string(identity_max) + " printable ASCII characters without blanks");
    }
    of_->identity.set(seen.broker);
    return seen;
}

/// A list that may be long is not asked for to hear only who has it: each scan says so again.
server_facts driver::preflight(driver_session& manage, deadline until)
{
    server_facts facts;
    facts.kind = ports::broker_kind;
    facts.identity = of_->identity.take();
    if (facts.identity.empty()) facts.identity = list(manage, until).broker;
    // Which it is: the sessions of this run there are told from those of earlier ones, also where
    // the manager's own was opened again meanwhile.
    facts.instance = facts.identity;
    facts.server_start = no_server;
    facts.version = "as the application's broker has it";
    facts.user = facts.version;
    facts.database = facts.identity;
    return facts;
}

scan_result driver::scan(driver_session& manage, deadline until)
{
    auto const all = list(manage, until);
    scan_result seen;
    seen.identity = all.broker;
    seen.life = {all.broker, no_server};
    seen.is_writable_primary = true;
    for (auto const& text : all.names) {
        auto const name = xid::parse(text);
        if (name) {
            seen.ours.push_back(*name);
        } else {
            ++seen.foreign_count;
        }
    }
    seen.warnings.emplace_back(
        "it is unguarded: only the lock on this log keeps a copy of the log from dropping what is "
        "released here");
    return seen;
}

/// Declared: half::options::unguarded().
bool driver::try_guard(driver_session&, std::uint64_t, deadline)
{
    return true;
}

void driver::heartbeat(driver_session&, deadline) {}

session_presence driver::presence(driver_session&, std::uint64_t id, deadline)
{
    return of_->numbers->presence(id, of_->chosen.halves_arrive_within);
}

/// The numbers of another resource manager are no measure for this one's.
session_presence driver::sessions_before(driver_session& ours, std::uint64_t first, deadline)
{
    return of_->numbers->before(of_->numbers->is_own(first) ? first : ours.id(),
                                of_->chosen.halves_arrive_within);
}

/// A call of the application's broker goes on until it returns; nobody waits for it longer than
/// its deadline.
void driver::cancel_statement(driver_session&, std::uint64_t, deadline) {}

/// It asks for nothing more; a call that is under way keeps the number.
void driver::end_session(driver_session&, std::uint64_t id, deadline)
{
    of_->sessions.end(id);
}

witness_state driver::ask_witness(driver_session&, std::string const&, deadline)
{
    return witness_state::unknown;  // nothing is committed in one phase here
}

}  // namespace assent::half_messages
