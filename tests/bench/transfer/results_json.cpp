// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// results_json.cpp -- everything for programs: each round, and the estimates.

#include <string>
#include <utility>

#include "costs.hpp"
#include "json_text.hpp"
#include "results.hpp"

namespace assent::bench {

namespace {

std::string json_of(estimate const& one)
{
    return "{" + member("median", one.median) + ", " + member("low", one.low) + ", " +
           member("high", one.high) + ", " + member("confidence", one.confidence) + "}";
}

std::string json_of(sample const& one)
{
    return "{" + member("transfers", one.transfers) + ", " + member("seconds", one.seconds) + ", " +
           member("cpu_seconds", one.cpu_seconds) + ", " +
           member("servers_cpu_seconds", one.servers_cpu_seconds) + ", " +
           member("switches", one.switches) + ", " + member("forces", one.forces) + "}";
}

std::string costs_of(std::string const& variant)
{
    cost const* const known = cost_of(variant);
    if (known == nullptr) return "null";
    return "{" + member("messages", known->messages()) + ", " +
           member("rounds", known->sequential_rounds()) + ", " + member("forces", known->forces) +
           "}";
}

std::string json_of(results const& all, std::size_t threads, results::line const& line)
{
    std::string text = "    {" + member("threads", static_cast<double>(threads)) + ", " +
                       member("variant", quoted(line.name)) + ", " +
                       member("about", quoted(line.about));
    text += ",\n     " +
            member("per_second", json_of(all.of(threads, line.name, &sample::per_second))) + ", " +
            member("cpu_us", json_of(all.of(threads, line.name, &sample::cpu_us))) + ", " +
            member("machine_cpu_us", json_of(all.of(threads, line.name, &sample::machine_cpu_us)));
    for (auto const& [name, part] :
         {std::pair{"p50_us", 0.5}, std::pair{"p99_us", 0.99}, std::pair{"p999_us", 0.999}}) {
        text += ", " + member(name, all.latency_us(threads, line.name, part));
    }
    text += ", " + member("commit_p50_us", all.commit_us(threads, line.name, 0.5));
    text += ", " + member("costs", all.how().databases == 2 ? costs_of(line.name) : "null") +
            ",\n     \"ratios\": {";
    bool is_first = true;
    for (auto const& rival : {std::string("hand-sequential"), std::string("hand-log"),
                              std::string("hand-promises"), line.rival}) {
        for (auto const& [what, name] :
             {std::pair{&sample::per_second, "per_second"}, std::pair{&sample::cpu_us, "cpu_us"},
              std::pair{&sample::machine_cpu_us, "machine_cpu_us"}}) {
            auto const found = all.ratio(threads, line.name, rival, what);
            if (!found) continue;
            text += (is_first ? "" : ", ") +
                    member((std::string(name) + "/" + rival).c_str(), json_of(*found));
            is_first = false;
        }
    }
    text += "},\n     \"rounds\": [";
    is_first = true;
    for (sample const& each : all.rounds(threads, line.name)) {
        text += (is_first ? "" : ", ") + json_of(each);
        is_first = false;
    }
    return text + "]}";
}

}  // namespace

std::string json_of(results const& all)
{
    auto const& how = all.how();
    std::string text = "{" + member("machine", quoted(how.machine)) + ", " +
                       member("rounds", static_cast<double>(how.rounds)) + ", " +
                       member("seconds", how.seconds) + ", " +
                       member("seed", std::to_string(how.seed)) + ", " +
                       member("round_trip_ms", how.round_trip_ms) + ", " +
                       member("databases", static_cast<double>(how.databases)) + ", " +
                       member("is_encrypted", how.how == wire::encrypted ? "true" : "false") +
                       ",\n  \"variants\": [\n";
    bool is_first = true;
    for (std::size_t const threads : all.threads()) {
        for (auto const& line : all.lines()) {
            text += (is_first ? "" : ",\n") + json_of(all, threads, line);
            is_first = false;
        }
    }
    return text + "\n  ]}\n";
}

}  // namespace assent::bench
