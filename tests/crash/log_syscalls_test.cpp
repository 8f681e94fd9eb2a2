// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_syscalls_test.cpp -- the real log on a real file system, while the kernel seems to fail: each
// system call that the log makes, one after the other, fails once (strace -e inject).
//
// Whatever failed, the log's answers were true: reopened, it holds every decision that was called
// durable, and none that was called not submitted.  ASSENT_SYSCALLS_ALL=1 takes every error at
// every call; otherwise each call gets the errors that matter most there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/servers/spawn.hpp"
#include "tests/unit/log/log_fixture.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using namespace assent;
using namespace assent::testing;

constexpr char strace[] = "/usr/bin/strace";

struct told
{
    std::set<std::string> durable, in_doubt, not_submitted;
    bool was_refused = false;
    bool has_ended = false;
    std::string medium;
};

told read(std::string const& output)
{
    told all;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
        auto const blank = line.find(' ');
        std::string const word = line.substr(0, blank);
        std::string const rest = blank == std::string::npos ? "" : line.substr(blank + 1);
        if (word == "durable") all.durable.insert(rest);
        if (word == "in_doubt") all.in_doubt.insert(rest);
        if (word == "not_submitted") all.not_submitted.insert(rest);
        if (word == "opened") all.medium = rest;
        all.was_refused = all.was_refused || word == "refused";
        all.has_ended = all.has_ended || word == "ended";
    }
    return all;
}

/// A directory with the log of an earlier run, made anew for each fault.
class scene
{
public:
    explicit scene(std::string mode) : mode_(std::move(mode))
    {
        fs::create_directory(earlier_);
        fs::permissions(earlier_, fs::perms::owner_all);
        base_ = read(run_process({ASSENT_LOG_VICTIM, earlier_, mode_, "1", "7"}).output);
        EXPECT_EQ(base_.durable.size(), 7U);
        EXPECT_THAT(base_.medium, ::testing::HasSubstr(mode_ == "direct" ? "O_DIRECT" : "cache"));
    }

    /// Runs the victim with `inject` (strace's words; empty: none).
    told run(std::string const& inject)
    {
        fs::remove_all(log_);
        fs::copy(earlier_, log_);
        fs::permissions(log_, fs::perms::owner_all);
        std::vector<std::string> words = {strace, "-f", "-qq", "-o", trace_};
        for (auto const& path : paths()) {
            words.insert(words.end(), {"-P", path});
        }
        words.insert(words.end(),
                     {"-e",
                      "trace=openat,pwrite64,pread64,fdatasync,fsync,renameat2,unlinkat,"
                      "newfstatat,getdents64,fcntl,fstatfs"});
        if (!inject.empty()) words.insert(words.end(), {"-e", "inject=" + inject});
        words.insert(words.end(), {ASSENT_LOG_VICTIM, log_, mode_, "11", "18"});
        auto const ran = run_process(words);
        output_ = ran.output;
        EXPECT_EQ(ran.status, 0) << inject << "\n" << output_;
        return read(output_);
    }

    /// How often each call was made by the last run.
    std::map<std::string, int> calls() const
    {
        std::map<std::string, int> all;
        std::ifstream in(trace_);
        std::regex const call("^[0-9]+ +([a-z0-9]+)\\(");
        std::smatch found;
        for (std::string line; std::getline(in, line);) {
            if (std::regex_search(line, found, call)) ++all[found[1]];
        }
        return all;
    }
    bool was_injected() const
    {
        std::ifstream in(trace_);
        std::stringstream text;
        text << in.rdbuf();
        return text.str().find("(INJECTED)") != std::string::npos;
    }

    void check(told const& now, std::string const& inject) const
    {
        SCOPED_TRACE(inject + "\n" + output_);
        EXPECT_TRUE(now.has_ended) << "no fault may end the process";
        auto options = repeatable(nullptr);
        options.random = nullptr;
        log::file_log const log(log_, options);
        auto const outcome = [&](std::string const& id) {
            return log.outcome(gtrid::parse(id).value());
        };
        for (auto const* durable : {&base_.durable, &now.durable}) {
            for (auto const& id : *durable) {
                // Branch 2 was never below a horizon, so finished decisions are kept as well.
                EXPECT_EQ(outcome(id), ports::recorded_outcome::committed) << id;
            }
        }
        for (auto const& id : now.not_submitted) {
            EXPECT_EQ(outcome(id), ports::recorded_outcome::unknown) << id;
        }
        EXPECT_LE(now.in_doubt.size(), 1U) << "after one failed force nothing is submitted";
    }

private:
    std::vector<std::string> paths() const
    {
        std::vector<std::string> all = {log_, log_ + "/lock"};
        for (int number = 1; number <= 9; ++number) {
            std::string const name = log_ + "/000000000000000" + std::to_string(number) + ".seg";
            all.push_back(name);
            all.push_back(name + ".tmp");
        }
        return all;
    }

    temporary_directory const in_;
    std::string const mode_;
    std::string const earlier_ = in_.path() + "/earlier";
    std::string const log_ = in_.path() + "/log";
    std::string const trace_ = in_.path() + "/trace";
    std::string output_;
    told base_;
};

std::vector<std::string> faults_of(std::string const& call)
{
    bool const has_all = std::getenv("ASSENT_SYSCALLS_ALL") != nullptr;
    if (call == "pwrite64") return {"error=EIO", "error=ENOSPC", "error=EINTR", "retval=100"};
    if (has_all) return {"error=EIO", "error=ENOSPC", "error=EINTR", "error=ENOMEM"};
    if (call == "fdatasync" || call == "fsync") return {"error=EIO", "error=EINTR"};
    if (call == "openat") return {"error=ENOSPC", "error=EMFILE"};
    return {"error=EIO"};
}

void fail_each_call(std::string const& mode)
{
    if (run_process({strace, "-o", "/dev/null", "/bin/true"}).status != 0) {
        GTEST_SKIP() << "strace may not trace processes here";
    }
    scene at(mode);
    auto const undisturbed = at.run("");
    ASSERT_EQ(undisturbed.durable.size(), 8U);
    at.check(undisturbed, "nothing injected");
    int injected = 0;
    int refused = 0;
    int doubtful = 0;
    for (auto const& [call, count] : at.calls()) {
        for (auto const& fault : faults_of(call)) {
            for (int n = 1; n <= count; ++n) {
                std::string const inject = call + ":" + fault + ":when=" + std::to_string(n);
                auto const now = at.run(inject);
                injected += at.was_injected();
                refused += now.was_refused;
                doubtful += !now.in_doubt.empty();
                at.check(now, inject);
                if (::testing::Test::HasFailure()) return;
            }
        }
    }
    std::cout << mode << ": " << injected << " faults, " << refused << " refused openings, "
              << doubtful << " decisions in doubt\n";
    EXPECT_GT(injected, 100);
    EXPECT_GT(refused, 10);
    EXPECT_GE(doubtful, 8) << "each decision's own force failed at least once";
}

TEST(LogSystemCalls, FailOneByOnePastThePageCacheAndEveryAnswerIsTrue)
{
    fail_each_call("direct");
}

TEST(LogSystemCalls, FailOneByOneThroughThePageCacheAndEveryAnswerIsTrue)
{
    fail_each_call("cached");
}

}  // namespace
