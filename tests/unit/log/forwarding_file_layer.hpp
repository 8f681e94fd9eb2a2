// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// forwarding_file_layer.hpp -- a file layer that passes every call on, to be overridden in part.

#ifndef ASSENT_TESTS_FORWARDING_FILE_LAYER_HPP
#define ASSENT_TESTS_FORWARDING_FILE_LAYER_HPP

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "log/file_layer.hpp"

namespace assent::testing {

class forwarding_file_layer : public log::file_layer
{
public:
    explicit forwarding_file_layer(std::shared_ptr<log::file_layer> to) : to_(std::move(to)) {}

    std::string const& directory() const noexcept override { return to_->directory(); }
    long attach(bool create, log::directory_facts& facts) noexcept override
    {
        return to_->attach(create, facts);
    }
    long open(std::string const& name, log::open_mode mode) noexcept override
    {
        return to_->open(name, mode);
    }
    void close(handle file) noexcept override { to_->close(file); }
    long size(handle file) noexcept override { return to_->size(file); }
    long read(handle file, std::span<std::byte> into, std::uint64_t offset) noexcept override
    {
        return to_->read(file, into, offset);
    }
    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        return to_->write(file, from, offset);
    }
    bool is_write_through(handle file) noexcept override { return to_->is_write_through(file); }
    long verify(handle file) noexcept override { return to_->verify(file); }
    long fdatasync(handle file) noexcept override { return to_->fdatasync(file); }
    long fsync(handle file) noexcept override { return to_->fsync(file); }
    long rename(std::string const& from, std::string const& to) noexcept override
    {
        return to_->rename(from, to);
    }
    long unlink(std::string const& name) noexcept override { return to_->unlink(name); }
    long sync_directory() noexcept override { return to_->sync_directory(); }
    long list(std::vector<std::string>& names) noexcept override { return to_->list(names); }
    long lock(handle file) noexcept override { return to_->lock(file); }
    long is_locked(handle file) noexcept override { return to_->is_locked(file); }
    void abandon() noexcept override { to_->abandon(); }

protected:
    log::file_layer& target() noexcept { return *to_; }

private:
    std::shared_ptr<log::file_layer> to_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_FORWARDING_FILE_LAYER_HPP
