// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// results_svg.cpp -- a picture: a panel for each number of threads, in it a line for each variant.
//
//   leased, as shipped   |=====|--|    |   0.76 (0.70-0.83)  876/s   |##|......    1421 us
//                        0         1 = (a)                           own, servers' processor time

#include <algorithm>
#include <cstdio>
#include <string>

#include "results.hpp"

namespace assent::bench {

namespace {

constexpr char base[] = "hand-sequential";

constexpr double label_end = 245;
constexpr double ratio_begin = 255;
constexpr double ratio_width = 240;
constexpr double ratio_max = 2;  // bars beyond it would make all others too short to compare
constexpr double words_begin = 505;
constexpr double speed_end = 690;
constexpr double cpu_begin = 705;
constexpr double cpu_width = 200;
constexpr double width = 980;
constexpr double line_height = 22;
constexpr double head_height = 46;

constexpr char by_hand_color[] = "#b9c4d0";
constexpr char library_color[] = "#2f78b7";
constexpr char servers_color[] = "#e6dccb";

std::string number(char const* format, double value)
{
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string attribute(char const* name, double value)
{
    return std::string(" ") + name + "=\"" + number("%.1f", value) + "\"";
}

/// No text here has anything to be escaped.
std::string text_at(double x, double y, std::string const& what, std::string const& how = {})
{
    return "<text" + attribute("x", x) + attribute("y", y) + " " + how + ">" + what + "</text>\n";
}

std::string line_at(double x1, double y1, double x2, double y2, std::string const& how)
{
    return "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
           attribute("y2", y2) + " " + how + "/>\n";
}

std::string bar_at(double x, double y, double length, std::string const& color)
{
    return "<rect" + attribute("x", x) + attribute("y", y) + attribute("width", length) +
           attribute("height", line_height - 6) + " fill=\"" + color + "\"/>\n";
}

double ratio_at(double ratio)
{
    return ratio_begin + std::min(ratio, ratio_max) / ratio_max * ratio_width;
}

std::string ratio_bar(double y, estimate const& one, std::string const& color)
{
    double const middle = y + (line_height - 6) / 2;
    std::string const thin = "stroke=\"#222\" stroke-width=\"1.3\"";
    std::string text = bar_at(ratio_begin, y, ratio_at(one.median) - ratio_begin, color);
    text += line_at(ratio_at(one.low), middle, ratio_at(one.high), middle, thin);
    for (double const end : {one.low, one.high}) {
        if (end > ratio_max) continue;
        text += line_at(ratio_at(end), middle - 4, ratio_at(end), middle + 4, thin);
    }
    return text + text_at(words_begin, middle + 4,
                          number("%.2f", one.median) + " (" + number("%.2f", one.low) + "-" +
                              number("%.2f", one.high) + ")");
}

/// Of the dearest variant of any panel.
double dearest(results const& all)
{
    double found = 1;
    for (std::size_t const threads : all.threads()) {
        for (auto const& line : all.lines()) {
            auto const one = all.of(threads, line.name, &sample::machine_cpu_us);
            found = std::max(found, one.median);
        }
    }
    return found;
}

std::string cpu_bar(double y, double own, double machine, double scale, std::string const& color)
{
    return bar_at(cpu_begin, y, own * scale, color) +
           bar_at(cpu_begin + own * scale, y, (machine - own) * scale, servers_color) +
           text_at(cpu_begin + machine * scale + 5, y + (line_height - 6) / 2 + 4,
                   number("%.0f", own) + " / " + number("%.0f", machine));
}

std::string panel(results const& all, std::size_t threads, double cpu_scale)
{
    std::string text =
        text_at(10, 20, std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
                "font-size=\"16\" font-weight=\"bold\"");
    double y = head_height;
    for (auto const& line : all.lines()) {
        std::string const color = line.name.rfind("hand-", 0) == 0 ? by_hand_color : library_color;
        double const base_line = y + (line_height - 6) / 2 + 4;
        text += text_at(label_end, base_line, line.about, "text-anchor=\"end\"");
        if (auto const one = all.ratio(threads, line.name, base, &sample::per_second)) {
            text += ratio_bar(y, *one, color);
        }
        double const speed = all.of(threads, line.name, &sample::per_second).median;
        text += text_at(speed_end, base_line, number("%.0f/s", speed), "text-anchor=\"end\"");
        text +=
            cpu_bar(y, all.of(threads, line.name, &sample::cpu_us).median,
                    all.of(threads, line.name, &sample::machine_cpu_us).median, cpu_scale, color);
        y += line_height;
    }
    std::string const red = "#c0392b";
    text += line_at(ratio_at(1), head_height - 5, ratio_at(1), y,
                    "stroke=\"" + red + "\" stroke-dasharray=\"4 3\"");
    text += text_at(ratio_at(1), head_height - 10, "(a) = 1",
                    "text-anchor=\"middle\" fill=\"" + red + "\"");
    return text +
           text_at(cpu_begin, head_height - 10, "processor time, us: own / with servers");
}

}  // namespace

std::string svg_of(results const& all)
{
    auto const threads = all.threads();
    auto const lines = static_cast<double>(all.lines().size());
    double const panel_height = head_height + lines * line_height + 14;
    double const height = 54 + static_cast<double>(threads.size()) * panel_height;
    double const cpu_scale = cpu_width / dearest(all);
    double const confidence = median_of(std::vector<double>(all.how().rounds)).confidence;
    std::string const size = number("%.0f", width) + " " + number("%.0f", height);
    std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size +
                       "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n"
                       "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    text += text_at(10, 26, "Transfers a second, in proportion to (a)", "font-size=\"18\"");
    text += text_at(10, 44,
                    "median of " + std::to_string(all.how().rounds) +
                        " paired rounds, and its interval of " + number("%.0f", 100 * confidence) +
                        " %; gray: by hand, blue: the library; bars end at " +
                        number("%.0f", ratio_max));
    double y = 54;
    for (std::size_t const each : threads) {
        text += "<g transform=\"translate(0 " + number("%.0f", y) + ")\">\n" +
                panel(all, each, cpu_scale) + "</g>\n";
        y += panel_height;
    }
    return text + "</svg>\n";
}

}  // namespace assent::bench
