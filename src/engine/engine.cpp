// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <utility>

namespace assent::engine {

namespace {

// Longer lives than this would overflow the clock.
constexpr limits::duration life_max = std::chrono::hours{24 * 365 * 10};

std::uint64_t next_serial() noexcept
{
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

/// @throws error  errc::no_thread.
template <class Start>
void start(Start const& begin, std::string const& what)
{
    try {
        begin();
    } catch (error const&) {
        throw;
    } catch (std::system_error const& e) {
        throw error{errc::no_thread, "no thread could be started for " + what + ": " + e.what() +
                                         "; each database needs some, and the deadlines one"};
    }
}

void abandon_log(void* log)
{
    static_cast<ports::coordinator_log*>(log)->abandon();
}

}  // namespace

engine::engine(limits const& bounds, std::shared_ptr<observer> sink,
               std::unique_ptr<ports::coordinator_log> opened, ports::clock& clock)
    : shared_(bounds, std::move(sink), std::move(opened), clock),
      reaper_(shared_),
      serial_(next_serial())
{
    ports::on_fork_in_child(&abandon_log, shared_.log.get());
}

engine::~engine()
{
    auto const now = shared_.time.now();
    try {
        close(now);
    } catch (std::exception const& e) {
        shared_.tell(severity::warning, "manager.closed_unprepared", {}, {}, e.what());
    }
    stop(now);
    ports::forget_fork_handler(shared_.log.get());
}

void engine::start_threads()
{
    std::lock_guard const held{mutex_};
    start([this] { reaper_.start_thread(); }, "the deadlines");
    for (auto const& [name, each] : keepers_)
        start([&keeper = *each] { keeper.start_threads(); }, '"' + name + '"');
    has_threads_ = true;
}

void engine::add(resource_manager const& rm)
{
    require_same_process();
    require_name(rm.name());
    std::lock_guard const held{mutex_};
    if (shared_.is_closing) throw error{errc::closed, "the transaction manager was closed"};
    if (keepers_.count(rm.name()) != 0) {
        throw error{errc::bad_argument,
                    "a resource manager named \"" + rm.name() + "\" was added already"};
    }
    auto made = std::make_shared<keeper>(shared_, rm);
    if (has_threads_) start([&] { made->start_threads(); }, '"' + rm.name() + '"');
    keepers_.emplace(rm.name(), std::move(made));
}

std::shared_ptr<keeper> engine::keeper_of(resource_manager const& rm) const
{
    std::lock_guard const held{mutex_};
    auto const found = keepers_.find(rm.name());
    if (found == keepers_.end() || &found->second->driver() != rm.driver().get()) {
        throw error{errc::bad_argument, "resource manager \"" + rm.name() +
                                            "\" was not added to this transaction manager"};
    }
    return found->second;
}

std::vector<std::shared_ptr<keeper>> engine::keepers() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::shared_ptr<keeper>> all;
    for (auto const& [name, keeper] : keepers_)
        all.push_back(keeper);
    return all;
}

void engine::refuse_for_log()
{
    auto const log = shared_.log->state();
    if (log.is_poisoned) {
        throw error{errc::log_unusable, "the decision log failed (" + log.why +
                                            "); close this transaction manager and open it again"};
    }
    std::string const why = log.why.empty() ? "the log had no room a moment ago" : log.why;
    if (!is_log_full_.exchange(true)) shared_.tell(severity::alarm, "log.full", {}, {}, why);
    throw error{errc::log_full, why};
}

std::shared_ptr<global_transaction> engine::begin(begin_options const& how)
{
    require_same_process();
    if (shared_.is_closing) throw error{errc::closed, "the transaction manager was closed"};
    if (auto const twin = shared_.twin(); !twin.empty()) {
        throw error{errc::twin, "a copy of this log is, or was, at work: " + twin +
                                    "; see docs/guide/twins.md"};
    }
    ports::reservation room{*shared_.log};
    if (!room) refuse_for_log();
    if (is_log_full_ && is_log_full_.exchange(false)) {
        shared_.tell(severity::info, "log.room", {}, {}, "transactions begin again");
    }
    auto const& chosen = how.given();
    if (chosen.timeout.count() < 0) throw error{errc::bad_argument, "the timeout is negative"};
    auto const life = chosen.timeout.count() == 0 ? shared_.bounds.transaction : chosen.timeout;
    auto const until = shared_.time.now() + std::min(life, life_max);
    auto const current = shared_.log->current();
    gtrid::fields name{decision_place::log, 0,        shared_.log->node(), current.epoch,
                       current.nonce,       /*seq*/ 0};
    std::shared_ptr<keeper> place;
    if (chosen.commit_row) {
        place = keeper_of(*chosen.commit_row);
        if (chosen.modes.is_read_only()) {
            throw error{errc::bad_argument,
                        "a read-only transaction writes nothing, and no commit row into \"" +
                            place->name() + "\": begin without one"};
        }
        if (place->driver().decisions() == nullptr) {
            throw error{errc::bad_argument,
                        "\"" + place->name() + "\" cannot hold commit rows; begin without one"};
        }
        place->want_rows();
        name.place = decision_place::commit_row;
        name.place_resource_manager = place->known_id();
    }
    auto begun = shared_.live.enter([&](std::uint64_t sequence) {
        name.sequence = sequence;
        return std::make_shared<global_transaction>(gtrid::make(name), until, std::move(room),
                                                    place, chosen.modes);
    });
    reaper_.watch(until);
    return begun;
}

std::shared_ptr<shared::leased_handle> engine::lease(global_transaction& tx,
                                                     resource_manager const& rm, access how)
{
    require_active(process_, tx);
    return enlistment{shared_, process_, tx, keeper_of(rm), how}.lease();
}

std::vector<std::shared_ptr<shared::leased_handle>> engine::lease(
    global_transaction& tx, std::vector<resource_manager const*> const& all, access how)
{
    require_active(process_, tx);
    std::vector<std::shared_ptr<keeper>> keepers;
    keepers.reserve(all.size());
    for (auto const* each : all)
        keepers.push_back(keeper_of(*each));
    return lease_all(shared_, process_, tx, keepers, how);
}

bool engine::enlist(global_transaction& tx, resource_manager const& rm, lent_connection lent,
                    release_function<void*> on_release, branch_choice which, access how)
{
    require_active(process_, tx);
    if (lent.handle == nullptr) throw error{errc::bad_argument, "the handle is null", tx.id};
    return enlistment{shared_, process_, tx, keeper_of(rm), how}.enlist(lent, std::move(on_release),
                                                                        which);
}

ending engine::end(global_transaction& tx, intent what)
{
    require_same_process();
    return termination{shared_, process_, tx, what}.run();
}

known_outcome engine::outcome(gtrid const& id) const
{
    require_same_process();
    if (auto const recent = shared_.outcomes.find(id); recent != known_outcome::unknown) {
        return recent;
    }
    if (shared_.live.contains(id)) return known_outcome::pending;
    // A transaction that ended between the two looks is among the recent ones now.
    if (auto const recent = shared_.outcomes.find(id); recent != known_outcome::unknown) {
        return recent;
    }
    if (auto const row = shared_.rows.find(id)) {
        return *row ? known_outcome::committed : known_outcome::rolled_back;
    }
    switch (shared_.log->outcome(id)) {
        case ports::recorded_outcome::committed:
            return known_outcome::committed;
        case ports::recorded_outcome::rolled_back:
            return known_outcome::rolled_back;
        case ports::recorded_outcome::unknown:
            break;
    }
    return known_outcome::unknown;
}

manager_state engine::state() const
{
    require_same_process();
    manager_state now;
    auto const log = shared_.log->state();
    now.why = shared_.is_closing ? "it was closed" : shared_.twin();
    if (log.room == 0 && now.why.empty()) now.why = log.why;
    if (log.is_poisoned) now.why = "the decision log failed: " + log.why;
    now.is_accepting = now.why.empty();
    now.node = shared_.log->node();
    now.epoch = shared_.log->current().epoch;
    now.live_transactions = shared_.live.size();
    now.decisions = log.decisions;
    now.forces = log.forces;
    now.log_medium = log.medium;
    now.log_room = log.room;
    now.log_decisions = log.kept_decisions;
    now.heuristics = shared_.log->heuristics().size();
    now.quarantined = shared_.quarantined();
    for (auto const& each : keepers())
        now.resource_managers.push_back(each->state());
    for (auto const& bound : shared_.log->bindings()) {
        bool const is_configured =
            std::any_of(now.resource_managers.begin(), now.resource_managers.end(),
                        [&](auto const& rm) { return rm.name == bound.name; });
        if (is_configured) continue;
        resource_manager_state missing;
        missing.name = bound.name;
        missing.kind = bound.kind;
        missing.is_configured = false;
        missing.why = "bound in the log, but not added to this transaction manager";
        missing.undrained = missing.why;
        for (auto const& decision : shared_.log->unfinished_at(bound.id)) {
            for (std::size_t i = 0; i < decision.what.branches.size(); ++i) {
                missing.branches_due +=
                    !decision.is_finished[i] &&
                    decision.what.branches[i].parts().resource_manager == bound.id;
            }
        }
        if (auto const asked = shared_.rows.asked_of(bound.id).size(); asked != 0) {
            missing.undrained += "; " + std::to_string(asked) +
                                 " transactions are decided by commit rows there, and wait";
        }
        now.resource_managers.push_back(std::move(missing));
    }
    return now;
}

}  // namespace assent::engine
