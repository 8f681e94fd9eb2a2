// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/recover.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "recovery/cli/databases.hpp"
#include "recovery/cli/log_target.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/tally.hpp"
#include "recovery/older_runs.hpp"

namespace assent::cli {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// The keepers look again this often for what is not drained yet.
constexpr std::chrono::milliseconds scan_interval{500};
constexpr std::chrono::milliseconds progress_interval{250};

/// @return the manager, or nothing when another process owns the log.
std::unique_ptr<transaction_manager> become_owner(configuration const& from,
                                                  recover_options const& how,
                                                  std::shared_ptr<tally> const& counts)
{
    limits bounds;
    bounds.log_lock = closing_owner_wait;
    bounds.scan_interval = scan_interval;
    bounds.presumed_abort_delay = how.presumed_abort_delay;
    options wanted;
    wanted.log_directory(from.log_directory)
        .node_label(from.node_label)
        .observe(counts)
        .limits(bounds);
    if (!from.allow_file_system.empty()) wanted.allow_file_system(from.allow_file_system);
    try {
        return std::make_unique<transaction_manager>(wanted);
    } catch (error const& e) {
        if (e.code() == errc::log_unusable && look(from).lock.is_held) return nullptr;
        throw failure{exit_code::failed, e.what()};
    }
}

bool is_all_drained(manager_state const& state)
{
    return std::all_of(state.resource_managers.begin(), state.resource_managers.end(),
                       [](auto const& rm) { return rm.is_drained || !rm.is_configured; });
}

/// @return how it stood at the end.
manager_state wait_until_drained(transaction_manager& tm, recover_options const& how, tally& counts,
                                 recover_report& told)
{
    auto const until = steady::now() + how.timeout;
    auto next_progress = steady::now();
    for (;;) {
        auto state = tm.state();
        auto const now = steady::now();
        if (how.progress && now >= next_progress) {
            how.progress(state);
            next_progress = now + progress_interval;
        }
        if (is_all_drained(state) || now >= until) return state;
        if (how.is_interrupted && how.is_interrupted()) {
            told.was_interrupted = true;
            return state;
        }
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - now);
        counts.wait(std::min<std::chrono::milliseconds>(left, 100ms));
    }
}

void note(recover_report& into, manager_state const& state, tally const& counts)
{
    for (auto const& rm : state.resource_managers) {
        if (!rm.is_configured) continue;  // scan says it
        auto done = counts.of(rm.name);
        done.is_drained = rm.is_drained;
        done.unserved = rm.why;
        done.why = rm.why.empty() ? rm.undrained : rm.why;
        if (!done.is_drained) {
            into.raise(exit_code::attention, "\"" + rm.name + "\" is not drained: " + done.why);
        }
        into.databases.push_back(std::move(done));
    }
    into.quarantined = state.quarantined;
    for (auto const& branch : into.quarantined) {
        into.raise(exit_code::attention,
                   "quarantined, nobody may decide it but a person: " + branch);
    }
}

/// What the explanation says besides: since when it waits.
void become(explanation& what, reason to, std::string const& seen)
{
    auto const before = what;
    what = explain(to, {}, seen);
    what.since_ms = before.since_ms;
    what.is_since_exact = before.is_since_exact;
}

/// Why a branch that this recovery would have ended is still there.
void explain_left(scanned_branch& branch, recovered_database const& database, tally const& counts)
{
    auto const heard = counts.why_left(database.name, branch.id.text());
    if (heard.what != reason::none) {
        branch.left_because = heard.text;
        if (branch.what != reason::session_stays) become(branch, heard.what, heard.text);
    } else if (!database.unserved.empty()) {
        branch.left_because = database.unserved;
    } else if (branch.action == "commit") {
        branch.left_because = "its turn had not come before the time was over (--timeout)";
    } else {
        branch.left_because =
            "abort is presumed only while this node's lock is held, and some seconds after it was "
            "taken (--presumed-abort-delay)";
    }
}

/// Why a database is not drained, as far as its list does not say so.
explanation why_undrained(recovered_database const& done, scanned_database const& listed)
{
    if (!listed.is_conclusive) return listed.problem;
    if (!done.unserved.empty()) return explain(reason::not_confirmed, {}, done.unserved);
    if (!listed.branches.empty() || !listed.missing.empty()) return {};
    bool const are_sessions_left = done.why == recovery::older_sessions_are_left;
    return explain(are_sessions_left ? reason::older_sessions : reason::not_confirmed, {},
                   done.why);
}

void explain_rest(recover_report& into, tally const& counts)
{
    for (auto& listed : into.scan.databases) {
        auto const done = std::find_if(into.databases.begin(), into.databases.end(),
                                       [&](auto const& one) { return one.name == listed.name; });
        if (done == into.databases.end()) continue;
        if (!done->is_drained) done->waits = why_undrained(*done, listed);
        for (auto& branch : listed.branches) {
            bool const was_to_end = branch.action == "commit" || branch.action == "roll back" ||
                                    branch.action == "ask its row";
            if (was_to_end) explain_left(branch, *done, counts);
            if (branch.what == reason::of_other_account) branch.left_because = branch.why;
        }
    }
}

void append(recover_report& into, any_report const& part)
{
    for (auto const& sentence : part.attention) {
        bool const is_said = std::find(into.attention.begin(), into.attention.end(), sentence) !=
                             into.attention.end();
        if (!is_said) into.raise(part.code, sentence);
    }
}

}  // namespace

namespace {

/// What names another server's database is no keeper's, and stays.
bool is_nothing_listed(scan_report const& seen)
{
    return std::all_of(seen.databases.begin(), seen.databases.end(), [](auto const& each) {
        return each.branches.empty() && each.missing.empty();
    });
}

/// What the log never named has nothing to recover, and is not bound by this program.
std::vector<resource_manager> bound_of(std::vector<resource_manager> const& all,
                                       log::log_view const& view)
{
    std::vector<resource_manager> bound;
    for (auto const& each : all) {
        auto const& known = view.image.bindings();
        bool const is_bound = std::any_of(known.begin(), known.end(), [&](auto const& one) {
            return one.second.name == each.name() && !one.second.is_retired;
        });
        if (is_bound) bound.push_back(each);
    }
    return bound;
}

}  // namespace

recover_report recover(configuration const& from, recover_options const& how)
{
    return recover(from, how, all_of(from));
}

recover_report recover(configuration const& from, recover_options const& how,
                       std::vector<resource_manager> const& all)
{
    auto const begun = steady::now();
    auto const bound = bound_of(all, look(from));

    recover_report told;
    auto const counts = std::make_shared<tally>();
    auto tm = become_owner(from, how, counts);
    if (!tm) {
        told.status = make_status(from, look(from));
        told.scan.log = told.status.log;
        append(told, told.status);
        told.raise(exit_code::owned, name_of_owner(told.status.log) +
                                         " owns the log and recovers by itself; nothing was done");
        told.code = exit_code::owned;
        return told;
    }
    told.has_acted = true;
    told.epoch = tm->state().epoch;
    for (auto const& each : bound)
        tm->add_any(each);
    auto const state = wait_until_drained(*tm, how, *counts, told);
    auto const left = tm->close(steady::now() + limits{}.close);
    tm.reset();

    note(told, state, *counts);
    auto after = scan(from, all);
    told.status = make_status(from, after.seen.after);
    told.scan = std::move(after.report);
    explain_rest(told, *counts);
    append(told, told.scan);
    append(told, told.status);
    told.is_drained = left.is_drained && is_nothing_listed(told.scan);
    told.took_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun).count();
    return told;
}

}  // namespace assent::cli
