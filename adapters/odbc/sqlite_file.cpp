// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/sqlite_file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <assent/driver.hpp>

namespace assent::odbc_adapter {

namespace {

struct file_system
{
    std::uint32_t magic;
    char const* name;
};

constexpr std::array network_file_systems = {
    file_system{NFS_SUPER_MAGIC, "nfs"}, file_system{SMB_SUPER_MAGIC, "smb"},
    file_system{0xff534d42, "cifs"},     file_system{0xfe534d42, "smb2"},
    file_system{AFS_SUPER_MAGIC, "afs"}, file_system{CODA_SUPER_MAGIC, "coda"},
    file_system{V9FS_MAGIC, "9p"},       file_system{0x00c36400, "ceph"},
    file_system{0x0bd00bd0, "lustre"},   file_system{0x47504653, "gpfs"},
};

constexpr std::array memory_file_systems = {
    file_system{TMPFS_MAGIC, "tmpfs"},
    file_system{RAMFS_MAGIC, "ramfs"},
};

template <class List>
char const* find(List const& all, std::uint32_t magic)
{
    for (file_system const& each : all) {
        if (each.magic == magic) return each.name;
    }
    return nullptr;
}

/// Syncs a file or directory; a file that is not there has nothing to sync.
void force(std::string const& path)
{
    int const file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0 && errno == ENOENT) return;
    int why = file < 0 ? errno : 0;
    if (why == 0 && fsync(file) != 0) why = errno;
    if (file >= 0) close(file);
    if (why != 0) throw driver_error("cannot sync " + path + ": " + std::strerror(why));
}

}  // namespace

file_place file_place::of(std::string const& path) noexcept
{
    struct stat seen = {};
    if (stat(path.c_str(), &seen) != 0) return {};
    return {seen.st_dev, seen.st_ino};
}

std::string why_not_durable(std::string_view journal_mode, std::string_view synchronous)
{
    std::string const mode{journal_mode};
    if (mode == "off" || mode == "memory") {
        return "journal_mode is " + mode +
               ", so that a crash leaves half of a transaction: PRAGMA journal_mode = DELETE or "
               "WAL";
    }
    bool const needs_extra = mode == "delete";
    if (synchronous == "3" || (synchronous == "2" && !needs_extra)) return {};
    return "synchronous is " + std::string{synchronous} + " with journal_mode " + mode +
           ", so that a commit may be lost at power loss: PRAGMA synchronous = EXTRA";
}

std::string why_unsafe_file_system(long magic, bool allow_non_durable)
{
    auto const kind = static_cast<std::uint32_t>(magic);
    if (char const* const name = find(network_file_systems, kind)) {
        return std::string{"the database is on a network file system ("} + name +
               "), where SQLite's locks cannot be relied on: put it on a local disk";
    }
    char const* const name = find(memory_file_systems, kind);
    if (name == nullptr || allow_non_durable) return {};
    return std::string{"the database is on "} + name +
           ", which forgets everything with a restart: put it on a local disk";
}

std::string why_unsafe_place(std::string const& path, bool allow_non_durable)
{
    struct statfs seen = {};
    if (statfs(path.c_str(), &seen) != 0) {
        return "cannot look at " + path + ": " + std::strerror(errno);
    }
    return why_unsafe_file_system(static_cast<long>(seen.f_type), allow_non_durable);
}

bool is_writable(std::string const& path) noexcept
{
    return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

void force_committed(std::string const& path)
{
    // Whichever of them the journal mode of that process made its commit with.
    force(path + "-wal");
    force(path + "-journal");
    auto const slash = path.rfind('/');
    force(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace assent::odbc_adapter
