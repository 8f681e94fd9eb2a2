// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// full_disk_test.cpp -- a file system that is really full: a tmpfs of four megabytes, in a mount
// namespace of a child.  It is about space, not about durability.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "log/file_log.hpp"
#include "log_fixture.hpp"
#include "temporary_directory.hpp"

namespace assent::testing {
namespace {

using namespace std::chrono_literals;

constexpr int cannot_mount = 77;

bool write_text(char const* path, std::string const& text)
{
    int const file = ::open(path, O_WRONLY | O_CLOEXEC);
    bool const is_written =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(file);
    return is_written;
}

bool mount_small_disk(std::string const& at)
{
    auto const user = std::to_string(::getuid());
    auto const group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    if (!write_text("/proc/self/setgroups", "deny")) return false;
    if (!write_text("/proc/self/uid_map", user + " " + user + " 1")) return false;
    if (!write_text("/proc/self/gid_map", group + " " + group + " 1")) return false;
    return ::mount("small", at.c_str(), "tmpfs", 0, "size=4m,mode=0700") == 0;
}

/// Fills the file system to its last byte.
bool fill_up(std::string const& path)
{
    int const file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    std::vector<char> const bytes(4096, 'x');
    while (::write(file, bytes.data(), bytes.size()) > 0) {
    }
    return ::close(file) == 0;
}

/// @return 0, or the number of what was not as promised.
int live_on_a_full_disk(std::string const& directory)
{
    auto options = repeatable(nullptr);
    options.random = nullptr;
    options.unix_ms = nullptr;
    options.makes_segments_ahead = true;
    options.segment_bytes = 1024 * 1024;
    std::string const log_directory = directory + "/log";
    ledger promises;
    {
        log::file_log log(log_directory, options);
        while (log.state().room < 100)
            std::this_thread::yield();  // until the first spare is there
        if (!fill_up(directory + "/ballast")) return 1;
        // What is finished gives its space back: a full disk alone refuses nobody.
        std::uint64_t next = 0;
        for (; next < 2'000; ++next) {
            while (!log.reserve())
                std::this_thread::yield();  // the next segment is being made
            auto const what = decision_of(log, next + 1);
            if (!is_durable(log.force(what, far_away()))) return 2;
            log.release();
            finish(log, what);
            for (std::uint16_t id : {1, 2}) {
                log.raise_horizon(id, {log.current().epoch, next + 1});
            }
        }
        // What is not finished stays, until there is no room; every decision that had some fits.
        std::uint64_t open = 0;
        while (log.state().why.find("No space left on device") == std::string::npos) {
            if (!log.reserve()) continue;
            if (++open < 20) continue;
            if (!is_durable(promises.commit(log, decision_of(log, ++next)))) return 3;
            log.release();
            --open;
        }
        if (log.state().is_poisoned) return 4;
        if (log.reserve()) return 5;
        for (; open > 0; --open) {
            if (!is_durable(promises.commit(log, decision_of(log, ++next)))) return 6;
            log.release();
        }
        if (::unlink((directory + "/ballast").c_str()) != 0) return 7;
        while (!log.reserve()) {
            std::this_thread::sleep_for(1ms);
        }
        log.release();
        if (!is_durable(promises.commit(log, decision_of(log, ++next)))) return 8;
    }
    log::file_log const log(log_directory, options);
    promises.check(log);
    return ::testing::Test::HasFailure() ? 9 : 0;
}

TEST(FullDisk, RefusesReservationsAndStrikesNoDecisionThatHadOne)
{
    temporary_directory const in;
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::alarm(20);
        ::_exit(mount_small_disk(in.path()) ? live_on_a_full_disk(in.path()) : cannot_mount);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == cannot_mount) {
        GTEST_SKIP() << "no file system can be mounted in a user namespace here";
    }
    EXPECT_EQ(WEXITSTATUS(status), 0) << "see live_on_a_full_disk for the number";
}

}  // namespace
}  // namespace assent::testing
