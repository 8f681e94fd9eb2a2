// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/integration/cli_desk.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "tests/servers/spawn.hpp"

namespace assent::testing {

namespace {

constexpr int patience_ms = 60'000;

[[noreturn]] void fail(std::string const& what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

struct pipe_ends
{
    int read = -1;
    int write = -1;

    pipe_ends()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
        read = ends[0];
        write = ends[1];
    }
};

/// Reads until `lines` lines have come, or the end.
std::string read_lines(int from, int lines)
{
    std::string text;
    while (lines > 0) {
        pollfd asked{from, POLLIN, 0};
        if (::poll(&asked, 1, patience_ms) <= 0) throw std::runtime_error{"silence after: " + text};
        char byte = 0;
        if (::read(from, &byte, 1) <= 0) return text;
        text += byte;
        if (byte == '\n') --lines;
    }
    return text;
}

int wait_for(pid_t child)
{
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) fail("waitpid");
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void tell_where(bank const& of)
{
    ::setenv("CLI_TEST_ACCOUNTS", of.accounts_conninfo().c_str(), 1);
    ::setenv("CLI_TEST_ORDERS", of.orders_connect_string().c_str(), 1);
}

std::string slurp(std::string const& path)
{
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

desk::desk()
{
    std::string pattern = std::filesystem::temp_directory_path() / "assent-desk-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) fail("mkdtemp");
    directory_ = pattern;
}

desk::~desk()
{
    std::error_code ignored;  // a leftover in the temporary directory harms nobody
    std::filesystem::remove_all(directory_, ignored);
}

std::string desk::file(std::string const& name, std::string const& text, unsigned mode) const
{
    auto const where = path(name);
    std::ofstream{where} << text;
    if (::chmod(where.c_str(), mode) != 0) fail("chmod " + where);
    return where;
}

answer run_assent(std::vector<std::string> const& words)
{
    // The two outputs apart: a program reads the one, a person both.
    desk const scratch;
    std::vector<std::string> all{
        "/bin/sh",           "-c",          "err=$1; shift; exec \"$@\" 2> \"$err\"", "sh",
        scratch.path("err"), ASSENT_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    auto const done = run_process(all);
    return {done.status, done.output, slurp(scratch.path("err"))};
}

running_assent::running_assent(std::vector<std::string> const& words)
{
    std::vector<std::string> all{ASSENT_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    pipe_ends const out;
    pid_ = spawn(all, -1, out.write);
    output_ = out.read;
    ::close(out.write);
}

running_assent::~running_assent()
{
    if (pid_ >= 0) {
        ::kill(pid_, SIGKILL);
        wait_for(pid_);
    }
    ::close(output_);
}

void running_assent::interrupt() const
{
    if (::kill(pid_, SIGINT) != 0) fail("kill");
}

std::string running_assent::line() const
{
    return read_lines(output_, 1);
}

answer running_assent::finish()
{
    constexpr int all_lines = 1'000'000;
    answer told;
    told.out = read_lines(output_, all_lines);
    told.status = wait_for(pid_);
    pid_ = -1;
    return told;
}

std::string both_databases(std::string const& log_directory, bank const& of)
{
    return "log_directory = \"" + log_directory +
           "\"\n"
           "node_label = \"test\"\n"
           "[[resource_manager]]\n"
           "name = \"accounts\"\n"
           "kind = \"postgresql\"\n"
           "connect = \"" +
           of.accounts_conninfo() +
           "\"\n"
           "[[resource_manager]]\n"
           "name = \"orders\"\n"
           "kind = \"mariadb\"\n"
           "connect = \"" +
           of.orders_connect_string() + "\"\n";
}

std::string victim::killed_at(bank const& of, std::string const& log, std::string const& event,
                              int occurrence)
{
    return run_until_killed(of,
                            {ASSENT_CLI_VICTIM, log, "kill", event, std::to_string(occurrence)});
}

std::string victim::killed_with_row_at(bank const& of, std::string const& log,
                                       std::string const& event)
{
    return run_until_killed(of, {ASSENT_CLI_VICTIM, log, "kill", event, "1", "row"});
}

std::string victim::run_until_killed(bank const& of, std::vector<std::string> const& words)
{
    tell_where(of);
    auto const done = run_process(words);
    if (done.status != 128 + SIGKILL) throw std::runtime_error{"not killed: " + done.output};
    return done.output.substr(0, done.output.find('\n'));
}

victim::victim(bank const& of, std::string const& log, std::string const& event,
               std::string const& how)
{
    tell_where(of);
    pipe_ends const in;
    pipe_ends const out;
    pid_ = spawn({ASSENT_CLI_VICTIM, log, how, event, "1"}, in.read, out.write);
    input_ = in.write;
    ::close(in.read);
    ::close(out.write);
    auto const said = read_lines(out.read, 2);
    ::close(out.read);
    id_ = said.substr(0, said.find('\n'));
    if (said != id_ + "\nheld\n") throw std::runtime_error{"not held: " + said};
}

victim::~victim()
{
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
    ::close(input_);
}

int victim::finish()
{
    ::close(input_);
    int const status = wait_for(pid_);
    pid_ = -1;
    return status;
}

}  // namespace assent::testing
