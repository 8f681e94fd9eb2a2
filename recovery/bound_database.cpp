// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/bound_database.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "ports/coordinator_log.hpp"
#include "protocol/mutation.hpp"

namespace assent::recovery {

std::uint16_t bound_database::known_id() const
{
    if (auto const now = id(); now != 0) return now;
    for (auto const& known : shared_.log->bindings()) {
        if (known.name == name() && !known.is_retired) return known.id;
    }
    return 0;
}

void bound_database::identify(server_facts const& now)
{
    std::uint16_t id = 0;
    for (auto const& known : shared_.log->bindings()) {
        if (known.is_retired) continue;
        if (known.name == name()) {
            // Another server lists none of our branches, and that would pass for their being
            // finished, while the bound one still has them prepared.
            if (known.identity != now.identity || known.kind != now.kind) {
                throw unfit_server{"this is not the server it was bound to (bound: " + known.kind +
                                   " " + known.identity + ", found: " + now.kind + " " +
                                   now.identity + "); nothing is decided there. Point \"" + name() +
                                   "\" at the old server, or give the new one another name; or, if "
                                   "it took the old one's place, run assent rebind"};
            }
            id = known.id;
        } else if (known.identity == now.identity) {
            throw unfit_server{"this database is already bound under the name \"" + known.name +
                               "\"; use that name, two names for one database are refused"};
        }
    }
    if (id == 0) id = shared_.log->bind(name(), now.kind, now.identity);
    shared_.note_life(id, now.life());
    shared_.tell(severity::debug, "resource_manager.bound", name(), {}, now.identity);

    std::lock_guard const held{mutex_};
    id_.store(id, std::memory_order_release);
    facts_ = now;
    is_connected_ = true;
}

server_facts bound_database::facts() const
{
    std::lock_guard const held{mutex_};
    return facts_;
}

server_life bound_database::life() const
{
    std::lock_guard const held{mutex_};
    return facts_.life();
}

std::string bound_database::history() const
{
    std::lock_guard const held{mutex_};
    return history_;
}

void bound_database::note_history(std::string now)
{
    std::lock_guard const held{mutex_};
    history_ = std::move(now);
}

bool bound_database::is_proxied() const
{
    std::lock_guard const held{mutex_};
    return facts_.is_proxied;
}

bool bound_database::is_one_phase_durable() const
{
    std::lock_guard const held{mutex_};
    return facts_.one_phase_hazard.empty();
}

bool bound_database::may_be_life(server_life const& other) const
{
    return ports::is_same_where_known(life(), other);
}

void bound_database::note_start(std::string const& start)
{
    std::lock_guard const held{mutex_};
    noted_start_ = start;
}

bool bound_database::is_noted(server_life const& other) const
{
    std::lock_guard const held{mutex_};
    return other.start.empty() || other.start == noted_start_;
}

void bound_database::require_same(server_facts const& other) const
{
    if (other.identity != facts().identity) {
        throw unfit_server{"another server answers at this address (" + other.identity + ")"};
    }
    require_same_instance(other.life());
}

void bound_database::require_same_instance(server_life const& other) const
{
    if (protocol::mutated(protocol::mutation::replica_scanned)) return;
    auto const scanned = life().instance;
    if (scanned.empty() || other.instance.empty() || scanned == other.instance) return;
    throw unfit_server{"another server of the same identity answers at this address (" +
                       other.instance + "; scanned: " + scanned +
                       "): is it a replica that takes writes?"};
}

deadline bound_database::claim_login(deadline now)
{
    std::lock_guard const held{mutex_};
    if (next_login_ == deadline{}) return now;
    if (now < next_login_) return next_login_;
    next_login_ = now + shared_.bounds.connect;  // the others wait for what this one hears
    return now;
}

deadline bound_database::note_login_refused()
{
    auto const now = shared_.time.now();
    std::lock_guard const held{mutex_};
    next_login_ = refusals_.after(now, limits::duration::max());
    return next_login_;
}

void bound_database::note_login()
{
    std::lock_guard const held{mutex_};
    refusals_.reset();
    next_login_ = {};
}

void bound_database::note_scanned()
{
    std::lock_guard const held{mutex_};
    has_scanned_ = true;
    is_unfit_ = false;
    changed_.notify_all();
}

void bound_database::note_lost(std::string why, bool is_unfit)
{
    std::lock_guard const held{mutex_};
    if (is_closed_) return;
    is_connected_ = false;
    is_unfit_ = is_unfit_ || is_unfit;
    why_lost_ = std::move(why);
}

void bound_database::note_guard(bool is_held, std::string why)
{
    std::lock_guard const held{mutex_};
    is_guarded_ = is_held;
    why_unguarded_ = std::move(why);
    changed_.notify_all();
}

void bound_database::note_rows(bool is_ready, std::string why)
{
    std::lock_guard const held{mutex_};
    holds_rows_ = is_ready;
    why_no_rows_ = std::move(why);
    changed_.notify_all();
}

void bound_database::note_undrained(std::string why)
{
    std::lock_guard const held{mutex_};
    undrained_ = std::move(why);
}

void bound_database::close() noexcept
{
    std::lock_guard const held{mutex_};
    is_closed_ = true;
    is_connected_ = false;
    is_unfit_ = true;
    try {
        why_lost_ = "the transaction manager was closed";
    } catch (std::bad_alloc const&) {
        why_lost_.clear();
    }
    changed_.notify_all();
}

bool bound_database::is_drained() const
{
    std::lock_guard const held{mutex_};
    return is_connected_ && has_scanned_ && undrained_.empty();
}

/// @pre  the mutex is held.
std::string bound_database::why() const
{
    if (!is_connected_ || is_unfit_) return why_lost_;
    return has_scanned_ ? why_unguarded_ : "its first scan is not done yet";
}

void bound_database::describe(resource_manager_state& into) const
{
    std::lock_guard const held{mutex_};
    into.name = name();
    into.kind = facts_.kind;
    into.is_serving = serves();
    into.why = into.is_serving ? std::string{} : why();
    into.is_drained = has_scanned_ && undrained_.empty();
    into.undrained = undrained_;
}

std::string bound_database::why_no_rows() const
{
    std::lock_guard const held{mutex_};
    return why_no_rows_;
}

std::uint16_t bound_database::wait_until_serving(deadline until)
{
    return wait_until(false, until);
}

std::uint16_t bound_database::wait_until_holding_rows(deadline until)
{
    return wait_until(true, until);
}

std::uint16_t bound_database::wait_until(bool with_rows, deadline until)
{
    until = std::min(until, shared_.time.now() + shared_.bounds.first_scan);
    std::unique_lock held{mutex_};
    for (;;) {
        if (serves() && (!with_rows || holds_rows_)) return id();
        if (is_closed_ || shared_.time.now() >= until) break;
        shared_.time.wait(held, changed_, until);
    }
    if (serves()) {
        throw error{errc::unavailable,
                    "no decision may live in a commit row of \"" + name() + "\": " + why_no_rows_};
    }
    throw error{errc::unavailable, "resource manager \"" + name() + "\" does not serve: " + why()};
}

}  // namespace assent::recovery
