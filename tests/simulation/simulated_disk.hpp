// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// simulated_disk.hpp -- one directory on a disk that can lie in every way a disk may.
//
//   write -> page cache (dirty sectors) --fsync--> medium
//                     |                    \-- a failed fsync: sectors that no later fsync writes
//                     \-- power loss: each dirty sector of 512 bytes kept, dropped or torn
//   create, rename, unlink -> directory --sync_directory--> medium; on power loss any subset
//
// Usage:   auto disk = std::make_shared<simulated_disk>();
//          assent::log::file_log log("sim", {.node_label = "n", .files = disk->attach_layer()});
//          auto after = disk->power_loss(seed);    // first the image, then drop the log
//
// Every call through a layer is counted; any one of them can be made to fail.

#ifndef ASSENT_TESTS_SIMULATED_DISK_HPP
#define ASSENT_TESTS_SIMULATED_DISK_HPP

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "log/file_layer.hpp"

namespace assent::testing {

/// What happens to one call.
struct disk_fault
{
    enum class effect : std::uint8_t {
        none = 1,  ///< the call fails and did nothing
        part = 2,  ///< a write writes its beginning, not even a page; says so when `error` is 0
        full = 3,  ///< the call did all of it, and yet fails
    };
    int error = EIO;
    effect what = effect::none;
};

class simulated_file_layer;

/// Thread safety: every member may be called from several threads at once.
class simulated_disk : public std::enable_shared_from_this<simulated_disk>
{
public:
    static constexpr std::size_t sector = 512;

    /// A view of the disk for one process; dropping it releases the process's lock.
    std::shared_ptr<log::file_layer> attach_layer();

    /// Fails call number `n` from now on (1 is the next one), and all after it when `stays`.
    void fail_call(std::uint64_t n, disk_fault how, bool stays = false)
    {
        std::lock_guard const held(mutex_);
        fail_at_ = calls_ + n;
        fault_ = how;
        fault_stays_ = stays;
        has_fired_ = false;
    }
    void heal()
    {
        std::lock_guard const held(mutex_);
        fail_at_ = 0;
    }
    bool has_fired() const
    {
        std::lock_guard const held(mutex_);
        return has_fired_;
    }
    std::uint64_t calls() const
    {
        std::lock_guard const held(mutex_);
        return calls_;
    }
    /// Calls of fdatasync and fsync so far.
    std::uint64_t forces() const
    {
        std::lock_guard const held(mutex_);
        return forces_;
    }

    /// The same disk after kill -9: the page cache survives, what failed to be forced included.
    std::shared_ptr<simulated_disk> process_crash() const { return image(std::nullopt); }

    /// One of the disks that power loss at this moment may leave, chosen by `seed`.
    std::shared_ptr<simulated_disk> power_loss(std::uint64_t seed) const { return image(seed); }

    // For tests that damage or inspect files.
    std::vector<std::string> names() const
    {
        std::lock_guard const held(mutex_);
        std::vector<std::string> all;
        for (auto const& [name, file] : cached_) {
            all.push_back(name);
        }
        return all;
    }
    std::vector<std::byte> contents(std::string const& name) const
    {
        std::lock_guard const held(mutex_);
        return cached_.at(name)->cache;
    }
    void put(std::string const& name, std::vector<std::byte> bytes)
    {
        std::lock_guard const held(mutex_);
        auto file = std::make_shared<inode>();
        file->cache = file->medium = std::move(bytes);
        cached_[name] = file;
        medium_[name] = file;
    }
    void flip_bit(std::string const& name, std::size_t bit)
    {
        std::lock_guard const held(mutex_);
        auto& file = *cached_.at(name);
        file.cache[bit / 8] ^= std::byte{1} << bit % 8;
        file.medium = file.cache;
    }
    void remove(std::string const& name)
    {
        std::lock_guard const held(mutex_);
        cached_.erase(name);
        medium_.erase(name);
    }

    /// What the directory says of itself.
    log::directory_facts facts{true, 0700, "ext4", false, false};

    /// Whether a write to a file that was opened for forces is durable when it returns.
    bool is_write_through = false;

    /// No file may grow.
    std::atomic<bool> is_full{false};

private:
    friend class simulated_file_layer;

    struct inode
    {
        std::vector<std::byte> cache;
        std::vector<std::byte> medium;
        std::set<std::size_t> dirty;  // sectors that differ and will be written
        std::set<std::size_t> lost;   // sectors that differ and were given up by a failed fsync
    };
    using directory = std::map<std::string, std::shared_ptr<inode>>;
    using change = std::function<void(directory&)>;

    /// Counts a call.  @return the fault that hits it.
    std::optional<disk_fault> count()
    {
        ++calls_;
        if (fail_at_ == 0 || calls_ < fail_at_) return std::nullopt;
        if (calls_ > fail_at_ && !fault_stays_) return std::nullopt;
        has_fired_ = true;
        return fault_;
    }

    void write(inode& file, std::span<std::byte const> from, std::size_t offset)
    {
        if (from.empty()) return;
        std::size_t const end = offset + from.size();
        if (file.cache.size() < end) file.cache.resize(end);
        std::copy(from.begin(), from.end(),
                  file.cache.begin() + static_cast<std::ptrdiff_t>(offset));
        for (std::size_t s = offset / sector; s <= (end - 1) / sector; ++s) {
            file.dirty.insert(s);
            file.lost.erase(s);  // written again, it is wanted again
        }
    }

    static void copy_sector(inode const& from, inode& to, std::size_t s, std::size_t bytes)
    {
        std::size_t const begin = s * sector;
        std::size_t const end = std::min(begin + bytes, from.cache.size());
        if (begin >= end) return;
        if (to.medium.size() < end) to.medium.resize(end);
        std::copy(from.cache.begin() + static_cast<std::ptrdiff_t>(begin),
                  from.cache.begin() + static_cast<std::ptrdiff_t>(end),
                  to.medium.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    void force(inode& file)
    {
        for (std::size_t s : file.dirty) {
            copy_sector(file, file, s, sector);
        }
        file.dirty.clear();
    }

    void change_directory(change const& how)
    {
        how(cached_);
        pending_.push_back(how);
    }

    std::shared_ptr<simulated_disk> image(std::optional<std::uint64_t> seed) const
    {
        std::lock_guard const held(mutex_);
        auto made = std::make_shared<simulated_disk>();
        made->facts = facts;
        made->is_write_through = is_write_through;
        std::mt19937_64 random(seed.value_or(0));
        directory left = medium_;
        if (seed) {
            for (change const& how : pending_) {
                if (random() % 2 == 0) how(left);
            }
        } else {
            left = cached_;
            made->pending_ = pending_;
            made->medium_ = medium_;
        }
        std::map<inode*, std::shared_ptr<inode>> copies;
        auto const copy = [&](directory& of) {
            for (auto& [name, file] : of) {
                auto& mine = copies[file.get()];
                if (!mine) mine = seed ? torn_copy(*file, random) : std::make_shared<inode>(*file);
                file = mine;
            }
        };
        copy(left);
        copy(made->medium_);
        made->cached_ = left;
        if (seed) made->medium_ = left;
        // Changes that are still to be forced name the copies, not the originals.
        for (change& how : made->pending_) {
            how = [how, copies](directory& of) {
                how(of);
                for (auto& [name, file] : of) {
                    auto const at = copies.find(file.get());
                    if (at != copies.end()) file = at->second;
                }
            };
        }
        return made;
    }

    static std::shared_ptr<inode> torn_copy(inode const& file, std::mt19937_64& random)
    {
        auto made = std::make_shared<inode>();
        inode left;
        left.medium = file.medium;
        for (auto const* which : {&file.dirty, &file.lost}) {
            for (std::size_t s : *which) {
                switch (random() % 3) {
                    case 0:
                        copy_sector(file, left, s, sector);
                        break;
                    case 1:
                        copy_sector(file, left, s, random() % sector);
                        break;
                    default:
                        break;
                }
            }
        }
        made->medium = left.medium;
        made->cache = made->medium;
        return made;
    }

    mutable std::mutex mutex_;
    directory cached_;
    directory medium_;
    std::vector<change> pending_;  // not yet forced
    log::file_layer* lock_owner_ = nullptr;
    std::uint64_t calls_ = 0;
    std::uint64_t forces_ = 0;
    std::uint64_t fail_at_ = 0;
    disk_fault fault_;
    bool fault_stays_ = false;
    bool has_fired_ = false;
};

class simulated_file_layer final : public log::file_layer
{
public:
    explicit simulated_file_layer(std::shared_ptr<simulated_disk> disk) : disk_(std::move(disk)) {}
    ~simulated_file_layer() override { abandon(); }

    std::string const& directory() const noexcept override { return path_; }

    long attach(bool, log::directory_facts& facts) noexcept override
    {
        return call([&] {
            facts = disk_->facts;
            return 0L;
        });
    }
    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        return call([&]() -> long {
            auto const at = disk_->cached_.find(name);
            bool const is_there = at != disk_->cached_.end();
            if (mode == log::open_mode::create_new && is_there) return -EEXIST;
            bool const creates = mode == log::open_mode::create_new ||
                                 (mode == log::open_mode::create_or_open && !is_there);
            if (!is_there && !creates) return -ENOENT;
            auto file = is_there ? at->second : std::make_shared<simulated_disk::inode>();
            if (creates) {
                disk_->change_directory([name, file](auto& of) { of[name] = file; });
            }
            open_.emplace(++last_, opened{file, name == "lock", mode == log::open_mode::force});
            return last_;
        });
    }
    void close(handle file) noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        auto const at = open_.find(file);
        if (at == open_.end()) return;
        if (at->second.is_lock && disk_->lock_owner_ == this) disk_->lock_owner_ = nullptr;
        open_.erase(at);
    }
    long size(handle file) noexcept override
    {
        return call([&] { return static_cast<long>(open_.at(file).file->cache.size()); });
    }
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override
    {
        return call([&]() -> long {
            auto const& bytes = open_.at(file).file->cache;
            if (offset >= bytes.size()) return 0;
            auto const from = std::span(bytes).subspan(
                offset, std::min<std::size_t>(into.size(), bytes.size() - offset));
            std::copy(from.begin(), from.end(), into.begin());
            return static_cast<long>(from.size());
        });
    }
    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        auto const fault = disk_->count();
        auto& to = *open_.at(file).file;
        if (disk_->is_full && offset + from.size() > to.cache.size()) return -ENOSPC;
        bool const is_through = disk_->is_write_through && open_.at(file).is_for_forces;
        if (is_through) ++disk_->forces_;
        if (!fault) {
            disk_->write(to, from, offset);
            // One that fails leaves its sectors to power loss, like any other write.
            if (is_through) disk_->force(to);
            return static_cast<long>(from.size());
        }
        using effect = disk_fault::effect;
        auto const done = fault->what == effect::part ? from.first(from.size() / 100) : from;
        if (fault->what != effect::none) disk_->write(to, done, offset);
        return fault->error == 0 ? static_cast<long>(done.size()) : -fault->error;
    }
    bool is_write_through(handle file) noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        return disk_->is_write_through && open_.at(file).is_for_forces;
    }
    long fdatasync(handle file) noexcept override { return force(file); }
    long fsync(handle file) noexcept override { return force(file); }

    long rename(std::string const& from, std::string const& to) noexcept override
    {
        return call([&]() -> long {
            auto const at = disk_->cached_.find(from);
            if (at == disk_->cached_.end()) return -ENOENT;
            if (disk_->cached_.count(to) != 0) return -EEXIST;
            disk_->change_directory([from, to, file = at->second](auto& of) {
                of.erase(from);
                of[to] = file;
            });
            return 0;
        });
    }
    long unlink(std::string const& name) noexcept override
    {
        return call([&]() -> long {
            if (disk_->cached_.count(name) == 0) return -ENOENT;
            disk_->change_directory([name](auto& of) { of.erase(name); });
            return 0;
        });
    }
    long sync_directory() noexcept override
    {
        return call([&] {
            disk_->medium_ = disk_->cached_;
            disk_->pending_.clear();
            return 0L;
        });
    }
    long list(std::vector<std::string>& names) noexcept override
    {
        return call([&] {
            names.clear();
            for (auto const& [name, file] : disk_->cached_) {
                names.push_back(name);
            }
            return 0L;
        });
    }
    long lock(handle) noexcept override
    {
        return call([&]() -> long {
            if (disk_->lock_owner_ != nullptr && disk_->lock_owner_ != this) return -EAGAIN;
            disk_->lock_owner_ = this;
            return 0;
        });
    }
    long is_locked(handle) noexcept override
    {
        return call(
            [&] { return disk_->lock_owner_ != nullptr && disk_->lock_owner_ != this ? 1L : 0L; });
    }
    void abandon() noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        if (disk_->lock_owner_ == this) disk_->lock_owner_ = nullptr;
        open_.clear();
    }

private:
    struct opened
    {
        std::shared_ptr<simulated_disk::inode> file;
        bool is_lock = false;
        bool is_for_forces = false;
    };

    template <typename Body>
    long call(Body&& body) noexcept
    {
        std::lock_guard const held(disk_->mutex_);
        auto const fault = disk_->count();
        if (!fault) return body();
        if (fault->what == disk_fault::effect::full) static_cast<void>(body());
        return fault->error == 0 ? -EIO : -fault->error;
    }

    /// A force that fails gives the sectors up: they look written, and no later force writes them.
    long force(handle file) noexcept
    {
        std::lock_guard const held(disk_->mutex_);
        auto const fault = disk_->count();
        auto& of = *open_.at(file).file;
        ++disk_->forces_;
        if (!fault || fault->what == disk_fault::effect::full) {
            disk_->force(of);
        } else {
            of.lost.merge(of.dirty);
            of.dirty.clear();
        }
        if (!fault) return 0;
        return fault->error == 0 ? -EIO : -fault->error;
    }

    std::shared_ptr<simulated_disk> disk_;
    std::string path_ = "simulated";
    std::map<handle, opened> open_;
    handle last_ = 100;
};

inline std::shared_ptr<log::file_layer> simulated_disk::attach_layer()
{
    return std::make_shared<simulated_file_layer>(shared_from_this());
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATED_DISK_HPP
