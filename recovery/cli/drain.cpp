// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/drain.hpp"

#include <algorithm>

#include "recovery/cli/paragraphs.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

constexpr std::size_t named_max = 20;

/// Nobody knows what is there; what the log has decided there is in doubt.
void note_unasked(drain_report& into, drained_database& told, known_database const& known,
                  std::string const& why)
{
    told.why.push_back(why);
    into.raise(known.branches_due > 0 ? exit_code::attention : exit_code::failed,
               "\"" + told.name + "\": " + why);
}

std::string what_is_known(xid const& which, scanned_database const& judged)
{
    auto const at = std::find_if(judged.branches.begin(), judged.branches.end(),
                                 [&](auto const& each) { return each.id == which; });
    if (at == judged.branches.end()) return "it names another database of this log";
    return at->action + ": " + at->why;
}

/// Every prepared branch of this node counts, whatever database it names.
void note_branches(drained_database& told, surveyed_database const& heard,
                   scanned_database const& judged, std::uint64_t node)
{
    std::size_t more = 0;
    for (xid const& each : heard.scan->ours) {
        if (each.global.parts().node != node) continue;
        if (told.why.size() == named_max) {
            ++more;
            continue;
        }
        told.why.push_back("it has " + each.text() + " prepared (" + what_is_known(each, judged) +
                           ")");
    }
    if (more > 0) told.why.push_back("and " + std::to_string(more) + " more");
}

drained_database judge_one(drain_report& into, known_database const& known, scanned const& seen,
                           std::vector<recovered_database> const& done)
{
    drained_database told;
    told.name = known.name;
    told.kind = known.kind;
    auto const& all = seen.report.databases;
    auto const judged = std::find_if(all.begin(), all.end(),
                                     [&](auto const& each) { return each.name == known.name; });
    auto const* const heard = listing_of(known.name, seen.listed);
    if (known.is_lost) {
        told.why.emplace_back(
            "a damaged log lost which database this is: look into every database of this node");
        into.raise(exit_code::attention, "\"" + told.name + "\": " + told.why.back());
        return told;
    }
    if (judged == all.end() || heard == nullptr || !judged->is_conclusive) {
        note_unasked(into, told, known,
                     judged == all.end() ? "it was not asked" : judged->problem.why);
        return told;
    }
    told.is_asked = true;
    note_branches(told, *heard, *judged, seen.seen.after.newest.writer.node);
    auto const at = std::find_if(done.begin(), done.end(),
                                 [&](auto const& each) { return each.name == known.name; });
    // A session of an earlier run may yet prepare what no list shows.
    if (told.why.empty() && at != done.end() && !at->is_drained) told.why.push_back(at->why);
    if (told.why.empty() && known.branches_due > 0) {
        told.why.push_back(count_of(known.branches_due, "decided branch", "decided branches") +
                           " there are not known to be finished");
    }
    told.is_drained = told.why.empty();
    for (auto const& why : told.why)
        into.raise(exit_code::attention, "\"" + told.name + "\": " + why);
    return told;
}

}  // namespace

drain_report judge_drain(configuration const& from, scanned const& seen,
                         std::vector<recovered_database> const& done)
{
    auto const status = make_status(from, seen.seen.after);
    drain_report told;
    told.log = status.log;
    told.due = status.unfinished.size();
    told.heuristics = status.heuristics.size();
    for (auto const& known : status.databases) {
        if (known.is_retired) told.retired.push_back(known.name);
        if (known.is_bound && !known.is_retired) {
            told.databases.push_back(judge_one(told, known, seen, done));
        }
    }
    if (told.due > 0) {
        told.raise(exit_code::attention,
                   count_of(told.due, "decision", "decisions") +
                       " in the log are still to be carried out; assent status lists them");
    }
    if (told.heuristics > 0) {
        told.raise(exit_code::attention,
                   count_of(told.heuristics, "heuristic outcome is", "heuristic outcomes are") +
                       " on record: compare the data, and forget them");
    }
    told.is_drained = told.code == exit_code::fine;
    return told;
}

drain_report drain(configuration const& from, recover_options const& how)
{
    auto const recovered = recover(from, how);
    auto told = judge_drain(from, scan(from), recovered.databases);
    told.has_acted = recovered.has_acted;
    told.epoch = recovered.epoch;
    told.took_ms = recovered.took_ms;
    // Whoever owned it since may have left what a list of a moment ago does not show.
    bool const is_owned =
        !recovered.has_acted || told.log.is_owned || told.log.current.epoch != recovered.epoch;
    if (is_owned) {
        told.raise(exit_code::owned,
                   name_of_owner(told.log) +
                       " owns the log, or did until just now, and may begin a transaction at any "
                       "moment: stop it, and run this again");
        told.code = exit_code::owned;
    } else if (told.is_drained && !recovered.is_drained) {
        told.raise(exit_code::attention,
                   "the recovery did not come to an end: run this again, with a longer --timeout");
        for (auto const& why : recovered.scan.attention)
            told.raise(exit_code::attention, why);
    }
    told.is_drained = told.code == exit_code::fine;
    return told;
}

std::string in_words(drain_report const& told, painter const& paint)
{
    auto text =
        pairs({{"log", told.log.directory},
               {"node", hex(told.log.node, 16) + " \"" + told.log.node_label + "\""},
               {"drained", told.is_drained ? "yes: nothing of this node is left anywhere" : "no"}},
              paint);
    table list{{"RESOURCE MANAGER", "KIND", "DRAINED"}};
    for (auto const& each : told.databases) {
        auto const word = each.is_drained ? "yes" : each.is_asked ? "no" : "not known";
        list.add({each.name, each.kind, word}, each.is_drained ? colour::green : colour::red);
    }
    for (auto const& name : told.retired)
        list.add({name, "", "given up"}, colour::yellow);
    if (!list.is_empty()) text += "\n" + list.text(paint);
    return text + attention(told, paint);
}

}  // namespace assent::cli
