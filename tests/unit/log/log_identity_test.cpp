// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_identity_test.cpp -- the log is the file that has its name, and a descriptor is the file that
// was opened: directories that are moved, files that are replaced, numbers that change hands.

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "forwarding_file_layer.hpp"
#include "log/file_log.hpp"
#include "log/posix_file_layer.hpp"
#include "log_fixture.hpp"
#include "ports/standard_descriptors.hpp"
#include "temporary_directory.hpp"

namespace assent::testing {
namespace {

namespace fs = std::filesystem;
using kind = ports::force_failure::kind;
using log::file_log;

char const* const first_segment = "/0000000000000001.seg";

/// As on a file system that takes no O_DIRECT.
class cached_file_layer final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        bool const is_changed = mode == log::open_mode::force;
        return target().open(name, is_changed ? log::open_mode::read_write : mode);
    }
};

std::unique_ptr<file_log> open_in(std::string const& directory, bool is_cached = false)
{
    std::shared_ptr<log::file_layer> files = std::make_shared<log::posix_file_layer>(directory);
    if (is_cached) files = std::make_shared<cached_file_layer>(std::move(files));
    auto options = repeatable(std::move(files));
    options.random = nullptr;  // the kernel's: every opening needs a nonce of its own
    options.unix_ms = nullptr;
    return std::make_unique<file_log>(directory, options);
}

/// Descriptors of this process that are open on something beneath `path`.
std::set<int> descriptors_on(std::string const& path)
{
    std::set<int> all;
    for (auto const& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;  // the iterator's own
        auto const target = fs::read_symlink(entry.path(), gone);
        if (!gone && target.string().rfind(path, 0) == 0) {
            all.insert(std::stoi(entry.path().filename()));
        }
    }
    return all;
}

std::string text_of(std::string const& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class LogName : public ::testing::TestWithParam<bool>
{
protected:
    void begin()
    {
        log = open_in(directory, GetParam());
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
    }
    void expect_end(std::uint64_t sequence = 2)
    {
        auto const next = log->force(decision_of(*log, sequence), far_away());
        ASSERT_FALSE(is_durable(next)) << "the very next force";
        EXPECT_EQ(failure_of(next), kind::in_doubt);
        EXPECT_TRUE(log->state().is_poisoned);
        EXPECT_THAT(log->state().why, ::testing::HasSubstr("removed, moved or replaced"));
        EXPECT_FALSE(log->reserve());
        EXPECT_EQ(failure_of(log->force(decision_of(*log, sequence + 1), far_away())),
                  kind::not_submitted);
    }

    temporary_directory const in;
    std::string const directory = in.path() + "/log";
    std::unique_ptr<file_log> log;
};

TEST_P(LogName, OfTheDirectoryIsLostWhenItIsMoved)
{
    begin();
    fs::rename(directory, in.path() + "/elsewhere");
    expect_end();
}

TEST_P(LogName, OfADirectoryAboveIsLostWhenItIsMoved)
{
    fs::create_directory(in.path() + "/above");
    log = open_in(in.path() + "/above/log", GetParam());
    fs::rename(in.path() + "/above", in.path() + "/beside");
    expect_end(1);
}

TEST_P(LogName, OfADirectoryThatWasMovedAndMadeAnewIsAnotherLog)
{
    begin();
    fs::rename(directory, in.path() + "/elsewhere");
    auto second = open_in(directory);
    ASSERT_TRUE(is_durable(second->force(decision_of(*second, 1), far_away())));
    expect_end();
    log.reset();
    EXPECT_TRUE(is_durable(second->force(decision_of(*second, 2), far_away())));
    second.reset();
    EXPECT_EQ(open_in(directory)->unfinished().size(), 2U);
}

TEST_P(LogName, OfAllFilesIsLostWhenTheDirectoryIsRemoved)
{
    begin();
    fs::remove_all(directory);
    expect_end();
}

TEST_P(LogName, OfTheLockIsLostWhenItIsReplaced)
{
    begin();
    fs::remove(directory + "/lock");
    std::ofstream(directory + "/lock") << "pid 1\n";
    expect_end();
}

TEST_P(LogName, OfTheLockIsLostWhenItIsRemoved)
{
    begin();
    fs::remove(directory + "/lock");
    expect_end();
}

TEST_P(LogName, OfTheSegmentIsLostWhenItIsReplacedByItsCopy)
{
    begin();
    fs::copy_file(directory + first_segment, directory + "/copy");
    fs::rename(directory + "/copy", directory + first_segment);
    expect_end();
}

TEST_P(LogName, OfTheSegmentIsLostWhenItIsMoved)
{
    begin();
    fs::rename(directory + first_segment, in.path() + "/away");
    expect_end();
}

TEST_P(LogName, GoneAWhileAndBackIsNoLoss)
{
    begin();
    fs::rename(directory, in.path() + "/elsewhere");
    fs::rename(in.path() + "/elsewhere", directory);
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 2), far_away())));
}

TEST_P(LogName, LostBetweenTwoSegmentsIsNoticedBeforeTheNewOneCounts)
{
    begin();
    std::uint64_t sequence = 2;
    // Until the next decision needs a new segment.
    for (std::size_t i = 0; i < small_segment / log::page_bytes - 5; ++i) {
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, sequence++), far_away())));
    }
    fs::rename(directory, in.path() + "/elsewhere");
    for (int i = 0; i < 4; ++i) {
        EXPECT_FALSE(is_durable(log->force(decision_of(*log, sequence++), far_away())));
    }
    EXPECT_TRUE(log->state().is_poisoned);
}

TEST_P(LogName, GivenToAnotherLogInTheSameDirectoryLeavesThatOneAlone)
{
    begin();
    for (auto const& entry : fs::directory_iterator(directory)) {
        fs::remove(entry.path());
    }
    auto second = open_in(directory);  // its files have the names that the first one's had
    ASSERT_TRUE(is_durable(second->force(decision_of(*second, 1), far_away())));

    expect_end();
    log->close();
    log.reset();

    EXPECT_TRUE(is_durable(second->force(decision_of(*second, 2), far_away())));
    second.reset();
    EXPECT_EQ(open_in(directory)->unfinished().size(), 2U);
}

TEST_P(LogName, IsTheWholeOneWhereverTheProcessGoes)
{
    auto const before = fs::current_path();
    fs::current_path(in.path());
    log = open_in("log", GetParam());
    fs::current_path("/");
    EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
    fs::current_path(before);
}

/// A file of the application under a number that was ours.
class usurper
{
public:
    usurper(std::string const& path, int number) : path_(path), number_(number)
    {
        std::ofstream(path_) << std::string(1 << 20, 'x');
        int const opened = ::open(path_.c_str(), O_RDWR);
        ::dup2(opened, number_);  // closes ours, as closing what one does not know does
        if (opened != number_) ::close(opened);
    }
    ~usurper() { ::close(number_); }

    void expect_untouched() const
    {
        EXPECT_EQ(text_of(path_), std::string(1 << 20, 'x')) << "pages in a file of somebody else";
        EXPECT_GE(::fcntl(number_, F_GETFD), 0) << "closed, though it is somebody else's";
    }

private:
    std::string path_;
    int number_;
};

TEST_P(LogName, AndItsDescriptorsChangeHandsOneByOne)
{
    open_in(directory);
    auto const before = descriptors_on(in.path());
    ASSERT_TRUE(before.empty());
    log = open_in(directory, GetParam());
    auto const count = descriptors_on(directory).size();
    ASSERT_GE(count, 3U);
    log.reset();
    unsigned lost = 0;
    for (std::size_t i = 0; i < count; ++i) {
        SCOPED_TRACE(i);
        log = open_in(directory, GetParam());
        auto const ours = descriptors_on(directory);
        ASSERT_EQ(ours.size(), count);
        usurper const other(in.path() + "/file", *std::next(ours.begin(), static_cast<long>(i)));

        auto const next = log->force(decision_of(*log, 1), far_away());
        lost += !is_durable(next);
        other.expect_untouched();
        for (std::uint64_t sequence = 2; sequence < 30; ++sequence) {  // with a new segment or two
            auto const what = decision_of(*log, sequence);
            if (is_durable(log->force(what, far_away()))) finish(*log, what);
        }
        log.reset();
        other.expect_untouched();
    }
    EXPECT_GE(lost, count - 1) << "all but the spare, which is not in use yet";
}

TEST_P(LogName, AndItsDescriptorsAreClosedByWhoeverClosesAll)
{
    begin();
    for (int const one : descriptors_on(directory))
        ::close(one);
    expect_end();
}

TEST_P(LogName, AndWhatTookItsNumbersStaysOpenInAChild)
{
    begin();
    auto const ours = descriptors_on(directory);
    usurper const other(in.path() + "/file", *ours.rbegin());
    auto const child = ::fork();
    if (child == 0) {
        log->abandon();
        bool const is_open = ::fcntl(*ours.rbegin(), F_GETFD) >= 0;
        bool const are_closed = ::fcntl(*ours.begin(), F_GETFD) < 0;
        ::_exit(is_open && are_closed ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

/// A child that kept the lock's file would keep the lock, however early it was forked.
TEST(LogLock, OfALogThatIsBeingOpenedIsNotInAChild)
{
    temporary_directory const in;
    std::string const directory = in.path() + "/log";
    log::posix_file_layer files{directory};
    log::directory_facts facts;
    ASSERT_EQ(files.attach(true, facts), 0);
    long const lock = files.open("lock", log::open_mode::create_or_open);
    ASSERT_GE(lock, 0);
    ASSERT_EQ(files.lock(lock), 0);
    ASSERT_EQ(descriptors_on(directory).size(), 2U);
    auto const child = ::fork();
    if (child == 0) ::_exit(descriptors_on(directory).empty() ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(descriptors_on(directory).size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(OnFiles, LogName, ::testing::Bool(), [](auto const& one) {
    return std::string(one.param ? "ThroughThePageCache" : "PastThePageCache");
});

/// Of a child that has all standard streams, whatever the tests were started with.
int status_of(std::function<bool()> const& succeeds)
{
    auto const child = ::fork();
    if (child == 0) {
        int opened = ::open("/dev/null", O_RDWR);
        while (opened >= 0 && opened < 3)
            opened = ::open("/dev/null", O_RDWR);
        ::close(opened);
        ::_exit(succeeds() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

bool is_closed(int number)
{
    return ::fcntl(number, F_GETFD) < 0;
}

TEST(StandardStreams, ThatAreClosedAreNotTakenByTheLog)
{
    temporary_directory const in;
    for (unsigned closed = 1; closed < 8; ++closed) {
        auto const life = [&] {
            for (int number = 0; number < 3; ++number) {
                if ((closed >> number & 1) != 0) ::close(number);
            }
            auto options = repeatable(nullptr);
            options.random = nullptr;
            options.unix_ms = nullptr;
            options.makes_segments_ahead = true;
            file_log log(in.path(), options);
            for (std::uint64_t i = 1; i < 40; ++i) {
                if (!is_durable(log.force(decision_of(log, i), far_away()))) return false;
                for (int number = 0; number < 3; ++number) {
                    if ((closed >> number & 1) == 0) continue;
                    char const print[] = "a line that somebody prints\n";
                    // Not by write(): ThreadSanitizer calls a print to a closed number a race.
                    ::syscall(SYS_write, number, print, sizeof print);
                }
            }
            log.close();
            for (int number = 0; number < 3; ++number) {
                if (is_closed(number) != ((closed >> number & 1) != 0)) return false;
            }
            return true;
        };
        EXPECT_EQ(status_of(life), 0) << "closed: " << closed;
        EXPECT_NO_THROW(open_in(in.path()));
    }
}

TEST(StandardStreams, AreHeldOnTheNullDeviceAndGivenBack)
{
    EXPECT_EQ(status_of([] {
                  ::close(0);
                  ::close(1);
                  {
                      ports::standard_descriptors const held;
                      ports::standard_descriptors const again;
                      if (is_closed(0) || is_closed(1)) return false;
                  }
                  return is_closed(0) && is_closed(1) && !is_closed(2);
              }),
              0);
}

TEST(StandardStreams, ThatAreOpenedMeanwhileStayOpen)
{
    temporary_directory const in;
    EXPECT_EQ(status_of([&] {
                  ::close(1);
                  {
                      ports::standard_descriptors const held;
                      int const own = ::open((in.path() + "/out").c_str(), O_CREAT | O_RDWR, 0600);
                      ::dup2(own, 1);
                  }
                  return ::write(1, "x", 1) == 1;
              }),
              0);
}

TEST(StandardStreams, OnTheNullDeviceBySomebodyElseStayOpen)
{
    EXPECT_EQ(status_of([] {
                  ::close(1);
                  {
                      ports::standard_descriptors const held;
                      int const null = ::open("/dev/null", O_RDWR);
                      ::dup2(null, 1);  // as whoever becomes a daemon does
                  }
                  return !is_closed(1);
              }),
              0);
}

TEST(SimulatedDisk, PlaysTheLossOfNames)
{
    for (std::string const lost : {"lock", "0000000000000001.seg", ""}) {
        auto const disk = std::make_shared<simulated_disk>();
        auto const log = open_on(disk);
        ASSERT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
        if (lost.empty()) {
            disk->is_moved = true;
        } else {
            disk->remove(lost);
        }
        EXPECT_EQ(failure_of(log->force(decision_of(*log, 2), far_away())), kind::in_doubt) << lost;
        EXPECT_TRUE(log->state().is_poisoned);
    }
}

}  // namespace
}  // namespace assent::testing
