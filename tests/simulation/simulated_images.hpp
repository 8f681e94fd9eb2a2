// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// simulated_images.hpp -- what a crash leaves of a simulated disk.
//
//   kill -9       the page cache and what is not forced yet stay as they are
//   power loss    the medium, and of each unforced sector and change of the directory all, a part,
//                 or nothing
//
// Invariant: an image shares nothing with the disk that it was taken of.

#ifndef ASSENT_TESTS_SIMULATED_IMAGES_HPP
#define ASSENT_TESTS_SIMULATED_IMAGES_HPP

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

/// Every file that has a name, or may get one back, each once.
inline std::vector<std::shared_ptr<simulated_inode>> simulated_disk::inodes() const
{
    std::vector<std::shared_ptr<simulated_inode>> all;
    auto const add = [&](std::shared_ptr<simulated_inode> const& one) {
        if (one && std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
    };
    for (auto const& [name, file] : medium_) {
        add(file);
    }
    for (directory_change const& how : pending_) {
        add(how.file);
    }
    return all;
}

inline std::shared_ptr<simulated_disk> simulated_disk::process_crash() const
{
    std::lock_guard const held(mutex_);
    auto made = std::make_shared<simulated_disk>();
    made->facts = facts;
    made->is_write_through = is_write_through;
    copies mine;
    auto const copy = [&](std::shared_ptr<simulated_inode>& file) {
        if (!file) return;
        auto& one = mine[file.get()];
        if (!one) one = std::make_shared<simulated_inode>(*file);
        file = one;
    };
    made->cached_ = cached_;
    made->medium_ = medium_;
    made->pending_ = pending_;
    for (auto* of : {&made->cached_, &made->medium_}) {
        for (auto& [name, file] : *of) {
            copy(file);
        }
    }
    for (directory_change& how : made->pending_) {
        copy(how.file);
    }
    return made;
}

inline std::shared_ptr<simulated_disk> simulated_disk::hand_over()
{
    std::lock_guard const held(mutex_);
    auto made = std::make_shared<simulated_disk>();
    made->facts = facts;
    made->is_write_through = is_write_through;
    made->cached_.swap(cached_);
    made->medium_.swap(medium_);
    made->pending_.swap(pending_);
    made->late_.swap(late_);
    is_handed_over_ = true;
    return made;
}

inline void simulated_disk::land_late_writes()
{
    std::lock_guard const held(mutex_);
    for (auto const& each : late_)
        each.to->write(each.bytes, each.offset);
    version_ += !late_.empty();
    late_.clear();
}

inline unforced_things simulated_disk::unforced() const
{
    std::lock_guard const held(mutex_);
    return unforced_now();
}

inline std::shared_ptr<simulated_disk> simulated_disk::power_loss(
    power_loss_choice const& what) const
{
    std::lock_guard const held(mutex_);
    return left_by(what);
}

inline unforced_things simulated_disk::unforced_now() const
{
    std::map<simulated_inode const*, std::string> names;
    for (directory_change const& how : pending_) {
        if (how.file) names[how.file.get()] = how.added;
    }
    for (auto const& [name, file] : medium_) {
        names[file.get()] = name;
    }
    unforced_things all;
    for (auto const& file : inodes()) {
        all.sectors.insert(all.sectors.end(), file->unforced().size(), names[file.get()]);
    }
    all.changes = pending_.size();
    return all;
}

inline std::shared_ptr<simulated_disk> simulated_disk::left_by(power_loss_choice const& what) const
{
    auto made = std::make_shared<simulated_disk>();
    made->facts = facts;
    made->is_write_through = is_write_through;
    copies mine;
    std::size_t at = 0;
    for (auto const& file : inodes()) {
        auto left = std::make_shared<simulated_inode>();
        left->medium = file->medium;
        for (std::size_t const s : file->unforced()) {
            file->copy_sector(*left, s, what.kept_bytes.at(at++));
        }
        left->cache = left->medium;
        mine[file.get()] = std::move(left);
    }
    simulated_directory left = medium_;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        if (what.kept_changes.at(i)) pending_[i].apply(left);
    }
    for (auto& [name, file] : left) {
        file = mine.at(file.get());
    }
    made->cached_ = left;
    made->medium_ = std::move(left);
    return made;
}

inline std::shared_ptr<simulated_disk> simulated_disk::power_loss(std::uint64_t seed) const
{
    std::mt19937_64 random(seed);
    std::lock_guard const held(mutex_);  // for both: a thread may go on between them
    auto const now = unforced_now();
    power_loss_choice what;
    for (std::size_t i = 0; i < now.changes; ++i) {
        what.kept_changes.push_back(random() % 2 == 0);
    }
    for (std::size_t i = 0; i < now.sectors.size(); ++i) {
        std::size_t const how = random() % 3;
        what.kept_bytes.push_back(how == 0 ? sector : how == 1 ? random() % sector : 0);
    }
    return left_by(what);
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATED_IMAGES_HPP
