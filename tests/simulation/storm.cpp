// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// storm.cpp -- what goes wrong, drawn before each transaction, and how it is mended.

#include <cerrno>
#include <iterator>

#include "tests/simulation/world.hpp"

namespace assent::testing {

using std::chrono::milliseconds;

void world::strike(machine& here)
{
    if (dice_.chance(25)) spoil_verb();
    if (reserve_dice_) spoil_reservation();
    if (dice_.chance(2)) spoil_kill();
    if (dice_.chance(2)) steps_to_death_ = 1 + dice_.roll(120);
    if (dice_.chance(1)) spoil_disk(here);
    if (may_be_copied_ && dice_.chance(4)) {
        is_twin_wanted_ = true;
        attend();
    }
    if (dice_.chance(10)) here.disk()->land_late_writes();
    back_up_and_restore();
    for (auto& database : databases_) {
        if (!database.is_up() && dice_.chance(50)) restart(database);
        if (dice_.chance(1)) {
            mix_.note(mishap::linger);
            database.linger_sessions();
        }
        if (dice_.chance(20)) database.reap_sessions();
        if (dice_.chance(5)) database.script().release();
    }
    if (dice_.chance(2)) {
        mix_.note(mishap::slow_detach);
        databases_.front().detach_slowly(milliseconds{dice_.roll(900)});  // MariaDB
    }
}

void world::spoil_disk(machine& here)
{
    switch (dice_.roll(20)) {
        case 0:
            mix_.note(mishap::log_moved);
            here.disk()->is_moved = true;
            break;
        case 1:
        case 2:
            mix_.note(mishap::log_replaced);
            here.replace_log();
            steps_to_death_ = 1 + dice_.roll(120);
            break;
        default:
            mix_.note(mishap::disk_error);
            using effect = disk_fault::effect;
            constexpr effect effects[] = {effect::none, effect::part, effect::full, effect::late};
            here.disk()->fail_call(1 + dice_.roll(4), {EIO, effects[dice_.roll(4)]});
    }
}

void world::spoil_verb()
{
    auto& target = databases_[dice_.roll(databases_.size())];
    if (dice_.chance(15)) return spoil_call(target);
    if (dice_.chance(10)) {
        mix_.note(mishap::xa_commit);
        return databases_[0].script().on(verb::commit).hang_in_xa_commit();
    }
    mix_.note(mishap::verb_fault);
    constexpr verb verbs[] = {verb::start, verb::prepare, verb::commit, verb::commit_one_phase,
                              verb::rollback};
    auto const what = verbs[dice_.roll(5)];
    auto fault = target.script().on(what, 1 + static_cast<int>(dice_.roll(3)));
    switch (dice_.roll(9)) {
        case 0:
            fault.lose_before_effect();
            break;
        case 1:
            fault.lose_after_effect();
            break;
        case 2:
            fault.hang();
            break;
        case 3:
            fault.hang_after_effect();
            break;
        case 4:
            fault.delay(milliseconds{1 + dice_.roll(8'000)});
            break;
        case 5:
            fault.crash_server_before_effect();
            break;
        case 6:
            fault.crash_server_after_effect();
            break;
        case 7:
            if (what == verb::prepare || what == verb::commit_one_phase) {
                fault.reply(xa_code::rbdeadlock);
            } else {
                fault.reply(xa_code::proto);
            }
            break;
        default:
            fault = target.script().on(verb::commit_one_phase, 1 + static_cast<int>(dice_.roll(2)));
            if (dice_.chance(50)) {
                fault.hang_in_commit();
            } else {
                fault.hang();
            }
    }
}

/// A KILL that is answered and never comes, or comes when other things have happened.
void world::spoil_kill()
{
    mix_.note(mishap::kill_session);
    auto& target = databases_[dice_.roll(voters)];
    auto fault = target.script().on(driver_call::end_session);
    if (dice_.one_in(3)) {
        fault.get_lost();
    } else {
        fault.arrive_late(milliseconds{dice_.roll(10'000)});
    }
}

/// A call about commit rows, or the server's past, that fails, is cut, or is cut when it has had
/// its effect.
void world::spoil_call(memory_database& target)
{
    mix_.note(mishap::call_fault);
    constexpr driver_call calls[] = {driver_call::fence_decision, driver_call::prune_decisions,
                                     driver_call::list_decisions, driver_call::ensure_decisions,
                                     driver_call::read_past,      driver_call::keep_past};
    auto const which = calls[dice_.roll(std::size(calls))];
    bool const is_of_past = which == driver_call::read_past || which == driver_call::keep_past;
    auto fault = target.script().on(which);
    switch (dice_.roll(is_of_past ? 2 : 3)) {
        case 0:
            fault.fail();
            break;
        case 1:
            fault.cut();
            break;
        default:
            fault.cut_after_effect();
    }
}

void world::restart(memory_database& which)
{
    if (gives_numbers_again_) mix_.note(mishap::numbers_again);
    which.restart();
}

void world::mend()
{
    machine_->disk()->heal();
    for (auto& database : databases_) {
        database.script().clear();
        database.script().release();
        if (!database.is_up()) restart(database);
        database.thaw();
        database.reap_sessions();
    }
}

}  // namespace assent::testing
