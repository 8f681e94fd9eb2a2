// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bytes.hpp -- little-endian integers in byte buffers, with bounds.
//
//   byte_writer  appends to a fixed buffer; past its end it only remembers that it overflowed
//   byte_reader  takes from a fixed buffer; past its end it yields zeros and is not ok()
//
// Invariant: neither ever touches a byte outside its span, whatever a file says.

#ifndef ASSENT_LOG_BYTES_HPP
#define ASSENT_LOG_BYTES_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace assent::log {

template <typename Unsigned>
void put_le(std::byte* at, Unsigned value) noexcept
{
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(at, &value, sizeof value);
        return;
    }
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
        at[i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    }
}

template <typename Unsigned>
Unsigned get_le(std::byte const* at) noexcept
{
    if constexpr (std::endian::native == std::endian::little) {
        Unsigned value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
        value |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    }
    return static_cast<Unsigned>(value);
}

class byte_writer
{
public:
    explicit byte_writer(std::span<std::byte> to) noexcept : to_(to) {}

    template <typename Unsigned>
    void put(Unsigned value) noexcept
    {
        if (std::byte* at = claim(sizeof(Unsigned))) put_le<Unsigned>(at, value);
    }

    void put_text(std::string_view text) noexcept
    {
        std::byte* at = claim(text.size());
        if (at && !text.empty()) std::memcpy(at, text.data(), text.size());
    }

    std::size_t size() const noexcept { return size_; }
    bool ok() const noexcept { return ok_; }

private:
    std::byte* claim(std::size_t n) noexcept
    {
        if (!ok_ || n > to_.size() - size_) {
            ok_ = false;
            return nullptr;
        }
        std::byte* at = to_.data() + size_;
        size_ += n;
        return at;
    }

    std::span<std::byte> to_;
    std::size_t size_ = 0;
    bool ok_ = true;
};

class byte_reader
{
public:
    explicit byte_reader(std::span<std::byte const> from) noexcept : from_(from) {}

    template <typename Unsigned>
    Unsigned take() noexcept
    {
        std::byte const* at = claim(sizeof(Unsigned));
        return at ? get_le<Unsigned>(at) : Unsigned{};
    }

    /// At most `limit` bytes: a longer length in the file is an error, not an allocation.
    std::string take_text(std::size_t length, std::size_t limit)
    {
        if (length > limit) ok_ = false;
        std::byte const* at = claim(length);
        return at ? std::string(reinterpret_cast<char const*>(at), length) : std::string();
    }

    /// Everything was there, and nothing is left over.
    bool is_exhausted() const noexcept { return ok_ && from_.empty(); }
    bool ok() const noexcept { return ok_; }

private:
    std::byte const* claim(std::size_t n) noexcept
    {
        if (!ok_ || n > from_.size()) {
            ok_ = false;
            return nullptr;
        }
        std::byte const* at = from_.data();
        from_ = from_.subspan(n);
        return at;
    }

    std::span<std::byte const> from_;
    bool ok_ = true;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_BYTES_HPP
