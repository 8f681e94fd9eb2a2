// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// torture_test.cpp -- thousands of transfers by a program that is killed again and again, while the
// operator's program recovers in a loop.
//
//   ASSENT_TORTURE_TRANSFERS   to be acknowledged in all      10000
//   ASSENT_TORTURE_KILLS       of the bank's program, at least   21
//   ASSENT_TORTURE_SEED        of the moments and the amounts     1
//   ASSENT_TORTURE_THREADS     of the bank's program               8
//
// After a kill the program's next opening recovers, or the operator's program does, or whoever of
// them is first.  At the end both ledgers are equal, the money adds up, and every answer was true.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "tests/crash/scene.hpp"
#include "tests/servers/spawn.hpp"

namespace {

using namespace assent::testing;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

long from_environment(char const* name, long otherwise)
{
    char const* const given = std::getenv(name);
    return given == nullptr || *given == '\0' ? otherwise : std::stol(given);
}

/// The sum of all numbers that follow `"key":` in a JSON text.
long sum_of(std::string const& json, std::string const& key)
{
    auto const quoted = "\"" + key + "\":";
    long sum = 0;
    for (auto at = json.find(quoted); at != std::string::npos; at = json.find(quoted, at)) {
        at += quoted.size();
        sum += std::strtol(json.c_str() + at, nullptr, 10);
    }
    return sum;
}

/// Who may recover after a kill.
enum class first { program = 0, tool = 1, anybody = 2 };

/// Runs `assent recover` in a loop, for as long as it lives.
class operator_at_work
{
public:
    operator_at_work(std::string const& directory, plan const& what)
        : configuration_(directory + "/assent.toml")
    {
        durable_lines{directory + "/accounts.connect"}.add(what.text("accounts"));
        durable_lines{directory + "/orders.connect"}.add(what.text("orders"));
        durable_lines{configuration_}.add(
            "log_directory = \"" + what.text("log") + "\"\nnode_label = \"crash\"\n" +
            "[[resource_manager]]\nname = \"accounts\"\nkind = \"postgresql\"\nconnect_file = \"" +
            directory + "/accounts.connect\"\n" +
            "[[resource_manager]]\nname = \"orders\"\nkind = \"mariadb\"\nconnect_file = \"" +
            directory + "/orders.connect\"");
        thread_ = std::thread{[this] { loop(); }};
    }
    ~operator_at_work()
    {
        is_over_ = true;
        go_on();
        thread_.join();
    }

    /// From pause() to go_on(), no recovery begins and none is under way.
    void pause()
    {
        std::unique_lock held{mutex_};
        is_paused_ = true;
        changed_.wait(held, [&] { return !is_running_; });
    }
    void go_on()
    {
        std::lock_guard const held{mutex_};
        is_paused_ = false;
        changed_.notify_all();
    }

    /// Waits until a recovery that began after this call has had the log.
    /// @return whether one had.
    bool wait_for_recovery(assent::deadline until)
    {
        std::unique_lock held{mutex_};
        auto const wanted = begun_ + 1;
        return changed_.wait_until(held, until, [&] { return last_with_log_ >= wanted; });
    }

    int decided_runs() const { return decided_runs_; }
    long decided_branches() const { return decided_branches_; }
    int owned_runs() const { return owned_runs_; }

private:
    static constexpr int exit_owned = 3;
    static constexpr int exit_attention = 4;

    void loop()
    {
        while (!is_over_) {
            {
                std::unique_lock held{mutex_};
                changed_.wait(held, [&] { return !is_paused_; });
                is_running_ = true;
                ++begun_;
            }
            auto const told =
                run_process({ASSENT_CRASH_TOOL, "--config", configuration_, "--json", "recover",
                             "--timeout", "30", "--presumed-abort-delay", "0"});
            bool const had_log = told.status == 0 || told.status == exit_attention;
            if (!had_log && told.status != exit_owned) {
                ADD_FAILURE() << "assent recover ended with " << told.status << ": " << told.output;
            }
            if (told.status == exit_attention) {
                ADD_FAILURE() << "assent recover wants a person: " << told.output;
            }
            note(told.output, had_log);
        }
    }

    void note(std::string const& told, bool had_log)
    {
        long const decided = sum_of(told, "committed") + sum_of(told, "rolled_back");
        if (had_log && decided > 0) {
            ++decided_runs_;
            decided_branches_ += decided;
        }
        owned_runs_ += !had_log;
        std::lock_guard const held{mutex_};
        is_running_ = false;
        if (had_log) last_with_log_ = begun_;
        changed_.notify_all();
    }

    std::string const configuration_;
    std::atomic<bool> is_over_{false};
    std::atomic<int> decided_runs_{0};
    std::atomic<long> decided_branches_{0};
    std::atomic<int> owned_runs_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_paused_ = false;
    bool is_running_ = false;
    long begun_ = 0;
    long last_with_log_ = 0;
    std::thread thread_;
};

std::size_t lines_in(std::string const& path)
{
    std::ifstream file{path};
    return static_cast<std::size_t>(
        std::count(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}, '\n'));
}

/// Reads on where it stopped, so that a long campaign costs no more than a short one.
class answer_count
{
public:
    explicit answer_count(std::string const& path) : path_(path) {}

    std::map<std::string, long> const& look()
    {
        std::ifstream file{path_};
        file.seekg(read_);
        for (std::string line; std::getline(file, line) && !file.eof();) {
            read_ += static_cast<std::streamoff>(line.size()) + 1;
            ++counts_[line.substr(0, line.find(' '))];
        }
        return counts_;
    }
    long committed() { return look().count("committed") != 0 ? counts_["committed"] : 0; }

private:
    std::string const path_;
    std::streamoff read_ = 0;
    std::map<std::string, long> counts_;
};

class Torture : public ::testing::Test
{
protected:
    void start_program()
    {
        auto const run = std::to_string(++runs_);
        plan made = what_;
        made.set("prefix", "run" + run).set("seed", seed_ * 1000 + runs_);
        made.set("recovered", directory_ + "/recovered-" + run);
        made.set("ready", directory_ + "/ready-" + run);
        made.write(made.text("file"));
        program_ = spawn({ASSENT_CRASH_BANK, made.text("file")}, -1, -1);
        ready_ = made.text("ready");
    }

    void kill_program()
    {
        ::kill(program_, SIGKILL);
        EXPECT_EQ(scene::wait(program_), fate::killed);
    }

    void wait_until_open()
    {
        auto const until = in_seconds(60);
        while (!std::filesystem::exists(ready_)) {
            ASSERT_LT(steady_clock::now(), until) << "the program does not open its log";
            ASSERT_EQ(::waitpid(program_, nullptr, WNOHANG), 0) << "the program ended by itself";
            std::this_thread::sleep_for(milliseconds{5});
        }
    }

    /// Lets the program work until `total` transfers are acknowledged.
    void wait_for_answers(long total)
    {
        auto const until = in_seconds(120);
        while (answers_->committed() < total) {
            ASSERT_LT(steady_clock::now(), until) << "the program does not get on";
            ASSERT_EQ(::waitpid(program_, nullptr, WNOHANG), 0) << "the program ended by itself";
            std::this_thread::sleep_for(milliseconds{5});
        }
    }

    /// Openings of the program that finished branches of earlier ones.
    int runs_that_recovered() const
    {
        int count = 0;
        for (int run = 1; run <= runs_; ++run)
            count += lines_in(directory_ + "/recovered-" + std::to_string(run)) > 0;
        return count;
    }

    scene scene_;
    long const transfers_ = from_environment("ASSENT_TORTURE_TRANSFERS", 10'000);
    long const kills_ = from_environment("ASSENT_TORTURE_KILLS", 21);
    long const seed_ = from_environment("ASSENT_TORTURE_SEED", 1);
    std::string const directory_ = scene_.new_directory();
    plan what_ = scene_.new_plan("bank", handles::leased);
    std::unique_ptr<answer_count> answers_;
    pid_t program_ = 0;
    std::string ready_;
    int runs_ = 0;
};

TEST_F(Torture, LeavesTheBankWhole)
{
    what_.set("threads", from_environment("ASSENT_TORTURE_THREADS", 8));
    answers_ = std::make_unique<answer_count>(what_.text("answers"));
    std::mt19937 random(static_cast<unsigned>(seed_));
    scene_.recover(what_);  // makes the log, so that the operator has one to look at
    scene_.money().stop_looking();
    auto const begun = steady_clock::now();
    auto const progress = [&](first who) {
        auto const seconds = std::chrono::duration<double>(steady_clock::now() - begun).count();
        std::cout << "run " << runs_ << ": " << answers_->committed() << " committed in " << seconds
                  << " s, killed; "
                  << (who == first::program ? "the program recovers"
                      : who == first::tool  ? "the operator recovers"
                                            : "whoever is first recovers")
                  << std::endl;
    };
    {
        operator_at_work tool{directory_, what_};
        start_program();
        for (long kill = 1; kill <= kills_; ++kill) {
            wait_until_open();
            if (HasFatalFailure()) break;
            auto const so_far = answers_->committed();
            wait_for_answers(so_far + (transfers_ - so_far) / (kills_ - kill + 2));
            if (HasFatalFailure()) break;
            std::this_thread::sleep_for(std::chrono::microseconds{random() % 20'000});

            auto const who = static_cast<first>(kill % 3);
            if (who == first::program) tool.pause();
            kill_program();
            progress(who);
            if (who == first::tool) {
                EXPECT_TRUE(tool.wait_for_recovery(in_seconds(60))) << "the operator never came";
            }
            start_program();
            if (who == first::program) {
                wait_until_open();
                tool.go_on();
            }
            if (who == first::anybody && random() % 2 == 0) {
                // Once more, while it opens the log, recovers, or has just begun.
                std::this_thread::sleep_for(std::chrono::microseconds{random() % 200'000});
                kill_program();
                start_program();
            }
        }
        if (!HasFatalFailure()) wait_until_open();
        if (!HasFatalFailure()) wait_for_answers(transfers_);
        ::kill(program_, SIGTERM);
        EXPECT_EQ(scene::wait(program_), fate::ended);
        std::cout << "recoveries that decided: by the operator " << tool.decided_runs() << " ("
                  << tool.decided_branches() << " branches), by the program "
                  << runs_that_recovered() << "; refused while the program lived "
                  << tool.owned_runs() << '\n';
        EXPECT_GE(tool.decided_runs(), kills_ / 4);
        EXPECT_GE(runs_that_recovered(), kills_ / 4);
    }
    for (auto const& [said, count] : answers_->look())
        std::cout << said << ": " << count << '\n';

    scene_.recover(what_);
    scene_.expect_whole(what_);
}

}  // namespace
