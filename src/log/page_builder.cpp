// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// page_builder.cpp -- see page_builder.hpp.

#include "log/page_builder.hpp"

#include <cstring>

#include "log/bytes.hpp"
#include "protocol/assert.hpp"

namespace assent::log {

void page_builder::begin(generation const& writer, std::uint64_t segment, std::uint32_t first_page,
                         std::uint64_t first_lsn, std::uint32_t pages_max) noexcept
{
    bytes_.clear();
    writer_ = writer;
    segment_ = segment;
    first_page_ = first_page;
    pages_max_ = pages_max;
    next_lsn_ = first_lsn;
    headers_.clear();
}

void page_builder::open_page()
{
    ASSENT_ASSERT(pages() < pages_max_);
    page_header header;
    header.segment = segment_;
    header.writer = writer_;
    header.first_lsn = next_lsn_;
    header.page = first_page_ + pages();
    headers_.push_back(header);
    bytes_.resize(bytes_.size() + page_bytes);
}

add_result page_builder::add(record const& what)
{
    std::size_t const body_bytes = encode_body(what, body_);
    if (body_bytes == 0) return add_result::over_limit;
    std::size_t const length = record_header_bytes + body_bytes;
    if (padded(length) > page_payload_bytes) return add_result::over_limit;
    if (headers_.empty() || headers_.back().payload_bytes + padded(length) > page_payload_bytes) {
        if (pages() == pages_max_) return add_result::full;
        open_page();
    }
    page_header& page = headers_.back();
    std::size_t const offset = page_header_bytes + page.payload_bytes;
    std::span<std::byte> const at{bytes_.data() + bytes_.size() - page_bytes + offset, length};
    std::memcpy(at.data() + record_header_bytes, body_.data(), body_bytes);
    record_header header;
    header.length = static_cast<std::uint16_t>(length);
    header.type = static_cast<std::uint8_t>(type_of(what));
    header.lsn = next_lsn_++;
    seal_record(header, {writer_, segment_, page.page, static_cast<std::uint32_t>(offset)}, at);
    page.payload_bytes = static_cast<std::uint16_t>(page.payload_bytes + padded(length));
    ++page.record_count;
    return add_result::added;
}

void page_builder::seal()
{
    if (headers_.empty()) open_page();
    headers_.back().flags |= page_seal;
}

std::uint32_t page_builder::finish(std::uint32_t durable_up_to, std::uint32_t previous_crc) noexcept
{
    std::uint32_t chain = previous_crc;
    std::byte* at = bytes_.data();
    for (page_header& header : headers_) {
        header.durable_up_to = durable_up_to;
        header.previous_crc = chain;
        chain = seal_page(header, page_span{at, page_bytes});
        at += page_bytes;
    }
    return chain;
}

}  // namespace assent::log
