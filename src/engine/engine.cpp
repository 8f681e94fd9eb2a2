// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <utility>

namespace assent::engine {

namespace {

// Longer lives than this would overflow the clock; who asks for them has no deadline.
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
      desk_(shared_, [this](std::string const& name) { return keeper_named(name); }),
      collector_(shared_, process_),
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

void engine::serve_requests(std::string const& directory)
{
    try {
        desk_.serve_in(directory);
    } catch (std::system_error const& e) {
        throw error{errc::log_unusable, e.what()};
    }
}

void engine::start_threads()
{
    std::lock_guard const held{mutex_};
    start([this] { reaper_.start_thread(); }, "the deadlines");
    if (desk_.is_serving()) start([this] { desk_.start_thread(); }, "the requests of persons");
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
    auto const& added = *keepers_.emplace(rm.name(), std::move(made)).first->second;
    if (added.driver().capabilities().is_thread_bound) may_be_outside_ = true;
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

std::shared_ptr<keeper> engine::keeper_named(std::string const& name) const
{
    std::lock_guard const held{mutex_};
    auto const found = keepers_.find(name);
    return found == keepers_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<keeper>> engine::keepers() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::shared_ptr<keeper>> all;
    for (auto const& [name, keeper] : keepers_)
        all.push_back(keeper);
    return all;
}

/// Its thread is started for the first who needs it.
void engine::need_collector()
{
    std::lock_guard const held{mutex_};
    // Whoever stops all looks for threads after it has held this lock.
    if (shared_.is_closing) throw error{errc::closed, "the transaction manager was closed"};
    if (!has_threads_ || is_collecting_) return;
    start([this] { collector_.start_thread(); }, "those who wait behind an early return");
    is_collecting_ = true;
}

/// What the thread does there it would take for the transaction's, and it would be permanent.
void engine::require_inside() const
{
    if (!may_be_outside_) return;
    for (auto const& each : keepers()) {
        if (!each->driver().works_outside()) continue;
        throw error{errc::outside,
                    "this thread is at work at \"" + each->name() +
                        "\" outside of any transaction, which must end there first (ax_unreg); no "
                        "transaction was begun"};
    }
}

void engine::require_ready(keeper& which) const
{
    which.wait_until_serving(shared_.time.now());  // a wait whose time is over already
    if (which.is_guarded()) return;
    throw error{errc::unavailable, which.why_unguarded() + "; no transaction was begun"};
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
    require_inside();
    ports::reservation room{*shared_.log};
    if (!room) refuse_for_log();
    if (is_log_full_ && is_log_full_.exchange(false)) {
        shared_.tell(severity::info, "log.room", {}, {}, "transactions begin again");
    }
    auto const& chosen = how.given();
    if (chosen.timeout.count() < 0) throw error{errc::bad_argument, "the timeout is negative"};
    auto const usual = shared_.bounds.transaction;
    auto const life = std::min(chosen.timeout.count() == 0 ? usual : chosen.timeout, life_max);
    auto const until = shared_.time.now() + life;
    auto const patience = life == life_max ? std::min(usual, life_max) : life;
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
    for (auto const& each : chosen.expected)
        require_ready(*keeper_of(each));
    if (chosen.returns == commit_return::decision_logged) need_collector();
    auto begun = shared_.live.enter([&](std::uint64_t sequence) {
        name.sequence = sequence;
        return std::make_shared<global_transaction>(gtrid::make(name), until, patience,
                                                    std::move(room), place, chosen.modes,
                                                    chosen.returns);
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

void engine::work_on(global_transaction& tx, resource_manager const& rm, session_work const& what)
{
    require_active(process_, tx);
    enlistment{shared_, process_, tx, keeper_of(rm), access::read_write}.work(what);
}

std::shared_ptr<keeper> engine::require_work(global_transaction& tx, resource_manager const& rm)
{
    require_active(process_, tx);
    auto where = keeper_of(rm);
    enlistment{shared_, process_, tx, where, access::read_write}.require_work();
    if (tx.has_begun_commit) {
        throw error{errc::invalid_state, "the commit of this transaction has begun", tx.id};
    }
    return where;
}

void engine::work_at_commit(global_transaction& tx, resource_manager const& rm,
                            std::function<void(driver_session&, deadline)> work)
{
    tx.last_works.push_back({require_work(tx, rm), std::move(work)});
}

void engine::set_commit_return(global_transaction& tx, commit_return when)
{
    require_same_process();
    {
        std::lock_guard const held{tx.mutex};
        if (tx.is_ending) {
            throw error{errc::invalid_state, "this transaction has ended, or is ending", tx.id};
        }
    }
    if (when == commit_return::decision_logged) need_collector();
    tx.returns = when;
}

ending engine::end(global_transaction& tx, intent what)
{
    require_same_process();
    return termination{shared_, process_, collector_, tx, what}.run();
}

known_outcome engine::outcome(gtrid const& id) const
{
    require_same_process();
    // What a person did counts before whatever recovery found of the others since.
    if (shared_.log->outcome(id) == ports::recorded_outcome::by_person) {
        return known_outcome::unknown;
    }
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
        case ports::recorded_outcome::by_person:
        case ports::recorded_outcome::unknown:
            break;
    }
    return known_outcome::unknown;
}

}  // namespace assent::engine
