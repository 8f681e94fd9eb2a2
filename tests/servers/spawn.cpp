// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// spawn.cpp -- posix_spawn with the descriptors listed.

#include "tests/servers/spawn.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

extern "C" char** environ;

namespace assent::testing {
namespace {

void check(int error, char const* what)
{
    if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

struct file_actions
{
    posix_spawn_file_actions_t value;
    file_actions() { check(::posix_spawn_file_actions_init(&value), "file actions"); }
    ~file_actions() { ::posix_spawn_file_actions_destroy(&value); }
    file_actions(file_actions const&) = delete;
    file_actions& operator=(file_actions const&) = delete;
};

struct attributes
{
    posix_spawnattr_t value;
    attributes() { check(::posix_spawnattr_init(&value), "spawn attributes"); }
    ~attributes() { ::posix_spawnattr_destroy(&value); }
    attributes(attributes const&) = delete;
    attributes& operator=(attributes const&) = delete;
};

// A signal that the test blocks or ignores must still reach the server.
void reset_signals(attributes& of)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    check(::posix_spawnattr_setsigmask(&of.value, &none), "signal mask");
    check(::posix_spawnattr_setsigdefault(&of.value, &all), "signal defaults");
    check(::posix_spawnattr_setflags(
              &of.value, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
          "spawn flags");
}

}  // namespace

pid_t spawn(std::vector<std::string> const& words, int input, int output)
{
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string const& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    file_actions files;
    if (input >= 0) {
        check(::posix_spawn_file_actions_adddup2(&files.value, input, 0), "dup2");
    } else {
        check(::posix_spawn_file_actions_addopen(&files.value, 0, "/dev/null", O_RDONLY, 0),
              "open /dev/null");
    }
    int const target = output >= 0 ? output : 2;
    check(::posix_spawn_file_actions_adddup2(&files.value, target, 1), "dup2");
    check(::posix_spawn_file_actions_adddup2(&files.value, target, 2), "dup2");
    check(::posix_spawn_file_actions_addclosefrom_np(&files.value, 3), "closefrom");

    attributes how;
    reset_signals(how);

    pid_t child = -1;
    check(::posix_spawn(&child, arguments[0], &files.value, &how.value, arguments.data(), environ),
          words[0].c_str());
    return child;
}

std::string read_to_end(int from)
{
    std::string all;
    char buffer[4096];
    for (;;) {
        ssize_t const got = ::read(from, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) check(errno, "read");
        if (got == 0) return all;
        all.append(buffer, static_cast<std::size_t>(got));
    }
}

finished_process reap(pid_t child)
{
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) check(errno, "waitpid");
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), {}};
}

finished_process run_process(std::vector<std::string> const& words)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) check(errno, "pipe2");
    pid_t child = -1;
    try {
        child = spawn(words, -1, ends[1]);
    } catch (...) {
        ::close(ends[0]);
        ::close(ends[1]);
        throw;
    }
    ::close(ends[1]);

    std::string output = read_to_end(ends[0]);
    ::close(ends[0]);
    auto done = reap(child);
    done.output = std::move(output);
    return done;
}

}  // namespace assent::testing
