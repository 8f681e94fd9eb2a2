// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/simulation/world.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <set>
#include <utility>

namespace assent::testing {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr unsigned threads_max = 6;  // of the application
constexpr unsigned boots_in_vain_max = 200;
constexpr std::uint64_t early_stream = 0x6561726c79;
constexpr std::uint64_t reserve_stream = 0x746363;
constexpr std::size_t first_transactions = 8;  // while databases are bound in a new log
constexpr seconds settled_within{600};
constexpr seconds settled_within_after_restore{60};  // what came back stays, and is told
/// An abort row may be pruned before the finisher has had its turn, and is asked for once more by a
/// later list: that is met now and then, and ends by itself (seed 5101 takes 80 seconds).
constexpr seconds settled_within_beside_reservations{180};

limits simulated_limits(bool may_be_copied)
{
    limits all;
    all.transaction = limits::duration{20'000};
    if (may_be_copied) {
        all.heartbeat = limits::duration{300};
        all.guardian_lapse = limits::duration{1'000};
        all.log_force = limits::duration{500};
        all.presumed_abort_delay = all.guardian_lapse + all.log_force;
    } else {
        all.presumed_abort_delay = limits::duration{0};
    }
    return all;
}

std::uint64_t mixed(std::uint64_t into, std::uint64_t more) noexcept
{
    into = (into ^ more) * 0x9e3779b97f4a7c15u;
    return into ^ (into >> 29);
}

std::uint64_t mixed(std::uint64_t into, std::string_view text) noexcept
{
    std::uint64_t word = 0;
    for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
        std::memcpy(&word, text.data(), sizeof word);
        into = mixed(into, word);
    }
    if (text.empty()) return into;
    word = 0;
    std::memcpy(&word, text.data(), text.size());
    return mixed(into, word);
}

}  // namespace

world::world(std::uint64_t seed, unsigned transactions, returns when, reserves what)
    : dice_(seed),
      transactions_left_(transactions),
      may_be_copied_(dice_.one_in(6)),
      gives_numbers_again_(dice_.one_in(2)),
      keeps_past_(dice_.one_in(2)),
      may_be_restored_(!may_be_copied_ && dice_.one_in(4)),
      leases_together_(dice(~seed).one_in(4))
{
    if (when == returns::some_early) early_dice_.emplace(seed ^ early_stream);
    if (what == reserves::some) reserve_dice_.emplace(seed ^ reserve_stream);
    bounds_ = simulated_limits(may_be_copied_);
    history_.all.reserve(transactions + of_trials_max);  // their threads keep references
    memory_options chosen;
    chosen.gives_numbers_again = gives_numbers_again_;
    if (may_be_copied_) chosen.guardian_lease = 2 * bounds_.guardian_lapse;
    for (auto const acts_as : {personality::mariadb, personality::postgresql, personality::plain}) {
        chosen.acts_as = acts_as;
        chosen.keeps_past = keeps_past_ && databases_.size() != replicated;
        chosen.identity = "server-" + std::to_string(databases_.size());
        databases_.emplace_back(chosen);
    }
    // The last one cannot prepare, so it takes part by its commit row.
    chosen.identity = "server-" + std::to_string(databases_.size());
    chosen.is_two_phase = false;
    databases_.emplace_back(chosen);
    if (dice_.one_in(8)) {
        memory_options twin;
        twin.acts_as = personality::postgresql;
        twin.identity = databases_[replicated].identity();
        twin.instance = "the replica";
        replica_.emplace(twin);
    }
}

/// Whatever was thrown: no thread outlives the databases.
world::~world()
{
    end_twin();
    if (machine_) machine_->kill(false);
    part_from_strangers();
}

std::vector<std::string> world::run()
{
    databases_[0].prepare_foreign("somebody else's", "foreign", 1);
    machine_ = std::make_unique<machine>(*this, std::make_shared<simulated_disk>(),
                                         1 + static_cast<unsigned>(dice_.roll(threads_max)));
    live_through();

    // What a failed force left in doubt is resolved by opening the log again.
    is_stormy_ = false;
    mend();
    bool const is_trial = dice_.one_in(4);
    if (is_trial && !may_be_copied_ && !was_restored_) {
        starve();
    } else {
        replace();
    }
    bool is_settled = settle();
    if (is_trial && is_settled) {
        oversleep();
        is_settled = settle();
    }
    if (!machine_->is_booted()) {
        machine_->kill(false);
        wrong_.push_back("the log is not opened any more");
        return wrong_;
    }
    auto const told = what_was_told();
    if (!told.empty()) is_settled = true;  // what is left must be told, too
    note_losses();
    auto wrong = history_.check(databases_, told, lost_,
                                [this](auto const& name) { return place_of(name); });
    wrong.insert(wrong.end(), wrong_.begin(), wrong_.end());
    if (!is_settled) wrong.push_back("something is left though all is mended");
    for (auto const& each : history_.all) {
        if (!each.name || lost_.rows.count(*each.name) != 0) continue;
        auto const says = machine_->engine().outcome(*each.name);
        bool const is_untrue =
            (says == known_outcome::committed && each.said == answer::rolled_back) ||
            (says == known_outcome::rolled_back && each.said == answer::committed);
        if (is_untrue) wrong.push_back(each.row + " is told otherwise than it was answered");
    }
    if (replica_ && !(replica_->rows().empty() && replica_->prepared().empty())) {
        wrong.push_back("the replica has work that the primary has not");
    }
    databases_[0].commit_foreign("somebody else's");  // throws when it is gone
    machine_->kill(false);
    machine_.reset();
    return wrong;
}

/// Of which transactions the manager says that a person must look, where a copy was at work, or a
/// restore.
std::set<gtrid> world::what_was_told() const
{
    std::set<gtrid> told = meddled_with_;
    if (!(may_be_copied_ || was_restored_) || !machine_->is_booted()) return told;
    for (auto const& each : machine_->log().heuristics())
        told.insert(each.branch.global);
    bool const is_refusing = !machine_->engine().shared().twin().empty();
    auto const quarantined = machine_->engine().state().quarantined;
    for (auto const& database : databases_) {
        auto unfinished = database.prepared();
        for (auto const& row : database.reservations())
            unfinished.push_back(row.name);
        for (auto const& left : unfinished) {
            bool const is_named = std::any_of(
                quarantined.begin(), quarantined.end(),
                [&left](auto const& each) { return each.find(left.text()) != std::string::npos; });
            if (is_named || is_refusing) told.insert(left.global);
        }
    }
    return told;
}

/// By the log's own bindings; where it was not read, nowhere.
std::size_t world::place_of(gtrid const& name) const
{
    if (!machine_->is_booted()) return database_count;
    for (auto const& each : machine_->log().bindings()) {
        if (each.id == name.parts().place_resource_manager) {
            return static_cast<std::size_t>(each.name.back() - '0');
        }
    }
    return database_count;
}

/// Until the transactions have run out; whatever dies is booted again.
void world::live_through()
{
    unsigned boots_in_vain = 0;
    for (;;) {
        bool const is_twin_over = twin_ && (twin_->is_dead() || threads_.now() >= twin_until_);
        if (is_twin_over) end_twin();
        if (std::exchange(is_twin_wanted_, false)) begin_twin();
        if (machine_->is_dead() || machine_->is_useless()) {
            boots_in_vain = machine_->is_booted() ? 0 : boots_in_vain + 1;
            if (boots_in_vain == boots_in_vain_max) return;
            if (dice_.one_in(3)) threads_.sleep(milliseconds{dice_.roll(12'000)});
            replace();
        } else if (machine_->is_idle()) {
            return;
        }
        threads_.wait(this, twin_ ? twin_until_ : deadline::max());
    }
}

/// The next machine, on the disk that this one leaves.
void world::replace()
{
    end_twin();
    part_from_strangers();
    if (!machine_->is_dead() && machine_->is_booted() && is_stormy_ && dice_.one_in(4)) {
        mix_.note(mishap::close);
        machine_->close();
        while (!machine_->is_closed() && !machine_->is_dead())
            threads_.wait(this, deadline::max());
    }
    machine_->kill(false);
    auto disk = machine_->left_behind();
    machine_.reset();
    disk->heal();
    disk->is_moved = false;
    if (dice_.one_in(2)) disk->land_late_writes();
    steps_to_death_ = 0;
    unsigned const threads = is_stormy_ ? 1 + static_cast<unsigned>(dice_.roll(threads_max)) : 0;
    tell("world.boot", {}, {}, {});
    machine_ = std::make_unique<machine>(*this, std::move(disk), threads);
}

bool world::settle()
{
    auto const after_restore =
        reserve_dice_ ? settled_within_beside_reservations : settled_within_after_restore;
    auto const until = threads_.now() + (was_restored_ ? after_restore : settled_within);
    while (threads_.now() < until) {
        threads_.sleep(milliseconds{100});
        if (!machine_->is_booted()) continue;
        auto& engine = machine_->engine();
        bool is_done = engine.state().live_transactions == 0;
        for (auto const& keeper : engine.keepers())
            is_done = is_done && keeper->is_drained();
        if (is_done) return true;
    }
    return false;
}

void world::on_event(machine& here, event const& what)
{
    if (here.is_dead() || threads_.running().process->is_dead()) return;
    trace_ = mixed(mixed(trace_, what.name), what.id);
    tell(what.name, what.resource_manager, what.id, what.text);
    if (what.name.substr(0, 15) == "branch.finished") check_finished(what);
    if (may_be_copied_ && what.name == "decision.durable") durable_.insert(*gtrid::parse(what.id));
    if (twin_ || !taken_back_.empty()) watch_twin(here, what);
    if (what.name == "recovery.scanned") {
        meet_strangers(here, static_cast<std::size_t>(what.resource_manager.back() - '0'));
    }
    // Between a list and its verdict a moment is worth the most.
    bool const is_list = what.name == "recovery.scanned" || what.name == "recovery.mutated";
    if (is_stormy_ && is_list && dice_.one_in(20)) return stall();
    come_to_pass(here);
}

void world::on_disk_call(machine& here, disk_call const& call)
{
    if (here.is_dead()) return;
    trace_ = mixed(trace_, static_cast<std::uint64_t>(call.what));
    come_to_pass(here);
    if (twin_ && is_stormy_) stand_still(here);
    bool const is_write = call.what == disk_call::kind::write ||
                          call.what == disk_call::kind::fdatasync ||
                          call.what == disk_call::kind::fsync;
    bool const is_new = history_.all.size() < first_transactions;
    if (!is_stormy_ || here.is_dead() || !is_write || !dice_.one_in(is_new ? 40 : 400)) return;
    mix_.note(mishap::slow_disk);
    auto const span = dice_.roll(12'000);
    tell("world.slow_disk", {}, {}, std::to_string(span));
    threads_.sleep(milliseconds{span});
}

bool world::misleads(machine const& here)
{
    if (!is_stormy_ || here.is_dead() || !dice_.one_in(8)) return false;
    mix_.note(mishap::replica);
    return true;
}

/// What is told to be finished may not be prepared: nobody would look at it again.
void world::check_finished(event const& what)
{
    auto const id = xid::parse(what.id);
    auto const at = static_cast<std::size_t>(what.resource_manager.back() - '0');
    if (!id) return;
    if (is_of_reservation(what.resource_manager)) return check_finished_reservation(what, *id);
    auto const fate = databases_[at].fate(*id);
    if (may_be_restored_ && fate == branch_fate::committed) heard_.insert(*id);
    if (fate != branch_fate::prepared || returned_.count(*id) != 0) return;
    wrong_.push_back("told to be finished, and still prepared: " + std::string{what.id});
}

/// ASSENT_TELL=1: what happens, for whoever replays one seed.
void world::tell(std::string_view name, std::string_view where, std::string_view id,
                 std::string_view text) const
{
    static bool const is_told = std::getenv("ASSENT_TELL") != nullptr;
    if (!is_told) return;
    auto const since = threads_.now().time_since_epoch() - std::chrono::hours{1'000'000};
    std::clog << std::chrono::duration_cast<milliseconds>(since).count() << ' ' << name << ' '
              << where << ' ' << id << ' ' << text << '\n';
}

/// A thread that the system forgets: mostly for a moment, now and then for longer than any limit.
void world::stall()
{
    mix_.note(mishap::stall);
    constexpr std::uint64_t spans[] = {50, 50, 50, 1'000, 1'000, 10'000, 10'000, 150'000};
    auto const span = dice_.roll(spans[dice_.roll(std::size(spans))]);
    tell("world.stall", {}, {}, std::to_string(span));
    threads_.sleep(milliseconds{span});
}

/// Between any two steps of a machine: it dies, or somebody overtakes.
void world::come_to_pass(machine& here)
{
    trace_ = mixed(trace_, static_cast<std::uint64_t>(threads_.now().time_since_epoch().count()));
    if (!is_stormy_) return;
    if (steps_to_death_ != 0 && --steps_to_death_ == 0) {
        bool const is_power_loss = dice_.one_in(2);
        mix_.note(is_power_loss ? mishap::power_loss : mishap::kill);
        tell(is_power_loss ? "world.power_loss" : "world.kill", {}, {}, {});
        if (twin_ && !outlives(here)) twin_->kill(false);
        here.kill(is_power_loss);
        return;
    }
    if (dice_.one_in(800)) return stall();
    if (dice_.one_in(4)) threads_.yield();
}

}  // namespace assent::testing
