// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_file.hpp -- a segment's file, open for reading.

#ifndef ASSENT_LOG_SEGMENT_FILE_HPP
#define ASSENT_LOG_SEGMENT_FILE_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "log/file_layer.hpp"
#include "log/format.hpp"
#include "log/log_error.hpp"

namespace assent::log {

/// Thread safety: distinct objects safe.
class segment_file
{
public:
    /// @throws log_error  io: it cannot be opened.
    segment_file(file_layer& files, std::uint64_t number)
        : files_(files), path_(files.directory() + "/" + segment_name(number))
    {
        long const opened = files_.open(segment_name(number), open_mode::read);
        if (opened < 0) throw io_failure(opened, path_, "cannot open the segment");
        handle_ = static_cast<file_layer::handle>(opened);
        long const size = files_.size(handle_);
        if (size < 0) {
            files_.close(handle_);
            throw io_failure(size, path_, "cannot ask for its size");
        }
        bytes_ = static_cast<std::uint64_t>(size);
    }
    segment_file(segment_file const&) = delete;
    segment_file& operator=(segment_file const&) = delete;
    ~segment_file() { files_.close(handle_); }

    std::string const& path() const noexcept { return path_; }
    /// As it was when the file was opened.
    std::uint64_t size_bytes() const noexcept { return bytes_; }

    /// @return the bytes that were read, or a negated errno, as file_layer::read.
    long read(std::span<std::byte> into, std::uint64_t offset)
    {
        return files_.read(handle_, into, offset);
    }

private:
    file_layer& files_;
    std::string const path_;
    file_layer::handle handle_ = -1;
    std::uint64_t bytes_ = 0;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_SEGMENT_FILE_HPP
