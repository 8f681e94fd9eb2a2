// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_files.hpp -- a directory that can only be read, and lies in memory.
//
// Campaigns read a log a million times: nothing is copied here, and a file may change between two
// reads.  A handle is the file's place in the list.

#ifndef ASSENT_TESTS_MEMORY_FILES_HPP
#define ASSENT_TESTS_MEMORY_FILES_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "log/file_layer.hpp"

namespace assent::testing {

struct memory_file
{
    std::string name;
    std::vector<std::byte> bytes;

    friend bool operator==(memory_file const&, memory_file const&) = default;
};

/// Thread safety: as the list of files that it shows.
class memory_files final : public log::file_layer
{
public:
    /// Shows `files`, which must outlive this.
    explicit memory_files(std::vector<memory_file> const& files) : files_(files) {}

    std::string const& directory() const noexcept override { return path_; }
    long attach(bool, log::directory_facts& facts) noexcept override
    {
        facts = {true, 0700, "ext4", false, false};
        return 0;
    }
    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        if (mode != log::open_mode::read) return -EROFS;
        auto const at = std::find_if(files_.begin(), files_.end(),
                                     [&](memory_file const& one) { return one.name == name; });
        return at == files_.end() ? -ENOENT : static_cast<long>(at - files_.begin());
    }
    void close(handle) noexcept override {}
    long size(handle file) noexcept override
    {
        return static_cast<long>(files_[static_cast<std::size_t>(file)].bytes.size());
    }
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override
    {
        auto const& bytes = files_[static_cast<std::size_t>(file)].bytes;
        if (offset >= bytes.size()) return 0;
        std::size_t const count =
            std::min(into.size(), bytes.size() - static_cast<std::size_t>(offset));
        std::memcpy(into.data(), bytes.data() + offset, count);
        return static_cast<long>(count);
    }
    long list(std::vector<std::string>& names) noexcept override
    {
        names.clear();
        for (memory_file const& one : files_) {
            names.push_back(one.name);
        }
        return 0;
    }
    long is_locked(handle) noexcept override { return 0; }

    long write(handle, std::span<std::byte const>, std::uint64_t) noexcept override
    {
        return -EROFS;
    }
    bool is_write_through(handle) noexcept override { return false; }
    long verify(handle) noexcept override { return 0; }
    long fdatasync(handle) noexcept override { return -EROFS; }
    long fsync(handle) noexcept override { return -EROFS; }
    long rename(std::string const&, std::string const&) noexcept override { return -EROFS; }
    long unlink(std::string const&) noexcept override { return -EROFS; }
    long sync_directory() noexcept override { return -EROFS; }
    long lock(handle) noexcept override { return -EROFS; }
    void abandon() noexcept override {}

private:
    std::vector<memory_file> const& files_;
    std::string path_ = "memory";
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_MEMORY_FILES_HPP
