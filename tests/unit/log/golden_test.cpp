// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// golden_test.cpp -- logs written by version 1, which every later version must read, and which
// this version must still write, byte for byte, from the same inputs.
//
//   golden/v1.3-closed      one opening, each kind of record but a binding's epoch, closed in order
//   golden/v1.3-reopened    the log that opening it again makes
//   golden/v1.2-...         the same of version 1.2, whose databases stayed what they were
//   golden/v1.1-...         the same of version 1.1, whose bindings had no epochs
//   golden/v1-...           the same of version 1.0, whose openings recorded no limits either
//
// To write them anew after a deliberate change of version: ASSENT_GOLDEN_WRITE=1 ./golden_test

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "log/file_log.hpp"
#include "log_fixture.hpp"
#include "recovery/log_tools/log_view.hpp"

namespace assent::testing {
namespace {

namespace fs = std::filesystem;

fs::path const golden = ASSENT_GOLDEN_DIRECTORY;
char const* const first = "0000000000000001.seg";
char const* const second = "0000000000000002.seg";

std::vector<std::byte> bytes_of(fs::path const& path)
{
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in) << path;
    std::string const text{std::istreambuf_iterator<char>(in), {}};
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

void write(fs::path const& path, std::vector<std::byte> const& bytes)
{
    fs::create_directories(path.parent_path());
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<char const*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good()) << path;
}

xid branch_of(log::file_log const& log, std::uint64_t sequence)
{
    return {name_of(log, sequence), bqual::make({2, 1, 4002})};
}

/// Fixed by hand, and not by a generator of the standard library.
log::file_log_options fixed(std::shared_ptr<simulated_disk> const& disk, std::uint64_t opening)
{
    auto options = repeatable(disk->attach_layer());
    auto const state = std::make_shared<std::uint64_t>(opening * 0x0101010101010101ULL);
    options.random = [state] { return *state += 0x1122334455667788ULL; };
    options.segment_bytes = log::segment_pages_min * log::page_bytes;
    return options;
}

/// The life of the golden logs.
void first_opening(std::shared_ptr<simulated_disk> const& disk)
{
    log::file_log log("simulated", fixed(disk, 1));
    log.bind("orders", "mysql", "8f14e45f-ceea-167a-5a36-dedd4bea2543");
    log.note_server_start(1, "2026-01-01 00:00:00");
    log.force(decision_of(log, 1, 2), far_away());
    log.force(decision_of(log, 2, 64), far_away());
    log.note_finished({name_of(log, 1), decision_of(log, 1).branches[0]});
    log.note_rolled_back(name_of(log, 3));
    log.raise_horizon(1, {1, 1});
    log.record(ports::heuristic_record{branch_of(log, 4), "orders", xa_code::heurmix,
                                       "rolled back behind our back", 1'767'225'600'000});
    log.bind("archive", "mariadb", "a51c3a9e-0001");
    log.record(log::retirement_record{2, 1'767'225'600'000, "ann", "its disk is gone"});
}

void second_opening(std::shared_ptr<simulated_disk> const& disk)
{
    log::file_log log("simulated", fixed(disk, 2));
    log.bind("accounts", "postgresql", "7713784589637538874");
    log.record(log::operator_record{branch_of(log, 5), log::operator_verdict::roll_back,
                                    1'767'225'600'000, "ann", "the database is gone"});
    finish(log, decision_of(log, 6));
    log.record(log::rebinding_record{3, 0, 1'767'225'600'000, "7713784589637538874",
                                     "7713784589637538875", "ann", "promoted"});
}

std::shared_ptr<simulated_disk> with(std::string const& log, char const* segment)
{
    auto disk = std::make_shared<simulated_disk>();
    disk->put(segment, bytes_of(golden / log / segment));
    return disk;
}

TEST(Golden, TheWriterStillMakesTheSameBytes)
{
    auto const disk = std::make_shared<simulated_disk>();
    first_opening(disk);
    auto const closed = disk->contents(first);
    second_opening(disk);
    auto const reopened = disk->contents(second);
    if (std::getenv("ASSENT_GOLDEN_WRITE")) {
        write(golden / "v1.3-closed" / first, closed);
        write(golden / "v1.3-reopened" / second, reopened);
    }

    EXPECT_TRUE(closed == bytes_of(golden / "v1.3-closed" / first));
    EXPECT_TRUE(reopened == bytes_of(golden / "v1.3-reopened" / second));
}

void expect_first_life(log::log_image const& image, std::uint64_t node)
{
    auto const name = [&](std::uint64_t sequence) {
        return gtrid::make(
            {decision_place::log, 0, node, 1, image.openings().begin()->first.second, sequence});
    };
    ASSERT_EQ(image.decisions().size(), 2U);
    auto const& two = image.decisions().at(name(1));
    EXPECT_EQ(two.branches, (std::vector<log::packed_bqual>{bqual::make({1, 1, 4001}),
                                                            bqual::make({2, 1, 4002})}));
    EXPECT_EQ(two.finished, 1U);
    auto const& many = image.decisions().at(name(2));
    ASSERT_EQ(many.branches.size(), 64U);
    EXPECT_EQ(many.branches[63], bqual::make({64, 1, 4064}));
    EXPECT_EQ(many.finished, 0U);
    EXPECT_EQ(image.live_decisions(), 2U);
    ASSERT_GE(image.bindings().size(), 1U);
    EXPECT_EQ(image.bindings().at(1).name, "orders");
    EXPECT_EQ(image.bindings().at(1).kind, "mysql");
    EXPECT_EQ(image.bindings().at(1).identity, "8f14e45f-ceea-167a-5a36-dedd4bea2543");
    EXPECT_EQ(image.server_starts().at({1, 1}), "2026-01-01 00:00:00");
    EXPECT_TRUE(image.was_rolled_back(name(3)));
    ASSERT_EQ(image.heuristics().size(), 1U);
    EXPECT_EQ(image.heuristics().front().branch.global, name(4));
    EXPECT_EQ(image.heuristics().front().code, xa_code::heurmix);
    EXPECT_EQ(image.heuristics().front().text, "rolled back behind our back");
}

struct version
{
    std::string name;
    std::chrono::milliseconds presumption;  // what its openings make others wait
};
version const versions[] = {{"v1", std::chrono::seconds{15}},
                            {"v1.1", std::chrono::seconds{7}},
                            {"v1.2", std::chrono::seconds{7}},
                            {"v1.3", std::chrono::seconds{7}}};

/// Version 1.3 has one database more, which was given up; reopened, another one was replaced.
void expect_what_persons_said(log::log_image const& image, std::string const& version,
                              bool is_reopened)
{
    bool const can_retire = version == "v1.3";
    ASSERT_EQ(image.retirements().size(), can_retire ? 1U : 0U);
    for (auto const& [id, bound] : image.bindings())
        EXPECT_EQ(bound.is_retired, can_retire && id == 2) << bound.name;
    if (!can_retire) return;
    EXPECT_EQ(image.bindings().at(2).name, "archive");
    EXPECT_EQ(image.retirements().at(2).who, "ann");
    EXPECT_EQ(image.retirements().at(2).why, "its disk is gone");
    EXPECT_EQ(image.retirements().at(2).unix_ms, 1'767'225'600'000);
    ASSERT_EQ(image.rebindings().size(), is_reopened ? 1U : 0U);
    if (!is_reopened) return;
    EXPECT_EQ(image.bindings().at(3).identity, "7713784589637538875");
    EXPECT_EQ(image.bindings().at(3).rebound_epoch, 2U);
    auto const& rebound = image.rebindings().front().what;
    EXPECT_EQ(rebound.from, "7713784589637538874");
    EXPECT_EQ(rebound.who + "/" + rebound.why, "ann/promoted");
}

TEST(Golden, AClosedLogOfEachVersionIsRead)
{
    for (auto const& [version, presumption] : versions) {
        SCOPED_TRACE(version);
        auto const view = log::view_log(*with(version + "-closed", first)->attach_layer());
        EXPECT_EQ(view.newest.writer.node, 0x1223344556677889ULL);
        EXPECT_EQ(view.newest.writer.epoch, 1U);
        EXPECT_EQ(view.newest.writer.nonce, 0x6789abcdf011ULL);
        EXPECT_EQ(view.newest.node_label, "shop-1");
        EXPECT_EQ(view.tail.end, log::segment_end::sealed);
        EXPECT_EQ(view.image.presumption_delay(), presumption);
        expect_first_life(view.image, view.newest.writer.node);
        expect_what_persons_said(view.image, version, false);
    }
}

TEST(Golden, AReopenedLogOfEachVersionIsRead)
{
    for (auto const& [version, presumption] : versions) {
        SCOPED_TRACE(version);
        auto const view = log::view_log(*with(version + "-reopened", second)->attach_layer());
        EXPECT_EQ(view.newest.writer.epoch, 2U);
        EXPECT_EQ(view.newest.previous_number, 1U);
        EXPECT_EQ(view.newest.previous_end, log::segment_end::sealed);
        EXPECT_EQ(view.image.openings().size(), 2U);
        EXPECT_EQ(view.image.horizon(1), (ports::position{1, 1}));
        ASSERT_EQ(view.image.operator_records().size(), 1U);
        EXPECT_EQ(view.image.operator_records().front().verdict, log::operator_verdict::roll_back);
        EXPECT_EQ(view.image.operator_records().front().who, "ann");
        EXPECT_EQ(view.image.operator_records().front().why, "the database is gone");
        EXPECT_EQ(view.image.presumption_delay(), presumption);
        expect_first_life(view.image, view.newest.writer.node);
        expect_what_persons_said(view.image, version, true);
    }
}

TEST(Golden, LogsOfEachVersionAreOpenedAndCarriedOn)
{
    for (auto const& [version, presumption] : versions) {
        for (auto const& [name, segment] :
             {std::pair{version + "-closed", first}, std::pair{version + "-reopened", second}}) {
            SCOPED_TRACE(name);
            auto const disk = with(name, segment);
            auto log = std::make_unique<log::file_log>("simulated", fixed(disk, 9));
            EXPECT_EQ(log->unfinished().size(), 2U);
            EXPECT_EQ(log->presumption_delay(), presumption);
            EXPECT_TRUE(is_durable(log->force(decision_of(*log, 1), far_away())));
            log.reset();
            log = std::make_unique<log::file_log>("simulated", fixed(disk, 10));
            EXPECT_EQ(log->unfinished().size(), 3U);
            EXPECT_EQ(log->presumption_delay(), presumption) << "a copy of it may live";
            EXPECT_EQ(log->bindings().at(0).epoch, 0U) << "it was given in the first epoch";
            auto const bound = log->bindings().size();
            if (name == "v1.2-reopened" || name == "v1.3-reopened") {
                EXPECT_EQ(log->bindings().back().epoch, 2U);
            }
            EXPECT_EQ(log->bind("ledger", "memory", "one"), bound + 1);
            if (version == "v1.3") {
                EXPECT_EQ(log->bind("archive", "mariadb", "a51c3a9e-0001"), bound + 2)
                    << "what was given up is bound anew";
            }
            EXPECT_EQ(log->bindings().back().epoch, log->current().epoch);
        }
    }
}

}  // namespace
}  // namespace assent::testing
