// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// simulated_inode.hpp -- one file of the simulated disk: what programs see, and what is on the
// medium.
//
//   write -> cache (dirty sectors) --force--> medium
//                   \--failed force--> lost: looks written, and no later force writes it
//
// Invariant: the medium differs from the cache only in sectors that are dirty or lost.

#ifndef ASSENT_TESTS_SIMULATED_INODE_HPP
#define ASSENT_TESTS_SIMULATED_INODE_HPP

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace assent::testing {

/// Numbers of sectors, in order: nearly always the last ones.
class sector_set
{
public:
    bool is_empty() const noexcept { return all_.empty(); }
    std::vector<std::size_t> const& all() const noexcept { return all_; }
    void clear() noexcept { all_.clear(); }

    void insert(std::size_t s)
    {
        if (all_.empty() || all_.back() < s) return all_.push_back(s);
        auto const at = std::lower_bound(all_.begin(), all_.end(), s);
        if (*at != s) all_.insert(at, s);
    }
    void erase(std::size_t s) noexcept
    {
        auto const at = std::lower_bound(all_.begin(), all_.end(), s);
        if (at != all_.end() && *at == s) all_.erase(at);
    }

private:
    std::vector<std::size_t> all_;
};

/// The bytes of a file; the zeros at its end, of which a segment has many, take no room.
class sparse_bytes
{
public:
    sparse_bytes() = default;
    explicit sparse_bytes(std::vector<std::byte> bytes)
        : stored_(std::move(bytes)), size_(stored_.size())
    {
    }

    std::size_t size() const noexcept { return size_; }
    std::vector<std::byte> all() const
    {
        auto bytes = stored_;
        bytes.resize(size_);
        return bytes;
    }
    /// @return  how many bytes there were.
    std::size_t read(std::span<std::byte> into, std::size_t offset) const noexcept
    {
        if (offset >= size_) return 0;
        into = into.first(std::min(into.size(), size_ - offset));
        auto const from = stored_from(offset, into.size());
        auto const rest = std::copy(from.begin(), from.end(), into.begin());
        std::fill(rest, into.end(), std::byte{0});
        return into.size();
    }
    void write(std::span<std::byte const> from, std::size_t offset)
    {
        size_ = std::max(size_, offset + from.size());
        if (offset >= stored_.size() && is_zeros(from)) return;
        if (stored_.size() < offset) stored_.resize(offset);
        auto const over = from.first(std::min(from.size(), stored_.size() - offset));
        std::copy(over.begin(), over.end(), stored_.begin() + static_cast<std::ptrdiff_t>(offset));
        stored_.insert(stored_.end(), from.begin() + static_cast<std::ptrdiff_t>(over.size()),
                       from.end());
    }
    /// The same bytes as `from` has there, up to its end.
    void copy(sparse_bytes const& from, std::size_t offset, std::size_t size)
    {
        if (offset >= from.size_) return;
        size = std::min(size, from.size_ - offset);
        auto const bytes = from.stored_from(offset, size);
        if (!bytes.empty()) write(bytes, offset);
        size_ = std::max(size_, offset + size);
        for (std::size_t at = offset + bytes.size(); at < std::min(offset + size, stored_.size());)
            stored_[at++] = std::byte{0};
    }
    void flip_bit(std::size_t bit)
    {
        stored_.resize(size_);
        stored_[bit / 8] ^= std::byte{1} << bit % 8;
    }

private:
    static bool is_zeros(std::span<std::byte const> bytes) noexcept
    {
        return bytes.empty() ||
               (bytes[0] == std::byte{0} &&
                std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
    }
    std::span<std::byte const> stored_from(std::size_t offset, std::size_t size) const noexcept
    {
        if (offset >= stored_.size()) return {};
        return std::span(stored_).subspan(offset, std::min(size, stored_.size() - offset));
    }

    std::vector<std::byte> stored_;
    std::size_t size_ = 0;
};

struct simulated_inode
{
    static constexpr std::size_t sector = 512;

    sparse_bytes cache;
    sparse_bytes medium;
    sector_set dirty;  // sectors that differ and will be written
    sector_set lost;   // sectors that differ and were given up by a failed fsync

    void write(std::span<std::byte const> from, std::size_t offset)
    {
        if (from.empty()) return;
        std::size_t const end = offset + from.size();
        cache.write(from, offset);
        for (std::size_t s = offset / sector; s <= (end - 1) / sector; ++s) {
            dirty.insert(s);
            lost.erase(s);  // written again, it is wanted again
        }
    }

    /// Puts the first `bytes` bytes of a sector of the cache on the medium of `to`.
    void copy_sector(simulated_inode& to, std::size_t s, std::size_t bytes = sector) const
    {
        to.medium.copy(cache, s * sector, bytes);
    }

    void force()
    {
        // What is dirty lies together, as it was written.
        auto const& all = dirty.all();
        for (std::size_t i = 0; i < all.size();) {
            std::size_t const first = i;
            while (++i < all.size() && all[i] == all[i - 1] + 1) {
            }
            copy_sector(*this, all[first], (i - first) * sector);
        }
        dirty.clear();
    }
    /// Forces what one write wrote, and nothing else.
    void force(std::size_t offset, std::size_t size)
    {
        if (size == 0) return;
        for (std::size_t s = offset / sector; s <= (offset + size - 1) / sector; ++s) {
            copy_sector(*this, s);
            dirty.erase(s);
        }
    }
    void fail_to_force()
    {
        for (std::size_t const s : dirty.all())
            lost.insert(s);
        dirty.clear();
    }

    /// The sectors that power loss may keep or take, in the order of the file.
    std::vector<std::size_t> unforced() const
    {
        auto all = dirty.all();
        all.insert(all.end(), lost.all().begin(), lost.all().end());
        return all;
    }
};

using simulated_directory = std::map<std::string, std::shared_ptr<simulated_inode>>;

/// A name that went, a name that came, or both.
struct directory_change
{
    std::string removed;
    std::string added;
    std::shared_ptr<simulated_inode> file;

    void apply(simulated_directory& to) const
    {
        if (!removed.empty()) to.erase(removed);
        if (!added.empty()) to[added] = file;
    }
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATED_INODE_HPP
