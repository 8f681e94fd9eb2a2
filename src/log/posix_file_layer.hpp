// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// posix_file_layer.hpp -- the file layer over Linux system calls.
//
//   handle -> [descriptor | device, inode | name]      a fixed table, which a forked child can read
//
// Files are opened relative to a descriptor of the directory.  Every descriptor is close-on-exec,
// above those of the standard streams, and used only while it is open on the file that was opened:
// an application that closes what it does not know, and opens something else in its place, finds
// no page of ours in it, and loses nothing when we close.
//
// Invariant: a name is created, given or removed only while the directory is ours, and the
// lock that was taken there has its name.

#ifndef ASSENT_LOG_POSIX_FILE_LAYER_HPP
#define ASSENT_LOG_POSIX_FILE_LAYER_HPP

#include <sys/types.h>

#include <array>
#include <atomic>
#include <mutex>
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
    long verify(handle file) noexcept override;
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
    /// What a descriptor is open on, or a name leads to.
    struct identity
    {
        dev_t device = 0;
        ino_t inode = 0;

        friend bool operator==(identity const&, identity const&) = default;
    };
    static constexpr std::size_t name_bytes_max = 64;
    static constexpr std::size_t files_max = 8;
    /// An open file.  The number comes last, so that a forked child finds the rest.
    struct place
    {
        std::atomic<int> number{0};  // descriptor + 1; 0: free, -1: being filled
        identity is;
        std::array<char, name_bytes_max> name{};
    };

    long open_once(std::string const& name, open_mode mode) noexcept;
    long remember(int descriptor, std::string const& name, identity const& is) noexcept;
    place& at(handle file) noexcept { return open_[static_cast<std::size_t>(file)]; }
    int number(handle file) noexcept { return at(file).number.load() - 1; }
    long own(handle file) noexcept;
    long require_named(handle file) noexcept;
    long require_directory() noexcept;
    static bool is_open_on(int descriptor, identity const& what) noexcept;

    std::string path_;
    std::string absolute_;  // as it was when the directory was opened
    int directory_ = -1;
    identity directory_is_;
    uid_t owner_ = 0;
    // Between the thread that fills a free place and one that looks for a name; not in a fork.
    std::mutex names_;
    std::array<place, files_max> open_;
    std::atomic<handle> lock_{-1};  // whose file is locked
};

}  // namespace assent::log

#endif  // ASSENT_LOG_POSIX_FILE_LAYER_HPP
