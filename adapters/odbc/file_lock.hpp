// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_lock.hpp -- the guardian's lock where there is no server: on a file beside the database.
//
// A record lock, because a forked child does not inherit it.  Such a lock is no obstacle within one
// process, and ends with the first close() of that file there: so the process keeps a list of what
// it has locked, and opens none of it twice.
//
// Invariant: two file_locks never hold one path, in whatever processes they are.

#ifndef ASSENT_ADAPTERS_ODBC_FILE_LOCK_HPP
#define ASSENT_ADAPTERS_ODBC_FILE_LOCK_HPP

#include <string>

namespace assent::odbc_adapter {

/// Held until it is destroyed.  Thread safety: one thread at a time.
class file_lock
{
public:
    file_lock() = default;
    file_lock(file_lock const&) = delete;
    file_lock& operator=(file_lock const&) = delete;
    ~file_lock() { release(); }

    /// Makes the file where it is missing.  @return whether it is ours.
    /// @throws driver_error  the file cannot be had.
    bool try_lock(std::string const& path);

    void release() noexcept;

    /// Whether the file at `path` is still the one that is locked here.
    bool is_held(std::string const& path) const noexcept;

private:
    int descriptor_ = -1;
    std::string path_;
};

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_FILE_LOCK_HPP
