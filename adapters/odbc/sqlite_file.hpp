// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_file.hpp -- what a file must be for a commit in it to count.
//
//   journal_mode        synchronous       a commit is on the disk when it is answered
//   delete              EXTRA             FULL does not sync the directory in which the journal,
//                                         whose removal is the commit, was
//   truncate, persist   FULL, EXTRA
//   wal                 FULL, EXTRA       NORMAL syncs at checkpoints only
//   off, memory         -                 never: a crash leaves half of a transaction
//
// Invariant: nothing here opens the database file.  The first close() of a file ends every
// record lock that the process has on it, and SQLite's locks are such.

#ifndef ASSENT_ADAPTERS_ODBC_SQLITE_FILE_HPP
#define ASSENT_ADAPTERS_ODBC_SQLITE_FILE_HPP

#include <sys/types.h>

#include <string>
#include <string_view>

namespace assent::odbc_adapter {

/// Which file a path leads to; SQLite goes on with one that was moved or removed.
struct file_place
{
    dev_t device = 0;
    ino_t inode = 0;

    /// @return all zero when there is none.
    static file_place of(std::string const& path) noexcept;

    bool is_known() const noexcept { return inode != 0; }
    friend bool operator==(file_place const& a, file_place const& b) noexcept
    {
        return a.device == b.device && a.inode == b.inode;
    }
};

/// Why a commit may be lost; empty where it may not.
/// @param synchronous  as PRAGMA synchronous says it: 0 to 3
std::string why_not_durable(std::string_view journal_mode, std::string_view synchronous);

/// Why a database on this kind of file system cannot be trusted; empty where it can.
/// @param magic  statfs::f_type
std::string why_unsafe_file_system(long magic, bool allow_non_durable);
/// The same of the file system of `path`.
std::string why_unsafe_place(std::string const& path, bool allow_non_durable);

/// Whether this process may write the file.
bool is_writable(std::string const& path) noexcept;

/// Puts on the disk what others have committed: a process that was killed between its commit and
/// the sync that follows it has left what everybody can read, and a power loss can take back.
/// @throws driver_error  it cannot be done, so that what was read decides nothing.
void force_committed(std::string const& path);

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_SQLITE_FILE_HPP
