// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/words.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "recovery/cli/paragraphs.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

constexpr std::size_t decisions_shown_max = 20;

std::string owner(log_report const& log)
{
    if (!log.is_owned) return "nobody";
    auto text = name_of_owner(log);
    if (log.owner_since_ms != 0) text += " since " + utc(log.owner_since_ms);
    return text;
}

std::vector<std::pair<std::string, std::string>> log_pairs(log_report const& log)
{
    return {
        {"log", log.directory},
        {"node", hex(log.node, 16) + " \"" + log.node_label + "\""},
        {"epoch", std::to_string(log.current.epoch) + ", nonce " + hex(log.current.nonce, 12) +
                      ", opened " + count_of(log.openings, "time", "times")},
        {"segments", count_of(log.segments, "file", "files") + ", " + bytes(log.segment_bytes) +
                         ", the newest is number " + std::to_string(log.newest_segment) + ", " +
                         log.end},
        {"owner", owner(log)},
    };
}

std::string known(std::vector<known_database> const& all, painter const& paint)
{
    table list{{"RESOURCE MANAGER", "KIND", "ID", "CONFIGURED", "HORIZON", "DUE", "IDENTITY"}};
    for (auto const& each : all) {
        list.add({each.name, each.kind, each.is_bound ? std::to_string(each.id) : "-",
                  each.is_retired      ? "retired"
                  : each.is_configured ? "yes"
                                       : "no",
                  word_for(each.horizon), std::to_string(each.branches_due),
                  each.is_bound ? each.identity : "not bound yet"});
    }
    return list.is_empty() ? std::string{} : "\n" + list.text(paint);
}

/// What happens by itself, and what a person must do: once for all to whom the same applies.
class prospects
{
public:
    explicit prospects(std::size_t indent) : indent_(indent, ' ') {}

    void add(std::string const& of, explanation const& what)
    {
        if (what.what == reason::none) return;
        if (!seen_.insert({of, what.by_itself, what.for_a_person}).second) return;
        text_ += indent_ + of + "\n" + indent_ + "  by itself     " + printable(what.by_itself) +
                 "\n" + indent_ + "  for a person  " + printable(what.for_a_person) + "\n";
    }
    std::string const& text() const noexcept { return text_; }

private:
    std::string indent_;
    std::set<std::array<std::string, 3>> seen_;
    std::string text_;
};

std::string branches(decision_report const& decision, painter const& paint, std::size_t indent)
{
    table list{{"RESOURCE MANAGER", "BRANCH", "STATE"}};
    for (auto const& branch : decision.branches) {
        list.add({branch.resource_manager, std::string{branch.branch.text()},
                  branch.is_finished ? "finished" : "to be finished: " + branch.waits.why},
                 branch.is_finished ? colour::green : colour::yellow);
    }
    return list.text(paint, indent);
}

std::string heuristics(std::vector<ports::heuristic_record> const& all, painter const& paint)
{
    if (all.empty()) return {};
    table list{{"WHEN", "RESOURCE MANAGER", "HEURISTIC", "BRANCH", "SEEN"}};
    for (auto const& each : all) {
        list.add({utc(each.unix_ms), each.resource_manager, word_for(each.code), each.branch.text(),
                  each.text});
    }
    return heading("heuristic outcomes", paint) + list.text(paint, 2);
}

std::string what_next(status_report const& told)
{
    prospects next{2};
    for (auto const& each : told.databases)
        next.add(each.name, each.waits);
    for (auto const& each : told.heuristics)
        next.add("heuristic outcomes", explain_heuristic(each));
    return next.text().empty() ? std::string{} : "\n" + next.text();
}

std::string operators(std::vector<operator_report> const& all, painter const& paint)
{
    if (all.empty()) return {};
    table list{{"WHEN", "WHO", "DECIDED", "BRANCH", "WHY"}};
    for (auto const& each : all) {
        bool const is_about_the_log = each.branch.global.is_null();
        list.add({utc(each.unix_ms), each.who, each.verdict,
                  is_about_the_log ? "-" : each.branch.text(), each.why});
    }
    return heading("decided by a person", paint) + list.text(paint, 2);
}

colour colour_of(std::string const& action)
{
    if (action == "quarantine") return colour::red;
    return action == "leave" ? colour::plain : colour::yellow;
}

/// Of many to which the same happens for the same reason a person reads the first, and the number.
class alike
{
public:
    /// @return whether this one is shown.
    bool add(std::string const& action, explanation const& what)
    {
        auto& one = counts_.try_emplace({action, what.what}, group{0, what.why}).first->second;
        return ++one.count <= shown_max;
    }
    std::string text(std::size_t indent) const
    {
        std::string text;
        for (auto const& [key, one] : counts_) {
            if (one.count <= shown_max) continue;
            text += std::string(indent, ' ') + "... and " + std::to_string(one.count - shown_max) +
                    " more: " + key.first + ", " + printable(one.why) + " (--json lists all)\n";
        }
        return text;
    }

private:
    static constexpr std::size_t shown_max = 10;
    struct group
    {
        std::size_t count;
        std::string why;
    };
    std::map<std::pair<std::string, reason>, group> counts_;
};

std::string listed(std::vector<scanned_branch> const& all, painter const& paint, std::size_t indent)
{
    bool const was_tried = std::any_of(
        all.begin(), all.end(), [](auto const& branch) { return !branch.left_because.empty(); });
    std::vector<std::string> head{"BRANCH", "RECOVERY WOULD", "SINCE", "WHY"};
    if (was_tried) head.push_back("LEFT BECAUSE");
    table list{head};
    prospects next{indent};
    alike same;
    for (auto const& branch : all) {
        next.add(branch.action, branch);
        if (!same.add(branch.action, branch)) continue;
        std::vector<std::string> cells{branch.id.text(), branch.action, since_in_words(branch),
                                       branch.why};
        if (was_tried) cells.push_back(branch.left_because);
        list.add(std::move(cells), colour_of(branch.action));
    }
    return list.text(paint, indent) + same.text(indent) + next.text();
}

std::string scanned_databases(scan_report const& told, painter const& paint)
{
    std::string text;
    for (auto const& database : told.databases) {
        text += "\n" + paint(colour::bold, database.name) + " (" + database.kind + "): ";
        if (!database.is_conclusive) {
            text += paint(colour::red, "nothing can be said") + ": " +
                    printable(database.problem.why) + "\n";
            prospects next{2};
            next.add("since " + since_in_words(database.problem), database.problem);
            text += next.text();
            continue;
        }
        text += count_of(database.branches.size(), "branch", "branches") + " of this node, " +
                std::to_string(database.foreign_count) + " of others\n";
        for (auto const& warning : database.warnings) {
            text += "  " + paint(colour::yellow, "warning") + ": " + printable(warning) + "\n";
        }
        if (!database.branches.empty()) text += listed(database.branches, paint, 2);
        if (!database.missing.empty()) {
            text += "  decided, and no longer listed:\n" + listed(database.missing, paint, 2);
        }
        for (auto const& id : database.of_other_nodes) {
            text += "  " + id.text() + "  of node " + hex(id.global.parts().node, 16) + "\n";
        }
        if (!database.of_other_nodes.empty()) {
            text +=
                "  the process that has the log of such a node ends its branches; where that log "
                "is lost for good, see assent adopt\n";
        }
        for (auto const& id : database.finished) {
            text += "  " + id.text() + "  committed: it was decided, and is no longer listed\n";
        }
    }
    return text;
}

}  // namespace

std::string word_for(ports::horizon const& what)
{
    auto const in_words = [](std::uint32_t epoch, std::uint64_t sequence) {
        return std::to_string(epoch) + "/" + std::to_string(sequence);
    };
    auto const [epoch, sequence] = what.everything();
    std::string text = what.everything() == ports::position{} ? "-" : in_words(epoch, sequence);
    for (auto const& [alone, up_to] : what.alone())
        text += ", " + in_words(alone, up_to) + " alone";
    return text;
}

std::string word_for(xa_code heuristic)
{
    switch (heuristic) {
        case xa_code::heurcom:
            return "committed";
        case xa_code::heurrb:
            return "rolled back";
        case xa_code::heurmix:
            return "mixed";
        default:
            return "hazard";
    }
}

std::string in_words(status_report const& told, painter const& paint)
{
    auto head = log_pairs(told.log);
    head.push_back({"decisions", std::to_string(told.unfinished.size()) + " to be finished, " +
                                     std::to_string(told.finished_decisions) + " finished"});
    head.push_back({"rollbacks", std::to_string(told.rollbacks) + " noted"});
    head.push_back({"heuristics", std::to_string(told.heuristics.size())});
    auto text = pairs(head, paint) + known(told.databases, paint);
    if (!told.unfinished.empty()) text += heading("decided, to be finished", paint);
    std::size_t shown = 0;
    for (auto const& decision : told.unfinished) {
        if (shown++ == decisions_shown_max) break;
        text += "  " + std::string{decision.id.text()} + "  commit, " + utc(decision.unix_ms) +
                "\n" + branches(decision, paint, 4);
    }
    if (told.unfinished.size() > decisions_shown_max) {
        text += "  ... and " + std::to_string(told.unfinished.size() - decisions_shown_max) +
                " more (--json lists all)\n";
    }
    text += what_next(told) + heuristics(told.heuristics, paint) + operators(told.operators, paint);
    return text + attention(told, paint);
}

std::string in_words(scan_report const& told, painter const& paint)
{
    return pairs({{"log", told.log.directory},
                  {"node", hex(told.log.node, 16) + " \"" + told.log.node_label + "\""},
                  {"owner", owner(told.log)}},
                 paint) +
           scanned_databases(told, paint) + attention(told, paint);
}

std::string in_words(recover_report const& told, painter const& paint)
{
    if (!told.has_acted) {
        auto status = told.status;
        status.attention = told.attention;
        return in_words(status, paint);
    }
    auto const seconds = std::to_string(told.took_ms / 1000) + "." +
                         std::to_string(told.took_ms % 1000 / 100) + " s";
    std::string text =
        pairs({{"log", told.status.log.directory},
               {"node", hex(told.status.log.node, 16) + " \"" + told.status.log.node_label + "\""},
               {"epoch", std::to_string(told.epoch) + ", of this recovery"},
               {"took", seconds + (told.was_interrupted ? ", interrupted" : "")},
               {"drained", told.is_drained ? "yes: no branch of this node is left" : "no"}},
              paint);
    table list{{"RESOURCE MANAGER", "COMMITTED", "ROLLED BACK", "FOUND COMMITTED", "HEURISTIC",
                "DRAINED"}};
    for (auto const& each : told.databases) {
        list.add({each.name, std::to_string(each.committed), std::to_string(each.rolled_back),
                  std::to_string(each.found_finished), std::to_string(each.heuristics),
                  each.is_drained ? "yes" : "no"},
                 each.is_drained ? colour::green : colour::red);
    }
    if (!list.is_empty()) text += "\n" + list.text(paint);
    prospects next{2};
    for (auto const& each : told.databases)
        next.add(each.name, each.waits);
    text += next.text();
    bool has_rest = false;
    for (auto const& database : told.scan.databases)
        has_rest = has_rest || !database.branches.empty() || !database.missing.empty() ||
                   !database.is_conclusive;
    if (has_rest) text += heading("what remains", paint) + scanned_databases(told.scan, paint);
    text += heuristics(told.status.heuristics, paint);
    return text + attention(told, paint);
}

std::string in_words(show_report const& told, painter const& paint)
{
    auto const parts = told.id.parts();
    std::string opening = std::to_string(parts.epoch) + ", nonce " + hex(parts.nonce, 12);
    if (told.is_known_opening) opening += ", opened " + utc(told.opened_ms);
    std::string text =
        pairs({{"transaction", std::string{told.id.text()}},
               {"outcome", told.outcome + ": " + told.explanation},
               {"node", hex(parts.node, 16) + (told.is_of_node ? ", this one" : ", another one")},
               {"epoch", opening},
               {"sequence", std::to_string(parts.sequence)},
               {"decided in", told.decided_in}},
              paint);
    if (told.has_decision) {
        text += heading("decision", paint) + "  commit, " + utc(told.decision.unix_ms) + "\n" +
                branches(told.decision, paint, 2);
    }
    text += heuristics(told.heuristics, paint) + operators(told.operators, paint);
    if (!told.listings.empty()) text += heading("listed now", paint);
    for (auto const& listing : told.listings) {
        text += "  " + listing.resource_manager + ":";
        if (!listing.is_conclusive) {
            text += " " + printable(listing.problem) + "\n";
        } else if (listing.branches.empty()) {
            text += " not listed\n";
        } else {
            text += "\n" + listed(listing.branches, paint, 4);
        }
    }
    return text + attention(told, paint);
}

}  // namespace assent::cli
