// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_lock.cpp -- see log_lock.hpp.

#include "log/log_lock.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <thread>

#include "log/log_error.hpp"

namespace assent::log {

namespace {

char const* const lock_name = "lock";
constexpr std::size_t owner_bytes = 96;  // rewritten as a whole, padded with spaces
constexpr std::chrono::milliseconds try_every{50};

std::string path_of(file_layer const& files)
{
    return files.directory() + "/" + lock_name;
}

template <typename Number>
Number number_after(std::string_view text, std::string_view key) noexcept
{
    Number value{};
    auto const at = text.find(key);
    if (at == std::string_view::npos) return value;
    char const* const from = text.data() + at + key.size();
    std::from_chars(from, text.data() + text.size(), value);
    return value;
}

lock_owner read_owner(file_layer& files, file_layer::handle file)
{
    std::array<std::byte, owner_bytes> bytes{};
    long const got = files.read(file, bytes, 0);
    if (got < 0) throw io_failure(got, path_of(files), "cannot read who owns the log");
    std::string_view const text{reinterpret_cast<char const*>(bytes.data()),
                                static_cast<std::size_t>(got)};
    return {number_after<std::int64_t>(text, "pid "), number_after<std::uint32_t>(text, "epoch "),
            number_after<std::int64_t>(text, "started ")};
}

[[noreturn]] void refuse(file_layer& files, file_layer::handle file)
{
    auto const owner = read_owner(files, file);
    std::string const who = owner.pid == 0 ? "another process (its pid is not known)"
                                           : "process " + std::to_string(owner.pid);
    throw log_error(log_fault::locked,
                    std::make_error_code(std::errc::resource_unavailable_try_again),
                    files.directory(),
                    "the log is owned by " + who + "; stop it, or use a directory of your own");
}

}  // namespace

log_lock::log_lock(file_layer& files, std::chrono::milliseconds wait) : files_(files)
{
    long const opened = files_.open(lock_name, open_mode::create_or_open);
    if (opened < 0) throw io_failure(opened, path_of(files_), "cannot open the lock file");
    file_ = static_cast<file_layer::handle>(opened);
    try {
        auto const give_up = std::chrono::steady_clock::now() + wait;
        for (;;) {
            long const taken = files_.lock(file_);
            if (taken == 0) break;
            if (taken != -EAGAIN) throw io_failure(taken, path_of(files_), "cannot lock the log");
            auto const now = std::chrono::steady_clock::now();
            if (now >= give_up) refuse(files_, file_);
            std::this_thread::sleep_until(std::min(give_up, now + try_every));
        }
        // Whoever waited for the lock of a file that was removed meanwhile has locked nothing.
        if (long const named = files_.verify(file_); named < 0) {
            throw io_failure(named, path_of(files_), "cannot lock the log: " + words_for(named));
        }
        before_ = read_owner(files_, file_);
    } catch (...) {
        files_.close(file_);
        throw;
    }
}

log_lock::~log_lock()
{
    files_.close(file_);
}

void log_lock::write(lock_owner const& owner)
{
    std::string text = "pid " + std::to_string(owner.pid) + "\nepoch " +
                       std::to_string(owner.epoch) + "\nstarted " +
                       std::to_string(owner.started_unix_ms) + "\n";
    text.resize(owner_bytes, ' ');
    long const written = files_.write(file_, std::as_bytes(std::span(text)), 0);
    if (written == static_cast<long>(text.size())) return;
    throw io_failure(written < 0 ? written : -ENOSPC, path_of(files_),
                     "cannot write who owns the log");
}

lock_facts look_at_lock(file_layer& files)
{
    long const opened = files.open(lock_name, open_mode::read);
    if (opened == -ENOENT) return {};
    if (opened < 0) throw io_failure(opened, path_of(files), "cannot open the lock file");
    struct closer
    {
        file_layer& files;
        file_layer::handle file;
        ~closer() { files.close(file); }
    } const held{files, static_cast<file_layer::handle>(opened)};
    long const locked = files.is_locked(held.file);
    if (locked < 0) throw io_failure(locked, path_of(files), "cannot ask for the lock");
    return {locked == 1, read_owner(files, held.file)};
}

}  // namespace assent::log
