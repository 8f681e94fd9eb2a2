// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// peak_memory.cpp -- runs a program, throws its output away, and says how much memory it had.
//
//   peak_memory PROGRAM ARGUMENT...     writes KiB
//
// The kernel counts to a process what its parent had when it was made; a small parent makes that
// nothing.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main(int count, char** words)
{
    if (count < 2) {
        std::fprintf(stderr, "usage: peak_memory PROGRAM ARGUMENT...\n");
        return 2;
    }
    pid_t const child = ::fork();
    if (child == 0) {
        int const nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        ::dup2(nowhere, STDOUT_FILENO);
        ::execv(words[1], words + 1);
        ::_exit(127);
    }
    int status = 0;
    rusage used{};
    if (child < 0 || ::wait4(child, &status, 0, &used) != child) return 1;
    std::printf("%ld\n", used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
