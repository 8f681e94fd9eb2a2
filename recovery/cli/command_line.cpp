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

constexpr std::chrono::milliseconds watch_interval_default{2'000};
constexpr double watch_interval_min = 0.1;

constexpr char const* exit_status =
    "Exit status:\n"
    "  0  nothing is in doubt, as far as the command looked\n"
    "  1  the command could not find out what it should\n"
    "  2  wrong usage, or a wrong configuration\n"
    "  3  nothing was done: a live process owns the log\n"
    "  4  something is in doubt, or needs a person; doctor found a warning or an error\n"
    "  5  the log is damaged (log verify, dump, stats, repair)";

constexpr char const* about =
    "Looks after the transactions of an Assent node: shows its log and what its databases list\n"
    "as prepared, and finishes what a dead process left behind.";

/// What stands at the end of each help.
std::string footer_of(std::string const& page)
{
    return exit_status + ("\n\nMore: man " + page);
}

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

CLI::Option* add_watch(CLI::App& to, double& interval)
{
    return to
        .add_option("--watch", interval,
                    "look again and again, at such an interval, until Ctrl-C, and say what changed")
        ->expected(0, 1)
        ->check(CLI::Range(watch_interval_min, seconds_max))
        ->type_name("SECONDS");
}

void add_report(CLI::App& app, request& asked)
{
    auto* const report = app.add_subcommand(
        "report", "what status and scan find out, as a page to read, to print and to keep");
    report
        ->add_option("--html", asked.output,
                     "an HTML page, into a file that is replaced; standard output without one")
        ->expected(0, 1)
        ->required()
        ->excludes(app.get_option("--json"))
        ->type_name("FILE");
    report->add_flag("--offline", asked.is_offline, "of the log alone: ask no database");
}

void add_acting(CLI::App& to, request& asked)
{
    to.add_flag("--dry-run", asked.is_dry_run, "show the plan, and change nothing");
    to.add_option("--reason", asked.reason, "why; it is recorded in the log")->type_name("TEXT");
    to.add_flag("--yes", asked.is_confirmed, "do what the plan says, without asking");
}

/// How a recovery is bounded.
void add_recovering(CLI::App& to, double& timeout, double& delay)
{
    std::string const least = std::to_string(static_cast<int>(delay_min));
    to.add_option("--timeout", timeout, "give up after so long")
        ->check(CLI::Range(0.0, seconds_max))
        ->type_name("SECONDS")
        ->capture_default_str();
    to.add_option("--presumed-abort-delay", delay,
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
}

/// What a live owner of the log is asked to do.
void add_waiting(CLI::App& to, double& wait)
{
    to.add_option("--timeout", wait, "how long a live process that owns the log may take to answer")
        ->check(CLI::Range(0.0, seconds_max))
        ->type_name("SECONDS")
        ->capture_default_str();
}

void add_forget(CLI::App& app, request& asked, double& wait)
{
    auto* const forget = app.add_subcommand(
        "forget", "forget a recorded heuristic outcome, once its data was compared and repaired");
    forget->add_option("transaction", asked.transaction, "gtrid, or gtrid.bqual")
        ->required()
        ->type_name("GTRID");
    forget->add_option("--branch", asked.resource_manager, "only what this database did")
        ->type_name("NAME");
    add_acting(*forget, asked);
    add_waiting(*forget, wait);
}

/// Which branch, and how it is to end.
void add_ending(CLI::App& to, request& asked)
{
    to.add_option("transaction", asked.transaction, "gtrid, or gtrid.bqual")
        ->required()
        ->type_name("GTRID");
    to.add_option("--branch", asked.resource_manager, "the database that lists the branch")
        ->required()
        ->type_name("NAME");
    auto* const way = to.add_option_group("way", "what is to be done");
    way->add_flag("--commit", asked.is_commit, "commit it");
    way->add_flag("--rollback", asked.is_rollback, "roll it back");
    way->require_option(1);
}

void add_resolve(CLI::App& app, request& asked, double& wait)
{
    auto* const resolve = app.add_subcommand("resolve", "end one prepared branch as a person says");
    add_ending(*resolve, asked);
    add_acting(*resolve, asked);
    add_waiting(*resolve, wait);
}

void add_adopt(CLI::App& app, request& asked)
{
    auto* const adopt = app.add_subcommand(
        "adopt", "end one prepared branch of another node, whose log is lost for good");
    add_ending(*adopt, asked);
    add_acting(*adopt, asked);
}

void add_retire(CLI::App& app, request& asked)
{
    auto* const retire =
        app.add_subcommand("retire", "give up a database that is gone for good, and free its name");
    retire->add_option("name", asked.resource_manager, "the name that the log has bound")
        ->required()
        ->type_name("NAME");
    add_acting(*retire, asked);
}

void add_rebind(CLI::App& app, request& asked)
{
    auto* const rebind = app.add_subcommand(
        "rebind",
        "believe that a database has another identity now: a promoted replica, an "
        "upgrade");
    rebind->add_option("name", asked.resource_manager, "the name that the log has bound")
        ->required()
        ->type_name("NAME");
    add_acting(*rebind, asked);
}

}  // namespace

std::variant<request, reply_only> parse_command_line(int argc, char const* const* argv)
{
    request asked;
    double timeout = in_seconds(asked.timeout);
    double wait = in_seconds(asked.owner_wait);
    double delay = in_seconds(asked.presumed_abort_delay);
    double watch_interval = 0;

    CLI::App app{about, "assent"};
    app.set_version_flag("--version", "assent " ASSENT_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("-c,--config", asked.config, "the configuration file; see assent(1)")
        ->envname("ASSENT_CONFIG")
        ->type_name("FILE");
    app.add_flag("--json", asked.is_json, "write JSON instead of text");

    auto* const view = app.add_subcommand(
        "status", "show what the log says: owner, epoch, decisions, heuristics; no lock");
    auto* const watch = add_watch(*view, watch_interval);
    app.add_subcommand(
        "scan", "list what the databases have prepared for this node, and what recovery would do");
    auto* const metrics =
        app.add_subcommand("metrics", "what status and scan find out, as text for Prometheus");
    metrics
        ->add_option("--output", asked.output,
                     "a file that is replaced; standard output without it")
        ->type_name("FILE");
    add_report(app, asked);
    auto* const doctor = app.add_subcommand(
        "doctor", "examine the log's directory and every database, before work rests on them");
    doctor->add_flag("--all", asked.is_all, "show also what is ok");
    add_recovering(*app.add_subcommand("recover",
                                       "own the log and finish what can be finished; beside a "
                                       "live owner, do nothing"),
                   timeout, delay);
    add_recovering(*app.add_subcommand("drain",
                                       "the same, and then say whether nothing of this node is "
                                       "left on any database"),
                   timeout, delay);
    auto* const show = app.add_subcommand("show", "show everything known of one transaction");
    show->add_option("transaction", asked.transaction, "gtrid, or gtrid.bqual")
        ->required()
        ->type_name("GTRID");

    add_forget(app, asked, wait);
    add_resolve(app, asked, wait);
    add_adopt(app, asked);
    add_retire(app, asked);
    add_rebind(app, asked);
    auto* const log = add_log(app, asked);

    app.footer(footer_of("assent"));
    for (auto* const each : app.get_subcommands({})) {
        auto const page = "assent-" + each->get_name();
        each->footer(footer_of(page));
        for (auto* const part : each->get_subcommands({}))
            part->footer(footer_of(page));
    }

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
    if (watch->count() > 0) {
        bool const is_given = watch_interval > 0;  // 0 itself is refused
        asked.watch_interval = is_given ? from_seconds(watch_interval) : watch_interval_default;
    }
    asked.owner_wait = from_seconds(wait);
    asked.presumed_abort_delay = from_seconds(delay);
    return asked;
}

}  // namespace assent::cli
