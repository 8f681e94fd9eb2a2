// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// standard_descriptors.hpp -- keeps the numbers 0, 1 and 2 from files and sockets of ours.
//
//   closed at start:  [0] [1] [2]  --held on /dev/null during a call that opens-->  3, 4, 5 ...
//
// Where a process runs without standard output, the next descriptor takes its number, and whatever
// prints writes into it: a page of the log, or bytes in the middle of a protocol.
//
// Invariant: what is closed at the end is what was opened here, and nobody else's.

#ifndef ASSENT_PORTS_STANDARD_DESCRIPTORS_HPP
#define ASSENT_PORTS_STANDARD_DESCRIPTORS_HPP

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace assent::ports {

/// Numbers below this one belong to the process's standard streams.
inline constexpr int descriptor_min = 3;

/// While one of these lives, no call that opens gets one of the three numbers.  Several may live at
/// once; the last one gives the numbers back.  Holds nothing where all three are open, as usual.
///
/// Thread safety: distinct objects safe.  In a race with a thread that closes one of the three, a
/// call may still get its number: whoever opened looks at what it got.
class standard_descriptors
{
public:
    standard_descriptors() noexcept
    {
        ++all().holders;
        while (is_one_closed()) {
            int const got = ::open("/dev/null", O_RDWR | O_CLOEXEC);
            if (got < 0) return;
            if (got >= descriptor_min) {
                ::close(got);
                return;
            }
            all().is_held[static_cast<std::size_t>(got)] = true;
        }
    }
    standard_descriptors(standard_descriptors const&) = delete;
    standard_descriptors& operator=(standard_descriptors const&) = delete;
    ~standard_descriptors()
    {
        if (--all().holders != 0) return;
        for (int number = 0; number < descriptor_min; ++number) {
            bool const was_held = all().is_held[static_cast<std::size_t>(number)].exchange(false);
            if (was_held && is_ours(number)) ::close(number);
        }
    }

private:
    // No lock: a child that was forked meanwhile may open a log of its own.
    struct shared
    {
        std::atomic<int> holders{0};
        std::array<std::atomic<bool>, descriptor_min> is_held{};
    };
    static shared& all() noexcept
    {
        static shared only;
        return only;
    }
    static bool is_one_closed() noexcept
    {
        for (int number = 0; number < descriptor_min; ++number) {
            if (::fcntl(number, F_GETFD) < 0) return true;
        }
        return false;
    }
    /// Whoever puts a stream of its own there, even one on the null device, gives it to children.
    static bool is_ours(int number) noexcept
    {
        int const flags = ::fcntl(number, F_GETFD);
        struct stat seen = {};
        struct stat null = {};
        return flags >= 0 && (flags & FD_CLOEXEC) != 0 && ::fstat(number, &seen) == 0 &&
               ::stat("/dev/null", &null) == 0 && S_ISCHR(seen.st_mode) &&
               seen.st_rdev == null.st_rdev;
    }
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_STANDARD_DESCRIPTORS_HPP
