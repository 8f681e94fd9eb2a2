// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/outage_page.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "recovery/cli/html.hpp"
#include "recovery/cli/outage_picture.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

std::string paragraph(std::string const& text)
{
    return "<p>" + html(text) + "</p>\n";
}

std::string section(std::string const& id, std::string const& title, std::string const& inside)
{
    return "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-h\">\n<h2 id=\"" + id +
           "-h\">" + html(title) + "</h2>\n" + inside + "</section>\n";
}

/// How bad it is, in a word and as the name of a colour.
std::pair<char const*, char const*> grade_of(outage_report const& told)
{
    if (told.needs_person) return {"bad", "needs a person"};
    if (told.code == exit_code::attention) return {"waits", "in doubt"};
    if (told.code != exit_code::fine || told.is_offline) return {"unknown", "not all is known"};
    return {"fine", "fine"};
}

std::string lead(outage_report const& told)
{
    std::string text;
    for (auto const& each : told.lead)
        text += html(each) + " ";
    if (!told.steps.empty()) {
        text += "<a href=\"#next\">What to do next</a>: " +
                count_of(told.steps.size(), "step", "steps") + ".";
    }
    return text.empty() ? text : "<p class=\"lead\">" + text + "</p>\n";
}

std::string head(outage_report const& told)
{
    auto const& log = told.status.log;
    auto owner = log.is_owned ? name_of_owner(log) : "nobody";
    if (log.is_owned && log.owner_since_ms != 0) owner += " since " + utc(log.owner_since_ms);
    auto const [css, word] = grade_of(told);
    std::string text = "<header>\n<p class=\"node\"><span class=\"badge " + std::string{css} +
                       "\">" + word + "</span> node " + html(log.node_label) + ", " +
                       html_time(told.looked_ms) + "</p>\n<h1>" + html(told.headline) + "</h1>\n" +
                       lead(told) + "<dl>\n";
    for (auto const& [name, value] : std::initializer_list<std::pair<char const*, std::string>>{
             {"Owner of the log", html(owner)},
             {"Log", html_code(log.directory)},
             {"Epoch", std::to_string(log.current.epoch)},
             {"Node", html_code(hex(log.node, 16))},
             {"Newest segment", html(log.end)}}) {
        text += "<div><dt>" + std::string{name} + "</dt><dd>" + value + "</dd></div>\n";
    }
    return text + "</dl>\n</header>\n";
}

std::string what_to_do(outage_report const& told)
{
    if (told.steps.empty() && told.attention.empty()) return paragraph("Nothing.");
    std::string text = "<ol class=\"steps\">\n";
    for (auto const& each : told.steps) {
        text += "<li><p>" + html(each.what) + "</p>";
        for (auto const& command : each.commands)
            text += "<pre>" + html_command(command) + "</pre>";
        text += "</li>\n";
    }
    text = told.steps.empty() ? std::string{} : text + "</ol>\n";
    if (told.attention.empty()) return text;
    text += "<h3>In the words of status and scan</h3>\n<ul class=\"said\">\n";
    for (auto const& each : told.attention)
        text += "<li>" + html(each) + "</li>\n";
    return text + "</ul>\n";
}

std::string what_happened(outage_report const& told)
{
    html_table list{"What the log dates, the oldest first", {"When (UTC)", "What"}};
    for (auto const& each : told.moments) {
        auto when = html_time(each.from_ms);
        if (each.until_ms != each.from_ms) when += " until " + html_time(each.until_ms);
        list.add({when, html(each.text)});
    }
    std::string text;
    if (told.earlier > 0) {
        text += paragraph(count_of(told.earlier, "entry is", "entries are") +
                          " older than all that is still open, and not shown.");
    }
    return text + "<figure>" + picture_of_moments(told) +
           "<figcaption>Long pauses are drawn shorter than they are; their lengths stand below "
           "the line. Times are those of this node's clock.</figcaption></figure>\n" +
           list.markup();
}

std::string answer_of(waiting_database const& which, outage_report const& told)
{
    if (which.is_conclusive) return "answers";
    auto text = "<strong>" + std::string{told.is_offline ? "not asked" : "not known"} +
                "</strong>: " + html(which.problem);
    if (which.branches.empty()) return text;
    return text + "; by the log " + count_of(which.branches.size(), "branch is", "branches are") +
           " to commit there";
}

std::string databases(outage_report const& told)
{
    if (told.databases.empty()) return paragraph("None is known.");
    html_table answers{"What each database said",
                       {"Database", "Answer", "Commit", "Roll back", "Wait", "At work",
                        "Quarantine", "Of others"}};
    std::vector<std::string> columns{"Database"};
    columns.insert(columns.end(), age_names.begin(), age_names.end());
    html_table by_age{"Branches by database and by the age of their decisions", columns};
    std::string notes;
    for (auto const& each : told.databases) {
        std::vector<std::string> cells{html(each.name) + " <small>" + html(each.kind) + "</small>",
                                       answer_of(each, told)};
        for (auto const* const action : {"commit", "roll back", "wait", "leave", "quarantine"}) {
            cells.push_back(each.is_conclusive ? std::to_string(each.count(action)) : "not known");
        }
        cells.push_back(each.is_conclusive ? std::to_string(each.foreign_count) : "not known");
        answers.add(cells);
        if (!each.branches.empty()) {
            std::vector<std::string> row{html(each.name)};
            for (auto const number : ages_in(each, told.looked_ms))
                row.push_back(std::to_string(number));
            by_age.add(row);
        }
        for (auto const& warning : each.warnings)
            notes += "<li>" + html(each.name) + ": " + html(warning) + "</li>\n";
        if (each.committed > 0) {
            notes += "<li>" + html(each.name) + ": " +
                     count_of(each.committed, "decided branch is", "decided branches are") +
                     " no longer listed, so it was committed there.</li>\n";
        }
    }
    std::string text;
    if (auto const picture = picture_of_ages(told); !picture.empty())
        text += "<figure>" + picture + "</figure>\n" + by_age.markup();
    text += answers.markup();
    return notes.empty() ? text : text + "<ul class=\"said\">\n" + notes + "</ul>\n";
}

std::string when_begun(outage_report const& told, waiting_branch const& which)
{
    if (which.decided_ms != 0) return "decided " + html_time(which.decided_ms);
    auto const parts = which.id.global.parts();
    return which.is_of_twin
               ? "by no opening of this log"
               : "not decided in the log; of epoch " + std::to_string(parts.epoch) +
                     (parts.epoch == told.status.log.current.epoch ? ", the newest" : "");
}

/// The branches of one database that are treated alike, for the same reason, are one table.
std::string what_waits(outage_report const& told)
{
    using sort = std::tuple<std::string, std::string, std::string>;
    std::map<sort, std::vector<waiting_branch const*>> sorts;
    for (auto const& database : told.databases) {
        for (auto const& each : database.branches)
            sorts[{database.name, each.action, each.why}].push_back(&each);
    }
    std::string text;
    for (auto const& [key, all] : sorts) {
        auto const& [database, action, why] = key;
        html_table list{database + ": " + count_of(all.size(), "branch", "branches") + " to " +
                            (action == "wait" ? "wait for" : action) + ", because: " + why,
                        {"Branch", "Transaction"}};
        for (auto const* const each : all)
            list.add({html_code(each->id.text()), when_begun(told, *each)});
        text += list.markup();
    }
    if (!text.empty()) return text;
    if (told.is_offline) {
        return paragraph(
            "The log has nothing decided that waits. What the databases have prepared "
            "was not asked.");
    }
    bool const is_whole = std::all_of(told.databases.begin(), told.databases.end(),
                                      [](auto const& each) { return each.is_conclusive; });
    return paragraph(is_whole ? "No branch of this node was seen."
                              : "No branch of this node was seen in the databases that answered.");
}

std::string decisions(outage_report const& told)
{
    if (told.status.unfinished.empty()) {
        return paragraph("Nothing that the log has decided is unfinished. Finished decisions: " +
                         std::to_string(told.status.finished_decisions) + ".");
    }
    html_table list{"Decided to commit, and not finished in every database",
                    {"Transaction", "Decided", "Still to be finished in", "Finished in"}};
    for (auto const& each : told.status.unfinished) {
        std::array<std::string, 2> places;
        for (auto const& branch : each.branches) {
            auto& place = places[branch.is_finished ? 1 : 0];
            place += (place.empty() ? "" : ", ") + html(branch.resource_manager);
        }
        list.add({html_code(each.id.text()), html_time(each.unix_ms), places[0],
                  places[1].empty() ? "none yet" : places[1]});
    }
    return list.markup();
}

std::string heuristics(outage_report const& told)
{
    if (told.status.heuristics.empty()) return paragraph("None is on record.");
    html_table list{"What a database did against the decision, or what nobody can know",
                    {"Branch", "Database", "Outcome", "Recorded", "Seen"}};
    for (auto const& each : told.status.heuristics) {
        list.add({html_code(each.branch.text()), html(each.resource_manager), word_for(each.code),
                  html_time(each.unix_ms), html(each.text)});
    }
    return list.markup();
}

std::string persons(outage_report const& told)
{
    if (told.status.operators.empty())
        return paragraph("The log has no decision of a person on record.");
    html_table list{"What persons decided, as the log has it",
                    {"When (UTC)", "Who", "What", "Branch", "Why"}};
    for (auto const& each : told.status.operators) {
        list.add({html_time(each.unix_ms), html(each.who), html(each.verdict),
                  each.branch.global.is_null() ? "-" : html_code(each.branch.text()),
                  html(each.why)});
    }
    return list.markup();
}

}  // namespace

std::string in_html(outage_report const& told)
{
    struct part
    {
        char const* id;
        char const* title;
        std::string inside;
    };
    std::array const parts{
        part{"next", "What to do next", what_to_do(told)},
        part{"happened", "What happened", what_happened(told)},
        part{"databases", "Databases", databases(told)},
        part{"waits", "What waits, and why", what_waits(told)},
        part{"decided", "What was decided", decisions(told)},
        part{"heuristics", "Heuristic outcomes", heuristics(told)},
        part{"persons", "What a person did", persons(told)},
    };
    std::string links;
    std::string body;
    for (auto const& each : parts) {
        links += "<li><a href=\"#" + std::string{each.id} + "\">" + each.title + "</a></li>\n";
        body += section(each.id, each.title, each.inside);
    }
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"referrer\" content=\"no-referrer\">\n"
           "<meta name=\"robots\" content=\"noindex\">\n"
           "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
           html(told.status.log.node_label) + ": " + html(told.headline) + "</title>\n<style>\n" +
           std::string{page_style()} + "</style>\n</head>\n<body>\n" + head(told) +
           "<nav aria-label=\"Contents\"><ul>\n" + links + "</ul></nav>\n<main>\n" + body +
           "</main>\n<footer>\n<p>Made by <code>assent report</code> " +
           (told.is_offline ? "from the log alone"
                            : "from the log and what the databases answered") +
           " at " + html_time(told.looked_ms) +
           ". It shows that moment, and changed nothing. All times are UTC.</p>\n</footer>\n"
           "</body>\n</html>\n";
}

}  // namespace assent::cli
