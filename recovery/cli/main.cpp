// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// main.cpp -- the operator's program: reads the command, runs it, writes what it found out.

#include <unistd.h>
#include <csignal>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

#include "recovery/cli/command_line.hpp"
#include "recovery/cli/configuration.hpp"
#include "recovery/cli/doctor.hpp"
#include "recovery/cli/failure.hpp"
#include "recovery/cli/json.hpp"
#include "recovery/cli/log_command.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/recover.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/words.hpp"

namespace {

using namespace assent::cli;

std::atomic<bool> is_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void note_interrupt(int)
{
    is_interrupted.store(true);
}

/// The first Ctrl-C ends a recovery in order; a second one ends the program, which is safe too.
void end_in_order_when_interrupted()
{
    struct sigaction ask = {};
    ask.sa_handler = note_interrupt;
    ask.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&ask.sa_mask);
    ::sigaction(SIGINT, &ask, nullptr);
    ::sigaction(SIGTERM, &ask, nullptr);
}

bool is_terminal(int descriptor)
{
    return ::isatty(descriptor) == 1;
}

void write_progress(assent::manager_state const& state)
{
    std::string line = "\r\x1b[Krecovering:";
    for (auto const& rm : state.resource_managers) {
        line += "  " + rm.name + ' ';
        if (rm.is_drained) {
            line += "done";
        } else if (!rm.is_serving) {
            line += "waiting";
        } else {
            line += std::to_string(rm.branches_due) + " due";
        }
    }
    std::cerr << line << std::flush;
}

recover_report run_recover(configuration const& from, request const& asked)
{
    recover_options how;
    how.timeout = asked.timeout;
    how.presumed_abort_delay = asked.presumed_abort_delay;
    how.is_interrupted = [] { return is_interrupted.load(); };
    bool const has_progress = is_terminal(STDERR_FILENO);
    if (has_progress) how.progress = write_progress;
    end_in_order_when_interrupted();
    auto told = recover(from, how);
    if (has_progress) std::cerr << "\r\x1b[K" << std::flush;
    return told;
}

doctor_report run_doctor(configuration const& from, request const& asked)
{
    auto const shown = [&](doctor_report told) {
        told.is_all = asked.is_all;
        return told;
    };
    if (!is_terminal(STDERR_FILENO)) return shown(doctor(from));
    // Short, so that it stays one line of a narrow terminal.
    std::size_t done = 0;
    auto const tell = [&done, all = from.databases.size() + 1] {
        std::cerr << "\r\x1b[Kexamining: " << done << " of " << all << " done" << std::flush;
    };
    tell();
    auto told = doctor(from, [&](std::string const&) {
        ++done;
        tell();
    });
    std::cerr << "\r\x1b[K" << std::flush;
    return shown(std::move(told));
}

template <class Report>
exit_code say(Report const& told, request const& asked)
{
    bool const is_plain = std::getenv("NO_COLOR") != nullptr;
    painter const paint{!is_plain && is_terminal(STDOUT_FILENO)};
    std::cout << (asked.is_json ? in_json(told) : in_words(told, paint)) << std::flush;
    if (!std::cout) throw failure{exit_code::failed, "the output could not be written"};
    return told.code;
}

exit_code run(request const& asked)
{
    if (asked.command.starts_with("log ")) {
        bool const is_plain = std::getenv("NO_COLOR") != nullptr;
        return run_log(asked, {is_terminal(STDIN_FILENO), !is_plain && is_terminal(STDOUT_FILENO),
                               is_terminal(STDERR_FILENO)});
    }
    auto const from = read_configuration(asked.config);
    if (asked.command == "status") return say(make_status(from, look(from)), asked);
    if (asked.command == "scan") return say(scan(from).report, asked);
    if (asked.command == "recover") return say(run_recover(from, asked), asked);
    if (asked.command == "doctor") return say(run_doctor(from, asked), asked);
    auto const id = parse_transaction(asked.transaction);
    return say(show(id, scan(from)), asked);
}

int fail(request const& asked, failure const& what)
{
    if (asked.is_json) std::cout << in_json(asked.command, what) << std::flush;
    std::cerr << "assent: " << printable(what.what()) << std::endl;
    return static_cast<int>(what.code());
}

}  // namespace

int main(int argc, char** argv)
{
    auto const parsed = parse_command_line(argc, argv);
    if (auto const* const only = std::get_if<reply_only>(&parsed)) {
        (only->status == 0 ? std::cout : std::cerr) << only->text << std::flush;
        return only->status;
    }
    auto const& asked = std::get<request>(parsed);
    try {
        return static_cast<int>(run(asked));
    } catch (failure const& e) {
        return fail(asked, e);
    } catch (std::exception const& e) {
        return fail(asked, failure{exit_code::failed, e.what()});
    }
}
