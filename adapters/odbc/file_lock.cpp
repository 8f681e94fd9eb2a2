// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/file_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include <assent/driver.hpp>

namespace assent::odbc_adapter {

namespace {

struct held
{
    std::mutex mutex;
    std::set<std::string> paths;
};

held& all()
{
    static held* const only = new held;  // sessions may end during static destruction
    return *only;
}

}  // namespace

void file_lock::release() noexcept
{
    if (descriptor_ < 0) return;
    std::lock_guard const hold(all().mutex);
    close(std::exchange(descriptor_, -1));
    all().paths.erase(path_);
}

bool file_lock::try_lock(std::string const& path)
{
    if (descriptor_ >= 0) return is_held(path);
    std::lock_guard const hold(all().mutex);
    if (all().paths.count(path) != 0) return false;
    int const file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        throw driver_error("cannot open " + path +
                           ", the guardian's lock: " + std::strerror(errno));
    }
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    if (fcntl(file, F_SETLK, &whole) != 0) {
        int const why = errno;
        close(file);
        if (why == EAGAIN || why == EACCES) return false;
        throw driver_error("cannot lock " + path + ": " + std::strerror(why));
    }
    all().paths.insert(path);
    descriptor_ = file;
    path_ = path;
    return true;
}

bool file_lock::is_held(std::string const& path) const noexcept
{
    struct stat there = {};
    struct stat here = {};
    return descriptor_ >= 0 && stat(path.c_str(), &there) == 0 && fstat(descriptor_, &here) == 0 &&
           there.st_ino == here.st_ino && there.st_dev == here.st_dev;
}

}  // namespace assent::odbc_adapter
