// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// posix_file_layer.cpp -- see posix_file_layer.hpp.

#include "log/posix_file_layer.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <utility>

namespace assent::log {

namespace {

enum class trust : std::uint8_t { safe, copies_on_write, unsafe };

struct known_file_system
{
    std::uint32_t magic;
    char const* name;
    trust is;
};

/// statfs(2) tells which it is.  Whether it takes O_DIRECT tells nothing: tmpfs does.
constexpr known_file_system file_systems[] = {
    {EXT4_SUPER_MAGIC, "ext4", trust::safe},
    {XFS_SUPER_MAGIC, "xfs", trust::safe},
    {F2FS_SUPER_MAGIC, "f2fs", trust::copies_on_write},
    {BTRFS_SUPER_MAGIC, "btrfs", trust::copies_on_write},
    {0x2fc12fc1, "zfs", trust::copies_on_write},
    {0xca451a4e, "bcachefs", trust::copies_on_write},
    {TMPFS_MAGIC, "tmpfs", trust::unsafe},
    {RAMFS_MAGIC, "ramfs", trust::unsafe},
    {OVERLAYFS_SUPER_MAGIC, "overlay", trust::unsafe},
    {NFS_SUPER_MAGIC, "nfs", trust::unsafe},
    {SMB_SUPER_MAGIC, "cifs", trust::unsafe},
    {0xff534d42, "cifs", trust::unsafe},
    {0xfe534d42, "cifs", trust::unsafe},
};

void name_file_system(std::uint32_t magic, directory_facts& facts)
{
    for (known_file_system const& one : file_systems) {
        if (one.magic != magic) continue;
        facts.file_system = one.name;
        facts.is_unsafe = one.is == trust::unsafe;
        facts.copies_on_write = one.is == trust::copies_on_write;
        return;
    }
    char number[16];
    std::snprintf(number, sizeof number, "0x%x", magic);
    facts.file_system = number;
}

long result(long value) noexcept
{
    return value < 0 ? -errno : value;
}

/// Makes the entry of a new directory survive power loss.
long sync_parent(std::string const& path) noexcept
try {
    auto const end = path.find_last_not_of('/');
    auto const slash = end == std::string::npos ? end : path.find_last_of('/', end);
    std::string const parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    int const opened = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return -errno;
    long const forced = result(::fsync(opened));
    ::close(opened);
    return forced;
} catch (std::bad_alloc const&) {
    return -ENOMEM;
}

}  // namespace

posix_file_layer::posix_file_layer(std::string directory) : path_(std::move(directory)) {}

posix_file_layer::~posix_file_layer()
{
    abandon();
}

long posix_file_layer::attach(bool create, directory_facts& facts) noexcept
try {
    if (create) {
        if (::mkdir(path_.c_str(), 0700) == 0) {
            if (long const forced = sync_parent(path_); forced < 0) return forced;
        } else if (errno != EEXIST) {
            return -errno;
        }
    }
    int const opened = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) return -errno;
    struct stat seen = {};
    struct statfs system = {};
    if (::fstat(opened, &seen) < 0 || ::fstatfs(opened, &system) < 0) {
        long const why = -errno;
        ::close(opened);
        return why;
    }
    directory_ = opened;
    owner_ = seen.st_uid;
    facts.is_own = seen.st_uid == ::geteuid();
    facts.mode = seen.st_mode & 07777;
    name_file_system(static_cast<std::uint32_t>(system.f_type), facts);
    return 0;
} catch (std::bad_alloc const&) {
    return -ENOMEM;
}

long posix_file_layer::remember(int descriptor) noexcept
{
    for (auto& place : open_) {
        int free = 0;
        if (place.compare_exchange_strong(free, descriptor + 1)) return descriptor;
    }
    ::close(descriptor);
    return -EMFILE;
}

long posix_file_layer::open(std::string const& name, open_mode mode) noexcept
{
    int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // a FIFO in our place must not block us
    if (mode == open_mode::read) {
        flags |= O_RDONLY;
    } else {
        flags |= O_RDWR;
    }
    if (mode == open_mode::create_new) flags |= O_CREAT | O_EXCL;
    if (mode == open_mode::create_or_open) flags |= O_CREAT;
    int opened = -1;
    if (mode == open_mode::force) {
        opened = ::openat(directory_, name.c_str(), flags | O_DIRECT | O_DSYNC);
        if (opened < 0 && errno != EINVAL) return -errno;  // EINVAL: not on this file system
    }
    if (opened < 0) opened = ::openat(directory_, name.c_str(), flags, 0600);
    if (opened < 0) return -errno;
    struct stat seen = {};
    long why = result(::fstat(opened, &seen));
    // A second name or another owner means that somebody else can write what we believe.
    if (why == 0 && (!S_ISREG(seen.st_mode) || seen.st_nlink != 1 || seen.st_uid != owner_)) {
        why = -EPERM;
    }
    if (why < 0) {
        ::close(opened);
        return why;
    }
    return remember(opened);
}

void posix_file_layer::close(handle file) noexcept
{
    for (auto& place : open_) {
        int held = file + 1;
        if (place.compare_exchange_strong(held, 0)) {
            ::close(file);
            return;
        }
    }
}

long posix_file_layer::size(handle file) noexcept
{
    struct stat seen = {};
    return ::fstat(file, &seen) < 0 ? -errno : static_cast<long>(seen.st_size);
}

long posix_file_layer::read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept
{
    return result(::pread(file, into.data(), into.size(), static_cast<off_t>(offset)));
}

long posix_file_layer::write(handle file, std::span<std::byte const> from,
                             std::uint64_t offset) noexcept
{
    return result(::pwrite(file, from.data(), from.size(), static_cast<off_t>(offset)));
}

bool posix_file_layer::is_write_through(handle file) noexcept
{
    int const flags = ::fcntl(file, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0 && (flags & O_DSYNC) != 0;
}

long posix_file_layer::fdatasync(handle file) noexcept
{
    return result(::fdatasync(file));
}

long posix_file_layer::fsync(handle file) noexcept
{
    return result(::fsync(file));
}

long posix_file_layer::rename(std::string const& from, std::string const& to) noexcept
{
    // A name that exists is never replaced: it would be somebody's evidence or segment.
    return result(::renameat2(directory_, from.c_str(), directory_, to.c_str(), RENAME_NOREPLACE));
}

long posix_file_layer::unlink(std::string const& name) noexcept
{
    return result(::unlinkat(directory_, name.c_str(), 0));
}

long posix_file_layer::sync_directory() noexcept
{
    return result(::fsync(directory_));
}

long posix_file_layer::list(std::vector<std::string>& names) noexcept
try {
    // A description of its own: the position in the directory is not shared with anybody.
    int const opened = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return -errno;
    DIR* const stream = ::fdopendir(opened);
    if (!stream) {
        long const why = -errno;
        ::close(opened);
        return why;
    }
    struct closer
    {
        DIR* stream;
        ~closer() { ::closedir(stream); }
    } const close_at_end{stream};
    names.clear();
    for (;;) {
        errno = 0;
        dirent const* const entry = ::readdir(stream);
        if (!entry) return -errno;
        std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(std::move(name));
    }
} catch (std::bad_alloc const&) {
    return -ENOMEM;
}

long posix_file_layer::lock(handle file) noexcept
{
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    long const taken = result(::fcntl(file, F_OFD_SETLK, &whole));
    return taken == -EACCES ? -EAGAIN : taken;
}

long posix_file_layer::is_locked(handle file) noexcept
{
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(file, F_OFD_GETLK, &whole) < 0) return -errno;
    return whole.l_type == F_UNLCK ? 0 : 1;
}

void posix_file_layer::abandon() noexcept
{
    for (auto& place : open_) {
        int const held = place.exchange(0);
        if (held != 0) ::close(held - 1);
    }
    if (directory_ >= 0) ::close(directory_);
    directory_ = -1;
}

}  // namespace assent::log
