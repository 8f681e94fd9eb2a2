// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_salvage_test.cpp -- what is had back of a damaged log, what is not, and that power loss in
// the middle leaves nothing or all of it.

#include "recovery/log_tools/log_repair.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <random>
#include <thread>

#include "log/log_lock.hpp"
#include "log/log_opening.hpp"
#include "log/log_reader.hpp"
#include "log/page_builder.hpp"
#include "recovery/log_tools/log_inspection.hpp"
#include "tests/unit/log/damaged_log.hpp"

namespace assent::testing {
namespace {

using log::log_error;
using log::log_fault;
using log::page_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t sequence_max = 0xffffffffffffULL;

log::repair_settings by_ann(std::uint64_t seed = 7)
{
    auto const generator = std::make_shared<std::mt19937_64>(seed);
    return {"uid 1000 (ann)", "the disk is broken", [generator] { return (*generator)(); },
            [] { return std::int64_t{1'767'225'700'000}; }, small_segment};
}

log::salvage_plan plan_of(std::shared_ptr<simulated_disk> const& disk)
{
    auto const files = disk->attach_layer();
    return log::plan_salvage(*files, log::inspect_log(*files, {}));
}

std::shared_ptr<simulated_disk> salvage(std::shared_ptr<simulated_disk> const& damaged)
{
    auto into = std::make_shared<simulated_disk>();
    log::write_salvage(plan_of(damaged), *into->attach_layer(), by_ann());
    return into;
}

log::log_contents read(std::shared_ptr<simulated_disk> const& disk)
{
    return log::read_log(*disk->attach_layer()).value();
}

std::shared_ptr<simulated_disk> damaged_by(std::function<void(file_bytes&)> const& damage)
{
    auto segment = eventful_log{}.segment;
    damage(segment);
    return disk_with(second_segment, segment);
}

/// With segments that hold a hundred decisions.
std::unique_ptr<log::file_log> open_roomy(std::shared_ptr<simulated_disk> const& disk,
                                          std::uint64_t seed)
{
    auto options = repeatable(disk->attach_layer(), seed);
    options.segment_bytes = 128 * page_bytes;
    return std::make_unique<log::file_log>("simulated", options);
}

/// The log, or nothing where there is none, or where a half-made segment proves that it is not the
/// first one.
std::optional<log::log_contents> what_is_left(std::shared_ptr<simulated_disk> const& disk)
{
    try {
        return log::read_log(*disk->attach_layer());
    } catch (log_error const& error) {
        EXPECT_EQ(error.fault(), log_fault::missing_segment) << error.what();
        return std::nullopt;
    }
}

std::string refusal_of(std::shared_ptr<simulated_disk> const& disk)
{
    try {
        plan_of(disk);
    } catch (log_error const& error) {
        return error.what();
    }
    ADD_FAILURE() << "a plan was made";
    return {};
}

TEST(LogSalvage, KeepsEverythingThatIsSoundAlsoBehindTheDamage)
{
    eventful_log const good;
    auto const damaged = damaged_by([](file_bytes& file) { spoil(file, 3); });

    auto const plan = plan_of(damaged);
    auto const made = read(salvage(damaged));

    EXPECT_EQ(plan.records, 12U);
    EXPECT_EQ(plan.loss.records.total, 1U);
    ASSERT_EQ(plan.loss.records.first.size(), 1U);
    EXPECT_EQ(plan.loss.records.first[0].first, 11U);
    EXPECT_EQ(plan.loss.pages_at_end, 0U);
    EXPECT_EQ(made.tail.end, log::segment_end::sealed);
    EXPECT_EQ(made.newest.writer.node, good.node);
    EXPECT_EQ(made.newest.writer.epoch, 3U);
    EXPECT_EQ(made.newest.node_label, "shop-1");
    EXPECT_EQ(made.newest.number, 3U);
    EXPECT_EQ(made.newest.previous_number, 2U);
    EXPECT_EQ(made.newest.previous_last_page, 8U);
    EXPECT_EQ(made.newest.previous_end, log::segment_end::torn);
    EXPECT_EQ(made.image.openings().size(), 3U);
    EXPECT_EQ(made.image.openings().count({good.opening.epoch, good.opening.nonce}), 1U);
    EXPECT_EQ(made.image.heuristics().size(), 1U);
    // 1 is finished and was not copied; 2 is lost; 3 and 4 stand behind the damage.
    EXPECT_EQ(made.image.decisions().size(), 2U);
    EXPECT_EQ(made.image.decisions().count(good.decisions[2].global), 1U);
    EXPECT_EQ(made.image.decisions().count(good.decisions[3].global), 1U);
}

TEST(LogSalvage, RaisesEveryHorizonPastWhateverTheDamagedLogDecided)
{
    auto const made = read(salvage(damaged_by([](file_bytes& file) { spoil(file, 3); })));

    for (std::uint16_t id = 1; id <= 3; ++id) {
        EXPECT_EQ(made.image.horizon(id), (ports::position{2, sequence_max})) << id;
    }
}

TEST(LogSalvage, SaysInTheLogWhoDidItAndWhy)
{
    auto const made = read(salvage(damaged_by([](file_bytes& file) { spoil(file, 3); })));

    ASSERT_EQ(made.image.operator_records().size(), 1U);
    auto const& note = made.image.operator_records().front();
    EXPECT_TRUE(note.branch.global.is_null());
    EXPECT_EQ(note.verdict, log::operator_verdict::roll_back);
    EXPECT_EQ(note.who, "uid 1000 (ann)");
    EXPECT_THAT(note.why, HasSubstr("the disk is broken; salvaged, 1 records are lost: 11 to 11"));
    EXPECT_EQ(note.unix_ms, 1'767'225'700'000);
}

TEST(LogSalvage, LeavesTheDamagedLogAsItIs)
{
    auto const damaged = damaged_by([](file_bytes& file) { spoil(file, 3); });
    auto const before = damaged->contents(second_segment);

    salvage(damaged);

    EXPECT_EQ(damaged->contents(second_segment), before);
    EXPECT_THAT(damaged->names(), ElementsAre(second_segment));
}

TEST(LogSalvage, BurnsTheIdsThatLostRecordsMayHaveAssigned)
{
    // Ledger (3) is bound behind the lost record: its id is known, and no other was given.
    auto const before = plan_of(damaged_by([](file_bytes& file) { spoil(file, 3); }));
    EXPECT_THAT(before.loss.ids, IsEmpty());
    EXPECT_EQ(before.loss.maybe_to, 0U);

    // The page that binds it is lost, and the page behind it as well: three records, three
    // ids.
    auto const damaged = damaged_by([](file_bytes& file) {
        spoil(file, 4);
        spoil(file, 5);
    });
    auto const plan = plan_of(damaged);
    EXPECT_EQ(plan.loss.maybe_from, 3U);
    EXPECT_EQ(plan.loss.maybe_to, 5U);

    auto const made = salvage(damaged);
    auto const contents = read(made);
    auto const& bindings = contents.image.bindings();
    ASSERT_EQ(bindings.size(), 3U);
    EXPECT_EQ(bindings.at(5).kind, "lost");
    EXPECT_EQ(bindings.at(5).name, "lost 3 to 5");
    auto const log = open_on(made, 9);
    EXPECT_EQ(log->bind("ledger", "memory", "identity-l"), 6U) << "no id is given twice";
}

TEST(LogSalvage, AnIdThatIsMissingBetweenTwoIsKnownToBeLost)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk, 1);
    for (char const* name : {"a", "b", "c"}) {
        log->bind(name, "memory", std::string("identity-") + name);
    }
    log->close();
    auto segment = disk->contents(first_segment);
    spoil(segment, 3);

    auto const damaged = disk_with(first_segment, segment);
    auto const plan = plan_of(damaged);
    auto into = std::make_shared<simulated_disk>();
    log::write_salvage(plan, *into->attach_layer(), by_ann());

    EXPECT_THAT(plan.loss.ids, ElementsAre(2));
    EXPECT_EQ(plan.loss.maybe_to, 0U);
    EXPECT_EQ(read(into).image.bindings().at(2).name, "lost 2");
    // A second salvage knows that its snapshot is whole, gaps included.
    auto again = into->contents(second_segment);
    page_of(again, 2)[300] ^= std::byte{1};
    EXPECT_THAT(plan_of(disk_with(second_segment, again)).loss.ids, IsEmpty());
}

TEST(LogSalvage, WhatTheLastPagesHeldCannotBeCounted)
{
    // Page 4 proves that page 3 is damaged; 7 and 8, behind which nothing is sound, prove nothing.
    auto const damaged = damaged_by([](file_bytes& file) {
        spoil(file, 3);
        spoil(file, 7);
        wipe(file, 8);
    });

    auto const plan = plan_of(damaged);
    auto const made = read(salvage(damaged));

    EXPECT_EQ(plan.loss.records.total, 1U);
    EXPECT_EQ(plan.loss.pages_at_end, 1U);
    EXPECT_EQ(plan.loss.maybe_from, 4U);
    EXPECT_EQ(plan.loss.maybe_to, 4U + 251U) << "as many as a page can hold";
    EXPECT_GE(made.newest.first_lsn, 13U + 252U) << "numbers are not used again either";
    EXPECT_THAT(made.image.operator_records().front().why,
                HasSubstr("and what 1 pages at the end held"));
}

/// Bindings of each page behind the snapshot.
class binding_counter final : public log::scan_visitor
{
public:
    void on_page(log::scanned_page const& page) override { page_ = page.number; }
    void on_record(log::scanned_record const& one) override
    {
        all += std::holds_alternative<ports::binding>(*one.what);
        most = std::max(most, in_page_[page_] += std::holds_alternative<ports::binding>(*one.what));
    }

    unsigned all = 0;
    unsigned most = 0;

private:
    std::uint32_t page_ = 0;
    std::map<std::uint32_t, unsigned> in_page_;
};

TEST(LogSalvage, ABindingIsTheOnlyOneOfItsPage)
{
    auto const disk = std::make_shared<simulated_disk>();
    auto const log = open_roomy(disk, 1);
    std::array<std::thread, 8> threads;
    for (std::size_t i = 0; i < threads.size(); ++i) {
        threads.at(i) = std::thread([&log, i] {
            auto const name = "database " + std::to_string(i);
            log->bind(name, "memory", name);
        });
    }
    for (auto& each : threads) {
        each.join();
    }
    log->close();

    binding_counter counted;
    log::segment_scan(*disk->attach_layer(), 1, false).read(counted);

    EXPECT_EQ(counted.all, 8U);
    EXPECT_EQ(counted.most, 1U) << "of lost pages, so many may be bindings";
}

TEST(LogSalvage, SoMuchMayBeLostThatOnlyPagesAreCounted)
{
    eventful_log const good;
    auto segment = good.segment;
    segment.resize(5 * page_bytes);  // 11 pages are missing; each binding is alone in its page
    log::put_le<std::uint32_t>(segment.data() + 44, 4096);
    log::put_le<std::uint32_t>(segment.data() + page_bytes - 4,
                               log::crc32c(std::span(segment).first(page_bytes - 4)));
    // The header's checksum is what page 1 follows, and so on: all of them are sealed again.
    auto chain = log::segment_header_crc(log::page_view{segment.data(), page_bytes});
    for (std::size_t page = 1; page < 5; ++page) {
        log::put_le<std::uint32_t>(page_of(segment, page).data() + 60, chain);
        reseal(segment, page);
        chain = log::page_crc(log::page_view{page_of(segment, page).data(), page_bytes});
    }

    auto const plan = plan_of(disk_with(second_segment, segment));

    EXPECT_EQ(plan.loss.pages_at_end, 4091U);
    EXPECT_EQ(plan.loss.maybe_to, 3U + 4091U);
}

TEST(LogSalvage, ALostSealIsNoLoss)
{
    // Reopened and damaged so that an empty seal in the middle is what is gone.
    auto const disk = std::make_shared<simulated_disk>();
    auto log = open_on(disk, 1);
    log->bind("accounts", "memory", "identity-a");
    log->seal();
    log->force(decision_of(*log, 1, 1), far_away());
    log->close();
    auto segment = disk->contents(first_segment);
    spoil(segment, 3);
    auto const damaged = disk_with(first_segment, segment);

    auto const plan = plan_of(damaged);
    auto into = std::make_shared<simulated_disk>();
    log::write_salvage(plan, *into->attach_layer(), by_ann());

    EXPECT_TRUE(plan.loss.is_nothing());
    EXPECT_EQ(read(into).image.horizon(1), ports::position{}) << "nothing has to be feared";
    EXPECT_EQ(read(into).image.bindings().size(), 1U);
    EXPECT_THAT(read(into).image.operator_records().front().why, HasSubstr("nothing is lost"));
}

TEST(LogSalvage, KeepsTheServerStartsOfWhatIsStillDue)
{
    auto const disk = std::make_shared<simulated_disk>();
    {
        auto log = open_on(disk, 1);
        log->bind("accounts", "memory", "identity-a");
        log->bind("orders", "memory", "identity-o");
        log->note_server_start(1, "start-1");
        log->note_server_start(2, "start-2");
        log->force(decision_of(*log, 1, 1), far_away());
    }
    auto log = open_on(disk, 2);
    log->force(decision_of(*log, 1), far_away());
    log->force(decision_of(*log, 2), far_away());
    log->close();
    auto segment = disk->contents(second_segment);
    spoil(segment, 2);
    auto const damaged = disk_with(second_segment, segment);

    auto const made = read(salvage(damaged));

    EXPECT_EQ(made.image.server_starts().count({1, 1}), 1U) << "decision 1 of epoch 1 is due there";
    EXPECT_EQ(made.image.server_starts().count({2, 1}), 0U);
}

TEST(LogSalvage, ASnapshotThatIsDamagedBehindTheBindingsIsEnough)
{
    auto const disk = std::make_shared<simulated_disk>();
    {
        auto log = open_roomy(disk, 1);
        log->bind("accounts", "memory", "identity-a");
        for (std::uint64_t i = 1; i <= 100; ++i) {
            log->force(decision_of(*log, i, 1), far_away());
        }
    }
    open_roomy(disk, 2);
    auto segment = disk->contents(second_segment);
    spoil(segment, 2);

    auto const plan = plan_of(disk_with(second_segment, segment));

    EXPECT_GT(plan.from.snapshot_pages, 2U);
    EXPECT_GT(plan.image.decisions().size(), 20U);
    EXPECT_EQ(plan.image.decisions().size() + plan.loss.records.total, 100U);

    spoil(segment, 1);
    EXPECT_THAT(refusal_of(disk_with(second_segment, segment)),
                HasSubstr("which openings this log had"));
}

TEST(LogSalvage, RefusesWhatItCannotProve)
{
    EXPECT_THAT(refusal_of(damaged_by([](file_bytes& file) { spoil(file, 0); })),
                HasSubstr("its header is damaged"));
    EXPECT_THAT(refusal_of(damaged_by([](file_bytes& file) { spoil(file, 1); })),
                HasSubstr("the snapshot is damaged where it says which openings"));
    EXPECT_THAT(refusal_of(std::make_shared<simulated_disk>()), HasSubstr("nothing to salvage"));
    EXPECT_THAT(refusal_of(damaged_by([](file_bytes& file) {
                    page_of(file, 4)[10] |= std::byte{2};
                    reseal(file, 4);
                })),
                HasSubstr("a later version"));

    auto const strange = damaged_by([](file_bytes& file) { spoil(file, 3); });
    auto const other = std::make_shared<simulated_disk>();
    open_on(other, 77);
    strange->put(first_segment, other->contents(first_segment));
    EXPECT_THAT(refusal_of(strange), HasSubstr("it is of another log"));
}

TEST(LogSalvage, RefusesAnOlderSegmentWhenTheNewestIsGone)
{
    auto const torn = damaged_by([](file_bytes& file) { spoil(file, 3); });
    torn->put("0000000000000004.seg.tmp", file_bytes(page_bytes));
    EXPECT_THAT(refusal_of(torn), HasSubstr("0000000000000003.seg"));

    auto const opened_later = damaged_by([](file_bytes& file) { spoil(file, 3); });
    std::string const text = "pid 4711\nepoch 3\nstarted 1\n";
    auto const bytes = std::as_bytes(std::span(text));
    opened_later->put("lock", {bytes.begin(), bytes.end()});
    EXPECT_THAT(refusal_of(opened_later), HasSubstr("epoch 3 was opened here"));
}

TEST(LogSalvage, RefusesContradictions)
{
    eventful_log const good;
    auto segment = good.segment;
    log::page_header header;
    ASSERT_EQ(log::decode(log::page_view{page_of(segment, 7).data(), page_bytes}, header),
              log::page_verdict::valid);
    log::page_builder builder(1);
    builder.begin(header.writer, 2, 7, header.first_lsn, 1);
    builder.add(log::record{log::decision_record{good.decisions[0], 0, 1}});
    builder.finish(header.durable_up_to, header.previous_crc);
    std::copy(builder.bytes().begin(), builder.bytes().end(), page_of(segment, 7).begin());

    EXPECT_THAT(refusal_of(disk_with(second_segment, segment)),
                HasSubstr("record 16 contradicts another one"));
}

TEST(LogSalvage, AWholeNewestSegmentIsCopiedWithoutLoss)
{
    // Something else in the directory is why the log is refused: a predecessor without a header.
    eventful_log const good;
    auto headless = good.segment;
    spoil(headless, 0);
    good.disk->put(first_segment, headless);

    auto const plan = plan_of(good.disk);
    auto const made = read(salvage(good.disk));

    EXPECT_TRUE(plan.loss.is_nothing());
    EXPECT_EQ(made.image.decisions().size(), 4U);
    EXPECT_EQ(made.image.bindings().size(), 3U);
}

TEST(LogSalvage, AnythingElseInTheNewDirectoryIsRefused)
{
    auto const damaged = damaged_by([](file_bytes& file) { spoil(file, 3); });
    auto const into = std::make_shared<simulated_disk>();
    into->put("precious", file_bytes(1));

    EXPECT_THROW(log::write_salvage(plan_of(damaged), *into->attach_layer(), by_ann()), log_error);
    EXPECT_THAT(into->names(), ElementsAre("lock", "precious"));
}

TEST(LogSalvage, PowerLossLeavesNothingOrAllOfIt)
{
    eventful_log const good;
    auto const damaged = damaged_by([](file_bytes& file) { spoil(file, 3); });
    bool was_whole = false;
    bool was_nothing = false;
    for (bool const is_write_through : {false, true}) {
        for (std::uint64_t call = 1;; ++call) {
            auto const into = std::make_shared<simulated_disk>();
            into->is_write_through = is_write_through;
            into->fail_call(call, {EIO, disk_fault::effect::part}, true);
            try {
                log::write_salvage(plan_of(damaged), *into->attach_layer(), by_ann());
            } catch (log_error const&) {
            }
            bool const has_ended = !into->has_fired();
            for (std::uint64_t seed = 1; seed <= 12; ++seed) {
                auto const after = into->power_loss(seed);
                auto const left = what_is_left(after);
                (left ? was_whole : was_nothing) = true;
                if (left) {
                    EXPECT_EQ(left->image.decisions().size(), 2U);
                    EXPECT_EQ(left->image.bindings().size(), 3U);
                    EXPECT_EQ(left->image.horizon(1), (ports::position{2, sequence_max}));
                    EXPECT_NE(open_on(after, 5), nullptr);
                } else {
                    EXPECT_FALSE(has_ended) << "what was said to be written is lost";
                    // What is left does not stand in the way of another try.
                    log::write_salvage(plan_of(damaged), *after->attach_layer(), by_ann());
                    EXPECT_EQ(read(after).image.decisions().size(), 2U);
                }
            }
            if (has_ended) break;
        }
    }
    EXPECT_TRUE(was_whole);
    EXPECT_TRUE(was_nothing);
}

TEST(LogSalvage, OpensWithTheLibraryWhateverPagesWereDamaged)
{
    std::mt19937_64 random(20260304);
    auto const good = eventful_log{}.segment;
    unsigned salvaged = 0;
    for (unsigned i = 0; i < 600; ++i) {
        auto segment = good;
        for (unsigned k = 0; k < 1 + random() % 4; ++k) {
            auto const page = 2 + random() % 8;
            random() % 3 == 0 ? wipe(segment, page) : spoil(segment, page);
        }
        auto const into = salvage(disk_with(second_segment, segment));
        auto const log = open_on(into, i);
        EXPECT_EQ(log->current().epoch, 4U);
        EXPECT_EQ(log->bindings().at(0).name, "accounts");
        ++salvaged;
    }
    EXPECT_EQ(salvaged, 600U);
}

TEST(LogRepair, ATornLogGoesOnInAFreshSegmentAndTheTornOneIsKept)
{
    auto const disk = damaged_by([](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    });
    auto const torn = disk->contents(second_segment);
    auto const files = disk->attach_layer();

    log::log_lock lock(*files, std::chrono::milliseconds{0});

    auto const opening = log::repair_torn(*files, lock, "shop-1", by_ann());

    EXPECT_EQ(opening.epoch, 3U);
    EXPECT_EQ(disk->contents("0000000000000002.seg.torn-1767225700"), torn);
    auto const made = read(disk);
    EXPECT_EQ(made.tail.end, log::segment_end::sealed);
    EXPECT_EQ(made.image.decisions().size(), 3U);
    EXPECT_EQ(made.image.horizon(1), ports::position{});
    ASSERT_EQ(made.image.operator_records().size(), 1U);
    EXPECT_EQ(made.image.operator_records().front().verdict, log::operator_verdict::commit);
    EXPECT_EQ(made.image.operator_records().front().why,
              "the disk is broken; torn, nothing is lost");
}

TEST(LogRepair, PowerLossInTheMiddleOfATornLogsRepairLosesNothing)
{
    for (std::uint64_t call = 1;; ++call) {
        auto const disk = damaged_by([](file_bytes& file) {
            spoil(file, 7);
            wipe(file, 8);
        });
        disk->fail_call(call, {EIO, disk_fault::effect::part}, true);
        try {
            auto const files = disk->attach_layer();
            log::log_lock lock(*files, std::chrono::milliseconds{0});
            log::repair_torn(*files, lock, "shop-1", by_ann());
        } catch (log_error const&) {
        }
        bool const has_ended = !disk->has_fired();
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
            auto const log = open_on(disk->power_loss(seed), 5);
            EXPECT_EQ(log->unfinished().size(), 3U);
            EXPECT_EQ(log->operator_records().size(),
                      has_ended ? 1U : log->operator_records().size());
        }
        if (has_ended) break;
    }
}

}  // namespace
}  // namespace assent::testing
