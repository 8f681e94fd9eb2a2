// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_inspection_test.cpp -- every kind of damage is found, named and counted, and the verdict is
// that of the reader which decides.

#include "recovery/log_tools/log_inspection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <random>

#include "log/log_reader.hpp"
#include "log/page_builder.hpp"
#include "tests/unit/log/damaged_log.hpp"
#include "tests/unit/log/forwarding_file_layer.hpp"

namespace assent::testing {
namespace {

using log::chain_link;
using log::log_error;
using log::log_inspection;
using log::log_verdict;
using log::page_bytes;
using log::page_kind;
using log::segment_state;
using ::testing::HasSubstr;

log_inspection inspect(std::shared_ptr<simulated_disk> const& disk,
                       std::size_t decisions_at_once = 1000)
{
    auto const files = disk->attach_layer();
    return log::inspect_log(*files, {{}, decisions_at_once});
}

log::segment_inspection inspect_damaged(std::function<void(file_bytes&)> const& damage,
                                        bool is_closed = true)
{
    auto segment = eventful_log{is_closed}.segment;
    damage(segment);
    auto const told = inspect(disk_with(second_segment, segment));
    EXPECT_EQ(told.segments.size(), 1U);
    return told.segments.at(0).is;
}

/// What the reader that decides says of the same files.
std::optional<log::segment_end> read(std::shared_ptr<simulated_disk> const& disk)
{
    auto const files = disk->attach_layer();
    try {
        auto const contents = log::read_log(*files);
        return contents ? contents->tail.end : log::segment_end::none;
    } catch (log_error const&) {
        return std::nullopt;
    }
}

void expect_same_verdict(std::shared_ptr<simulated_disk> const& disk)
{
    auto const decided = read(disk);
    auto const told = inspect(disk);
    if (!decided) {
        EXPECT_GE(told.verdict, log_verdict::damaged) << "refused, and called sound";
        EXPECT_NE(told.verdict, log_verdict::none);
        EXPECT_NE(told.where + told.why, "");
        return;
    }
    bool const is_torn = *decided == log::segment_end::torn;
    EXPECT_EQ(told.verdict, is_torn ? log_verdict::torn : log_verdict::sound) << told.why;
    if (is_torn) return;
    EXPECT_EQ(told.newest()->state == segment_state::sealed, *decided == log::segment_end::sealed);
}

TEST(LogInspection, ASoundLogIsCountedWhole)
{
    eventful_log const good;
    auto const told = inspect(good.disk);

    EXPECT_EQ(told.verdict, log_verdict::sound);
    EXPECT_FALSE(told.lock.is_held);
    ASSERT_EQ(told.segments.size(), 1U);
    EXPECT_EQ(told.segments[0].link, chain_link::first) << "the one before is not needed any more";
    auto const& segment = told.segments[0].is;
    EXPECT_EQ(segment.number, 2U);
    EXPECT_EQ(segment.state, segment_state::sealed);
    EXPECT_EQ(segment.header->writer.epoch, 2U);
    EXPECT_EQ(segment.last_page, 8U);
    EXPECT_EQ(segment.sound_pages, 8U);
    EXPECT_EQ(segment.first_lsn, 5U);
    EXPECT_EQ(segment.next_lsn, 18U);
    EXPECT_EQ(segment.records, 13U);
    EXPECT_EQ(segment.records_after, 0U);
    EXPECT_EQ(segment.decisions, 4U);
    EXPECT_TRUE(segment.damaged.first.empty());
    EXPECT_TRUE(segment.lost.first.empty());
}

TEST(LogInspection, AnOwnerThatDiedLeavesAnUnsealedSegment)
{
    eventful_log open{false};
    auto const after = open.disk->process_crash();

    auto const told = inspect(after);

    EXPECT_EQ(told.verdict, log_verdict::sound);
    EXPECT_EQ(told.newest()->state, segment_state::unsealed);
    EXPECT_EQ(inspect(open.disk).newest()->state, segment_state::live);
    EXPECT_TRUE(inspect(open.disk).lock.is_held);
}

TEST(LogInspection, ADamagedPageIsNamedWithWhatProvesItAndWhatIsMissing)
{
    auto const told = inspect_damaged([](file_bytes& file) {
        spoil(file, 3);
        spoil(file, 5);
        wipe(file, 6);
    });

    EXPECT_EQ(told.state, segment_state::corrupt);
    EXPECT_EQ(told.page, 3U);
    EXPECT_THAT(told.why, HasSubstr("as page 4 says"));
    EXPECT_EQ(told.damaged.total, 3U);
    ASSERT_EQ(told.damaged.first.size(), 3U);
    EXPECT_EQ(told.damaged.first[0].first, 3U);
    EXPECT_EQ(told.damaged.first[0].promised_by, 4U);
    EXPECT_EQ(told.damaged.first[1].kind, page_kind::damaged);
    EXPECT_EQ(told.damaged.first[1].promised_by, 7U);
    EXPECT_EQ(told.damaged.first[2].kind, page_kind::zeros);
    EXPECT_EQ(told.damaged.first[2].promised_by, 7U);
    EXPECT_EQ(told.lost.total, 3U);
    ASSERT_EQ(told.lost.first.size(), 2U);
    EXPECT_EQ(told.lost.first[0].first, 11U);
    EXPECT_EQ(told.lost.first[0].last, 11U);
    EXPECT_EQ(told.lost.first[1].first, 14U);
    EXPECT_EQ(told.lost.first[1].last, 15U);
    EXPECT_EQ(told.records, 10U);
    EXPECT_EQ(told.records_after, 4U);
    EXPECT_EQ(told.last_page, 8U);
    EXPECT_EQ(told.damaged_at_end, 0U);
}

TEST(LogInspection, ALastForceThatNothingProvesIsTorn)
{
    auto const told = inspect_damaged([](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    });

    EXPECT_EQ(told.state, segment_state::torn);
    EXPECT_EQ(told.page, 7U);
    ASSERT_EQ(told.damaged.first.size(), 1U);
    EXPECT_EQ(told.damaged.first[0].promised_by, 0U);
    EXPECT_EQ(told.damaged_at_end, 1U);
    EXPECT_EQ(told.last_page, 6U);
}

TEST(LogInspection, TheSnapshotIsProvedByTheHeader)
{
    auto const told = inspect_damaged([](file_bytes& file) { spoil(file, 1); });

    EXPECT_EQ(told.state, segment_state::corrupt);
    EXPECT_EQ(told.page, 1U);
    EXPECT_THAT(told.why, HasSubstr("before the segment got its name"));
    ASSERT_EQ(told.damaged.first.size(), 1U);
    EXPECT_TRUE(told.damaged.first[0].is_of_snapshot);
    EXPECT_EQ(told.lost.total, 5U);
}

TEST(LogInspection, APageThatIsElsewhereIsAStray)
{
    auto const told = inspect_damaged([](file_bytes& file) {
        auto const from = page_of(file, 3);
        std::copy(from.begin(), from.end(), page_of(file, 6).begin());
    });

    EXPECT_EQ(told.state, segment_state::corrupt);
    EXPECT_EQ(told.page, 6U);
    ASSERT_EQ(told.damaged.first.size(), 1U);
    EXPECT_EQ(told.damaged.first[0].kind, page_kind::stray);
    EXPECT_THAT(told.damaged.first[0].why, HasSubstr("page 3 of segment 2, epoch 2"));
}

TEST(LogInspection, AnIntactPageThatDoesNotBelongIsNamed)
{
    // Byte 60: the checksum of the page before.  Byte 40: the number of the first record.
    auto const unchained = inspect_damaged([](file_bytes& file) {
        page_of(file, 4)[60] ^= std::byte{1};
        reseal(file, 4);
    });
    EXPECT_EQ(unchained.state, segment_state::corrupt);
    EXPECT_EQ(unchained.page, 4U);
    EXPECT_EQ(unchained.damaged.first.at(0).kind, page_kind::unchained);

    auto const disordered = inspect_damaged([](file_bytes& file) {
        page_of(file, 4)[40] ^= std::byte{64};
        reseal(file, 4);
    });
    EXPECT_EQ(disordered.page, 4U);
    EXPECT_EQ(disordered.damaged.first.at(0).kind, page_kind::out_of_order);
    EXPECT_THAT(disordered.why, HasSubstr("12 is next"));

    auto const malformed = inspect_damaged([](file_bytes& file) {
        spoil(file, 4);
        reseal(file, 4);
    });
    EXPECT_EQ(malformed.page, 5U)
        << "byte 200 is behind the binding; page 5 follows another page 4";
    auto const broken = inspect_damaged([](file_bytes& file) {
        spoil(file, 7);
        reseal(file, 7);
    });
    EXPECT_EQ(broken.damaged.first.at(0).kind, page_kind::malformed);
    EXPECT_EQ(broken.page, 7U);
}

TEST(LogInspection, ALaterVersionIsNoDamage)
{
    auto const told = inspect_damaged([](file_bytes& file) {
        page_of(file, 4)[10] |= std::byte{2};  // a flag that must be known
        reseal(file, 4);
    });

    EXPECT_EQ(told.state, segment_state::newer);
    EXPECT_EQ(told.page, 4U);
    auto const header = [] {
        auto segment = eventful_log{}.segment;
        segment[8] = std::byte{9};
        log::put_le<std::uint32_t>(segment.data() + page_bytes - 4,
                                   log::crc32c(std::span(segment).first(page_bytes - 4)));
        return inspect(disk_with(second_segment, segment));
    }();
    EXPECT_EQ(header.verdict, log_verdict::newer);
}

TEST(LogInspection, ASnapshotOfZerosIsDamagedThoughNothingFollowsIt)
{
    auto segment = eventful_log{}.segment;
    for (std::size_t page = 1; page <= 8; ++page)
        wipe(segment, page);
    auto const disk = disk_with(second_segment, segment);

    auto const told = inspect(disk);

    EXPECT_EQ(told.verdict, log_verdict::damaged);
    EXPECT_EQ(told.page, 1U);
    ASSERT_EQ(told.newest()->damaged.total, 1U);
    EXPECT_TRUE(told.newest()->damaged.first.at(0).is_of_snapshot);
    expect_same_verdict(disk);
}

TEST(LogInspection, ASnapshotThatDoesNotNameItsWriterIsDamage)
{
    eventful_log const good;
    auto segment = good.segment;
    log::page_header header;
    ASSERT_EQ(log::decode(log::page_view{page_of(segment, 1).data(), page_bytes}, header),
              log::page_verdict::valid);
    // Another opening of the same epoch, with every checksum right; nothing follows it.
    log::page_builder builder(1);
    builder.begin(header.writer, 2, 1, header.first_lsn, 1);
    builder.add(log::record{log::opening_record{{header.writer.epoch, 12345}, 6}});
    builder.finish(header.durable_up_to, header.previous_crc);
    std::ranges::copy(builder.bytes(), page_of(segment, 1).begin());
    for (std::size_t page = 2; page <= 8; ++page)
        wipe(segment, page);
    auto const disk = disk_with(second_segment, segment);

    auto const told = inspect(disk);

    EXPECT_EQ(told.verdict, log_verdict::damaged);
    EXPECT_THAT(told.why, HasSubstr("does not name the opening that wrote it"));
    expect_same_verdict(disk);
}

TEST(LogInspection, WithoutItsHeaderASegmentIsStillReadPageByPage)
{
    auto const told = inspect_damaged([](file_bytes& file) {
        spoil(file, 0);
        spoil(file, 5);
    });

    EXPECT_EQ(told.state, segment_state::headless);
    EXPECT_FALSE(told.header.has_value());
    EXPECT_EQ(told.writer->epoch, 2U) << "its pages say who wrote it";
    EXPECT_EQ(told.sound_pages, 7U);
    EXPECT_EQ(told.lost.total, 1U);
}

TEST(LogInspection, AnotherLengthIsRefusedAndReadAsFarAsItGoes)
{
    auto const shorter = inspect_damaged([](file_bytes& file) { file.resize(5 * page_bytes); });
    EXPECT_EQ(shorter.state, segment_state::corrupt);
    EXPECT_EQ(shorter.page, 0U);
    EXPECT_EQ(shorter.missing_pages, 11U);
    EXPECT_EQ(shorter.last_page, 4U);

    auto const longer = inspect_damaged([](file_bytes& file) { file.resize(99 * page_bytes); });
    EXPECT_EQ(longer.state, segment_state::corrupt);
    EXPECT_EQ(longer.records, 13U);

    auto const empty = inspect_damaged([](file_bytes& file) { file.resize(7); });
    EXPECT_EQ(empty.state, segment_state::headless);
}

TEST(LogInspection, ContradictionsAreFoundHoweverFewDecisionsFitIntoMemory)
{
    eventful_log const good;
    auto segment = good.segment;
    // Page 7 says decision 4: now it says the first one again, with every checksum right.
    log::page_builder builder(1);
    log::page_header header;
    ASSERT_EQ(log::decode(log::page_view{page_of(segment, 7).data(), page_bytes}, header),
              log::page_verdict::valid);
    builder.begin(header.writer, 2, 7, header.first_lsn, 1);
    builder.add(log::record{log::decision_record{good.decisions[0], 0, 1}});
    builder.finish(header.durable_up_to, header.previous_crc);
    std::copy(builder.bytes().begin(), builder.bytes().end(), page_of(segment, 7).begin());
    wipe(segment, 8);
    auto const disk = disk_with(second_segment, segment);

    for (std::size_t const at_once : {1U, 2U, 3U, 1000U}) {
        auto const told = inspect(disk, at_once);
        EXPECT_EQ(told.verdict, log_verdict::damaged) << at_once;
        EXPECT_EQ(told.page, 7U);
        EXPECT_THAT(told.why, HasSubstr("record 16 contradicts the log"));
        ASSERT_EQ(told.newest()->damaged.first.size(), 1U) << at_once;
        EXPECT_TRUE(told.newest()->damaged.first[0].is_contradiction);
    }
    expect_same_verdict(disk);
}

TEST(LogInspection, SoManyDecisionsAsFitAreWatchedAtOnce)
{
    eventful_log const good;
    for (std::size_t const at_once : {1U, 2U, 3U, 4U}) {
        auto const told = inspect(good.disk, at_once);
        EXPECT_EQ(told.verdict, log_verdict::sound);
        EXPECT_EQ(told.newest()->records, 13U) << "counted once, however often it is read";
        EXPECT_EQ(told.newest()->decisions, 4U);
    }
}

/// A disk with bad sectors: reading this page fails.
class bad_sector final : public forwarding_file_layer
{
public:
    bad_sector(std::shared_ptr<log::file_layer> to, std::uint64_t page)
        : forwarding_file_layer(std::move(to)), at_(page * page_bytes)
    {
    }
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override
    {
        bool const is_hit =
            offset <= at_ && at_ < offset + into.size() && into.size() >= page_bytes;
        return is_hit ? -EIO : forwarding_file_layer::read(file, into, offset);
    }

private:
    std::uint64_t const at_;
};

TEST(LogInspection, ABadSectorTakesOnlyItsOwnPage)
{
    eventful_log const good;
    bad_sector files(good.disk->attach_layer(), 5);

    auto const told = log::inspect_log(files, {});

    EXPECT_EQ(told.verdict, log_verdict::damaged);
    EXPECT_EQ(told.page, 5U);
    ASSERT_EQ(told.newest()->damaged.first.size(), 1U);
    EXPECT_EQ(told.newest()->damaged.first[0].kind, page_kind::unreadable);
    EXPECT_THAT(told.newest()->damaged.first[0].why, HasSubstr("Input/output error"));
    EXPECT_EQ(told.newest()->lost.total, 1U);
}

TEST(LogInspection, OtherFilesAreListed)
{
    eventful_log const good;
    good.disk->put("0000000000000003.seg.tmp", file_bytes(page_bytes));
    good.disk->put("0000000000000001.seg.torn-1767225600", file_bytes(3 * page_bytes));
    good.disk->put("notes.txt", file_bytes(9));

    auto const told = inspect(good.disk);

    EXPECT_EQ(told.verdict, log_verdict::sound);
    ASSERT_EQ(told.others.size(), 3U);
    EXPECT_EQ(told.others[0].what, log::other_file::role::torn_copy);
    EXPECT_EQ(told.others[0].bytes, 3 * page_bytes);
    EXPECT_EQ(told.others[1].what, log::other_file::role::half_made);
    EXPECT_EQ(told.others[2].what, log::other_file::role::stranger);
}

TEST(LogInspection, TheChainIsChecked)
{
    auto const disk = std::make_shared<simulated_disk>();
    open_on(disk, 1);
    auto const first = disk->contents(first_segment);
    open_on(disk, 2);
    disk->put(first_segment, first);
    EXPECT_EQ(inspect(disk).segments.at(1).link, chain_link::whole);
    expect_same_verdict(disk);

    auto cut = first;
    wipe(cut, 1);
    wipe(cut, 2);
    disk->put(first_segment, cut);
    EXPECT_EQ(inspect(disk).segments.at(1).link, chain_link::cut);
    EXPECT_EQ(inspect(disk).verdict, log_verdict::sound) << "the newest holds all that counts";
    expect_same_verdict(disk);

    auto const other = std::make_shared<simulated_disk>();
    open_on(other, 77);
    disk->put(first_segment, other->contents(first_segment));
    EXPECT_EQ(inspect(disk).segments.at(1).link, chain_link::foreign);
    EXPECT_EQ(inspect(disk).verdict, log_verdict::foreign);
    expect_same_verdict(disk);

    auto headless = first;
    spoil(headless, 0);
    disk->put(first_segment, headless);
    EXPECT_EQ(inspect(disk).verdict, log_verdict::damaged);
    expect_same_verdict(disk);
}

TEST(LogInspection, WhatIsMissingIsNamed)
{
    eventful_log const good;
    good.disk->put("0000000000000004.seg", good.segment);
    EXPECT_EQ(inspect(good.disk).verdict, log_verdict::missing);
    EXPECT_THAT(inspect(good.disk).where, HasSubstr("0000000000000003.seg"));
    expect_same_verdict(good.disk);

    auto const disk = std::make_shared<simulated_disk>();
    EXPECT_EQ(inspect(disk).verdict, log_verdict::none);
    disk->put("0000000000000001.seg.torn-1", good.segment);
    EXPECT_EQ(inspect(disk).verdict, log_verdict::missing);
    expect_same_verdict(disk);
    disk->put("x.seg", good.segment);
    EXPECT_EQ(inspect(disk).verdict, log_verdict::foreign);
    expect_same_verdict(disk);
}

TEST(LogInspection, AgreesWithTheReaderOnAnyFlippedBytes)
{
    std::mt19937_64 random(20260301);
    auto const good = eventful_log{}.segment;
    unsigned refused = 0;
    for (unsigned i = 0; i < 4000; ++i) {
        auto damaged = good;
        for (unsigned k = 0; k < 1 + random() % 3; ++k) {
            damaged[random() % (11 * page_bytes)] = static_cast<std::byte>(random());
        }
        auto const disk = disk_with(second_segment, damaged);
        expect_same_verdict(disk);
        refused += !read(disk);
        if (HasFailure()) FAIL() << "round " << i;
    }
    EXPECT_GT(refused, 1000U);
}

TEST(LogInspection, AgreesWithTheReaderOnAnyMixOfPages)
{
    std::mt19937_64 random(20260302);
    eventful_log const source;
    auto const other_disk = std::make_shared<simulated_disk>();
    auto const other = open_on(other_disk, 99);
    for (std::uint64_t i = 1; i <= 8; ++i) {
        other->force(decision_of(*other, i), far_away());
    }
    auto const foreign = other_disk->contents(first_segment);
    unsigned torn = 0;
    for (unsigned i = 0; i < 4000; ++i) {
        auto damaged = source.segment;
        for (unsigned k = 0; k < 1 + random() % 3; ++k) {
            auto const page = random() % 10;
            switch (random() % 6) {
                case 0:
                    spoil(damaged, page);
                    break;
                case 1:
                case 2:
                    wipe(damaged, 5 + random() % 4);
                    break;
                case 3:
                    std::ranges::copy(page_of(damaged, random() % 10),
                                      page_of(damaged, page).begin());
                    break;
                case 4:
                    std::copy_n(foreign.begin() + static_cast<std::ptrdiff_t>(page * page_bytes),
                                page_bytes, page_of(damaged, page).begin());
                    break;
                default:
                    page_of(damaged, page)[random() % page_bytes] ^= std::byte{1};
                    if (page > 0) reseal(damaged, page);
                    break;
            }
        }
        auto const disk = disk_with(second_segment, damaged);
        expect_same_verdict(disk);
        torn += read(disk) == log::segment_end::torn;
        if (HasFailure()) FAIL() << "round " << i;
    }
    EXPECT_GT(torn, 20U);
}

TEST(LogInspection, NoBytesCrashIt)
{
    std::mt19937_64 random(20260303);
    for (unsigned i = 0; i < 300; ++i) {
        file_bytes noise(random() % (40 * page_bytes));
        for (auto& one : noise)
            one = static_cast<std::byte>(random());
        for (std::size_t page = 1; page < noise.size() / page_bytes; ++page) {
            // Half of them look like pages of ours, with any words in them.
            if (random() % 2 == 0) continue;
            log::put_le<std::uint32_t>(page_of(noise, page).data() + 4, 0x504e5341);
            page_of(noise, page)[8] = std::byte{1};
            reseal(noise, page);
        }
        expect_same_verdict(disk_with(first_segment, noise));
    }
}

/// A live owner whose last force is half done whenever it is looked at, and done when one looks
/// again.
class moving_end final : public forwarding_file_layer
{
public:
    moving_end(std::shared_ptr<log::file_layer> to, std::uint64_t page)
        : forwarding_file_layer(std::move(to)), page_(page)
    {
    }
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override
    {
        long const got = forwarding_file_layer::read(file, into, offset);
        bool const is_hit = into.size() >= page_bytes && offset <= page_ * page_bytes &&
                            offset + into.size() > page_ * page_bytes;
        if (is_hit && ++reads_ % 2 == 1) {
            auto const half = into.subspan(page_ * page_bytes - offset + 100, 3000);
            std::fill(half.begin(), half.end(), std::byte{0});
        }
        return got;
    }
    unsigned reads() const { return reads_; }

private:
    std::uint64_t const page_;
    unsigned reads_ = 0;
};

TEST(LogInspection, BesideALiveOwnerAMovingEndIsNoDamage)
{
    eventful_log open{false};
    for (std::uint64_t const page : {2U, 5U, 7U}) {
        moving_end files(open.disk->attach_layer(), page);

        auto const told = log::inspect_log(files, {});

        EXPECT_EQ(told.verdict, log_verdict::sound) << told.why;
        EXPECT_EQ(told.newest()->state, segment_state::live);
        EXPECT_TRUE(told.newest()->damaged.first.empty());
        EXPECT_GE(files.reads(), page == 7 ? 1U : 2U);
    }
}

TEST(LogInspection, BesideALiveOwnerRealDamageIsFound)
{
    eventful_log open{false};
    open.disk->flip_bit(second_segment, (3 * page_bytes + 77) * 8);

    auto const told = inspect(open.disk);

    EXPECT_TRUE(told.lock.is_held);
    EXPECT_EQ(told.verdict, log_verdict::damaged);
    EXPECT_EQ(told.page, 3U);
}

/// A segment that its owner removes between listing and opening it.
class vanishing final : public forwarding_file_layer
{
public:
    vanishing(std::shared_ptr<log::file_layer> to, std::shared_ptr<simulated_disk> disk)
        : forwarding_file_layer(std::move(to)), disk_(std::move(disk))
    {
    }
    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        if (name == first_segment && ++opened_ == 2) disk_->remove(name);
        return forwarding_file_layer::open(name, mode);
    }

private:
    std::shared_ptr<simulated_disk> disk_;
    int opened_ = 0;
};

TEST(LogInspection, ASegmentThatIsRemovedMeanwhileIsNoDamage)
{
    auto const disk = std::make_shared<simulated_disk>();
    open_on(disk, 1);
    auto const first = disk->contents(first_segment);
    auto const live = open_on(disk, 2);
    disk->put(first_segment, first);
    vanishing files(disk->attach_layer(), disk);

    auto const told = log::inspect_log(files, {});

    EXPECT_EQ(told.verdict, log_verdict::sound);
    EXPECT_EQ(told.segments.size(), 1U);
}

/// An owner that is always a segment ahead of whoever reads.
class never_there final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;
    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        if (name.ends_with(".seg") && ++opened_ != 0) return -ENOENT;
        return forwarding_file_layer::open(name, mode);
    }
    int opened() const { return opened_; }

private:
    int opened_ = 0;
};

TEST(LogInspection, AnOwnerThatIsAlwaysAheadIsNoMissingLog)
{
    eventful_log open{false};
    never_there files(open.disk->attach_layer());
    log::inspection_settings how;
    how.patience = std::chrono::milliseconds{20};

    try {
        log::inspect_log(files, how);
        ADD_FAILURE() << "it cannot have read anything";
    } catch (log::log_error const& told) {
        EXPECT_EQ(told.code(), std::errc::resource_unavailable_try_again);
        EXPECT_THAT(told.what(), HasSubstr("faster than they can be read"));
    }
    EXPECT_GE(files.opened(), 8);
}

TEST(LogInspection, SaysHowFarItIs)
{
    eventful_log const good;
    auto const files = good.disk->attach_layer();
    std::vector<log::inspection_progress> told;

    log::inspect_log(*files, {[&](auto const& now) { told.push_back(now); }, 1000});

    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back().segment, 2U);
    EXPECT_EQ(told.back().bytes, good.segment.size());
    EXPECT_EQ(told.back().bytes_read, good.segment.size());
}

}  // namespace
}  // namespace assent::testing
