// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace assent::engine {

namespace {

constexpr std::size_t name_length_max = 64;

// Longer lives than this would overflow the clock.
constexpr limits::duration life_max = std::chrono::hours{24 * 365 * 10};

void require_good_name(std::string const& name)
{
    bool const is_printable =
        std::all_of(name.begin(), name.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (name.empty() || name.size() > name_length_max || !is_printable) {
        throw error{errc::bad_argument,
                    "the name of a resource manager is 1 to 64 printable ASCII characters without "
                    "blanks; \"" +
                        name.substr(0, name_length_max) + "\" is not"};
    }
}

std::uint64_t next_serial() noexcept
{
    static std::atomic<std::uint64_t> last{0};
    return ++last;
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
    on_fork_in_child(&abandon_log, shared_.log.get());
}

engine::~engine()
{
    close(shared_.time.now());
    forget_fork_handler(shared_.log.get());
}

void engine::start_threads()
{
    std::lock_guard const held{mutex_};
    has_threads_ = true;
    reaper_.start_thread();
    for (auto const& [name, keeper] : keepers_)
        keeper->start_thread();
}

void engine::require_same_process() const
{
    if (!is_forked()) return;
    throw error{errc::forked,
                "this process was forked from the one that opened the transaction manager; open "
                "one of its own, with its own log directory"};
}

void engine::add(resource_manager const& rm)
{
    require_same_process();
    require_good_name(rm.name());
    std::lock_guard const held{mutex_};
    if (shared_.is_closing) throw error{errc::closed, "the transaction manager was closed"};
    if (keepers_.count(rm.name()) != 0) {
        throw error{errc::bad_argument,
                    "a resource manager named \"" + rm.name() + "\" was added already"};
    }
    auto made = std::make_shared<keeper>(shared_, rm);
    if (has_threads_) made->start_thread();
    keepers_.emplace(rm.name(), std::move(made));
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
    if (how.deadline().count() < 0) throw error{errc::bad_argument, "a negative deadline"};
    auto const life = how.deadline().count() == 0 ? shared_.bounds.transaction : how.deadline();
    auto const until = shared_.time.now() + std::min(life, life_max);
    auto const current = shared_.log->current();
    gtrid::fields name{decision_place::log, 0,        shared_.log->node(), current.epoch,
                       current.nonce,       /*seq*/ 0};
    std::shared_ptr<keeper> place;
    if (how.commit_row()) {
        place = keeper_of(*how.commit_row());
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
                                                    place);
    });
    reaper_.watch(until);
    return begun;
}

known_outcome engine::outcome(gtrid const& id) const
{
    require_same_process();
    if (auto const recent = shared_.outcomes.find(id); recent != known_outcome::not_known) {
        return recent;
    }
    if (shared_.live.contains(id)) return known_outcome::pending;
    // A transaction that ended between the two looks is among the recent ones now.
    if (auto const recent = shared_.outcomes.find(id); recent != known_outcome::not_known) {
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
        case ports::recorded_outcome::not_known:
            break;
    }
    return known_outcome::not_known;
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
        for (auto const& decision : shared_.log->unfinished()) {
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

close_report engine::close(deadline until)
{
    std::lock_guard const one_at_a_time{closing_};
    close_report left;
    {
        std::lock_guard const held{mutex_};
        if (is_closed_) return closed_as_;
        shared_.is_closing = true;
    }
    // What is still active cannot be ended here: its handles are in other hands.  Its sessions
    // are ended at their servers instead, so that it can never be prepared.
    for (auto const& tx : shared_.live.all()) {
        reaper_.expire(*tx, "the transaction manager was closed", limits::duration{0});
    }
    // Whoever waits for a lease is told now.
    for (auto const& each : keepers())
        each->pool().close();
    while (shared_.time.now() < until && !is_quiet()) {
        shared_.live.wait_for_size(shared_.live.size() - 1, shared_.time,
                                   std::min(until, shared_.time.now() + shared_.bounds.retry_min));
    }
    left.unfinished = shared_.live.names();
    left.is_drained = left.unfinished.empty();
    // Resource managers that the log knows and nobody added count too: nobody has looked there.
    for (auto const& each : state().resource_managers) {
        if (each.is_drained) continue;
        left.is_drained = false;
        left.notes.push_back("\"" + each.name +
                             "\": " + (each.why.empty() ? each.undrained : each.why));
    }
    reaper_.stop();
    for (auto const& each : keepers())
        each->stop();
    shared_.log->close();
    std::lock_guard const held{mutex_};
    is_closed_ = true;
    closed_as_ = left;
    return left;
}

/// Whether every live transaction was severed at its servers: its owner may still hold the object.
bool engine::is_quiet() const
{
    auto const live = shared_.live.all();
    return std::all_of(live.begin(), live.end(), [](auto const& tx) {
        std::lock_guard const held{tx->mutex};
        if (tx->is_ending) return static_cast<bool>(tx->is_undecided);
        return std::all_of(tx->branches.begin(), tx->branches.end(), [](auto const& b) {
            std::lock_guard const branch_held{b->lock};
            return b->is_session_ended;
        });
    });
}

}  // namespace assent::engine
