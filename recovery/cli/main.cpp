// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// main.cpp -- the operator's program: reads the command, runs it, writes what it found out.

#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "recovery/cli/act.hpp"
#include "recovery/cli/adopt.hpp"
#include "recovery/cli/command_line.hpp"
#include "recovery/cli/configuration.hpp"
#include "recovery/cli/doctor.hpp"
#include "recovery/cli/drain.hpp"
#include "recovery/cli/failure.hpp"
#include "recovery/cli/forget.hpp"
#include "recovery/cli/json.hpp"
#include "recovery/cli/log_command.hpp"
#include "recovery/cli/log_repair.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/metrics.hpp"
#include "recovery/cli/outage.hpp"
#include "recovery/cli/outage_page.hpp"
#include "recovery/cli/progress_line.hpp"
#include "recovery/cli/rebind.hpp"
#include "recovery/cli/recover.hpp"
#include "recovery/cli/replaced_file.hpp"
#include "recovery/cli/resolve.hpp"
#include "recovery/cli/retire.hpp"
#include "recovery/cli/scan.hpp"
#include "recovery/cli/show.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/terminal.hpp"
#include "recovery/cli/watch.hpp"
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

std::string in_words(assent::manager_state const& state)
{
    std::string line = "recovering:";
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
    return line;
}

/// `recover` and `drain`, which is told of its progress as the former is.
template <class Report>
Report run_recovery(Report (*run)(configuration const&, recover_options const&),
                    configuration const& from, request const& asked)
{
    recover_options how;
    how.timeout = asked.timeout;
    how.presumed_abort_delay = asked.presumed_abort_delay;
    how.is_interrupted = [] { return is_interrupted.load(); };
    end_in_order_when_interrupted();
    if (!is_terminal(STDERR_FILENO)) return run(from, how);
    progress_line line{std::cerr, true};
    how.progress = [&line](assent::manager_state const& state) { line.say(in_words(state)); };
    return run(from, how);
}

doctor_report run_doctor(configuration const& from, request const& asked)
{
    answers heard{"examining", from.databases.size() + 1};
    auto told = doctor(from, [&heard](std::string const&) { heard.tell(); });
    told.is_all = asked.is_all;
    return told;
}

scanned run_scan(configuration const& from)
{
    answers heard{"asking the databases", from.databases.size()};
    return scan(from, [&heard](std::string const&) { heard.tell(); });
}

/// Until Ctrl-C, which is heard within a tenth of a second.
bool wait_for_next(std::chrono::milliseconds interval)
{
    constexpr std::chrono::milliseconds step{100};
    auto const until = std::chrono::steady_clock::now() + interval;
    while (!is_interrupted) {
        auto const left = until - std::chrono::steady_clock::now();
        if (left <= left.zero()) return true;
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, step));
    }
    return false;
}

/// A log that cannot be read at one look may be there at the next.
watched look_at_status(configuration const& from, request const& asked)
{
    try {
        auto const told = make_status(from, look(from));
        return {told.code, asked.is_json ? in_json(told) : in_words(told, paint_of_output()),
                unix_ms_now()};
    } catch (failure const& e) {
        return {e.code(), asked.is_json ? in_json(asked.command, e) : printable(e.what()) + "\n",
                unix_ms_now()};
    }
}

exit_code watch_status(configuration const& from, request const& asked)
{
    look(from);  // what is wrong from the start is no state to watch
    end_in_order_when_interrupted();
    watch_options how;
    how.is_terminal = is_terminal(STDOUT_FILENO) && !asked.is_json;
    how.has_changes = !asked.is_json;
    how.size = size_of_terminal;
    how.wait_for_next = [&asked] { return wait_for_next(*asked.watch_interval); };
    return watch([&] { return look_at_status(from, asked); }, std::cout, how);
}

std::string ask_for_name(act_report const& told)
{
    std::cerr << in_words(told, painter{false}) << "\nType " << told.name
              << " to go on: " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer;
}

act_options options_of(request const& asked)
{
    act_options how;
    how.who = this_user();
    how.reason = asked.reason;
    how.is_confirmed = asked.is_confirmed;
    how.is_dry_run = asked.is_dry_run;
    how.owner_wait = asked.owner_wait;
    how.progress = [](std::string const& line) {
        end_in_order_when_interrupted();  // what was asked is withdrawn
        std::cerr << "assent: " << line << std::endl;
    };
    how.is_interrupted = [] { return is_interrupted.load(); };
    if (is_terminal(STDIN_FILENO)) how.ask = ask_for_name;
    return how;
}

/// To the file, or, where there is none, to the standard output.
void write_out(std::string const& text, std::string const& file, mode_t mode)
{
    if (!file.empty()) return replace_file(file, text, mode);
    std::cout << text << std::flush;
    if (!std::cout) throw failure{exit_code::failed, "the output could not be written"};
}

template <class Report>
exit_code say(Report const& told, request const& asked)
{
    write_out(asked.is_json ? in_json(told) : in_words(told, paint_of_output()), {}, for_umask);
    return told.code;
}

/// Whatever is in doubt is in the numbers, and no failure of whoever scrapes them.
exit_code say_metrics(configuration const& from, request const& asked)
{
    auto const seen = run_scan(from);
    auto const text = in_metrics(make_status(from, seen.seen.after), seen.report, unix_ms_now());
    write_out(text, asked.output, for_umask);
    return exit_code::fine;
}

exit_code say_report(configuration const& from, request const& asked)
{
    outage_report told;
    if (asked.is_offline) {
        told = make_outage(from, look(from), nullptr, unix_ms_now());
    } else {
        auto const seen = run_scan(from);
        told = make_outage(from, seen.seen.after, &seen.report, unix_ms_now());
    }
    write_out(in_html(told), asked.output, for_owner);
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
    if (asked.command == "status" && asked.watch_interval) return watch_status(from, asked);
    if (asked.command == "status") return say(make_status(from, look(from)), asked);
    if (asked.command == "scan") return say(run_scan(from).report, asked);
    if (asked.command == "metrics") return say_metrics(from, asked);
    if (asked.command == "report") return say_report(from, asked);
    if (asked.command == "recover") {
        return say(run_recovery<recover_report>(recover, from, asked), asked);
    }
    if (asked.command == "drain") return say(run_recovery<drain_report>(drain, from, asked), asked);
    if (asked.command == "doctor") return say(run_doctor(from, asked), asked);
    if (asked.command == "forget") {
        return say(forget(from, {asked.transaction, asked.resource_manager}, options_of(asked)),
                   asked);
    }
    if (asked.command == "retire") {
        return say(retire(from, asked.resource_manager, options_of(asked)), asked);
    }
    if (asked.command == "rebind") {
        return say(rebind(from, asked.resource_manager, options_of(asked)), asked);
    }
    if (asked.command == "resolve") {
        return say(resolve(from, {asked.transaction, asked.resource_manager, asked.is_commit},
                           options_of(asked)),
                   asked);
    }
    if (asked.command == "adopt") {
        return say(adopt(from, {asked.transaction, asked.resource_manager, asked.is_commit},
                         options_of(asked)),
                   asked);
    }
    auto const id = parse_transaction(asked.transaction);
    return say(show(id, run_scan(from)), asked);
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
