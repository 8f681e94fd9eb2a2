// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// working.cpp -- work on the session of a branch: at once, or when the commit begins.
//
//   a resource manager that shows no handle    a branch of its own for each call
//   any other                                  the branch that is there, or a lease
//
// Invariant: work that threw takes part in nothing but a rollback.

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/enlistment.hpp"

namespace assent::engine {

using shared::last_work;
using shared::rollback_cause;

namespace {

bool runs_handlers(keeper const& rm) noexcept
{
    return rm.driver().capabilities().runs_handlers;
}

/// Whether the same transaction may get there when it is run again.
bool may_pass(error const& failure) noexcept
{
    return failure.why() == errc::unavailable || failure.why() == errc::exhausted;
}

/// It can only be rolled back, and by these words if there is memory for them.  Invariant: a cause
/// is at hand before the work begins; one that is made when it has failed could fail as well, and
/// the transaction would be committed without it.
void give_up(global_transaction& tx, rollback_cause&& at_hand, std::string_view named,
             std::string_view why, bool is_transient) noexcept
{
    at_hand.is_transient = is_transient;
    try {
        at_hand.text = std::string{named}.append(why);
    } catch (std::bad_alloc const&) {
        // The words at hand must do.
    }
    tx.mark_rollback_only(std::move(at_hand));
}

/// By the identities of their databases, each known once it has served: a name would be another one
/// in another program.
std::vector<last_work> in_order(std::vector<last_work> all, deadline until)
{
    std::multimap<std::string, last_work> sorted;
    for (auto& each : all) {
        each.rm->wait_until_serving(until);
        auto identity = each.rm->facts().identity;
        sorted.emplace(std::move(identity), std::move(each));
    }
    all.clear();
    for (auto& [identity, each] : sorted)
        all.push_back(std::move(each));
    return all;
}

}  // namespace

void enlistment::require_work() const
{
    auto const refuse = [this](char const* why) {
        throw error{errc::invalid_state, "\"" + rm_->name() + why, tx_.id};
    };
    if (tx_.modes_for(how_).is_read_only()) {
        refuse("\": what is done there writes, and this transaction is read-only");
    }
    if (runs_handlers(*rm_)) return;
    require_resumed();
    for (auto const& each : tx_.branches) {
        if (each->rm == rm_ && each->modes.is_read_only()) {
            refuse("\": what is done there writes, and this transaction's branch is read-only");
        }
    }
}

/// One seat for all branches of a transaction: each has a session, and threads that wait for a
/// second seat would wait for one another.
void enlistment::begin_own(session_work const& what)
{
    require_fit();
    make_branch();
    bool const has_seat = std::any_of(tx_.branches.begin(), tx_.branches.end(),
                                      [this](auto const& each) { return each->rm == rm_; });
    if (has_seat) {
        take_next();
    } else {
        enter_pool();
    }
    ready_ = what.ready;
    submit_start();
    finish_start();
}

std::shared_ptr<branch> enlistment::branch_for_work(session_work const& what)
{
    if (runs_handlers(*rm_)) {
        begin_own(what);
        return tx_.branches.back();
    }
    for (auto const& each : tx_.branches) {
        if (each->rm == rm_) return each;
    }
    lease();
    return tx_.branches.back();
}

void enlistment::work(session_work const& what)
{
    require_work();
    std::string const named = "\"" + rm_->name() + "\": ";
    rollback_cause at_hand{named + "what was to be done there failed", false};
    auto const on = branch_for_work(what);
    try {
        in_end const marked{tx_};
        what.work(*on->session, wait_end());
        process_.require();
    } catch (driver_error const& e) {
        process_.require();
        // Nothing was sent; but an attempt's branch is there, and has nothing to keep.
        bool const goes_on = e.why() == errc::invalid_state && !runs_handlers(*rm_);
        if (!goes_on) {
            give_up(tx_, std::move(at_hand), named, e.what(), is_retryable_sqlstate(e.sqlstate()));
        }
        throw error{goes_on ? errc::invalid_state : errc::rollback_only, named + e.what(), tx_.id};
    } catch (...) {
        process_.require();
        tx_.mark_rollback_only(std::move(at_hand));
        throw;
    }
}

void do_last_works(context& shared, home_process const& here, global_transaction& tx)
{
    auto all = std::exchange(tx.last_works, {});
    {
        std::lock_guard const held{tx.mutex};
        if (tx.cause || tx.is_ending) return;
    }
    bool const was_left = std::exchange(tx.has_begun_commit, true);
    if (!was_left && all.empty()) return;
    rollback_cause at_hand{"what was to be done at the commit failed", false};
    if (was_left) {
        // By a commit() that threw: nobody knows any more what there was to do.
        give_up(tx, std::move(at_hand), {}, "an earlier commit() of it was left midway", false);
        return;
    }
    try {
        for (auto const& each : in_order(std::move(all), tx.wait_end(shared.time.now()))) {
            require_active(here, tx);
            enlistment{shared, here, tx, each.rm, access::read_write}.work({each.work, {}});
        }
    } catch (error const& e) {
        here.require();
        give_up(tx, std::move(at_hand), {}, e.what(), may_pass(e));  // the first cause stays
    } catch (std::exception const& e) {
        here.require();
        give_up(tx, std::move(at_hand), {}, e.what(), false);
    } catch (...) {
        tx.mark_rollback_only(std::move(at_hand));
    }
}

}  // namespace assent::engine
