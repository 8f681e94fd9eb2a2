// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// command_line.cpp -- the only file that sees CLI11.

#include "recovery/cli/command_line.hpp"

#include <chrono>
#include <cstdlib>
#include <sstream>

#include <CLI/CLI.hpp>

#include <assent/options.hpp>

#include "recovery/cli/failure.hpp"
#include "recovery/cli/log_records.hpp"

namespace assent::cli {

namespace {

constexpr double in_seconds(std::chrono::milliseconds time)
{
    return std::chrono::duration<double>{time}.count();
}

constexpr double seconds_max = 86'400;
// Votes, and the force after them, count for no longer.
constexpr double delay_min = in_seconds(limits{}.presumed_abort_delay);

constexpr char const* exit_status =
    "Exit status:\n"
    "  0  nothing is in doubt, as far as the command looked\n"
    "  1  the command could not find out what it should\n"
    "  2  wrong usage, or a wrong configuration\n"
    "  3  recover or log repair did nothing: a live process owns the log\n"
    "  4  something is in doubt, or needs a person; doctor found a warning or an error\n"
    "  5  the log is damaged (log verify, dump, stats, repair)";

constexpr char const* about =
    "Looks after the transactions of an Assent node: shows its log and what its databases list\n"
    "as prepared, and finishes what a dead process left behind.";

std::chrono::milliseconds from_seconds(double seconds)
{
    return std::chrono::milliseconds{static_cast<long long>(seconds * 1000)};
}

/// The commands that look at the files of a log.
CLI::App* add_log(CLI::App& app, request& asked)
{
    auto* const log = app.add_subcommand("log", "look at the files of a log, and repair it");
    log->require_subcommand(1);
    log->add_option("--directory", asked.directory, "the log's directory, without a configuration")
        ->type_name("DIR");
    log->add_flag("--progress", asked.has_progress,
                  "say how far it is even where standard error is no terminal");
    log->add_subcommand("verify",
                        "read every page of every segment, and name everything that is damaged");
    auto* const dump = log->add_subcommand("dump", "write every record, in order, in words");
    dump->add_option("--gtrid", asked.transaction, "only of this transaction")->type_name("GTRID");
    dump->add_option("--type", asked.types, "only records of this type; may be given several times")
        ->check(CLI::IsMember(record_type_names()))
        ->type_name("TYPE");
    dump->add_flag("--unfinished", asked.is_unfinished_only,
                   "only decisions that are still to be carried out");
    log->add_subcommand("stats", "sizes, records, forces, and what keeps decisions in the log");
    auto* const repair = log->add_subcommand(
        "repair", "repair a torn log, or write a new log from what is left of a damaged one");
    repair
        ->add_option("--salvage-into", asked.salvage_into,
                     "the new log's directory: it must not exist, or be empty")
        ->type_name("DIR");
    repair->add_option("--reason", asked.reason, "why; it is recorded in the log")
        ->type_name("TEXT");
    repair->add_flag("--yes", asked.is_confirmed, "do what the plan says, without asking");
    return log;
}

}  // namespace

std::variant<request, reply_only> parse_command_line(int argc, char const* const* argv)
{
    request asked;
    double timeout = in_seconds(asked.timeout);
    double delay = in_seconds(asked.presumed_abort_delay);

    std::string const least = std::to_string(static_cast<int>(delay_min));

    CLI::App app{about, "assent"};
    app.footer(exit_status);
    app.set_version_flag("--version", "assent " ASSENT_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("-c,--config", asked.config, "the configuration file; see assent(1)")
        ->envname("ASSENT_CONFIG")
        ->type_name("FILE");
    app.add_flag("--json", asked.is_json, "write JSON instead of text");

    app.add_subcommand("status",
                       "show what the log says: owner, epoch, decisions, heuristics; no lock");
    app.add_subcommand(
        "scan", "list what the databases have prepared for this node, and what recovery would do");
    auto* const doctor = app.add_subcommand(
        "doctor", "examine the log's directory and every database, before work rests on them");
    doctor->add_flag("--all", asked.is_all, "show also what is ok");
    auto* const recover = app.add_subcommand(
        "recover", "own the log and finish what can be finished; beside a live owner, do nothing");
    recover->add_option("--timeout", timeout, "give up after so long")
        ->check(CLI::Range(0.0, seconds_max))
        ->type_name("SECONDS")
        ->capture_default_str();
    recover
        ->add_option("--presumed-abort-delay", delay,
                     "hold the node's lock in a database for so long before rolling back what no "
                     "decision names, so that a process with a copy of this log, which held the "
                     "lock before, has noticed its loss; 0 only where the log cannot have been "
                     "copied")
        ->check(CLI::Range(0.0, seconds_max))
        ->check(
            [least](std::string const& given) {
                double const seconds = std::strtod(given.c_str(), nullptr);
                bool const is_safe = seconds == 0 || seconds >= delay_min;
                return is_safe
                           ? std::string{}
                           : "a copy of this log may count on its votes for " + least +
                                 " seconds: wait for so long, or, where the log cannot have been "
                                 "copied, for 0";
            },
            "0, or " + least + " and more")
        ->type_name("SECONDS")
        ->capture_default_str();
    auto* const show = app.add_subcommand("show", "show everything known of one transaction");
    show->add_option("transaction", asked.transaction, "gtrid, or gtrid.bqual")
        ->required()
        ->type_name("GTRID");

    auto* const log = add_log(app, asked);

    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        std::ostringstream out;
        std::ostringstream err;
        int const status = app.exit(e, out, err);
        if (status == 0) return reply_only{0, out.str()};
        return reply_only{static_cast<int>(exit_code::misused), "assent: " + err.str()};
    }
    asked.command = app.get_subcommands().front()->get_name();
    if (log->parsed()) asked.command += " " + log->get_subcommands().front()->get_name();
    if (asked.config.empty() && asked.directory.empty()) {
        return reply_only{static_cast<int>(exit_code::misused),
                          std::string{"assent: --config is required"} +
                              (log->parsed() ? ", or --directory" : "") +
                              "\nRun with --help for more information.\n"};
    }
    asked.timeout = from_seconds(timeout);
    asked.presumed_abort_delay = from_seconds(delay);
    return asked;
}

}  // namespace assent::cli
