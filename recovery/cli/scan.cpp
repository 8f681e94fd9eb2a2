// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/scan.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "recovery/cli/databases.hpp"
#include "recovery/cli/prediction.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

std::size_t count_of_action(scanned_database const& told, std::string const& action)
{
    return static_cast<std::size_t>(
        std::count_if(told.branches.begin(), told.branches.end(),
                      [&](auto const& branch) { return branch.action == action; }));
}

void note(scan_report& into, scanned_database const& told)
{
    auto const strange = count_of_action(told, "quarantine");
    auto const in_doubt = told.branches.size() - strange - count_of_action(told, "leave");
    if (in_doubt > 0) {
        into.raise(exit_code::attention,
                   "\"" + told.name + "\": " + count_of(in_doubt, "branch is", "branches are") +
                       " in doubt; " +
                       (into.log.is_owned    ? name_of_owner(into.log) + " recovers by itself"
                        : told.runs_handlers ? "start the application, which has the handlers"
                                             : "start the application, or run assent recover"));
    }
    if (strange > 0) {
        into.raise(exit_code::attention, "\"" + told.name +
                                             "\": " + count_of(strange, "branch", "branches") +
                                             " that nobody may decide but a person");
    }
    if (!told.missing.empty()) {
        into.raise(exit_code::attention,
                   "\"" + told.name + "\": " +
                       count_of(told.missing.size(), "decided branch is", "decided branches are") +
                       " no longer listed, and nothing says that it was committed there");
    }
}

}  // namespace

scan_report judge(configuration const& from, two_looks const& seen,
                  std::vector<surveyed_database> const& listed)
{
    scan_report told;
    told.log = describe_log(from, seen.after);
    prediction const all{from, seen, listed, told.log};
    for (auto const& each : all.known()) {
        if (each.is_retired) continue;  // nobody is asked about it any more
        auto code = exit_code::fine;
        auto one = all.of(each, code);
        bool const was_asked = one.problem.what != reason::not_configured &&
                               one.problem.what != reason::only_application;
        if (!one.is_conclusive && was_asked) {
            // What is decided and not finished there is in doubt as long as nobody answers.
            if (each.branches_due > 0) code = exit_code::attention;
            told.raise(code, "\"" + one.name + "\": " + one.problem.why);
        }
        told.databases.push_back(std::move(one));
    }
    // After what comes first for a person: to have every database tell.
    for (auto const& each : told.databases) {
        if (each.is_conclusive) note(told, each);
    }
    note_heuristics(told, seen.after.image.heuristics().size());
    note_missing(told, from, all.known());
    return told;
}

std::vector<resource_manager> all_of(configuration const& from)
{
    std::vector<resource_manager> all;
    for (auto const& each : from.databases) {
        require_identity(each);
        all.push_back(make_resource_manager(each));
    }
    return all;
}

resource_manager const& find_manager(std::string const& name,
                                     std::vector<resource_manager> const& all)
{
    return *std::find_if(all.begin(), all.end(),
                         [&](auto const& each) { return each.name() == name; });
}

scanned scan(configuration const& from, std::function<void(std::string const&)> const& on_answer)
{
    return scan(from, all_of(from), on_answer);
}

scanned scan(configuration const& from, std::vector<resource_manager> const& all,
             std::function<void(std::string const&)> const& on_answer)
{
    auto before = look(from);
    auto listed = survey(all, before.newest.writer.node, survey_wait, on_answer);
    scanned done{{std::move(before), look(from)}, {}, std::move(listed)};
    done.report = judge(from, done.seen, done.listed);
    return done;
}

}  // namespace assent::cli
