// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// awaited.cpp -- which socket a thread of this process waits for, by what the kernel says of it.
//
//   /proc/self/task/<id>/syscall    7 0x7f6c5c1fe8c8 0x1 0xffffffff ...    poll(fds, 1, forever)
//                                   45 0xc 0x7f6c... ...                   recvfrom(12, ...)
//                                   running                               in no system call

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "adapters/sql_text/peer.hpp"

namespace assent::sql_text {

namespace {

/// Memory of this process, which another thread may give back meanwhile: read as a file, so that
/// what is gone is an error and not a crash.
bool read_memory(unsigned long address, void* into, std::size_t size) noexcept
{
    int const memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    if (memory < 0) return false;
    auto const got = pread(memory, into, size, static_cast<off_t>(address));
    close(memory);
    return got == static_cast<ssize_t>(size);
}

/// The descriptor of the system call in which the thread is; -1 when it is in none that waits for
/// a socket.
int awaited_descriptor(pid_t id) noexcept
{
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", static_cast<int>(id));
    int const file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    char line[256] = {};
    auto const length = read(file, line, sizeof line - 1);
    close(file);
    if (length <= 0) return -1;

    char* at = nullptr;
    long const call = std::strtol(line, &at, 10);
    if (at == line) return -1;  // "running"
    unsigned long const first = std::strtoul(at, &at, 16);
    unsigned long const second = std::strtoul(at, &at, 16);
    switch (call) {
#ifdef SYS_poll
        case SYS_poll:
#endif
        case SYS_ppoll: {
            pollfd asked{};
            // A client library waits for one connection.
            if (second != 1 || !read_memory(first, &asked, sizeof asked)) return -1;
            return asked.fd;
        }
        case SYS_connect:
        case SYS_read:
        case SYS_readv:
        case SYS_recvfrom:
        case SYS_recvmsg:
        case SYS_write:
        case SYS_writev:
        case SYS_sendto:
        case SYS_sendmsg:
            return static_cast<int>(first);
        default:
            return -1;
    }
}

}  // namespace

bool sever_awaited_socket(pid_t id) noexcept
{
    int const before = awaited_descriptor(id);
    socket_reference const found = socket_of(before);
    // The thread may have gone on in between, and somebody else may have the number.
    if (!found.is_valid() || awaited_descriptor(id) != before) return false;
    found.sever();
    return true;
}

}  // namespace assent::sql_text
