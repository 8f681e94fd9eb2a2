// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// snapshot_pieces_test.cpp -- a new segment of a log that keeps much, on a disk that needs longer
// for its snapshot than a force may take.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "forwarding_file_layer.hpp"
#include "log/force_queue.hpp"
#include "log/log_opening.hpp"
#include "log/log_reader.hpp"
#include "log_fixture.hpp"

namespace assent::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t piece_bytes = std::size_t{log::snapshot_piece_pages} * log::page_bytes;

/// A disk that takes a piece in `per_piece`, once it is slow.
class slow_file_layer final : public forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;

    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        bool const is_zeros = std::all_of(from.begin(), from.end(),
                                          [](std::byte each) { return each == std::byte{}; });
        if (!is_zeros) {
            largest = std::max(largest, from.size());
            std::this_thread::sleep_for(per_piece * from.size() / piece_bytes);
        }
        return target().write(file, from, offset);
    }

    std::chrono::microseconds per_piece{0};
    std::size_t largest = 0;
};

log::decision_record decision(log::generation const& of, std::uint64_t sequence)
{
    gtrid::fields parts;
    parts.node = of.node;
    parts.epoch = of.epoch;
    parts.nonce = of.nonce;
    parts.sequence = sequence;
    log::decision_record what;
    what.what.global = gtrid::make(parts);
    what.what.branches = {bqual::make({1, 1, 1}), bqual::make({2, 1, 1})};
    return what;
}

TEST(SnapshotPieces, ALogThatKeepsMuchIsNotPoisonedByItsNextSegment)
{
    auto const disk = std::make_shared<simulated_disk>();
    slow_file_layer files{disk->attach_layer()};
    log::directory_facts seen;
    ASSERT_EQ(files.attach(true, seen), 0);
    log::generation const mine{0x1122334455667788, 1, 0xa1b2c3};
    log::log_image image;
    image.apply(log::record{log::opening_record{{mine.epoch, mine.nonce}, 1}});
    std::uint64_t sequence = 0;
    while (image.snapshot_pages_max() < 3 * log::snapshot_piece_pages)
        image.apply(log::record{decision(mine, ++sequence)});
    log::log_writer writer{files, {mine, "large", [] { return std::int64_t{1}; }}, {}};
    auto const pages = log::pages_for(log::segment_pages_min, image.snapshot_pages_max());
    auto const spare = log::make_spare(files, 1, pages);
    auto packed = writer.pack(image, log::segment_end::none, spare);
    writer.begin_segment(packed, spare);
    log::segment_supply::settings alone;
    alone.has_thread = false;
    alone.unix_ms = [] { return std::int64_t{1}; };
    log::segment_supply supply{files, alone};
    log::force_queue::settings how;
    how.force_wait = 1'500ms;
    how.idle_seal_wait = 0ms;
    how.segment_pages = log::segment_pages_min;
    how.decisions_max = 1'000;
    log::force_queue queue{writer, supply, std::move(image), how};

    while (writer.pages_left() >= 2) {
        log::record const next{decision(mine, ++sequence)};
        ASSERT_EQ(queue.force(next, std::chrono::steady_clock::now() + 10s).status,
                  log::force_status::durable);
    }
    files.per_piece = 700ms;
    files.largest = 0;
    log::record const last{decision(mine, ++sequence)};
    auto const answer = queue.force(last, std::chrono::steady_clock::now() + 60s);

    EXPECT_EQ(answer.status, log::force_status::durable) << answer.why;
    EXPECT_EQ(writer.at().number, 2u);
    EXPECT_FALSE(queue.state().is_poisoned) << queue.state().why;
    EXPECT_LE(files.largest, piece_bytes);
    files.per_piece = 0ms;
}

/// An image with so many decisions that it is read in several goes.
log::log_image large_image(log::generation const& of, std::uint64_t decisions)
{
    log::log_image image;
    image.apply(log::record{log::opening_record{{of.epoch, of.nonce}, 1}});
    for (std::uint64_t i = 1; i <= decisions; ++i)
        image.apply(log::record{decision(of, i)});
    return image;
}

void finish(log::log_image& image, log::decision_record const& which)
{
    for (auto const& branch : which.what.branches)
        image.finish({which.what.global, branch});
}

TEST(SnapshotPieces, ForgetNothingByAHorizonThatRisesMeanwhile)
{
    constexpr std::uint64_t decisions = 2 * log::decisions_at_once + 10;
    log::generation const mine{0x1122334455667788, 1, 0xa1b2c3};
    auto image = large_image(mine, decisions);
    int pauses = 0;
    log::log_image kept;

    image.for_each_kept([&](log::record const& one) { EXPECT_TRUE(kept.apply(one)); },
                        [&] {
                            if (pauses++ != 0) return;
                            for (std::uint64_t i = 1; i <= decisions; ++i)
                                finish(image, decision(mine, i));
                            for (std::uint16_t const id : {1, 2})
                                image.raise({id, {mine.epoch, decisions}, false});
                            image.add_rollback(decision(mine, decisions + 1).what.global);
                        });

    EXPECT_EQ(pauses, 2);
    EXPECT_EQ(kept.decisions().size(), decisions);
    EXPECT_FALSE(kept.horizon(1).covers({mine.epoch, 1}));
    EXPECT_EQ(kept.rollback_count(), 0u);
    int drops = 0;
    image.drop_forgettable([&drops] { ++drops; });
    EXPECT_EQ(drops, 2);
    EXPECT_TRUE(image.decisions().empty());
}

TEST(SnapshotPieces, WhatEndsWhileASegmentIsBegunIsOnDiskWithTheNextSeal)
{
    constexpr std::uint64_t decisions = 3 * log::decisions_at_once;
    auto const disk = std::make_shared<simulated_disk>();
    auto const files = disk->attach_layer();
    log::directory_facts seen;
    ASSERT_EQ(files->attach(true, seen), 0);
    log::generation const mine{0x1122334455667788, 1, 0xa1b2c3};
    auto image = large_image(mine, decisions);
    log::log_writer writer{*files, {mine, "large", [] { return std::int64_t{1}; }}, {}};
    auto const pages = log::pages_for(log::segment_pages_min, image.snapshot_pages_max());
    auto const spare = log::make_spare(*files, 1, pages);
    auto packed = writer.pack(image, log::segment_end::none, spare);
    writer.begin_segment(packed, spare);
    log::segment_supply::settings alone;
    alone.has_thread = false;
    alone.unix_ms = [] { return std::int64_t{1}; };
    log::segment_supply supply{*files, alone};
    log::force_queue::settings how;
    how.force_wait = 10s;
    how.segment_pages = log::segment_pages_min;
    how.decisions_max = 2 * decisions;
    log::force_queue queue{writer, supply, std::move(image), how};
    std::uint64_t sequence = decisions;
    auto const force_next = [&] {
        log::record const next{decision(mine, ++sequence)};
        ASSERT_EQ(queue.force(next, std::chrono::steady_clock::now() + 60s).status,
                  log::force_status::durable);
    };
    while (writer.pages_left() >= 2)
        force_next();

    // No more than the notes that a page or two of the new segment take.
    constexpr std::uint64_t ended = 64;
    std::thread ending{[&] {
        for (std::uint64_t i = 1; i <= ended; ++i) {
            auto const which = decision(mine, i * (decisions / ended));
            for (auto const& branch : which.what.branches)
                queue.note_finished({which.what.global, branch});
            std::this_thread::sleep_for(100us);
        }
    }};
    force_next();
    ending.join();
    EXPECT_EQ(writer.at().number, 2u);
    ASSERT_TRUE(queue.close());

    auto const contents = log::read_log(*files);
    ASSERT_TRUE(contents.has_value());
    EXPECT_EQ(contents.value().image.live_decisions(), sequence - ended);
}

}  // namespace
}  // namespace assent::testing
