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
// Every call through a layer is counted and told to whoever watches; any one can be made to fail.

#ifndef ASSENT_TESTS_SIMULATED_DISK_HPP
#define ASSENT_TESTS_SIMULATED_DISK_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "log/file_layer.hpp"
#include "tests/simulation/simulated_inode.hpp"

namespace assent::testing {

/// What happens to one call.
struct disk_fault
{
    enum class effect : std::uint8_t {
        none = 1,  ///< the call fails and did nothing
        part = 2,  ///< a write writes its beginning, not even a page; says so when `error` is 0
        full = 3,  ///< the call did all of it, and yet fails
        late = 4,  ///< a write fails, and takes effect when land_late_writes() is called
    };
    int error = EIO;
    effect what = effect::none;
};

/// A call that is about to be made.
struct disk_call
{
    enum class kind : std::uint8_t {
        attach = 1,
        open = 2,
        size = 3,
        read = 4,
        write = 5,
        fdatasync = 6,
        fsync = 7,
        rename = 8,
        unlink = 9,
        sync_directory = 10,
        list = 11,
        lock = 12,
        is_locked = 13,
        verify = 14,
    };
    kind what = kind::attach;
    std::string name;                    ///< of the file; of a rename, the old one
    std::span<std::byte const> written;  ///< by a write
    bool is_halfway = false;             ///< a write that is durable when it returns, under way
};

/// What power loss leaves of what is not forced.
struct power_loss_choice
{
    std::vector<std::size_t> kept_bytes;  ///< of each sector, see unforced_things
    std::vector<bool> kept_changes;       ///< of the directory
};

/// What power loss may keep or take at a moment, each for itself.
struct unforced_things
{
    std::vector<std::string> sectors;  ///< the name of the file of each
    std::size_t changes = 0;
};

class simulated_file_layer;

/// Thread safety: every member may be called from several threads at once.
class simulated_disk : public std::enable_shared_from_this<simulated_disk>
{
public:
    static constexpr std::size_t sector = simulated_inode::sector;

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
    /// Fails every call that `which` chooses, asked with the disk's mutex held.
    void fail_calls(std::function<bool(disk_call const&)> which, disk_fault how)
    {
        std::lock_guard const held(mutex_);
        chosen_ = std::move(which);
        fault_ = how;
        has_fired_ = false;
    }
    void heal()
    {
        std::lock_guard const held(mutex_);
        fail_at_ = 0;
        chosen_ = nullptr;
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

    /// Tells each call before it is made, with nothing held.  Set while no call is under way.
    void watch(std::function<void(disk_call const&)> told) { watcher_ = std::move(told); }

    /// Rises whenever what power loss may leave has changed.
    std::uint64_t version() const
    {
        std::lock_guard const held(mutex_);
        return version_;
    }

    /// The same disk after kill -9: the page cache survives, what failed to be forced included.
    std::shared_ptr<simulated_disk> process_crash() const;

    /// The same, where nobody looks at this one any more: all its calls fail from here on.
    std::shared_ptr<simulated_disk> hand_over();

    /// What was told to have failed takes effect all the same.
    void land_late_writes();

    /// One of the disks that power loss at this moment may leave, chosen by `seed`.
    std::shared_ptr<simulated_disk> power_loss(std::uint64_t seed) const;

    // Or that disk by choice, out of what is unforced now, while no thread goes on.
    unforced_things unforced() const;
    std::shared_ptr<simulated_disk> power_loss(power_loss_choice const& what) const;

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
        return cached_.at(name)->cache.all();
    }
    void put(std::string const& name, std::vector<std::byte> bytes)
    {
        std::lock_guard const held(mutex_);
        auto file = std::make_shared<simulated_inode>();
        file->cache = file->medium = sparse_bytes(std::move(bytes));
        cached_[name] = file;
        medium_[name] = file;
    }
    void flip_bit(std::string const& name, std::size_t bit)
    {
        std::lock_guard const held(mutex_);
        auto& file = *cached_.at(name);
        file.cache.flip_bit(bit);
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

    /// The directory's name leads elsewhere.
    std::atomic<bool> is_moved{false};

    /// No file may grow.
    std::atomic<bool> is_full{false};

private:
    friend class simulated_file_layer;
    using copies = std::map<simulated_inode const*, std::shared_ptr<simulated_inode>>;

    /// Counts a call.  @return the fault that hits it.
    std::optional<disk_fault> count(disk_call const& call)
    {
        ++calls_;
        if (is_handed_over_) return disk_fault{};
        bool const is_due =
            fail_at_ != 0 && (fault_stays_ ? calls_ >= fail_at_ : calls_ == fail_at_);
        if (!is_due && !(chosen_ && chosen_(call))) return std::nullopt;
        has_fired_ = true;
        return fault_;
    }

    struct late_write
    {
        std::shared_ptr<simulated_inode> to;
        std::vector<std::byte> bytes;
        std::uint64_t offset;
    };

    void change_directory(directory_change const& how)
    {
        how.apply(cached_);
        pending_.push_back(how);
        ++version_;
    }

    // With the mutex held.
    std::vector<std::shared_ptr<simulated_inode>> inodes() const;
    unforced_things unforced_now() const;
    std::shared_ptr<simulated_disk> left_by(power_loss_choice const& what) const;

    mutable std::mutex mutex_;
    simulated_directory cached_;
    simulated_directory medium_;
    std::vector<directory_change> pending_;  // not yet forced
    std::vector<late_write> late_;
    log::file_layer* lock_owner_ = nullptr;
    std::uint64_t calls_ = 0;
    std::uint64_t forces_ = 0;
    std::uint64_t version_ = 0;
    std::uint64_t fail_at_ = 0;
    disk_fault fault_;
    bool fault_stays_ = false;
    bool has_fired_ = false;
    bool is_handed_over_ = false;
    std::function<bool(disk_call const&)> chosen_;
    std::function<void(disk_call const&)> watcher_;
};

}  // namespace assent::testing

#include "tests/simulation/simulated_file_layer.hpp"
#include "tests/simulation/simulated_images.hpp"

#endif  // ASSENT_TESTS_SIMULATED_DISK_HPP
