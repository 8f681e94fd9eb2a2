// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// doctor_words.cpp -- what the doctor found, for people: a table for each of them, the worst first;
// what may be improved below it; and at the end what must be.

#include <string>

#include "recovery/cli/paragraphs.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

colour colour_of(finding_level level)
{
    switch (level) {
        case finding_level::ok:
            return colour::green;
        case finding_level::advice:
            return colour::plain;
        case finding_level::warning:
            return colour::yellow;
        case finding_level::error:
            return colour::red;
    }
    return colour::plain;
}

/// Times are worth a look also where nothing is wrong with them.
bool is_shown(finding const& one, bool is_all)
{
    return is_all || one.level != finding_level::ok || one.check == "round trip" ||
           one.check == "force";
}

std::string in_words(examined const& one, painter const& paint, bool is_all)
{
    std::string text = "\n" + paint(colour::bold, one.name);
    if (!one.kind.empty()) {
        text += " (" + one.kind;
        if (!one.seen.kind.empty() && one.seen.kind != one.kind) text += ": " + one.seen.kind;
        text += one.seen.version.empty() ? ")" : " " + printable(one.seen.version) + ")";
    }
    if (!one.is_examined) {
        return text + ": " + paint(colour::red, "nothing can be said") + ": " +
               printable(one.problem) + "\n";
    }
    table list{{"LEVEL", "CHECK", "SEEN"}};
    std::size_t unseen = 0;
    for (auto const& each : one.seen.findings) {
        if (is_shown(each, is_all)) {
            list.add({word_for(each.level), each.check, each.seen}, colour_of(each.level));
        } else {
            ++unseen;
        }
    }
    text += "\n" + list.text(paint, 2);
    if (unseen > 0) text += "  ok      " + std::to_string(unseen) + " more checks\n";
    for (auto const& each : one.seen.findings) {
        if (each.level != finding_level::advice) continue;
        text += "  - " + each.check + ": " + printable(each.advice) + "\n";
    }
    return text;
}

}  // namespace

char const* word_for(finding_level level) noexcept
{
    switch (level) {
        case finding_level::ok:
            return "ok";
        case finding_level::advice:
            return "advice";
        case finding_level::warning:
            return "warning";
        case finding_level::error:
            return "error";
    }
    return "?";
}

namespace {

/// What could not be looked at has no findings, and is not well for that.
std::string unseen_in_words(doctor_report const& told)
{
    std::size_t count = told.log.is_examined ? 0 : 1;
    for (auto const& each : told.databases)
        count += each.is_examined ? 0 : 1;
    return count == 0 ? std::string{} : "; NOT EXAMINED: " + std::to_string(count);
}

}  // namespace

std::string in_words(doctor_report const& told, painter const& paint)
{
    auto const& [ok, advice, warnings, errors] = told.counts;
    std::string text = pairs({{"findings", count_of(errors, "error", "errors") + ", " +
                                               count_of(warnings, "warning", "warnings") + ", " +
                                               std::to_string(advice) + " to advise, " +
                                               std::to_string(ok) + " ok" + unseen_in_words(told)}},
                             paint);
    text += in_words(told.log, paint, told.is_all);
    for (auto const& each : told.databases)
        text += in_words(each, paint, told.is_all);
    return text + attention(told, paint);
}

}  // namespace assent::cli
