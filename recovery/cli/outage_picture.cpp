// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/outage_picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "recovery/cli/html.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;

constexpr double left = 3;  // per cent
constexpr double right = 97;
constexpr int lane_height = 58;
constexpr int bar_height = 46;

std::string percent(double share)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f%%", share);
    return text.data();
}

struct lane
{
    moment_kind kind;
    char const* css;
    char const* name;
    char const* shape;  ///< a path around 0, 0
};

constexpr std::array lanes{
    lane{moment_kind::opening, "m-opening", "log opened", "M-5 6V-6L7 0Z"},
    lane{moment_kind::decision, "m-decision", "decided, not finished", "M-6 -6H6V6H-6Z"},
    lane{moment_kind::heuristic, "m-heuristic", "heuristic outcomes", "M0 -8L8 0L0 8L-8 0Z"},
    lane{moment_kind::person, "m-person", "done by a person",
         "M-7 0A7 7 0 1 0 7 0A7 7 0 1 0 -7 0Z"},
    lane{moment_kind::database, "m-database", "databases given up or replaced",
         "M-7 -3H7V3H-7ZM-7 -8H7V-5H-7ZM-7 5H7V8H-7Z"},
};

/// Where each time is drawn: in order, with long pauses shortened.
class time_axis
{
public:
    explicit time_axis(outage_report const& of)
    {
        std::set<std::int64_t> times{of.looked_ms};
        for (auto const& each : of.moments) {
            times.insert(each.from_ms);
            times.insert(each.until_ms);
        }
        double at = 0;
        for (auto const time : times) {
            if (!places_.empty()) {
                auto const gap = static_cast<double>(time - places_.rbegin()->first) / second_ms;
                at += 0.4 + std::log1p(gap);
            }
            places_[time] = at;
        }
        for (auto& [time, place] : places_)
            place = at == 0 ? right : left + (right - left) * place / at;
    }

    double operator()(std::int64_t time) const { return places_.at(time); }

    /// The lengths of those pauses that have room for their text.
    std::string pauses(int y) const
    {
        constexpr double room = 9;  // on a wide screen; on a narrow one it takes twice as much
        std::string text;
        for (auto at = places_.begin(); std::next(at) != places_.end(); ++at) {
            auto const [from, x] = *at;
            auto const [until, end] = *std::next(at);
            if (end - x < room) continue;
            text += "<text class=\"pause" + std::string{end - x < 2 * room ? " short" : ""} +
                    "\" text-anchor=\"middle\" x=\"" + percent((x + end) / 2) + "\" y=\"" +
                    std::to_string(y) + "\">" + html(length_of(until - from)) + "</text>\n";
        }
        return text;
    }

private:
    std::map<std::int64_t, double> places_;
};

std::string mark(moment const& which, lane const& in, double from, double until, int y)
{
    std::string text = "<g class=\"" + std::string{in.css} + "\"><title>" +
                       html(utc(which.from_ms)) + ": " + html(which.text) + "</title>";
    if (until > from) {
        text += "<rect x=\"" + percent(from) + "\" width=\"" + percent(until - from) + "\" y=\"" +
                std::to_string(y - 2) + "\" height=\"4\"/>";
    }
    for (auto const x : std::set<double>{from, until}) {
        text += "<svg x=\"" + percent(x) + "\" y=\"" + std::to_string(y) +
                "\" overflow=\"visible\"><path d=\"" + in.shape + "\"/></svg>";
    }
    if (which.count > 1) {
        bool const is_late = from > (left + right) / 2;
        text += "<text text-anchor=\"" + std::string{is_late ? "end" : "start"} + "\" x=\"" +
                percent(is_late ? until : from) + "\" y=\"" + std::to_string(y - 13) + "\">" +
                std::to_string(which.count) + "</text>";
    }
    return text + "</g>\n";
}

std::string line(char const* css, double x1, double x2, int y1, int y2)
{
    return "<line class=\"" + std::string{css} + "\" x1=\"" + percent(x1) + "\" x2=\"" +
           percent(x2) + "\" y1=\"" + std::to_string(y1) + "\" y2=\"" + std::to_string(y2) +
           "\"/>\n";
}

std::string in_picture(std::string const& id, int height, std::string const& title,
                       std::string const& description, std::string const& inside)
{
    return "<svg class=\"picture\" role=\"img\" aria-labelledby=\"" + id + "-title " + id +
           "-desc\" width=\"100%\" height=\"" + std::to_string(height) + "\">\n<title id=\"" + id +
           "-title\">" + html(title) + "</title>\n<desc id=\"" + id + "-desc\">" +
           html(description) + "</desc>\n" + inside + "</svg>\n";
}

}  // namespace

std::string length_of(std::int64_t ms)
{
    struct unit
    {
        std::int64_t ms;
        char const* name;
    };
    constexpr std::array units{unit{day_ms, " d"}, unit{hour_ms, " h"}, unit{minute_ms, " min"},
                               unit{second_ms, " s"}};
    for (std::size_t i = 0; i < units.size(); ++i) {
        if (ms < units[i].ms) continue;
        auto text = std::to_string(ms / units[i].ms) + units[i].name;
        if (i + 1 < units.size()) {
            auto const rest = ms % units[i].ms / units[i + 1].ms;
            if (rest > 0) text += " " + std::to_string(rest) + units[i + 1].name;
        }
        return text;
    }
    return std::to_string(std::max<std::int64_t>(ms, 0)) + " ms";
}

std::string picture_of_moments(outage_report const& of)
{
    time_axis const axis{of};
    std::string inside;
    int y = 0;
    for (auto const& each : lanes) {
        std::string marks;
        for (auto const& which : of.moments) {
            if (which.kind != each.kind) continue;
            marks += mark(which, each, axis(which.from_ms), axis(which.until_ms), y + 42);
        }
        if (marks.empty()) continue;
        inside += "<text class=\"lane\" x=\"0\" y=\"" + std::to_string(y + 13) + "\">" +
                  html(each.name) + "</text>\n" + line("rail", 0, 100, y + 42, y + 42) + marks;
        y += lane_height;
    }
    auto const now = axis(of.looked_ms);
    inside +=
        line("now", now, now, 16, y + 4) + line("axis", 0, 100, y + 4, y + 4) + axis.pauses(y + 20);
    auto const first = of.moments.empty() ? of.looked_ms : of.moments.front().from_ms;
    inside += "<text class=\"end\" x=\"0\" y=\"" + std::to_string(y + 40) + "\">" +
              html(utc(first)) +
              "</text>\n<text class=\"end\" text-anchor=\"end\" x=\"100%\" y=\"" +
              std::to_string(y + 58) + "\">looked at " + html(utc(of.looked_ms)) + "</text>\n";
    return in_picture(
        "moments", y + 66, "What happened, in the order of time",
        "The table below has the same: " + count_of(of.moments.size(), "entry", "entries") +
            ", from " + utc(first) + " to " + utc(of.looked_ms) + ".",
        inside);
}

ages ages_in(waiting_database const& which, std::int64_t now_ms)
{
    ages all{};
    for (auto const& each : which.branches) {
        auto const age = now_ms - each.decided_ms;
        // A clock that was put back says nothing.
        bool const is_known = each.decided_ms != 0 && age >= 0;
        ++all[!is_known ? 4 : age < minute_ms ? 0 : age < hour_ms ? 1 : age < day_ms ? 2 : 3];
    }
    return all;
}

std::string picture_of_ages(outage_report const& of)
{
    std::size_t most = 0;
    for (auto const& each : of.databases)
        most = std::max(most, each.branches.size());
    if (most == 0) return {};
    std::string inside;
    int y = 0;
    for (auto const& each : of.databases) {
        if (each.branches.empty()) continue;
        inside += "<text class=\"lane\" x=\"0\" y=\"" + std::to_string(y + 14) + "\">" +
                  html(each.name) + ": " + std::to_string(each.branches.size()) + "</text>\n";
        double x = 0;
        auto const all = ages_in(each, of.looked_ms);
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto const share = 100.0 * static_cast<double>(all[i]) / static_cast<double>(most);
            if (all[i] == 0) continue;
            inside += "<rect class=\"bar age" + std::to_string(i) + "\" x=\"" + percent(x) +
                      "\" y=\"" + std::to_string(y + 20) + "\" width=\"" + percent(share) +
                      "\" height=\"16\"><title>" + std::to_string(all[i]) + " " + age_names[i] +
                      "</title></rect>\n";
            x += share;
        }
        y += bar_height;
    }
    std::string legend;
    for (std::size_t i = 0; i < age_names.size(); ++i) {
        legend += "<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><rect class=\"bar age" +
                  std::to_string(i) + "\" width=\"14\" height=\"14\"/></svg> " + age_names[i] +
                  "</li>\n";
    }
    return in_picture("ages", y, "Branches by database and by the age of their decisions",
                      "The table below has the same numbers.", inside) +
           "<ul class=\"legend\">\n" + legend + "</ul>\n";
}

}  // namespace assent::cli
