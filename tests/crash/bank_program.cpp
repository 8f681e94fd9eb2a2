// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bank_program.cpp -- an application under load, made to be killed.  `bank_program PLAN`:
//
//   threads    each does transfers until the program is killed, or told to end by SIGTERM
//   answers    file: "committed run-thread-number", written when commit() has returned
//   recovered  file: one branch a line that this opening finished for an earlier one
//   ready      file: exists once the log is open
//
// Answers are written, not forced to disk: what a killed process wrote, the kernel keeps.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/crash/plan.hpp"
#include "tests/crash/teller.hpp"

namespace {

using namespace assent::testing;

class appended_lines
{
public:
    explicit appended_lines(std::string const& path)
        : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600))
    {
        if (file_ < 0) throw std::system_error(errno, std::generic_category(), "open " + path);
    }
    ~appended_lines() { ::close(file_); }
    appended_lines(appended_lines const&) = delete;
    appended_lines& operator=(appended_lines const&) = delete;

    void add(std::string line) const
    {
        line += '\n';  // one write, so that lines of several threads do not mix
        if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
            throw std::system_error(errno, std::generic_category(), "write");
        }
    }

private:
    int file_;
};

/// Writes down which branches of earlier openings this one finishes.
class recovery_watch : public assent::observer
{
public:
    explicit recovery_watch(std::string const& path) : lines_(path) {}

    void is_open(std::uint32_t epoch) { epoch_ = epoch; }

    void on(assent::event const& what) override
    {
        bool const is_finish = what.name == "branch.finished" || what.name == "branch.heuristic";
        if (!is_finish) return;
        auto const branch = assent::xid::parse(what.id);
        bool const is_older = branch && branch->global.parts().epoch < epoch_;
        if (is_older || what.name == "branch.heuristic") {
            lines_.add(std::string{what.name} + " " + std::string{what.id});
        }
    }

private:
    appended_lines lines_;
    std::atomic<std::uint32_t> epoch_{0};
};

void work(plan const& what, assent::transaction_manager& tm, both const& databases, int number,
          appended_lines const& answers, std::atomic<bool> const& is_over)
{
    // Every other thread brings connections of its own.
    teller here{tm, databases, what, number % 2 == 0 ? handles::leased : handles::borrowed};
    std::mt19937 random(static_cast<unsigned>(what.number("seed") * 1000 + number));
    auto const prefix = what.text("prefix") + "-" + std::to_string(number) + "-";
    for (long i = 0; !is_over; ++i) {
        auto const id = prefix + std::to_string(i);
        // Mostly rows of its own, now and then one that others want as well.
        int const account = random() % 16 == 0 ? static_cast<int>(random() % bank::accounts)
                                               : number % bank::accounts;
        auto const amount = static_cast<std::int64_t>(random() % 100 + 1);
        bool const is_kept = random() % 32 != 0;
        auto const said =
            is_kept ? here.transfer(id, amount, account) : here.refused(id, amount, account);
        answers.add(said + " " + id);
    }
}

int obey(plan const& what)
{
    // Blocked before the first thread, so that only sigwait() takes it.
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &end, nullptr);

    auto const watch = std::make_shared<recovery_watch>(what.text("recovered"));
    appended_lines const answers{what.text("answers")};
    auto bounds = crash_options("").given().limits;
    bounds.log_lock = std::chrono::seconds{60};  // while the operator's program recovers
    assent::transaction_manager tm{crash_options(what.text("log")).limits(bounds).observe(watch)};
    watch->is_open(tm.state().epoch);
    appended_lines{what.text("ready")}.add("open");
    auto const databases = add_both(tm, what);

    std::atomic<bool> is_over{false};
    std::vector<std::thread> threads;
    for (int number = 0; number < what.number("threads"); ++number) {
        threads.emplace_back([&, number] {
            try {
                work(what, tm, databases, number, answers, is_over);
            } catch (std::exception const& e) {
                std::fprintf(stderr, "bank_program: thread %d: %s\n", number, e.what());
                std::_Exit(1);
            }
        });
    }
    int signal = 0;
    ::sigwait(&end, &signal);
    is_over = true;
    for (auto& each : threads)
        each.join();
    return 0;
}

}  // namespace

int main(int count, char** words)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (count != 2) {
        std::fprintf(stderr, "usage: bank_program PLAN\n");
        return 2;
    }
    try {
        return obey(plan::read(words[1]));
    } catch (std::exception const& e) {
        std::fprintf(stderr, "bank_program: %s\n", e.what());
        return 1;
    }
}
