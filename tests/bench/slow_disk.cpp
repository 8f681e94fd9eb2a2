// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// slow_disk.cpp -- a library to preload, into us and into the servers: a forced write takes no less
// than ASSENT_FORCE_US microseconds, as on a slower disk.
//
//   fsync, fdatasync                          whatever they are called for
//   pwrite, to a file with O_DSYNC or O_SYNC  as our log's
//
// Several at once do not wait for one another.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

using clock = std::chrono::steady_clock;

clock::duration least() noexcept
{
    static std::chrono::microseconds const time{[] {
        char const* const given = std::getenv("ASSENT_FORCE_US");
        return given == nullptr ? 0 : std::atol(given);
    }()};
    return time;
}

template <class Function>
Function* real(char const* name) noexcept
{
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

template <class Force>
auto slowly(Force const& force) noexcept
{
    auto const begin = clock::now();
    auto const result = force();
    std::this_thread::sleep_until(begin + least());
    return result;
}

bool is_forced(int file) noexcept
{
    int const flags = ::fcntl(file, F_GETFL);
    return flags >= 0 && (flags & O_DSYNC) != 0;  // O_SYNC has its bit, too
}

ssize_t written(char const* by, int file, void const* from, std::size_t size, off_t at) noexcept
{
    auto* const write = real<decltype(::pwrite)>(by);
    if (!is_forced(file)) return write(file, from, size, at);
    return slowly([=] { return write(file, from, size, at); });
}

}  // namespace

extern "C" int fsync(int file)
{
    static auto* const force = real<decltype(::fsync)>("fsync");
    return slowly([file] { return force(file); });
}

extern "C" int fdatasync(int file)
{
    static auto* const force = real<decltype(::fdatasync)>("fdatasync");
    return slowly([file] { return force(file); });
}

extern "C" ssize_t pwrite(int file, void const* from, std::size_t size, off_t at)
{
    return written("pwrite", file, from, size, at);
}

extern "C" ssize_t pwrite64(int file, void const* from, std::size_t size, off_t at)
{
    return written("pwrite64", file, from, size, at);
}
