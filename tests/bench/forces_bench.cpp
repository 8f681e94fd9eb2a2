// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// forces_bench.cpp -- group commit on a disk: forces per commit, and how much of what the disk can
// do reaches the threads that commit.
//
//   a round:  N threads commit through file_log, whose writes are noted        } in turns
//             one thread repeats exactly these writes, on a file like the log's }
//
// The ratio of the two times is what the log costs besides its writes.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <span>
#include <variant>

#include "bench.hpp"
#include "log/aligned_bytes.hpp"
#include "log/file_log.hpp"
#include "log/posix_file_layer.hpp"
#include "log/segment_supply.hpp"
#include "tests/unit/log/forwarding_file_layer.hpp"

namespace assent::bench {

namespace {

/// Real files, whose forced writes are noted; through the page cache when asked to.
class noting_file_layer final : public testing::forwarding_file_layer
{
public:
    noting_file_layer(std::shared_ptr<log::file_layer> to, bool is_buffered)
        : forwarding_file_layer(std::move(to)), is_buffered_(is_buffered)
    {
    }

    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        bool const is_changed = is_buffered_ && mode == log::open_mode::force;
        return target().open(name, is_changed ? log::open_mode::read_write : mode);
    }
    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        // One leader at a time writes, so there is nothing to lock.
        if (is_noting && sizes_.size() < sizes_.capacity()) sizes_.push_back(from.size());
        return target().write(file, from, offset);
    }

    void note_up_to(std::size_t count) { sizes_.reserve(count); }
    std::vector<std::size_t> const& sizes() const noexcept { return sizes_; }
    void forget() noexcept { sizes_.clear(); }

    std::atomic<bool> is_noting{false};

private:
    bool const is_buffered_;
    std::vector<std::size_t> sizes_;
};

std::size_t segment_bytes()
{
    return amount(128, 1) * 1024 * 1024;
}

std::size_t commits_per_round(std::size_t threads)
{
    return threads * amount(threads == 1 ? 500 : 250, 2);
}

std::shared_ptr<noting_file_layer> files_in(std::string const& directory, bool is_buffered)
{
    return std::make_shared<noting_file_layer>(std::make_shared<log::posix_file_layer>(directory),
                                               is_buffered);
}

struct measured_log
{
    measured_log(std::string const& directory, bool is_buffered)
        : files(files_in(directory, is_buffered))
    {
        log::file_log_options options;
        options.node_label = "bench";
        options.segment_bytes = segment_bytes();
        options.makes_segments_ahead = false;  // nothing beside what is measured
        options.allowed_file_systems = {"overlay"};
        options.files = files;
        log = std::make_unique<log::file_log>(directory, options);
    }

    /// @return seconds
    double commit(std::size_t threads, std::size_t commits)
    {
        files->forget();
        files->note_up_to(commits);
        files->is_noting = true;
        auto const first = next_sequence;
        next_sequence += commits;
        double const took = on_threads(threads, [&](std::size_t which) {
            auto const [epoch, nonce] = log->current();
            for (std::size_t i = which; i < commits; i += threads) {
                auto const what = decision_of(log->node(), epoch, nonce, first + i);
                auto const done = log->force(what, far_away());
                if (!std::holds_alternative<ports::durable_decision>(done)) ++refused;
            }
        });
        files->is_noting = false;
        return took;
    }

    std::shared_ptr<noting_file_layer> files;
    std::unique_ptr<log::file_log> log;
    std::uint64_t next_sequence = 1;
    std::atomic<std::size_t> refused{0};
};

/// A file like a segment, and nothing around its writes.
class bare_file
{
public:
    bare_file(std::string const& directory, bool is_buffered)
        : files_(files_in(directory, is_buffered)), bytes_(log::force_pages_max * log::page_bytes)
    {
        log::directory_facts facts;
        files_->attach(true, facts);
        file_ = log::make_spare(*files_, 1,
                                static_cast<std::uint32_t>(segment_bytes() / log::page_bytes));
    }

    /// @return seconds, or a negative number when a write failed.
    double write(std::vector<std::size_t> const& sizes)
    {
        auto const begin = clock::now();
        for (std::size_t const size : sizes) {
            auto const some = std::span(bytes_).first(size);
            long const written = files_->write(file_.file, some, offset_);
            if (written != static_cast<long>(size)) return -1;
            if (!file_.is_write_through && files_->fdatasync(file_.file) < 0) return -1;
            offset_ += size;
        }
        return seconds_since(begin);
    }

private:
    std::shared_ptr<noting_file_layer> files_;
    log::aligned_bytes bytes_;
    log::spare_segment file_;
    std::uint64_t offset_ = 0;
};

std::string goal_of_forces(std::size_t threads)
{
    return threads == 1 ? "1" : threads == 16 ? "<= 0.15" : "<= 0.05";
}

void forces(benchmark::State& state, bool is_buffered)
{
    auto const threads = static_cast<std::size_t>(state.range(0));
    scratch const in;
    measured_log on(in.path() + "/log", is_buffered);
    bare_file bare(in.path() + "/bare", is_buffered);
    auto const commits = commits_per_round(threads);
    std::vector<double> ratios;
    std::vector<double> per_second;
    for (auto _ : state) {
        double const took = on.commit(threads, commits);
        double const alone = bare.write(on.files->sizes());
        if (alone < 0 || on.refused != 0) {
            state.SkipWithError("a force failed");
            return;
        }
        state.SetIterationTime(took);
        ratios.push_back(alone / took);
        per_second.push_back(static_cast<double>(commits) / took);
    }
    auto const now = on.log->state();
    double const per_commit = static_cast<double>(now.forces) / static_cast<double>(now.decisions);
    state.counters["forces_per_commit"] = per_commit;
    state.counters["ratio_to_bare_writes"] = median(ratios);
    state.counters["commits_per_s"] = median(per_second);
    state.SetLabel(now.medium);

    std::string const load = ", " + std::to_string(threads) +
                             (threads == 1 ? " thread" : " threads") +
                             (is_buffered ? ", page cache and fdatasync" : "");
    if (!is_buffered) {
        report({"forces per commit" + load, per_commit, "", goal_of_forces(threads)});
    }
    report({"time of the bare writes / time of the log's commits" + load, median(ratios), "",
            threads == 1 ? ">= 0.9" : ""});
    report({"decisions through the log" + load, median(per_second), "/s", ""});
}

}  // namespace

void register_forces()
{
    auto const with = [](auto* made) {
        made->Iterations(static_cast<benchmark::IterationCount>(rounds()))
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond)
            ->ArgName("threads");
        for (int threads : {1, 16, 64}) {
            made->Arg(threads);
        }
    };
    with(benchmark::RegisterBenchmark("forces/write_through", forces, false));
    with(benchmark::RegisterBenchmark("forces/page_cache", forces, true));
}

}  // namespace assent::bench
