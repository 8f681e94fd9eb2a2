// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// replay_bench.cpp -- a log of a million decisions: reading it, opening it, and what it takes in
// memory.
//
//   live      in the snapshot of the newest segment, none of its branches finished
//   complete  as they were forced, each followed by the note that it is finished
//
// Reading is warm: the file has just been written.  Opening does more than reading: it forces what
// is there, and writes all of it again into a fresh segment that was zeroed before.

#include <benchmark/benchmark.h>

#include <memory>
#include <utility>

#include "bench.hpp"
#include "log/log_opening.hpp"
#include "log/log_reader.hpp"
#include "log/posix_file_layer.hpp"

namespace assent::bench {

namespace {

constexpr std::uint64_t node = 0x0123456789abcdef;
constexpr std::uint64_t nonce = 0xa1b2c3d4e5;
constexpr std::uint64_t all_finished = 3;

std::size_t decisions()
{
    return amount(1'000'000, 1'000);
}

/// Writes a log as its owner would have, without waiting for a force of each decision.
class made_log
{
public:
    explicit made_log(std::string const& directory) : files_(directory)
    {
        log::attach_safely(files_, true, {"overlay"});
        log::log_writer::settings how;
        how.writer = {node, 1, nonce};
        how.node_label = "bench";
        how.unix_ms = [] { return std::int64_t{1'767'225'600'000}; };
        writer_ = std::make_unique<log::log_writer>(files_, how, log::log_writer::position{});
        image_.apply(log::record{log::opening_record{{1, nonce}, 0}});
    }

    void apply(log::record const& what) { image_.apply(what); }

    void begin(std::uint32_t pages)
    {
        auto const spare = log::make_spare(files_, 1, pages);
        auto packed = writer_->pack(image_, log::segment_end::none, spare);
        writer_->begin_segment(packed, spare);
        writer_->begin_force(builder_, log::force_pages_max);
    }
    std::uint32_t snapshot_pages() const { return image_.snapshot_pages_max(); }

    /// Into the force that is being built.
    void append(log::record const& what)
    {
        if (builder_.add(what) == log::add_result::added) return;
        force();
        builder_.add(what);
    }
    void force()
    {
        if (writer_->force(builder_) != 0) throw std::runtime_error("a force failed");
        auto const pages = std::min(log::force_pages_max, writer_->pages_left());
        writer_->begin_force(builder_, pages);
    }

private:
    log::posix_file_layer files_;
    std::unique_ptr<log::log_writer> writer_;
    log::log_image image_;
    log::page_builder builder_{log::force_pages_max};
};

log::decision_record decision(std::size_t i)
{
    return {decision_of(node, 1, nonce, i), 0, 1'767'225'600'000};
}

void make_live(std::string const& directory)
{
    made_log made(directory);
    for (std::size_t i = 1; i <= decisions(); ++i) {
        made.apply(decision(i));
    }
    made.begin(log::pages_for(4096, made.snapshot_pages()));
}

void make_complete(std::string const& directory)
{
    made_log made(directory);
    // A page holds 40 decisions, or 70 notes.
    made.begin(static_cast<std::uint32_t>(decisions() / 40 + decisions() / 70 + 4096));
    std::vector<gtrid> unnoted;
    for (std::size_t i = 1; i <= decisions(); ++i) {
        auto const one = decision(i);
        made.append(one);
        unnoted.push_back(one.what.global);
        if (unnoted.size() < 64 && i < decisions()) continue;
        for (gtrid const& each : unnoted) {
            made.append(log::end_record{each, all_finished});
        }
        unnoted.clear();
    }
    made.force();
}

log::log_contents read(std::string const& directory)
{
    log::posix_file_layer files(directory);
    log::attach_safely(files, false, {});
    return std::move(log::read_log(files).value());
}

/// The steps of a file_log's constructor, without its lock and threads.
double open(std::string const& directory, std::uint64_t& kept)
{
    log::posix_file_layer files(directory);
    log::opening_settings how;
    how.node_label = "bench";
    how.segment_bytes = 16 * 1024 * 1024;
    how.random = [] { return std::uint64_t{7}; };
    how.unix_ms = [] { return std::int64_t{1'767'225'600'000}; };
    auto const begin = clock::now();
    log::attach_safely(files, true, {"overlay"});
    log::opened_log const opened = log::open_log(files, how);
    double const took = seconds_since(begin);
    kept = opened.image.decisions().size();
    return took;
}

void replay(benchmark::State& state, void (*make)(std::string const&), std::string const& kind)
{
    scratch const in;
    std::string const directory = in.path() + "/log";
    make(directory);
    auto const count = static_cast<double>(decisions());
    std::vector<double> took;
    double bytes = 0;
    for (auto _ : state) {
        auto const before = allocated_bytes();
        auto const begin = clock::now();
        auto const contents = read(directory);
        took.push_back(seconds_since(begin));
        state.SetIterationTime(took.back());
        bytes = static_cast<double>(allocated_bytes() - before) / count;
        bool const is_whole =
            contents.image.decisions().size() == decisions() &&
            contents.image.live_decisions() == (kind == "live" ? decisions() : std::size_t{0});
        if (!is_whole) {
            state.SkipWithError("decisions are missing");
            return;
        }
    }
    std::vector<double> opened;
    for (std::size_t i = 0; i < std::min<std::size_t>(rounds(), 3); ++i) {
        std::uint64_t kept = 0;
        opened.push_back(open(directory, kept));
        if (kept != decisions()) state.SkipWithError("decisions are missing after the opening");
    }
    state.counters["bytes_per_decision"] = bytes;
    state.counters["opening_s"] = median(opened);
    std::string const what = std::to_string(decisions()) + " " + kind + " decisions";
    report({"reading a log of " + what, median(took), "s", "<= 1 s"});
    report({"opening a log of " + what, median(opened), "s", ""});
    report({"memory for each of " + what, bytes, "B", kind == "live" ? "<= 200 B" : ""});
}

}  // namespace

void register_replay()
{
    for (auto* made :
         {benchmark::RegisterBenchmark("replay/live", replay, make_live, std::string("live")),
          benchmark::RegisterBenchmark("replay/complete", replay, make_complete,
                                       std::string("complete"))}) {
        made->Iterations(static_cast<benchmark::IterationCount>(std::min<std::size_t>(rounds(), 5)))
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond);
    }
}

}  // namespace assent::bench
