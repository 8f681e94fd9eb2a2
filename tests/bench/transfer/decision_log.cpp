// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_log.cpp -- see decision_log.hpp.

#include "decision_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace assent::bench {

namespace {

constexpr std::size_t file_bytes = 16u << 20;

int make_file(std::string const& path)
{
    int const file =
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_DSYNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) throw std::system_error(errno, std::generic_category(), path);
    // A write that makes the file longer would force its size as well.
    std::vector<char> const zeros(file_bytes);
    if (::pwrite(file, zeros.data(), zeros.size(), 0) != static_cast<ssize_t>(zeros.size())) {
        int const error = errno;
        ::close(file);
        throw std::system_error(error, std::generic_category(), path);
    }
    return file;
}

}  // namespace

decision_log::decision_log(std::string const& directory)
    : file_(make_file(directory + "/decisions"))
{
}

decision_log::~decision_log()
{
    ::close(file_);
}

void decision_log::force(std::string_view name)
{
    std::unique_lock guard(mutex_);
    waiting_.append(name).push_back('\n');
    auto const mine = gathering_;
    while (is_good_ && durable_ < mine) {
        if (is_writing_) {
            changed_.wait(guard);
            continue;
        }
        is_writing_ = true;
        std::string const batch = std::exchange(waiting_, {});
        auto const number = gathering_++;
        guard.unlock();
        bool const is_durable = write(batch);
        guard.lock();
        is_writing_ = false;
        is_good_ = is_durable;
        if (is_durable) durable_ = number;
        changed_.notify_all();
    }
    if (durable_ < mine) throw std::runtime_error("the log of decisions has failed");
}

/// Begins again at the front when the file is full: what stood there is finished long since.
bool decision_log::write(std::string const& batch)
{
    if (batch.size() > file_bytes) return false;
    if (offset_ + batch.size() > file_bytes) offset_ = 0;
    auto const at = static_cast<off_t>(offset_);
    ssize_t written = -1;
    do {
        written = ::pwrite(file_, batch.data(), batch.size(), at);
    } while (written < 0 && errno == EINTR);
    offset_ += batch.size();
    return written == static_cast<ssize_t>(batch.size());
}

std::uint64_t decision_log::forces() const
{
    std::lock_guard const guard(mutex_);
    return durable_;
}

}  // namespace assent::bench
