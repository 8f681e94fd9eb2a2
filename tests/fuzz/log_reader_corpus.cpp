// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_reader_corpus.cpp -- makes the corpus of log_reader_fuzz: logs as they are written, left by
// crashes, and damaged.
//
//   log_reader_corpus tests/fuzz/corpus/log_reader

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "directory_image.hpp"
#include "log/bytes.hpp"
#include "log_mutator.hpp"
#include "mix.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace assent::testing {
namespace {

using directory = std::vector<memory_file>;

constexpr std::size_t segment_bytes = log::segment_pages_min * log::page_bytes;

std::unique_ptr<log::file_log> open(std::shared_ptr<simulated_disk> const& disk, std::uint64_t seed)
{
    auto options = repeatable(disk->attach_layer(), seed);
    options.segment_bytes = segment_bytes;
    return std::make_unique<log::file_log>("simulated", options);
}

directory files_of(simulated_disk const& disk)
{
    directory files;
    for (std::string const& name : disk.names()) {
        if (name != "lock") files.push_back({name, disk.contents(name)});
    }
    return files;
}

/// Every kind of record.
void work(log::file_log& log)
{
    for (char const* name : {"orders", "ledger"}) {
        log.note_server_start(log.bind(name, "memory", std::string("of ") + name), "monday");
    }
    log.record(
        log::retirement_record{log.bind("archive", "memory", "of archive"), 2, "who", "why"});
    auto const first = decision_of(log, 1, 2);
    log.force(first, far_away());
    finish(log, first);
    log.note_rolled_back(name_of(log, 2));
    xid const branch{first.global, first.branches[0]};
    log.record(ports::heuristic_record{branch, "orders", xa_code::heurmix, "seen", 3});
    log.record(
        log::operator_record{branch, log::operator_verdict::forget_heuristic, 4, "who", "why"});
    log.record(ports::heuristic_record{branch, "ledger", xa_code::heurhaz, "and again", 5});
    log.raise_horizon(1, {log.current().epoch, 1});
    log.raise_horizon(2, {log.current().epoch, 1});
}

std::vector<std::pair<std::string, directory>> written_logs()
{
    std::vector<std::pair<std::string, directory>> all;
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open(disk, 1);
    all.emplace_back("new", files_of(*disk));
    work(*log);
    all.emplace_back("unsealed", files_of(*disk));
    log->seal();
    all.emplace_back("sealed", files_of(*disk));
    log.reset();
    directory both = files_of(*disk);
    log = open(disk, 2);
    all.emplace_back("reopened", files_of(*disk));
    both.push_back(files_of(*disk).front());
    all.emplace_back("two_segments", both);
    both.push_back({"0000000000000003.seg.tmp", {}});
    all.emplace_back("half_made", both);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        log->force(decision_of(*log, i, 64), far_away());
    }
    all.emplace_back("wide", files_of(*disk));
    disk->fail_call(1, {EIO, disk_fault::effect::full}, true);
    log->force(decision_of(*log, 4, 64), far_away());
    auto torn = files_of(*disk);
    std::fill_n(torn.front().bytes.begin() + 5 * 4096 + 512, 512, std::byte{0});
    all.emplace_back("torn", torn);
    return all;
}

void add_damaged(std::vector<std::pair<std::string, directory>>& all)
{
    auto const sealed = all.at(2).second;
    auto const page = [&](directory& of, std::size_t n) {
        return of.front().bytes.data() + n * 4096;
    };
    auto const changed = [&](std::string const& name, repair how_far, auto&& how) {
        directory files = sealed;
        how(files);
        restore(files, how_far);
        all.emplace_back(name, std::move(files));
    };
    changed("flipped", repair::nothing, [&](directory& of) { page(of, 3)[100] ^= std::byte{1}; });
    changed("later_version", repair::pages, [&](directory& of) { page(of, 0)[8] = std::byte{2}; });
    changed("later_page", repair::pages, [&](directory& of) { page(of, 2)[8] = std::byte{2}; });
    changed("unknown_record", repair::records,
            [&](directory& of) { page(of, 3)[70] = std::byte{99}; });
    changed("skipped_record", repair::records,
            [&](directory& of) { page(of, 3)[70] = std::byte{200}; });
    changed("no_opening", repair::everything,
            [&](directory& of) { page(of, 1)[70] = std::byte{200}; });
    changed("shorter", repair::nothing, [](directory& of) { of.front().bytes.resize(9000); });
    changed("empty", repair::nothing, [](directory& of) { of.front().bytes.clear(); });
    changed("missing", repair::nothing,
            [](directory& of) { of.front().name = "0000000000000001.seg.torn-1"; });
    changed("last_number", repair::everything, [](directory& of) {
        of.front().name = log::segment_name(std::numeric_limits<std::uint64_t>::max());
    });
    changed("last_epoch", repair::everything, [&](directory& of) {
        log::put_le<std::uint32_t>(page(of, 0) + 40, 0xffffffff);
        log::put_le<std::uint32_t>(page(of, 1) + 80, 0xffffffff);
    });
}

void write(std::string const& to)
{
    auto all = written_logs();
    add_damaged(all);
    std::filesystem::create_directories(to);
    for (auto const& [name, files] : all) {
        auto const image = pack(files);
        std::ofstream out(to + "/" + name, std::ios::binary | std::ios::trunc);
        out.write(reinterpret_cast<char const*>(image.data()),
                  static_cast<std::streamsize>(image.size()));
        if (!out.flush()) throw std::runtime_error("cannot write " + to + "/" + name);
    }
}

}  // namespace
}  // namespace assent::testing

int main(int count, char** words)
{
    if (count != 2) {
        std::fputs("usage: log_reader_corpus DIRECTORY\n", stderr);
        return 2;
    }
    assent::testing::write(words[1]);
    return 0;
}
