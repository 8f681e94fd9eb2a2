// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_process_test.cpp -- the log on a real file system, between real processes.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "log/file_log.hpp"
#include "log_fixture.hpp"
#include "recovery/log_tools/log_view.hpp"
#include "temporary_directory.hpp"

namespace assent::testing {
namespace {

namespace fs = std::filesystem;
using log::file_log;
using log::log_error;
using log::log_fault;
using namespace std::chrono_literals;

std::unique_ptr<file_log> open_in(std::string const& directory,
                                  std::chrono::milliseconds lock_wait = 0ms)
{
    auto options = repeatable(nullptr);
    options.random = nullptr;  // the kernel's: every opening needs a nonce of its own
    options.unix_ms = nullptr;
    options.lock_wait = lock_wait;
    return std::make_unique<file_log>(directory, options);
}

log_fault fault_of(std::function<void()> const& act)
{
    try {
        act();
    } catch (log_error const& error) {
        return error.fault();
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
}

/// A child that runs `life`, and a pipe on which it tells its parent.
class child_process
{
public:
    explicit child_process(std::function<void(int tell)> const& life)
    {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category());
        pid_ = ::fork();
        if (pid_ < 0) throw std::system_error(errno, std::generic_category());
        if (pid_ == 0) {
            ::close(ends[0]);
            life(ends[1]);
            ::_exit(0);
        }
        ::close(ends[1]);
        heard_ = ends[0];
    }
    child_process(child_process const&) = delete;
    child_process& operator=(child_process const&) = delete;
    ~child_process()
    {
        if (pid_ > 0) kill_now();
        ::close(heard_);
    }

    pid_t pid() const noexcept { return pid_; }

    /// The next `bytes` that the child told; less when it ended.
    std::string hear(std::size_t bytes) const
    {
        std::string text;
        while (text.size() < bytes) {
            char next[256];
            auto const got = ::read(heard_, next, std::min(sizeof next, bytes - text.size()));
            if (got <= 0) break;
            text.append(next, static_cast<std::size_t>(got));
        }
        return text;
    }
    void kill_now()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    int wait()
    {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_ = -1;
    int heard_ = -1;
};

void tell(int to, std::string_view text)
{
    if (::write(to, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ::_exit(9);
}

[[noreturn]] void stay()
{
    for (;;) {
        ::pause();
    }
}

unsigned mode_of(fs::path const& path)
{
    struct stat seen = {};
    EXPECT_EQ(::lstat(path.c_str(), &seen), 0) << path;
    return seen.st_mode & 07777;
}

TEST(LogFiles, ArePrivate)
{
    temporary_directory const in;
    std::string const made = in.path() + "/log";
    ::umask(0);
    auto const log = open_in(made);
    ::umask(022);

    EXPECT_EQ(mode_of(made), 0700U);
    unsigned files = 0;
    for (auto const& entry : fs::directory_iterator(made)) {
        EXPECT_EQ(mode_of(entry.path()), 0600U) << entry.path();
        ++files;
    }
    EXPECT_EQ(files, 3U) << "a segment, the next one and the lock";
    EXPECT_EQ(fs::file_size(made + "/0000000000000001.seg"), small_segment);
}

TEST(LogFiles, TakeTheirSpaceBeforeTheyAreUsed)
{
    temporary_directory const in;
    auto const log = open_in(in.path());
    struct stat seen = {};
    ASSERT_EQ(::stat((in.path() + "/0000000000000001.seg").c_str(), &seen), 0);
    EXPECT_GE(static_cast<std::size_t>(seen.st_blocks) * 512, small_segment) << "no holes";
}

TEST(LogFiles, DescriptorsAreClosedOnExec)
{
    temporary_directory const in;
    auto const log = open_in(in.path());
    unsigned ours = 0;
    for (auto const& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;  // the iterator's own descriptor
        auto const target = fs::read_symlink(entry.path(), gone);
        if (gone || target.string().rfind(in.path(), 0) != 0) continue;
        ++ours;
        int const flags = ::fcntl(std::stoi(entry.path().filename()), F_GETFD);
        EXPECT_TRUE(flags & FD_CLOEXEC) << target;
    }
    EXPECT_EQ(ours, 4U) << "directory, lock, segment and the next one";
}

TEST(LogFiles, InADirectoryThatOthersCanWriteAreRefused)
{
    for (mode_t const mode : {0770, 0707, 0777}) {
        temporary_directory const in;
        ASSERT_EQ(::chmod(in.path().c_str(), mode), 0);
        EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::unsafe_directory);
        EXPECT_TRUE(fs::is_empty(in.path()));
        EXPECT_EQ(mode_of(in.path()), mode) << "somebody may want it so";
    }
}

/// As an orchestrator leaves a volume that it mounts for a group: at each mount anew.
TEST(LogFiles, WhoseVolumeIsMadeWritableForItsGroupAtEachMountTakeThatBack)
{
    temporary_directory const in;
    open_in(in.path());
    for (mode_t const mode : {02770, 0770}) {
        ASSERT_EQ(::chmod(in.path().c_str(), mode), 0);
        for (auto const& file : fs::directory_iterator(in.path()))
            ASSERT_EQ(::chmod(file.path().c_str(), 0660), 0);

        auto const log = open_in(in.path());
        EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
        EXPECT_EQ(mode_of(in.path()), 0700U);
        EXPECT_THAT(log->state().caution, ::testing::HasSubstr("group"));
    }
    EXPECT_THAT(open_in(in.path())->state().caution, ::testing::Not(::testing::HasSubstr("group")));

    ASSERT_EQ(::chmod(in.path().c_str(), 0777), 0);
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::unsafe_directory);
}

TEST(LogFiles, InADirectoryOfAnotherUserAreRefused)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
    temporary_directory const in;
    ASSERT_EQ(::chown(in.path().c_str(), 65534, 65534), 0);
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::unsafe_directory);
}

TEST(LogFiles, ADirectoryByALinkIsRefusedByName)
{
    temporary_directory const in;
    fs::create_directory(in.path() + "/real");
    fs::create_directory_symlink(in.path() + "/real", in.path() + "/link");
    try {
        open_in(in.path() + "/link");
        ADD_FAILURE() << "a link can be turned";
    } catch (log_error const& refused) {
        EXPECT_THAT(refused.what(), ::testing::HasSubstr("symbolic link"));
    }
}

TEST(LogFiles, LinksAreNotFollowed)
{
    temporary_directory const in;
    temporary_directory const elsewhere;
    std::string const segment = "/0000000000000001.seg";
    open_in(in.path());
    fs::rename(in.path() + segment, elsewhere.path() + segment);
    fs::create_symlink(elsewhere.path() + segment, in.path() + segment);
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::io) << "a symbolic link";
    fs::remove(in.path() + segment);
    fs::create_hard_link(elsewhere.path() + segment, in.path() + segment);
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::io) << "a second name";
    fs::remove(elsewhere.path() + segment);
    EXPECT_NO_THROW(open_in(in.path()));

    fs::remove(in.path() + "/lock");
    fs::create_symlink(elsewhere.path() + "/prey", in.path() + "/lock");
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::io);
    EXPECT_FALSE(fs::exists(elsewhere.path() + "/prey"));

    fs::create_directory_symlink(in.path(), elsewhere.path() + "/alias");
    EXPECT_EQ(fault_of([&] { open_in(elsewhere.path() + "/alias"); }), log_fault::io);
}

TEST(LogFiles, AFifoInThePlaceOfASegmentDoesNotBlock)
{
    temporary_directory const in;
    ASSERT_EQ(::mkfifo((in.path() + "/0000000000000001.seg").c_str(), 0600), 0);
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::io);
}

TEST(LogFiles, OnTmpfsAreRefusedUnlessAllowedByName)
{
    struct statfs system = {};
    if (::statfs("/dev/shm", &system) != 0 || system.f_type != 0x01021994) {
        GTEST_SKIP() << "/dev/shm is no tmpfs here";
    }
    temporary_directory const in("/dev/shm");
    auto options = repeatable(nullptr);
    options.allowed_file_systems.clear();
    EXPECT_EQ(fault_of([&] { file_log(in.path(), options); }), log_fault::unsafe_file_system);
    options.allowed_file_systems = {"tmpfs"};
    EXPECT_NO_THROW(file_log(in.path(), options));
}

TEST(LogOwner, IsNamedToWhoeverComesSecond)
{
    temporary_directory const in;
    child_process owner([&](int to) {
        auto const log = open_in(in.path());
        tell(to, "!");
        stay();
    });
    ASSERT_EQ(owner.hear(1), "!");

    auto const begun = std::chrono::steady_clock::now();
    try {
        open_in(in.path(), 200ms);
        FAIL() << "two owners";
    } catch (log_error const& error) {
        EXPECT_EQ(error.fault(), log_fault::locked);
        EXPECT_THAT(error.what(),
                    ::testing::HasSubstr("process " + std::to_string(owner.pid()) + ";"));
    }
    auto const waited = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(waited, 200ms);
    EXPECT_LT(waited, 10s);
}

TEST(LogOwner, IsWaitedForAsLongAsAllowed)
{
    temporary_directory const in;
    child_process owner([&](int to) {
        auto const log = open_in(in.path());
        tell(to, "!");
        stay();
    });
    ASSERT_EQ(owner.hear(1), "!");
    child_process second(
        [&](int) { ::_exit(open_in(in.path(), 60s)->current().epoch == 2 ? 0 : 1); });
    owner.kill_now();
    EXPECT_EQ(second.wait(), 0);
}

TEST(LogOwner, KilledAtAnyMomentHasLostNothingItAcknowledged)
{
    temporary_directory const in;
    std::set<std::string> acknowledged;
    constexpr unsigned lives = 15;
    for (unsigned life = 1; life <= lives; ++life) {
        child_process owner([&](int to) {
            auto const log = open_in(in.path());
            for (std::uint64_t i = 1;; ++i) {
                auto const what = decision_of(*log, i);
                if (!is_durable(log->force(what, far_away()))) ::_exit(1);
                tell(to, what.global.text());
            }
        });
        std::string told = owner.hear((3 + life * 5) * gtrid::length);
        owner.kill_now();
        told += owner.hear(1'000'000);  // what it managed to say before it died
        ASSERT_GE(told.size(), (3 + life * 5) * gtrid::length);
        for (std::size_t at = 0; at + gtrid::length <= told.size(); at += gtrid::length) {
            acknowledged.insert(told.substr(at, gtrid::length));
        }
        auto const log = open_in(in.path());
        EXPECT_EQ(log->current().epoch, 2 * life);
        for (std::string const& text : acknowledged) {
            ASSERT_EQ(log->outcome(*gtrid::parse(text)), ports::recorded_outcome::committed);
        }
    }
}

TEST(LogFork, AChildKeepsNoCopiesAndNoLock)
{
    temporary_directory const in;
    auto log = open_in(in.path());
    child_process child([&](int to) {
        tell(to, "!");
        stay();
    });
    ASSERT_EQ(child.hear(1), "!");
    log.reset();

    // The lock lives until the last copy of its descriptor is closed.
    EXPECT_NO_THROW(open_in(in.path()));
    child.kill_now();
}

TEST(LogFork, AChildThatAbandonsTheLogKeepsNothing)
{
    temporary_directory const in;
    auto log = open_in(in.path());
    child_process child([&](int to) {
        log->abandon();
        tell(to, "!");
        stay();
    });
    ASSERT_EQ(child.hear(1), "!");
    EXPECT_EQ(fault_of([&] { open_in(in.path()); }), log_fault::locked)
        << "the child's closing must not release the parent's lock";
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
    log.reset();

    EXPECT_NO_THROW(open_in(in.path())) << "the child is alive and holds nothing";
}

TEST(LogFork, AnAbandonedLogCanBeDestroyedBesideThreadsThatWereForkedAway)
{
    temporary_directory const in;
    auto options = repeatable(nullptr);
    options.idle_seal_wait = 1ms;
    auto log = std::make_unique<file_log>(in.path(), options);
    child_process child([&](int) {
        log->abandon();
        bool const is_inert = !is_durable(log->force(decision_of(*log, 1), far_away()));
        log.reset();
        ::_exit(is_inert ? 0 : 1);
    });
    EXPECT_EQ(child.wait(), 0);
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
}

TEST(LogView, ShowsALiveLogWithoutTouchingIt)
{
    temporary_directory const in;
    auto const log = open_in(in.path());
    auto const what = decision_of(*log, 1);
    ASSERT_TRUE(is_durable(log->force(what, far_away())));
    log->bind("orders", "mysql", "uuid");

    for (int again = 0; again < 3; ++again) {
        auto const view = log::view_log(in.path());
        EXPECT_TRUE(view.lock.is_held);
        EXPECT_EQ(view.lock.owner.pid, ::getpid());
        EXPECT_EQ(view.lock.owner.epoch, 1U);
        EXPECT_GT(view.lock.owner.started_unix_ms, 1'577'836'800'000);
        EXPECT_EQ(view.newest.writer.node, log->node());
        EXPECT_EQ(view.newest.writer.epoch, log->current().epoch);
        EXPECT_EQ(view.newest.node_label, "shop-1");
        EXPECT_EQ(view.image.decisions().count(what.global), 1U);
        EXPECT_EQ(view.image.bindings().size(), 1U);
    }
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 2), far_away())));
}

TEST(LogView, ShowsALogWithoutAnOwner)
{
    temporary_directory const in;
    auto log = open_in(in.path());
    log.reset();
    auto const view = log::view_log(in.path());
    EXPECT_FALSE(view.lock.is_held);
    EXPECT_EQ(view.lock.owner.pid, ::getpid()) << "the last one";
    EXPECT_EQ(view.tail.end, log::segment_end::sealed);
    EXPECT_EQ(open_in(in.path())->current().epoch, 2U) << "looking raises no epoch";
}

TEST(LogView, SaysWhenThereIsNoLog)
{
    temporary_directory const in;
    EXPECT_EQ(fault_of([&] { log::view_log(in.path()); }), log_fault::missing_segment);
    EXPECT_TRUE(fs::is_empty(in.path())) << "and makes none";
    EXPECT_EQ(fault_of([&] { log::view_log(in.path() + "/nowhere"); }), log_fault::io);
}

TEST(LogView, BesideABusyOwnerSeesEveryDecisionThatWasAcknowledgedBefore)
{
    temporary_directory const in;
    child_process owner([&](int to) {
        auto options = repeatable(nullptr);
        options.segment_bytes = log::segment_pages_min * log::page_bytes;  // rolls all the time
        file_log log(in.path(), options);
        for (std::uint64_t i = 1;; ++i) {
            auto const what = decision_of(log, i);
            if (!is_durable(log.force(what, far_away()))) ::_exit(1);
            finish(log, what);
            if (i > 20) {
                log.raise_horizon(1, {1, i - 20});
                log.raise_horizon(2, {1, i - 20});
            }
            tell(to, what.global.text());
        }
    });
    for (unsigned i = 0; i < 100; ++i) {
        auto const which = gtrid::parse(owner.hear(gtrid::length));
        ASSERT_TRUE(which.has_value());
        auto const view = log::view_log(in.path());
        auto const horizon = view.image.horizon(1);
        bool const is_there = view.image.decisions().count(*which) == 1;
        EXPECT_TRUE(is_there || horizon.covers(ports::position_of(*which))) << which->text();
    }
}

}  // namespace
}  // namespace assent::testing
