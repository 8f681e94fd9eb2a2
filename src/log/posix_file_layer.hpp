// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// posix_file_layer.hpp -- the file layer over Linux system calls.
//
// Files are opened relative to a descriptor of the directory, so that nobody can swap the
// directory under a running log.  Every descriptor is close-on-exec and remembered in a fixed
// table, so that a forked child can close all of them without taking a lock.

#ifndef ASSENT_LOG_POSIX_FILE_LAYER_HPP
#define ASSENT_LOG_POSIX_FILE_LAYER_HPP

#include <sys/types.h>

#include <array>
#include <atomic>
#include <string>

#include "log/file_layer.hpp"

namespace assent::log {

class posix_file_layer final : public file_layer
{
public:
    explicit posix_file_layer(std::string directory);
    posix_file_layer(posix_file_layer const&) = delete;
    posix_file_layer& operator=(posix_file_layer const&) = delete;
    ~posix_file_layer() override;

    std::string const& directory() const noexcept override { return path_; }
    long attach(bool create, directory_facts& facts) noexcept override;
    long open(std::string const& name, open_mode mode) noexcept override;
    void close(handle file) noexcept override;
    long size(handle file) noexcept override;
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override;
    long write(handle file, std::span<std::byte const> from,
               std::uint64_t offset) noexcept override;
    bool is_write_through(handle file) noexcept override;
    long fdatasync(handle file) noexcept override;
    long fsync(handle file) noexcept override;
    long rename(std::string const& from, std::string const& to) noexcept override;
    long unlink(std::string const& name) noexcept override;
    long sync_directory() noexcept override;
    long list(std::vector<std::string>& names) noexcept override;
    long lock(handle file) noexcept override;
    long is_locked(handle file) noexcept override;
    void abandon() noexcept override;

private:
    long remember(int descriptor) noexcept;

    std::string path_;
    int directory_ = -1;
    uid_t owner_ = 0;
    std::array<std::atomic<int>, 8> open_{};  // descriptor + 1; 0 is a free place
};

}  // namespace assent::log

#endif  // ASSENT_LOG_POSIX_FILE_LAYER_HPP
