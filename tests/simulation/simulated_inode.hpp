// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// simulated_inode.hpp -- one file of the simulated disk: what programs see, and what is on the
// medium.
//
//   write -> cache (dirty sectors) --force--> medium
//                   \--failed force--> lost: looks written, and no later force writes it
//
// The one invariant: the medium differs from the cache only in sectors that are dirty or lost.

#ifndef ASSENT_TESTS_SIMULATED_INODE_HPP
#define ASSENT_TESTS_SIMULATED_INODE_HPP

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace assent::testing {

struct simulated_inode
{
    static constexpr std::size_t sector = 512;

    std::vector<std::byte> cache;
    std::vector<std::byte> medium;
    std::set<std::size_t> dirty;  // sectors that differ and will be written
    std::set<std::size_t> lost;   // sectors that differ and were given up by a failed fsync

    void write(std::span<std::byte const> from, std::size_t offset)
    {
        if (from.empty()) return;
        std::size_t const end = offset + from.size();
        if (cache.size() < end) cache.resize(end);
        std::copy(from.begin(), from.end(), cache.begin() + static_cast<std::ptrdiff_t>(offset));
        for (std::size_t s = offset / sector; s <= (end - 1) / sector; ++s) {
            dirty.insert(dirty.end(), s);
            if (!lost.empty()) lost.erase(s);  // written again, it is wanted again
        }
    }

    /// Puts the first `bytes` bytes of a sector of the cache on the medium of `to`.
    void copy_sector(simulated_inode& to, std::size_t s, std::size_t bytes = sector) const
    {
        std::size_t const begin = s * sector;
        std::size_t const end = std::min(begin + bytes, cache.size());
        if (begin >= end) return;
        if (to.medium.size() < end) to.medium.resize(end);
        std::copy(cache.begin() + static_cast<std::ptrdiff_t>(begin),
                  cache.begin() + static_cast<std::ptrdiff_t>(end),
                  to.medium.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    void force()
    {
        for (std::size_t s : dirty) {
            copy_sector(*this, s);
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
        lost.merge(dirty);
        dirty.clear();
    }

    /// The sectors that power loss may keep or take, in the order of the file.
    std::vector<std::size_t> unforced() const
    {
        std::vector<std::size_t> all(dirty.begin(), dirty.end());
        all.insert(all.end(), lost.begin(), lost.end());
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
