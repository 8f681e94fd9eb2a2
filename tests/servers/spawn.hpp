// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// spawn.hpp -- child processes that inherit nothing but what they are given.
//
// posix_spawn, not fork: the tests that use this have threads.

#ifndef ASSENT_TESTS_SERVERS_SPAWN_HPP
#define ASSENT_TESTS_SERVERS_SPAWN_HPP

#include <sys/types.h>

#include <string>
#include <vector>

namespace assent::testing {

/// Starts `words` in a session of its own, so that a terminal's Ctrl-C does not reach it.
/// `input` becomes its standard input (-1: /dev/null), `output` its standard output and error
/// (-1: this program's standard error); it has no other descriptor.
/// @throws std::system_error
pid_t spawn(std::vector<std::string> const& words, int input, int output);

struct finished_process
{
    int status = -1;     ///< the exit status, or 128 + the signal
    std::string output;  ///< standard output and error together
};

/// Runs `words` to its end.
finished_process run_process(std::vector<std::string> const& words);

/// Waits for the end of a child.  @return its status, and no output.
finished_process reap(pid_t child);

/// Reads until nobody has the other end of the pipe any more.
std::string read_to_end(int from);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_SPAWN_HPP
