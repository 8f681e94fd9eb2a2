// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_connection.cpp -- memory_connection: a session's number, and the server to ask.

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing {

memory_connection::memory_connection(std::shared_ptr<memory::server> server, std::uint64_t id)
    : server_(std::move(server)), id_(id)
{
}

memory_connection::~memory_connection()
{
    server_->close(id_);
}

void memory_connection::set(std::string const& key, std::int64_t value)
{
    server_->set(id_, key, value);
}

std::optional<std::int64_t> memory_connection::get(std::string const& key)
{
    return server_->get(id_, key);
}

std::int64_t memory_connection::add(std::string const& key, std::int64_t delta)
{
    return server_->add(id_, key, delta);
}

void memory_connection::begin()
{
    server_->begin_local(id_);
}

void memory_connection::commit()
{
    server_->end_local(id_, true);
}

void memory_connection::rollback()
{
    server_->end_local(id_, false);
}

void memory_connection::read_only(bool is_on)
{
    server_->set_read_only(id_, is_on);
}

void memory_connection::reset()
{
    server_->reset(id_);
}

std::uint64_t memory_connection::id() const noexcept
{
    return memory::server::number_of(id_);
}

bool memory_connection::is_open() const
{
    return server_->is_connected(id_);
}

}  // namespace assent::inline v0::testing
