// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_damage_test.cpp -- bytes that change after they were written.
//
// A damaged log is refused, or it still holds everything that was acknowledged.  There is no third
// answer, and nothing that is refused is changed.  tests/fuzz/log_corruption_test tries every
// single damage; here are those that need more than one, or a reason.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "log/bytes.hpp"
#include "log/crc32c.hpp"
#include "log/file_log.hpp"
#include "log/format.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using bytes = std::vector<std::byte>;
using log::log_error;
using log::log_fault;
using log::page_bytes;

std::string const first_segment = "0000000000000001.seg";

/// A disk with one segment: a snapshot, eight forces of one page each, and a seal at the end.
struct sealed_log
{
    sealed_log()
    {
        auto log = open_on(disk);
        promises.bound[log->bind("orders", "mysql", "uuid")] = "orders";
        for (std::uint64_t i = 1; i <= 7; ++i) {
            promises.commit(*log, decision_of(*log, i));
        }
        log.reset();
        segment = disk->contents(first_segment);
    }

    std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
    ledger promises;
    bytes segment;
    static constexpr std::size_t last_page = 10;  // the seal
    static constexpr std::size_t last_decision = 9;
};

enum class verdict { refused, complete, lossy };

/// Opens a disk that holds just these files.
verdict open_with(std::map<std::string, bytes> const& files, ledger const& promises)
{
    auto const disk = std::make_shared<simulated_disk>();
    for (auto const& [name, content] : files) {
        disk->put(name, content);
    }
    try {
        auto const log = open_on(disk, 2);
        for (gtrid const& which : promises.durable) {
            if (log->outcome(which) != ports::recorded_outcome::committed) return verdict::lossy;
        }
        return log->bindings().size() == promises.bound.size() ? verdict::complete : verdict::lossy;
    } catch (log_error const& error) {
        EXPECT_NE(error.fault(), log_fault::io) << error.what();
        for (auto const& [name, content] : files) {
            EXPECT_EQ(disk->contents(name), content) << "a refused log is left as it was";
        }
        return verdict::refused;
    }
}

log_error error_of(std::map<std::string, bytes> const& files)
{
    auto const disk = std::make_shared<simulated_disk>();
    for (auto const& [name, content] : files) {
        disk->put(name, content);
    }
    try {
        open_on(disk, 2);
    } catch (log_error const& error) {
        return error;
    }
    ADD_FAILURE() << "the log was opened";
    return log::io_failure(0, "", "");
}

TEST(LogDamage, SeveralFlippedBytesAreRefusedOrHarmless)
{
    sealed_log const good;
    std::mt19937_64 random(20260102);
    for (unsigned i = 0; i < 3000; ++i) {
        bytes damaged = good.segment;
        std::size_t const page = random() % good.last_page;  // not the seal: see below
        for (unsigned k = 0; k < 1 + random() % 8; ++k) {
            damaged[page * page_bytes + random() % page_bytes] = static_cast<std::byte>(random());
        }
        ASSERT_NE(open_with({{first_segment, damaged}}, good.promises), verdict::lossy) << i;
    }
}

TEST(LogDamage, AnIntactPageInAnotherPlaceIsNeverTakenForATornEnd)
{
    sealed_log const good;
    auto const page = [](bytes& of, std::size_t n) {
        return of.begin() + static_cast<std::ptrdiff_t>(n * page_bytes);
    };
    bytes swapped = good.segment;
    std::swap_ranges(page(swapped, good.last_decision), page(swapped, good.last_page),
                     page(swapped, good.last_page));
    EXPECT_EQ(open_with({{first_segment, swapped}}, good.promises), verdict::refused);

    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk, 77);  // the same life, with another node and nonce
    for (std::uint64_t i = 1; i <= 12; ++i) {
        log->force(decision_of(*log, i), far_away());
    }
    bytes foreign = disk->contents(first_segment);
    for (std::size_t n = 1; n <= 12; ++n) {
        bytes damaged = good.segment;
        std::copy_n(page(foreign, n), page_bytes, page(damaged, n));
        ASSERT_EQ(open_with({{first_segment, damaged}}, good.promises), verdict::refused) << n;
    }
}

TEST(LogDamage, TheErrorSaysWhereAndWhatToDo)
{
    sealed_log const good;
    bytes damaged = good.segment;
    damaged[4 * page_bytes + 100] ^= std::byte{1};
    auto const error = error_of({{first_segment, damaged}});

    EXPECT_EQ(error.fault(), log_fault::corrupt);
    EXPECT_EQ(error.page(), 4U);
    EXPECT_EQ(error.offset(), 4U * page_bytes);
    EXPECT_THAT(error.where(), ::testing::EndsWith(first_segment));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("page 4 (byte 16384)"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("do not truncate"));
}

TEST(LogDamage, TheSnapshotIsGuardedThoughNothingWasForcedBehindIt)
{
    auto const disk = std::make_shared<simulated_disk>();
    ledger promises;
    auto log = open_on(disk);
    for (std::uint64_t i = 1; i <= 12; ++i) {
        promises.commit(*log, decision_of(*log, i, 64));
    }
    log.reset();
    log = open_on(disk, 2);
    std::string const name = disk->names().front();
    bytes const good = disk->contents(name);
    std::size_t pages = 0;
    while (good[(pages + 1) * page_bytes] != std::byte{0} ||
           good[(pages + 1) * page_bytes + 4] != std::byte{0}) {
        ++pages;
    }
    ASSERT_GE(pages, 3U) << "a snapshot of several pages, and nothing after it";
    EXPECT_EQ(open_with({{name, good}}, promises), verdict::complete);
    for (std::size_t page = 1; page <= pages; ++page) {
        bytes damaged = good;
        damaged[page * page_bytes + 200] ^= std::byte{1};
        EXPECT_EQ(open_with({{name, damaged}}, promises), verdict::refused) << page;
        std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(page * page_bytes), page_bytes,
                    std::byte{0});
        EXPECT_EQ(open_with({{name, damaged}}, promises), verdict::refused) << page;
    }
}

TEST(LogDamage, APageThatFollowsAnotherNeighbourIsRefused)
{
    sealed_log const good;
    bytes damaged = good.segment;
    log::page_span const page{damaged.data() + good.last_page * page_bytes, page_bytes};
    log::page_header header;
    ASSERT_EQ(log::decode(log::page_view(page), header), log::page_verdict::valid);
    header.previous_crc ^= 1;
    log::seal_page(header, page);
    auto const error = error_of({{first_segment, damaged}});
    EXPECT_EQ(error.fault(), log_fault::corrupt);
    EXPECT_EQ(error.page(), good.last_page);
}

TEST(LogDamage, InAnUnsealedLogOnlyTheLastForceCanBeMistakenForATornOne)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_on(disk);
    ledger promises;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        promises.commit(*log, decision_of(*log, i));
    }
    bytes const unsealed = disk->contents(first_segment);
    log->seal();
    bytes const sealed = disk->contents(first_segment);
    for (std::size_t page = 1; page <= 6; ++page) {
        for (std::size_t at : {0U, 70U, 4095U}) {
            bytes damaged = unsealed;
            damaged[page * page_bytes + at] ^= std::byte{8};
            auto const seen = open_with({{first_segment, damaged}}, promises);
            EXPECT_EQ(seen == verdict::refused, page < 6) << page;
            damaged = sealed;
            damaged[page * page_bytes + at] ^= std::byte{8};
            EXPECT_EQ(open_with({{first_segment, damaged}}, promises), verdict::refused) << page;
        }
    }
}

TEST(LogDamage, MoreDamageThanOneForceCanDoIsRefused)
{
    // Page 200 is far behind the last page: no force that was under way reaches that far.
    auto const disk = std::make_shared<simulated_disk>();
    auto options = repeatable(disk->attach_layer());
    options.segment_bytes = 256 * page_bytes;
    std::make_unique<log::file_log>("simulated", options)->seal();
    bytes const good = disk->contents(first_segment);
    ledger const nothing;
    std::size_t const first_free = 3;  // header, snapshot, seal of the close
    bytes damaged = good;
    damaged[(first_free + log::force_pages_max - 1) * page_bytes + 5] = std::byte{1};
    EXPECT_EQ(open_with({{first_segment, damaged}}, nothing), verdict::complete);
    damaged[(first_free + log::force_pages_max) * page_bytes + 5] = std::byte{1};
    EXPECT_EQ(open_with({{first_segment, damaged}}, nothing), verdict::refused);
}

TEST(LogDamage, ATornTailIsKeptAsideAndTheNextSegmentSaysSo)
{
    sealed_log const good;
    bytes torn = good.segment;
    torn[(good.last_page + 1) * page_bytes + 9] = std::byte{7};
    auto const disk = std::make_shared<simulated_disk>();
    disk->put(first_segment, torn);
    auto const log = open_on(disk, 2);
    good.promises.check(*log);

    auto const names = disk->names();
    auto const kept = std::find_if(names.begin(), names.end(), [](std::string const& name) {
        return name.starts_with("0000000000000001.seg.torn-");
    });
    ASSERT_NE(kept, names.end());
    EXPECT_EQ(disk->contents(*kept), torn) << "evidence, byte for byte";
    log::segment_header header;
    bytes const next = disk->contents("0000000000000002.seg");
    ASSERT_EQ(log::decode(log::page_view{next.data(), page_bytes}, header),
              log::page_verdict::valid);
    EXPECT_EQ(header.previous_end, log::segment_end::torn);
    EXPECT_EQ(header.previous_number, 1U);
    EXPECT_EQ(header.previous_last_page, good.last_page);
}

/// Two segments as a crash between naming the second and removing the first leaves them.
std::map<std::string, bytes> two_segments(ledger& promises)
{
    sealed_log good;
    promises = good.promises;
    open_on(good.disk, 2);
    return {{first_segment, good.segment},
            {"0000000000000002.seg", good.disk->contents("0000000000000002.seg")}};
}

TEST(LogChain, ALeftOverPredecessorIsRemoved)
{
    ledger promises;
    auto const files = two_segments(promises);
    EXPECT_EQ(open_with(files, promises), verdict::complete);
}

TEST(LogChain, PowerLossWhileSeveralAreRemovedLeavesNoHole)
{
    ledger promises;
    auto const files = two_segments(promises);
    bool is_open = false;
    for (std::uint64_t n = 1; !is_open; ++n) {
        auto const disk = std::make_shared<simulated_disk>();
        for (auto const& [name, content] : files) {
            disk->put(name, content);
        }
        disk->fail_call(n, {EIO, disk_fault::effect::full}, true);
        try {
            open_on(disk, 3);
            is_open = !disk->has_fired();
        } catch (log_error const&) {
            is_open = false;
        }
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            SCOPED_TRACE("call " + std::to_string(n) + " seed " + std::to_string(seed));
            std::unique_ptr<log::file_log> after;
            ASSERT_NO_THROW(after = open_on(disk->power_loss(seed), 4));
            promises.check(*after);
        }
    }
}

TEST(LogChain, ASegmentOfAnotherNodeIsRefused)
{
    ledger promises;
    auto files = two_segments(promises);
    auto const other = std::make_shared<simulated_disk>();
    open_on(other, 99);
    files[first_segment] = other->contents(first_segment);
    EXPECT_EQ(error_of(files).fault(), log_fault::foreign);
}

TEST(LogChain, APredecessorThatLostItsEndIsNotNeededAndKeptAside)
{
    ledger promises;
    auto files = two_segments(promises);
    files[first_segment][sealed_log::last_page * page_bytes + 77] ^= std::byte{1};
    auto const disk = std::make_shared<simulated_disk>();
    for (auto const& [name, content] : files) {
        disk->put(name, content);
    }
    promises.check(*open_on(disk, 3));
    EXPECT_THAT(disk->names(),
                ::testing::Contains(::testing::StartsWith(first_segment + ".torn-")));
}

TEST(LogChain, AMissingSegmentInTheMiddleIsRefused)
{
    ledger promises;
    auto files = two_segments(promises);
    files["0000000000000004.seg"] = files["0000000000000002.seg"];
    auto const error = error_of(files);
    EXPECT_EQ(error.fault(), log_fault::missing_segment);
    EXPECT_THAT(error.where(), ::testing::EndsWith("0000000000000003.seg"));
}

TEST(LogChain, ASegmentUnderAnotherNumberIsRefused)
{
    sealed_log const good;
    EXPECT_EQ(error_of({{"0000000000000005.seg", good.segment}}).fault(), log_fault::foreign);
}

TEST(LogChain, FilesThatOnlyLookLikeSegmentsAreRefused)
{
    sealed_log const good;
    EXPECT_EQ(error_of({{first_segment, good.segment}, {"backup.seg", good.segment}}).fault(),
              log_fault::foreign);
    EXPECT_EQ(error_of({{first_segment, bytes(small_segment)}}).fault(), log_fault::foreign);
}

TEST(LogChain, SegmentsThatAreAllGoneAreMissed)
{
    EXPECT_EQ(error_of({{"0000000000000001.seg.torn-1767225600", bytes(10)}}).fault(),
              log_fault::missing_segment);
}

TEST(LogChain, ALogWhoseLockFileNamesAnEpochIsNotBegunAnew)
{
    sealed_log const good;
    good.disk->remove(first_segment);
    for (std::uint64_t again = 1; again <= 2; ++again) {
        try {
            open_on(good.disk, 2);
            ADD_FAILURE() << "a new log was begun where one is missing";
        } catch (log_error const& error) {
            EXPECT_EQ(error.fault(), log_fault::missing_segment);
            EXPECT_THAT(error.what(), ::testing::HasSubstr("epoch 1 of a log was opened here"));
        }
    }
    good.disk->remove("lock");
    EXPECT_EQ(open_on(good.disk, 2)->current().epoch, 1U) << "and on purpose it is";
}

TEST(LogChain, SegmentsOlderThanTheLockFileSaysAreThoseOfABackup)
{
    auto const disk = std::make_shared<simulated_disk>();
    open_on(disk, 1);
    std::map<std::string, std::vector<std::byte>> backup;
    for (std::string const& each : disk->names()) {
        if (each.ends_with(".seg")) backup[each] = disk->contents(each);
    }
    open_on(disk, 2);
    open_on(disk, 3);
    for (std::string const& each : disk->names()) {
        if (each.ends_with(".seg")) disk->remove(each);
    }
    for (auto const& [each, bytes_then] : backup)
        disk->put(each, bytes_then);

    try {
        open_on(disk, 4);
        ADD_FAILURE() << "what was decided in epochs 2 and 3 would be presumed aborted";
    } catch (log_error const& error) {
        EXPECT_EQ(error.fault(), log_fault::missing_segment);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("epoch 3"));
    }
}

TEST(LogChain, ATornOrHalfMadeSegmentProvesWhatStoodBesideIt)
{
    ledger promises;
    auto const files = two_segments(promises);
    auto const first = *files.begin();
    auto const missing = [&](std::string const& other) {
        auto const error = error_of({first, {other, bytes(10)}});
        return error.fault() == log_fault::missing_segment ? error.where() : error.what();
    };
    EXPECT_EQ(missing("0000000000000001.seg.torn-1767225600"), "simulated/0000000000000002.seg");
    EXPECT_EQ(missing("0000000000000003.seg.tmp"), "simulated/0000000000000002.seg");
    EXPECT_EQ(open_with({first, {"0000000000000002.seg.tmp", bytes(10)}}, promises),
              verdict::complete);
}

TEST(LogChain, HalfMadeSegmentsAreRemoved)
{
    sealed_log const good;
    auto const disk = std::make_shared<simulated_disk>();
    disk->put(first_segment, good.segment);
    disk->put("0000000000000002.seg.tmp", bytes(123));
    disk->put("notes.txt", bytes(5));
    good.promises.check(*open_on(disk, 2));
    EXPECT_THAT(disk->names(), ::testing::ElementsAre("0000000000000002.seg", "lock", "notes.txt"));
}

// What a later version of Assent may write, and what this one makes of it.

bytes with_major_version(bytes segment, std::uint16_t major)
{
    log::put_le<std::uint16_t>(segment.data() + 8, major);
    std::span<std::byte const> const summed(segment.data(), page_bytes - 4);
    log::put_le<std::uint32_t>(segment.data() + page_bytes - 4, log::crc32c(summed));
    return segment;
}

/// A log whose last page holds one record of a type that this version does not write.
std::map<std::string, bytes> with_record_type(std::uint8_t type, ledger& promises)
{
    sealed_log const good;
    promises = good.promises;
    bytes segment = good.segment;
    log::page_view const last{segment.data() + good.last_page * page_bytes, page_bytes};
    log::page_header header;
    EXPECT_EQ(log::decode(last, header), log::page_verdict::valid);
    header.previous_crc = log::page_crc(last);
    header.flags = 0;
    header.first_lsn += header.record_count;
    header.record_count = 1;
    header.payload_bytes = 24;
    header.page += 1;
    header.durable_up_to = header.page;
    log::page_span const page{segment.data() + header.page * page_bytes, page_bytes};
    log::seal_record({24, type, 0, header.first_lsn},
                     {header.writer, header.segment, header.page, log::page_header_bytes},
                     page.subspan(log::page_header_bytes, 24));
    log::seal_page(header, page);
    return {{first_segment, segment}};
}

TEST(LogVersions, ALaterMajorVersionIsRefusedByName)
{
    sealed_log const good;
    EXPECT_EQ(with_major_version(good.segment, 1), good.segment);
    auto const error = error_of({{first_segment, with_major_version(good.segment, 2)}});
    EXPECT_EQ(error.fault(), log_fault::newer_version);
}

TEST(LogVersions, UnknownRecordsAreRefusedUnlessTheyMayBeSkipped)
{
    ledger promises;
    for (std::uint8_t type : {0, 10, 16, 26, 127}) {
        auto const error = error_of(with_record_type(type, promises));
        EXPECT_EQ(error.fault(), log_fault::newer_version) << unsigned{type};
        EXPECT_EQ(error.page(), sealed_log::last_page + 1);
    }
    for (std::uint8_t type : {129, 255}) {
        EXPECT_EQ(open_with(with_record_type(type, promises), promises), verdict::complete);
    }
}

TEST(LogVersions, AKnownRecordWithAForeignBodyIsDamage)
{
    ledger promises;
    EXPECT_EQ(error_of(with_record_type(3, promises)).fault(), log_fault::corrupt);
}

}  // namespace
}  // namespace assent::testing
