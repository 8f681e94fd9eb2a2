// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/doctor.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "ports/handler_marks.hpp"
#include "recovery/cli/databases.hpp"
#include "recovery/cli/log_medium.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

using level = finding_level;
using std::chrono::steady_clock;

// A commit waits for a force or two and for two round trips: beyond these people notice.
constexpr std::chrono::milliseconds slow_force{20};
constexpr std::chrono::milliseconds slow_round_trip{20};
constexpr std::chrono::microseconds incredible_force{10};

std::string median_in_words(median_time const& of)
{
    return duration(of.value) + ", the median of " + std::to_string(of.count);
}

examined examine_one(resource_manager const& which, std::chrono::milliseconds wait)
{
    examined told;
    told.name = which.name();
    try {
        auto& driver = *which.driver();
        auto const begun = steady_clock::now();
        auto const session = driver.connect(session_purpose::manage, begun + wait);
        auto const took =
            std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun);
        if (auto* const patient = dynamic_cast<examined_driver*>(&driver)) {
            told.is_examined = true;
            told.seen = patient->examine(*session, steady_clock::now() + wait);
            told.seen.findings.insert(told.seen.findings.begin(),
                                      {"connection", level::ok, "made in " + duration(took), {}});
        } else {
            told.problem = "its adapter cannot be examined";
        }
    } catch (std::exception const& e) {
        told.is_examined = false;
        told.problem = e.what();
    }
    return told;
}

void add_times(examination& into)
{
    if (into.round_trip) {
        bool const is_slow = into.round_trip->value > slow_round_trip;
        into.add("round trip", is_slow ? level::advice : level::ok,
                 median_in_words(*into.round_trip),
                 is_slow ? "each commit takes two of them, and each statement one: move the "
                           "application nearer to the database"
                         : "");
    }
    if (into.force && into.force->value < incredible_force) {
        into.add("force", level::advice, median_in_words(*into.force),
                 "hardly any disk is so quick: see that neither it nor the machine's host keeps "
                 "forced writes in memory that power loss erases");
    } else if (into.force) {
        bool const is_slow = into.force->value > slow_force;
        into.add("force", is_slow ? level::advice : level::ok, median_in_words(*into.force),
                 is_slow ? "each vote and each commit waits for one: use a disk that forces faster"
                         : "");
    } else {
        into.add("force", level::ok, "not measured: " + into.why_no_force);
    }
}

/// Whether this is the database that the log has bound to the name.
void add_binding(examined& into, std::optional<log::log_view> const& view)
{
    if (!view) return;
    auto const& all = view->image.bindings();
    auto const bound = std::find_if(all.begin(), all.end(), [&](auto const& each) {
        return each.second.name == into.name && ports::is_real(each.second);
    });
    examination& seen = into.seen;
    if (bound == all.end()) {
        seen.add("binding", level::ok, "none yet: the next start of the application makes it");
        return;
    }
    if (bound->second.identity == seen.identity && bound->second.kind == seen.kind) {
        seen.add("binding", level::ok,
                 "the log knows it, as number " + std::to_string(bound->first));
        return;
    }
    auto const suffix = ports::identity_suffix_of_reservations(into.name);
    if (bound->second.identity == seen.identity + suffix) {
        seen.add("binding", level::error, "the log has bound reservations in it",
                 why_no_reservations);
        return;
    }
    seen.add("binding", level::error,
             seen.kind + " " + (seen.identity.empty() ? "without an identity" : seen.identity) +
                 ", and the log has bound " + bound->second.kind + " " + bound->second.identity,
             "this is not the database that the log knows by that name, and nothing is decided "
             "here: correct the connect string; or, if this one took its place, see assent rebind; "
             "or, if the old one is gone for good, give this one another name, or see assent "
             "retire");
}

/// Two names for one database, which the manager refuses.
void add_twins(std::vector<examined>& all)
{
    for (auto& one : all) {
        if (!one.is_examined || one.seen.identity.empty()) continue;
        for (auto const& other : all) {
            if (&other == &one || other.seen.identity != one.seen.identity) continue;
            one.seen.add("same database", level::error, "it is \"" + other.name + "\" as well",
                         "a database has one name: remove one of the two, here and in the "
                         "application");
            break;
        }
    }
}

void judge(doctor_report& into, examined& which)
{
    auto& all = which.seen.findings;
    // The worst first; else as the adapter has them.
    std::stable_sort(all.begin(), all.end(),
                     [](finding const& a, finding const& b) { return a.level > b.level; });
    for (auto const& each : all) {
        auto const at = static_cast<std::size_t>(each.level) - 1;
        ++into.counts.at(at);
        if (each.level < level::warning) continue;
        into.raise(exit_code::attention, "\"" + which.name + "\", " + each.check + " (" +
                                             each.seen + "): " + each.advice);
    }
}

}  // namespace

std::vector<examined> examine(std::vector<resource_manager> const& all,
                              std::chrono::milliseconds wait, examination_progress const& progress)
{
    std::vector<examined> seen(all.size());
    std::mutex telling;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < all.size(); ++i) {
        threads.emplace_back([&, i] {
            seen[i] = examine_one(all[i], wait);
            std::lock_guard const hold(telling);
            if (progress) progress(all[i].name());
        });
    }
    threads.clear();  // waits for each
    return seen;
}

doctor_report diagnose(configuration const& from, std::optional<log::log_view> const& view,
                       examined directory, std::vector<examined> databases)
{
    doctor_report told;
    told.log = std::move(directory);
    told.databases = std::move(databases);
    for (auto& each : told.databases) {
        auto const* const configured = from.find(each.name);
        each.kind = configured == nullptr ? each.seen.kind : name_of(configured->kind);
        if (!each.is_examined) {
            told.raise(exit_code::failed, "\"" + each.name + "\": " + each.problem);
            continue;
        }
        add_times(each.seen);
        add_binding(each, view);
    }
    add_twins(told.databases);
    if (told.log.is_examined) {
        add_times(told.log.seen);
        judge(told, told.log);
    } else {
        told.raise(exit_code::failed, "the log: " + told.log.problem);
    }
    for (auto& each : told.databases) {
        if (each.is_examined) judge(told, each);
    }
    if (view) note_missing(told, from, known_databases(from, *view));
    return told;
}

doctor_report doctor(configuration const& from, examination_progress const& progress)
{
    std::vector<resource_manager> all;
    for (auto const& each : from.databases)
        all.push_back(make_resource_manager(each));
    auto medium = examine_log(from);
    if (progress) progress("log");
    auto databases = examine(all, examination_wait, progress);
    return diagnose(from, medium.view, std::move(medium.told), std::move(databases));
}

}  // namespace assent::cli
