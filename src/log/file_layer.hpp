// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_layer.hpp -- the system calls that the log makes, all inside one directory.
//
// The log sees its files only through this port, so that a test can fail any call by its number,
// lose power at any moment, and count the forces.  Every result is as the kernel gives it: a
// value of 0 or more, or a negated errno.  Nothing is retried here and nothing is interpreted.

#ifndef ASSENT_LOG_FILE_LAYER_HPP
#define ASSENT_LOG_FILE_LAYER_HPP

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace assent::log {

enum class open_mode : std::uint8_t {
    read = 1,
    read_write = 2,
    create_new = 3,      ///< O_EXCL, 0600
    create_or_open = 4,  ///< 0600; the lock file
    force = 5,           ///< for forces: past the page cache where the file system takes that
};

struct directory_facts
{
    bool is_own = false;      ///< owned by the user that this process acts for
    unsigned mode = 0;        ///< permission bits
    std::string file_system;  ///< "ext4", "xfs", "tmpfs", ..., or its number in hexadecimal
    /// A force or a lock does not mean there what it says, or it is thrown away with a container.
    bool is_unsafe = false;
    /// Writes go to new places (btrfs, zfs): zeroed space is not reserved space.
    bool copies_on_write = false;
    /// Its group could write it, as some platforms leave a volume that they mount; it no longer
    /// can.
    bool was_group_writable = false;
};

/// A descriptor is not open any more on the file that was opened, or a name leads elsewhere.
inline constexpr long not_ours = -ESTALE;

/// Thread safety: as the kernel's calls: distinct handles safe.
class file_layer
{
public:
    using handle = int;

    virtual ~file_layer() = default;

    /// The directory's path, for messages.
    virtual std::string const& directory() const noexcept = 0;

    /// Opens the directory; makes it (0700, and forces its entry) when `create`.  Called first.
    virtual long attach(bool create, directory_facts& facts) noexcept = 0;

    /// Opens a plain file that has one name and the directory's owner; never follows a link.
    virtual long open(std::string const& name, open_mode mode) noexcept = 0;
    virtual void close(handle file) noexcept = 0;
    virtual long size(handle file) noexcept = 0;
    virtual long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept = 0;
    virtual long write(handle file, std::span<std::byte const> from,
                       std::uint64_t offset) noexcept = 0;
    /// Whether every write to this handle is durable when it returns (O_DIRECT and O_DSYNC).  The
    /// memory that is written, its size and its place are then multiples of page_bytes.
    virtual bool is_write_through(handle file) noexcept = 0;
    /// Whether the log is still the files that have its names: 0, or not_ours where the directory,
    /// its locked file or this one was removed, moved or replaced, or is not what its descriptor is
    /// open on; or another negated errno where that cannot be seen.
    virtual long verify(handle file) noexcept = 0;
    virtual long fdatasync(handle file) noexcept = 0;
    virtual long fsync(handle file) noexcept = 0;

    virtual long rename(std::string const& from, std::string const& to) noexcept = 0;
    virtual long unlink(std::string const& name) noexcept = 0;
    virtual long sync_directory() noexcept = 0;
    virtual long list(std::vector<std::string>& names) noexcept = 0;

    /// Takes the exclusive lock of the open file description: 0, or -EAGAIN when it is held.
    virtual long lock(handle file) noexcept = 0;
    /// 1 when somebody else holds that lock, else 0.  Takes nothing.
    virtual long is_locked(handle file) noexcept = 0;

    /// In a forked child: closes every descriptor, and nothing else.  Async-signal-safe.
    virtual void abandon() noexcept = 0;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_FILE_LAYER_HPP
