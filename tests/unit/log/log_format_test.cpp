// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "log/crc32c.hpp"
#include "log/page_builder.hpp"
#include "log/records.hpp"

namespace assent::log {
namespace {

std::vector<std::byte> bytes_of(std::string const& text)
{
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

gtrid some_gtrid(std::uint64_t sequence = 42)
{
    return gtrid::make(
        {decision_place::log, 0, 0x0123456789abcdefULL, 7, 0xa1b2c3d4e5ULL, sequence});
}

TEST(Crc32c, GivesThePublishedValues)
{
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8a9136aaU);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
}

TEST(Crc32c, IsTheSameByTableByInstructionAndInPieces)
{
    std::vector<std::byte> bytes;
    for (unsigned i = 0; i < 300; ++i) {
        bytes.push_back(static_cast<std::byte>(i * 37 % 251));
        std::span<std::byte const> const all(bytes);
        EXPECT_EQ(crc32c(all), crc32c_portable(all));
        EXPECT_EQ(crc32c(all), crc32c(all.subspan(i / 3), crc32c(all.first(i / 3))));
    }
}

TEST(Records, HaveTheNumbersThatAreOnDisk)
{
    EXPECT_EQ(type_of(opening_record{}), record_type{1});
    EXPECT_EQ(type_of(ports::binding{}), record_type{2});
    EXPECT_EQ(type_of(decision_record{}), record_type{3});
    EXPECT_EQ(type_of(end_record{}), record_type{4});
    EXPECT_EQ(type_of(ports::heuristic_record{}), record_type{5});
    EXPECT_EQ(type_of(horizon_record{}), record_type{6});
    EXPECT_EQ(type_of(server_start_record{}), record_type{7});
    EXPECT_EQ(type_of(operator_record{}), record_type{8});
    EXPECT_EQ(type_of(rollback_record{}), record_type{9});
    EXPECT_EQ(type_of(opening_limits_record{}), record_type{128});
    EXPECT_EQ(type_of(binding_epoch_record{}), record_type{129});
    EXPECT_EQ(type_of(retirement_record{}), record_type{130});
    EXPECT_EQ(type_of(rebinding_record{}), record_type{131});
}

template <typename Record>
Record round_trip(Record const& what)
{
    std::array<std::byte, page_payload_bytes> body{};
    std::size_t const size = encode_body(record{what}, body);
    EXPECT_GT(size, 0U);
    auto const back = decode_body(type_of(what), std::span(body).first(size));
    EXPECT_TRUE(back.has_value());
    // One byte less or more is not that record any more.
    EXPECT_FALSE(decode_body(type_of(what), std::span(body).first(size - 1)).has_value());
    EXPECT_FALSE(decode_body(type_of(what), std::span(body).first(size + 1)).has_value());
    return std::get<Record>(*back);
}

TEST(Records, ComeBackAsTheyWereWritten)
{
    auto const opening = round_trip(opening_record{{9, 0x123456789abcULL}, 77});
    EXPECT_EQ(opening.which, (ports::opening{9, 0x123456789abcULL}));
    EXPECT_EQ(opening.unix_ms, 77);

    auto const binding = round_trip(ports::binding{3, "orders", "mysql", "uuid"});
    EXPECT_EQ(binding.id, 3);
    EXPECT_EQ(binding.name + "/" + binding.kind + "/" + binding.identity, "orders/mysql/uuid");

    auto const bound = round_trip(binding_epoch_record{3, 8});
    EXPECT_EQ(bound.id, 3);
    EXPECT_EQ(bound.epoch, 8U);

    auto const retired = round_trip(retirement_record{3, 8, "ann", "its disk is gone"});
    EXPECT_EQ(retired.id, 3);
    EXPECT_EQ(retired.unix_ms, 8);
    EXPECT_EQ(retired.who + retired.why, "annits disk is gone");

    auto const rebound = round_trip(rebinding_record{3, 9, 8, "a", "b", "ann", "promoted"});
    EXPECT_EQ(rebound.id, 3);
    EXPECT_EQ(rebound.epoch, 9U);
    EXPECT_EQ(rebound.unix_ms, 8);
    EXPECT_EQ(rebound.from + rebound.to + rebound.who + rebound.why, "abannpromoted");

    decision_record decision;
    decision.what.global = some_gtrid();
    decision.what.branches = {bqual::make({1, 2, 3}), bqual::make({0xffff, 0xffff, ~0ULL})};
    decision.finished = 2;
    decision.unix_ms = -5;
    auto const decided = round_trip(decision);
    EXPECT_EQ(decided.what.global, decision.what.global);
    EXPECT_EQ(decided.what.branches, decision.what.branches);
    EXPECT_EQ(decided.finished, 2U);
    EXPECT_EQ(decided.unix_ms, -5);

    auto const end = round_trip(end_record{some_gtrid(), 0x8000000000000001ULL});
    EXPECT_EQ(end.global, some_gtrid());
    EXPECT_EQ(end.finished, 0x8000000000000001ULL);

    xid const branch{some_gtrid(), bqual::make({1, 2, 3})};
    auto const heuristic =
        round_trip(ports::heuristic_record{branch, "orders", xa_code::heurmix, "seen", 12});
    EXPECT_EQ(heuristic.branch, branch);
    EXPECT_EQ(heuristic.code, xa_code::heurmix);
    EXPECT_EQ(heuristic.resource_manager + heuristic.text, "ordersseen");

    auto const horizon = round_trip(horizon_record{4, {5, 6}});
    EXPECT_EQ(horizon.id, 4);
    EXPECT_EQ(horizon.to, (ports::position{5, 6}));
    EXPECT_FALSE(horizon.is_epoch_alone);
    EXPECT_TRUE(round_trip(horizon_record{4, {5, 6}, true}).is_epoch_alone);

    auto const start = round_trip(server_start_record{4, 5, "yesterday"});
    EXPECT_EQ(start.start, "yesterday");
    EXPECT_EQ(start.epoch, 5U);

    auto const decree =
        round_trip(operator_record{branch, operator_verdict::roll_back, 1, "ann", "asked"});
    EXPECT_EQ(decree.verdict, operator_verdict::roll_back);
    EXPECT_EQ(decree.who + decree.why, "annasked");

    EXPECT_EQ(round_trip(rollback_record{some_gtrid()}).global, some_gtrid());
    EXPECT_TRUE(round_trip(rollback_record{gtrid{}}).global.is_null());
}

TEST(Records, KeepEveryPlaceOfADecision)
{
    for (auto place : {decision_place::log, decision_place::commit_row, decision_place::external}) {
        auto const which = gtrid::make({place, 5, 1, 2, 3, 4});
        EXPECT_EQ(round_trip(rollback_record{which}).global, which);
    }
}

TEST(Records, OverTheirLimitsAreNotWritten)
{
    std::array<std::byte, page_payload_bytes> body{};
    decision_record decision;
    decision.what.global = some_gtrid();
    EXPECT_EQ(encode_body(decision, body), 0U) << "a decision without branches";
    decision.what.branches.resize(branches_max);
    EXPECT_GT(encode_body(decision, body), 0U);
    decision.what.branches.resize(branches_max + 1);
    EXPECT_EQ(encode_body(decision, body), 0U);
    EXPECT_EQ(encode_body(ports::binding{1, std::string(65, 'n'), "k", "i"}, body), 0U);
    EXPECT_EQ(encode_body(ports::binding{1, "n", "k", std::string(121, 'i')}, body), 0U);
    ports::heuristic_record heuristic;
    heuristic.text = std::string(501, 't');
    EXPECT_EQ(encode_body(heuristic, body), 0U);
}

TEST(Records, ThatNoWriterWouldWriteAreRefused)
{
    std::array<std::byte, page_payload_bytes> body{};
    decision_record decision;
    decision.what.global = some_gtrid();
    decision.what.branches.resize(2);
    std::size_t const size = encode_body(decision, body);

    auto broken = body;
    broken[0] = std::byte{'q'};  // an unknown place of the decision
    EXPECT_FALSE(decode_body(record_type::decision, std::span(broken).first(size)));
    broken = body;
    broken[40] = std::byte{4};  // a third branch is finished, of two
    EXPECT_FALSE(decode_body(record_type::decision, std::span(broken).first(size)));
    broken = body;
    broken[48] = std::byte{0xff};  // more branches than there can be
    broken[49] = std::byte{0xff};
    EXPECT_FALSE(decode_body(record_type::decision, std::span(broken).first(size)));
    EXPECT_FALSE(decode_body(record_type::begin, std::span(body).first(size)));
}

generation const writer{11, 2, 33};

page_builder built(unsigned decisions)
{
    page_builder builder(4);
    builder.begin(writer, 5, 3, 100, 4);
    decision_record decision;
    decision.what.branches.resize(branches_max);
    for (unsigned i = 0; i < decisions; ++i) {
        decision.what.global = some_gtrid(i);
        EXPECT_EQ(builder.add(decision), add_result::added);
    }
    return builder;
}

page_view page_at(page_builder const& builder, std::size_t page)
{
    return page_view{builder.bytes().data() + page * page_bytes, page_bytes};
}

TEST(PageBuilder, PutsEveryRecordIntoOnePageAndChainsThePages)
{
    auto builder = built(9);  // four of the largest decisions fit into a page
    std::uint32_t const last = builder.finish(3, 0xabcd);

    ASSERT_EQ(builder.pages(), 3U);
    std::uint32_t chain = 0xabcd;
    std::uint64_t lsn = 100;
    for (std::uint32_t i = 0; i < 3; ++i) {
        page_header header;
        ASSERT_EQ(decode(page_at(builder, i), header), page_verdict::valid);
        EXPECT_EQ(header.segment, 5U);
        EXPECT_EQ(header.page, 3 + i);
        EXPECT_EQ(header.writer, writer);
        EXPECT_EQ(header.durable_up_to, 3U);
        EXPECT_EQ(header.previous_crc, chain);
        EXPECT_EQ(header.first_lsn, lsn);
        lsn += header.record_count;
        chain = page_crc(page_at(builder, i));
    }
    EXPECT_EQ(chain, last);
    EXPECT_EQ(builder.next_lsn(), 109U);
}

TEST(PageBuilder, SaysWhenItIsFull)
{
    page_builder builder = built(16);

    EXPECT_EQ(builder.add(rollback_record{}), add_result::added) << "a small one still fits";
    decision_record large;
    large.what.global = some_gtrid();
    large.what.branches.resize(branches_max);
    EXPECT_EQ(builder.add(large), add_result::full);
    large.what.branches.resize(branches_max + 1);
    EXPECT_EQ(builder.add(large), add_result::over_limit);
}

TEST(PageBuilder, SealsAnEmptyPage)
{
    page_builder builder(1);
    builder.begin(writer, 5, 3, 100, 1);
    builder.seal();
    builder.finish(3, 1);

    page_header header;
    ASSERT_EQ(decode(page_at(builder, 0), header), page_verdict::valid);
    EXPECT_EQ(header.flags, page_seal);
    EXPECT_EQ(header.record_count, 0);
}

TEST(Pages, AnyFlippedBitIsSeen)
{
    auto builder = built(2);
    builder.finish(3, 1);
    std::array<std::byte, page_bytes> page;
    std::copy(builder.bytes().begin(), builder.bytes().end(), page.begin());
    for (std::size_t bit = 0; bit < page_bytes * 8; bit += 1) {
        page[bit / 8] ^= std::byte{1} << bit % 8;
        page_header header;
        ASSERT_EQ(decode(page, header), page_verdict::bad) << bit;
        page[bit / 8] ^= std::byte{1} << bit % 8;
    }
}

TEST(Pages, OfALaterVersionAreRecognized)
{
    std::array<std::byte, page_bytes> page{};
    page_header header;
    header.record_count = 1;
    header.flags = 0x80;
    seal_page(header, page);
    EXPECT_EQ(decode(page, header), page_verdict::newer) << "a flag that must be understood";

    header.flags = 0x8000;
    seal_page(header, page);
    EXPECT_EQ(decode(page, header), page_verdict::valid) << "a flag that may be ignored";
}

TEST(PageRecords, AreTiedToTheirPlace)
{
    auto builder = built(1);
    builder.finish(3, 1);
    auto const rest = builder.bytes().subspan(page_header_bytes);
    record_place const place{writer, 5, 3, page_header_bytes};
    ASSERT_TRUE(decode_record(rest, place).has_value());
    for (auto change : std::vector<void (*)(record_place&)>{
             [](record_place& p) { ++p.segment; }, [](record_place& p) { ++p.page; },
             [](record_place& p) { p.offset += 8; }, [](record_place& p) { ++p.writer.node; },
             [](record_place& p) { ++p.writer.epoch; },
             [](record_place& p) { ++p.writer.nonce; }}) {
        record_place other = place;
        change(other);
        EXPECT_FALSE(decode_record(rest, other).has_value());
    }
}

TEST(SegmentHeader, ComesBackAsItWasWritten)
{
    segment_header header;
    header.number = 0xa1;
    header.writer = writer;
    header.page_count = 4096;
    header.unix_ms = 1234;
    header.first_lsn = 77;
    header.snapshot_pages = 3;
    header.previous_number = 0xa0;
    header.previous_nonce = 8;
    header.previous_epoch = 1;
    header.previous_last_page = 9;
    header.previous_crc = 0xdeadbeef;
    header.previous_end = segment_end::torn;
    header.node_label = std::string(node_label_bytes_max, 'x');
    std::array<std::byte, page_bytes> page;
    encode(header, page);

    segment_header back;
    ASSERT_EQ(decode(page, back), page_verdict::valid);
    EXPECT_EQ(back.number, header.number);
    EXPECT_EQ(back.writer, header.writer);
    EXPECT_EQ(back.page_count, header.page_count);
    EXPECT_EQ(back.unix_ms, header.unix_ms);
    EXPECT_EQ(back.first_lsn, header.first_lsn);
    EXPECT_EQ(back.snapshot_pages, header.snapshot_pages);
    EXPECT_EQ(back.previous_number, header.previous_number);
    EXPECT_EQ(back.previous_nonce, header.previous_nonce);
    EXPECT_EQ(back.previous_epoch, header.previous_epoch);
    EXPECT_EQ(back.previous_last_page, header.previous_last_page);
    EXPECT_EQ(back.previous_crc, header.previous_crc);
    EXPECT_EQ(back.previous_end, header.previous_end);
    EXPECT_EQ(back.node_label, header.node_label);
}

TEST(SegmentNames, AreSixteenDigitsAndNothingElse)
{
    EXPECT_EQ(segment_name(0xa1), "00000000000000a1.seg");
    EXPECT_EQ(segment_number("00000000000000a1.seg"), 0xa1U);
    EXPECT_EQ(segment_number("ffffffffffffffff.seg"), ~std::uint64_t{0});
    for (char const* name :
         {"a1.seg", "00000000000000A1.seg", "0000000000000000.seg", "00000000000000a1.seg.tmp",
          "00000000000000a1.sex", "0x000000000000a1.seg"}) {
        EXPECT_FALSE(segment_number(name)) << name;
    }
}

}  // namespace
}  // namespace assent::log
