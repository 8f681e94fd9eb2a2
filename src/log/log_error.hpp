// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_error.hpp -- why a log cannot be opened or read, and what to do about it.
//
// Invariant: whoever throws one has changed nothing in the files it speaks of.

#ifndef ASSENT_LOG_LOG_ERROR_HPP
#define ASSENT_LOG_LOG_ERROR_HPP

#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include "log/file_layer.hpp"
#include "log/format.hpp"

namespace assent::log {

enum class log_fault : std::uint8_t {
    io = 1,                ///< a system call failed
    locked = 2,            ///< another process owns the log
    label_mismatch = 3,    ///< the log of another node label
    corrupt = 4,           ///< something that was durable is damaged: restore, never truncate
    foreign = 5,           ///< not a segment of this log
    missing_segment = 6,   ///< the chain of segments has a hole
    newer_version = 7,     ///< written by a later major version
    unsafe_directory = 8,  ///< of another owner, or writable for others
    unsafe_file_system = 9,
    bad_option = 10,
    exhausted = 11,  ///< a number with a fixed width has run out
};

/// Thread safety: a value; distinct objects safe.
class log_error : public std::system_error
{
public:
    /// `where` is the path of the file or directory; `page` the page in it, 0 when none is meant.
    log_error(log_fault fault, std::error_code why, std::string where, std::string const& advice,
              std::uint32_t page = 0)
        : std::system_error(why, compose(where, page, advice)),
          fault_(fault),
          where_(std::move(where)),
          page_(page)
    {
    }

    log_fault fault() const noexcept { return fault_; }
    std::string const& where() const noexcept { return where_; }
    std::uint32_t page() const noexcept { return page_; }
    std::uint64_t offset() const noexcept { return std::uint64_t{page_} * page_bytes; }

private:
    static std::string compose(std::string const& where, std::uint32_t page,
                               std::string const& advice)
    {
        std::string text = where;
        if (page != 0) {
            text += " page " + std::to_string(page);
            text += " (byte " + std::to_string(std::uint64_t{page} * page_bytes) + ")";
        }
        return text + ": " + advice;
    }

    log_fault fault_;
    std::string where_;
    std::uint32_t page_;
};

/// What a negated errno of a file layer means, for a person.
inline std::string words_for(long negated_errno)
{
    if (negated_errno == not_ours) {
        return "the log's directory or a file of it was removed, moved or replaced, or a "
               "descriptor "
               "of it was closed, beneath the process that owns it";
    }
    return std::generic_category().message(static_cast<int>(-negated_errno));
}

/// A failed system call; `negated_errno` as a file layer returns it.
inline log_error io_failure(long negated_errno, std::string where, std::string const& what)
{
    return {log_fault::io,
            std::error_code(static_cast<int>(-negated_errno), std::generic_category()),
            std::move(where), what};
}

}  // namespace assent::log

#endif  // ASSENT_LOG_LOG_ERROR_HPP
