// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// command_line.cpp -- the only file that sees CLI11.

#include "recovery/cli/command_line.hpp"

#include <sstream>

#include <CLI/CLI.hpp>

#include "recovery/cli/failure.hpp"

namespace assent::cli {

namespace {

constexpr double seconds_max = 86'400;

constexpr char const* exit_status =
    "Exit status:\n"
    "  0  nothing is in doubt, as far as the command looked\n"
    "  1  the command could not find out what it should\n"
    "  2  wrong usage, or a wrong configuration\n"
    "  3  recover did nothing: a live process owns the log and recovers by itself\n"
    "  4  something is in doubt, or needs a person";

constexpr char const* about =
    "Looks after the transactions of an Assent node: shows its log and what its databases list\n"
    "as prepared, and finishes what a dead process left behind.";

std::chrono::milliseconds from_seconds(double seconds)
{
    return std::chrono::milliseconds{static_cast<long long>(seconds * 1000)};
}

}  // namespace

std::variant<request, reply_only> parse_command_line(int argc, char const* const* argv)
{
    request asked;
    double timeout = 60;
    double delay = 5;

    CLI::App app{about, "assent"};
    app.footer(exit_status);
    app.set_version_flag("--version", "assent " ASSENT_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("-c,--config", asked.config, "the configuration file; see assent(1)")
        ->envname("ASSENT_CONFIG")
        ->required()
        ->type_name("FILE");
    app.add_flag("--json", asked.is_json, "write JSON instead of text");

    app.add_subcommand("status",
                       "show the log: owner, epoch, decisions, heuristics; takes no lock");
    app.add_subcommand(
        "scan", "list what the databases have prepared for this node, and what recovery would do");
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
        ->type_name("SECONDS")
        ->capture_default_str();
    auto* const show = app.add_subcommand("show", "show everything known of one transaction");
    show->add_option("transaction", asked.transaction, "gtrid, or gtrid.bqual")
        ->required()
        ->type_name("GTRID");

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
    asked.timeout = from_seconds(timeout);
    asked.presumed_abort_delay = from_seconds(delay);
    return asked;
}

}  // namespace assent::cli
