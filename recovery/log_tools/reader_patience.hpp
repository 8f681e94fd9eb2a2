// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reader_patience.hpp -- how often a log is read again beside an owner that removes segments and
// writes pages under the reader's eyes.
//
// What stays as it is, is what it looks like; what keeps moving is read again for a while.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_READER_PATIENCE_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_READER_PATIENCE_HPP

#include <chrono>
#include <string>
#include <system_error>

#include "log/log_error.hpp"

namespace assent::log {

class reader_patience
{
public:
    static constexpr std::chrono::milliseconds usual{10'000};

    explicit reader_patience(std::chrono::milliseconds limit) noexcept
        : end_(std::chrono::steady_clock::now() + limit)
    {
    }

    /// After a read that failed.  @pre  in its catch clause.
    /// @return where another one is worth it.  @throws log_error  it, or that nothing holds still.
    void bear(log_error const& failed, bool is_owned, std::string const& directory)
    {
        bool const is_gone = is_moving(failed);
        if (!is_owned && !is_gone) throw;
        if (!is_over(is_gone)) return;
        if (is_owned && is_gone) give_up(directory);
        throw;
    }

    /// One more time it did not hold still, or looked damaged.  @return whether that is how it is.
    bool is_over(bool is_moving) noexcept
    {
        bool const is_often = ++reads_ >= reads_min;
        return is_often && (!is_moving || std::chrono::steady_clock::now() >= end_);
    }

    [[noreturn]] static void give_up(std::string const& directory)
    {
        throw log_error(log_fault::io,
                        std::make_error_code(std::errc::resource_unavailable_try_again), directory,
                        "its owner removes segments faster than they can be read; try again when "
                        "it is less busy");
    }

private:
    /// What tells a segment that is gone from one that is damaged.
    static bool is_moving(log_error const& e) noexcept
    {
        return e.code() == std::errc::no_such_file_or_directory ||
               e.fault() == log_fault::missing_segment;
    }

    static constexpr int reads_min = 8;
    std::chrono::steady_clock::time_point const end_;
    int reads_ = 0;
};

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_READER_PATIENCE_HPP
