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

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "ports/forks.hpp"
#include "ports/standard_descriptors.hpp"

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

/// Opens above the standard streams.  @return the descriptor, or a negated errno.
long open_at(int directory, char const* name, int flags, mode_t mode = 0) noexcept
{
    ports::standard_descriptors const held;
    int const opened = ::openat(directory, name, flags | O_CLOEXEC, mode);
    if (opened < 0) return -errno;
    if (opened >= ports::descriptor_min) return opened;
    int const moved = ::fcntl(opened, F_DUPFD_CLOEXEC, ports::descriptor_min);
    long const got = result(moved);
    ::close(opened);
    return got;
}

constexpr mode_t group_writable = 020;
constexpr mode_t world_writable = 002;

/// A platform may make every volume that it mounts writable for a group, for ever anew.  Where that
/// is the directory of a log that is ours, the log takes the right back; of another directory the
/// right may be somebody's wish, and the opening refuses it.
void make_private(int directory, struct stat& seen, directory_facts& facts) noexcept
{
    struct stat lock = {};
    bool const is_safe = facts.is_own && (seen.st_mode & group_writable) != 0 &&
                         (seen.st_mode & world_writable) == 0 &&
                         ::fstatat(directory, "lock", &lock, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISREG(lock.st_mode) && lock.st_uid == seen.st_uid;
    if (!is_safe || ::fchmod(directory, 0700) != 0 || ::fstat(directory, &seen) != 0) return;
    facts.was_group_writable = (seen.st_mode & group_writable) == 0;
}

/// Makes the entry of a new directory survive power loss.
long sync_parent(std::string const& path) noexcept
try {
    auto const end = path.find_last_not_of('/');
    auto const slash = end == std::string::npos ? end : path.find_last_of('/', end);
    std::string const parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    long const opened = open_at(AT_FDCWD, parent.c_str(), O_RDONLY | O_DIRECTORY);
    if (opened < 0) return opened;
    long const forced = result(::fsync(static_cast<int>(opened)));
    ::close(static_cast<int>(opened));
    return forced;
} catch (std::bad_alloc const&) {
    return -ENOMEM;
}

bool is_link(std::string const& path) noexcept
{
    struct stat seen = {};
    return ::lstat(path.c_str(), &seen) == 0 && S_ISLNK(seen.st_mode);
}

}  // namespace

posix_file_layer::posix_file_layer(std::string directory) : path_(std::move(directory))
{
    ports::on_fork_in_child([](void* layer) { static_cast<posix_file_layer*>(layer)->abandon(); },
                            this);
}

posix_file_layer::~posix_file_layer()
{
    ports::forget_fork_handler(this);
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
    std::error_code lost;
    absolute_ = std::filesystem::absolute(path_, lost).string();  // whoever moves on finds it again
    if (lost) return -lost.value();
    long const got = open_at(AT_FDCWD, path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (got < 0) return is_link(path_) ? -ELOOP : got;
    int const opened = static_cast<int>(got);
    struct stat seen = {};
    struct statfs system = {};
    if (::fstat(opened, &seen) < 0 || ::fstatfs(opened, &system) < 0) {
        long const why = -errno;
        ::close(opened);
        return why;
    }
    facts.is_own = seen.st_uid == ::geteuid();
    if (create) make_private(opened, seen, facts);
    directory_is_ = {seen.st_dev, seen.st_ino};
    directory_ = opened;
    owner_ = seen.st_uid;
    facts.mode = seen.st_mode & 07777;
    name_file_system(static_cast<std::uint32_t>(system.f_type), facts);
    return 0;
} catch (std::bad_alloc const&) {
    return -ENOMEM;
}

bool posix_file_layer::is_open_on(int descriptor, identity const& what) noexcept
{
    struct stat seen = {};
    return ::fstat(descriptor, &seen) == 0 && identity{seen.st_dev, seen.st_ino} == what;
}

/// @return the descriptor, while it is open on what was opened; else not_ours.
long posix_file_layer::own(handle file) noexcept
{
    int const descriptor = number(file);
    return descriptor >= 0 && is_open_on(descriptor, at(file).is) ? descriptor : not_ours;
}

/// Whether the name of an open file still leads to it.
long posix_file_layer::require_named(handle file) noexcept
{
    struct stat seen = {};
    if (::fstatat(directory_, at(file).name.data(), &seen, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT || errno == EBADF || errno == ENOTDIR ? not_ours : -errno;
    }
    bool const is_it = identity{seen.st_dev, seen.st_ino} == at(file).is && seen.st_nlink > 0;
    return is_it ? 0 : not_ours;
}

/// Before names are changed: a directory that took the number of ours, or a log that was begun in
/// ours after our files were removed, is somebody else's.
long posix_file_layer::require_directory() noexcept
{
    if (!is_open_on(directory_, directory_is_)) return not_ours;
    handle const lock = lock_;
    return lock < 0 ? 0 : require_named(lock);
}

long posix_file_layer::verify(handle file) noexcept
{
    for (handle const which : {lock_.load(), file}) {
        if (which < 0) continue;
        if (own(which) < 0) return not_ours;  // a lock whose descriptor was closed is no lock
        if (long const named = require_named(which); named < 0) return named;
    }
    struct stat seen = {};
    if (::fstatat(AT_FDCWD, absolute_.c_str(), &seen, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT || errno == ENOTDIR ? not_ours : -errno;
    }
    return identity{seen.st_dev, seen.st_ino} == directory_is_ ? 0 : not_ours;
}

long posix_file_layer::remember(int descriptor, std::string const& name,
                                identity const& is) noexcept
{
    if (name.size() >= name_bytes_max) return -ENAMETOOLONG;
    std::lock_guard const held(names_);
    for (std::size_t i = 0; i < open_.size(); ++i) {
        int free = 0;
        if (!open_[i].number.compare_exchange_strong(free, -1)) continue;
        open_[i].is = is;
        open_[i].name = {};
        std::copy(name.begin(), name.end(), open_[i].name.begin());
        open_[i].number = descriptor + 1;
        return static_cast<long>(i);
    }
    return -EMFILE;
}

/// A child that was forked between a file's opening and its being remembered has a copy, and with
/// the lock's copy the lock.
long posix_file_layer::open(std::string const& name, open_mode mode) noexcept
{
    if (mode != open_mode::create_or_open) return open_once(name, mode);
    constexpr int tries_max = 100;
    for (int tries = 0; tries < tries_max; ++tries) {
        auto const before = ports::forks_made();
        long const opened = open_once(name, mode);
        if (opened < 0 || ports::forks_made() == before) return opened;
        close(opened);
    }
    return -EAGAIN;
}

long posix_file_layer::open_once(std::string const& name, open_mode mode) noexcept
{
    int flags = O_NOFOLLOW | O_NONBLOCK;  // a FIFO in our place must not block us
    if (mode == open_mode::read) {
        flags |= O_RDONLY;
    } else {
        flags |= O_RDWR;
    }
    if (mode == open_mode::create_new) flags |= O_CREAT | O_EXCL;
    if (mode == open_mode::create_or_open) flags |= O_CREAT;
    if (long const refused = require_directory(); refused < 0) return refused;
    long got = -EINVAL;
    if (mode == open_mode::force) {
        got = open_at(directory_, name.c_str(), flags | O_DIRECT | O_DSYNC);
        if (got < 0 && got != -EINVAL) return got;  // EINVAL: not on this file system
    }
    if (got < 0) got = open_at(directory_, name.c_str(), flags, 0600);
    if (got < 0) return got;
    int const opened = static_cast<int>(got);
    struct stat seen = {};
    long why = result(::fstat(opened, &seen));
    // A second name or another owner means that somebody else can write what we believe.
    if (why == 0 && seen.st_nlink == 0) why = -ENOENT;  // it was removed a moment ago
    if (why == 0 && (!S_ISREG(seen.st_mode) || seen.st_nlink != 1 || seen.st_uid != owner_)) {
        why = -EPERM;
    }
    if (why == 0) why = remember(opened, name, {seen.st_dev, seen.st_ino});
    if (why < 0) ::close(opened);
    return why;
}

void posix_file_layer::close(handle file) noexcept
{
    if (file < 0) return;
    if (lock_ == file) lock_ = -1;
    long const descriptor = own(file);
    at(file).number = 0;
    if (descriptor >= 0) ::close(static_cast<int>(descriptor));
}

long posix_file_layer::size(handle file) noexcept
{
    struct stat seen = {};
    return ::fstat(number(file), &seen) < 0 ? -errno : static_cast<long>(seen.st_size);
}

long posix_file_layer::read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept
{
    return result(::pread(number(file), into.data(), into.size(), static_cast<off_t>(offset)));
}

long posix_file_layer::write(handle file, std::span<std::byte const> from,
                             std::uint64_t offset) noexcept
{
    long const to = own(file);
    if (to < 0) return to;
    return result(
        ::pwrite(static_cast<int>(to), from.data(), from.size(), static_cast<off_t>(offset)));
}

bool posix_file_layer::is_write_through(handle file) noexcept
{
    int const flags = ::fcntl(number(file), F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0 && (flags & O_DSYNC) != 0;
}

long posix_file_layer::fdatasync(handle file) noexcept
{
    return result(::fdatasync(number(file)));
}

long posix_file_layer::fsync(handle file) noexcept
{
    return result(::fsync(number(file)));
}

long posix_file_layer::rename(std::string const& from, std::string const& to) noexcept
{
    if (to.size() >= name_bytes_max) return -ENAMETOOLONG;
    if (long const refused = require_directory(); refused < 0) return refused;
    // A name that exists is never replaced: it would be somebody's evidence or segment.
    if (::renameat2(directory_, from.c_str(), directory_, to.c_str(), RENAME_NOREPLACE) < 0) {
        return -errno;
    }
    std::lock_guard const held(names_);
    for (place& one : open_) {
        if (one.number.load() <= 0 || from != one.name.data()) continue;
        one.name = {};
        std::copy(to.begin(), to.end(), one.name.begin());
    }
    return 0;
}

long posix_file_layer::unlink(std::string const& name) noexcept
{
    if (long const refused = require_directory(); refused < 0) return refused;
    return result(::unlinkat(directory_, name.c_str(), 0));
}

long posix_file_layer::sync_directory() noexcept
{
    return result(::fsync(directory_));
}

long posix_file_layer::list(std::vector<std::string>& names) noexcept
try {
    // A description of its own: the position in the directory is not shared with anybody.
    if (long const refused = require_directory(); refused < 0) return refused;
    long const got = open_at(directory_, ".", O_RDONLY | O_DIRECTORY);
    if (got < 0) return got;
    int const opened = static_cast<int>(got);
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
    long const taken = result(::fcntl(number(file), F_OFD_SETLK, &whole));
    if (taken == 0) lock_ = file;
    return taken == -EACCES ? -EAGAIN : taken;
}

long posix_file_layer::is_locked(handle file) noexcept
{
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(number(file), F_OFD_GETLK, &whole) < 0) return -errno;
    return whole.l_type == F_UNLCK ? 0 : 1;
}

void posix_file_layer::abandon() noexcept
{
    for (place& one : open_) {
        int const held = one.number.exchange(0);
        if (held > 0 && is_open_on(held - 1, one.is)) ::close(held - 1);
    }
    if (directory_ >= 0 && is_open_on(directory_, directory_is_)) ::close(directory_);
    directory_ = -1;
}

}  // namespace assent::log
