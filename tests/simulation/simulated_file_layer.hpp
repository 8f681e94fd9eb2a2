// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// simulated_file_layer.hpp -- what one process sees of a simulated disk.
//
// Invariant: a call either does all of what it is to do under the disk's mutex, or what
// the fault that hits it says.

#ifndef ASSENT_TESTS_SIMULATED_FILE_LAYER_HPP
#define ASSENT_TESTS_SIMULATED_FILE_LAYER_HPP

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

class simulated_file_layer final : public log::file_layer
{
public:
    explicit simulated_file_layer(std::shared_ptr<simulated_disk> disk) : disk_(std::move(disk)) {}
    ~simulated_file_layer() override { abandon(); }

    std::string const& directory() const noexcept override { return path_; }

    long attach(bool, log::directory_facts& facts) noexcept override
    {
        return call(kind::attach, {}, [&] {
            facts = disk_->facts;
            return 0L;
        });
    }
    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        return call(kind::open, name, [&]() -> long {
            auto const at = disk_->cached_.find(name);
            bool const is_there = at != disk_->cached_.end();
            if (mode == log::open_mode::create_new && is_there) return -EEXIST;
            bool const creates = mode == log::open_mode::create_new ||
                                 (mode == log::open_mode::create_or_open && !is_there);
            if (!is_there && !creates) return -ENOENT;
            auto file = is_there ? at->second : std::make_shared<simulated_inode>();
            if (creates) disk_->change_directory({{}, name, file});
            open_.emplace(++last_, opened{file, name, mode == log::open_mode::force});
            return last_;
        });
    }
    void close(handle file) noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        auto const at = open_.find(file);
        if (at == open_.end()) return;
        if (at->second.name == "lock" && disk_->lock_owner_ == this) disk_->lock_owner_ = nullptr;
        open_.erase(at);
    }
    long size(handle file) noexcept override
    {
        return call(kind::size, name_of(file),
                    [&] { return static_cast<long>(open_.at(file).file->cache.size()); });
    }
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override
    {
        return call(kind::read, name_of(file), [&]() -> long {
            return static_cast<long>(open_.at(file).file->cache.read(into, offset));
        });
    }
    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        disk_call const told{kind::write, name_of(file), from};
        tell(told);
        std::unique_lock held(disk_->mutex_);
        auto const fault = disk_->count(told);
        auto const to = open_.at(file).file;
        if (disk_->is_full && offset + from.size() > to->cache.size()) return -ENOSPC;
        bool const is_through = disk_->is_write_through && open_.at(file).is_for_forces;
        if (is_through) ++disk_->forces_;
        ++disk_->version_;
        if (!fault) {
            to->write(from, offset);
            // One that fails leaves its sectors to power loss, like any other write.
            if (is_through) {
                held.unlock();
                tell({told.what, told.name, told.written, true});
                held.lock();
                to->force(offset, from.size());
                ++disk_->version_;
            }
            return static_cast<long>(from.size());
        }
        using effect = disk_fault::effect;
        auto const done = fault->what == effect::part ? from.first(from.size() / 100) : from;
        if (fault->what == effect::late) {
            disk_->late_.push_back({to, {from.begin(), from.end()}, offset});
        } else if (fault->what != effect::none) {
            to->write(done, offset);
        }
        return fault->error == 0 ? static_cast<long>(done.size()) : -fault->error;
    }
    bool is_write_through(handle file) noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        return disk_->is_write_through && open_.at(file).is_for_forces;
    }
    long verify(handle file) noexcept override
    {
        return call(kind::verify, name_of(file), [&] {
            for (auto const& [which, one] : open_) {
                if (which != file && one.name != "lock") continue;
                bool const is_named = std::any_of(
                    disk_->cached_.begin(), disk_->cached_.end(),
                    [&file = one.file](auto const& entry) { return entry.second == file; });
                if (!is_named) return log::not_ours;
            }
            return disk_->is_moved ? log::not_ours : 0L;
        });
    }
    long fdatasync(handle file) noexcept override { return force(kind::fdatasync, file); }
    long fsync(handle file) noexcept override { return force(kind::fsync, file); }

    long rename(std::string const& from, std::string const& to) noexcept override
    {
        return call(kind::rename, from, [&]() -> long {
            auto const at = disk_->cached_.find(from);
            if (at == disk_->cached_.end()) return -ENOENT;
            if (disk_->cached_.count(to) != 0) return -EEXIST;
            disk_->change_directory({from, to, at->second});
            return 0;
        });
    }
    long unlink(std::string const& name) noexcept override
    {
        return call(kind::unlink, name, [&]() -> long {
            if (disk_->cached_.count(name) == 0) return -ENOENT;
            disk_->change_directory({name, {}, nullptr});
            return 0;
        });
    }
    long sync_directory() noexcept override
    {
        return call(kind::sync_directory, {}, [&] {
            if (!disk_->pending_.empty()) ++disk_->version_;
            disk_->medium_ = disk_->cached_;
            disk_->pending_.clear();
            return 0L;
        });
    }
    long list(std::vector<std::string>& names) noexcept override
    {
        return call(kind::list, {}, [&] {
            names.clear();
            for (auto const& [name, file] : disk_->cached_) {
                names.push_back(name);
            }
            return 0L;
        });
    }
    long lock(handle file) noexcept override
    {
        return call(kind::lock, name_of(file), [&]() -> long {
            if (disk_->lock_owner_ != nullptr && disk_->lock_owner_ != this) return -EAGAIN;
            disk_->lock_owner_ = this;
            return 0;
        });
    }
    long is_locked(handle file) noexcept override
    {
        return call(kind::is_locked, name_of(file), [&] {
            return disk_->lock_owner_ != nullptr && disk_->lock_owner_ != this ? 1L : 0L;
        });
    }
    void abandon() noexcept override
    {
        std::lock_guard const held(disk_->mutex_);
        if (disk_->lock_owner_ == this) disk_->lock_owner_ = nullptr;
        open_.clear();
    }

private:
    using kind = disk_call::kind;

    struct opened
    {
        std::shared_ptr<simulated_inode> file;
        std::string name;  // as it was opened
        bool is_for_forces = false;
    };

    /// Its name now; the one that it was opened by when it has none any more.
    std::string name_of(handle file) const
    {
        std::lock_guard const held(disk_->mutex_);
        opened const& one = open_.at(file);
        for (auto const& [name, named] : disk_->cached_) {
            if (named == one.file) return name;
        }
        return one.name;
    }

    void tell(disk_call const& what)
    {
        if (disk_->watcher_) disk_->watcher_(what);
    }

    template <typename Body>
    long call(kind what, std::string const& name, Body&& body) noexcept
    {
        disk_call const told{what, name, {}};
        tell(told);
        std::lock_guard const held(disk_->mutex_);
        auto const fault = disk_->count(told);
        if (!fault) return body();
        if (fault->what == disk_fault::effect::full) static_cast<void>(body());
        return fault->error == 0 ? -EIO : -fault->error;
    }

    /// A force that fails gives the sectors up: they look written, and no later force writes them.
    long force(kind what, handle file) noexcept
    {
        disk_call const told{what, name_of(file), {}};
        tell(told);
        std::lock_guard const held(disk_->mutex_);
        auto const fault = disk_->count(told);
        auto& of = *open_.at(file).file;
        ++disk_->forces_;
        ++disk_->version_;
        if (!fault || fault->what == disk_fault::effect::full) {
            of.force();
        } else if (!disk_->is_handed_over_) {
            of.fail_to_force();
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

#endif  // ASSENT_TESTS_SIMULATED_FILE_LAYER_HPP
