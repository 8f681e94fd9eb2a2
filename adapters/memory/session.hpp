// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- one connection, owned or borrowed, as the engine sees it.

#ifndef ASSENT_ADAPTERS_MEMORY_SESSION_HPP
#define ASSENT_ADAPTERS_MEMORY_SESSION_HPP

#include <memory>

#include "adapters/memory/server.hpp"

namespace assent::inline v0::testing::memory {

class memory_session : public driver_session
{
public:
    /// A session of the manager's own: closed by the destructor.
    memory_session(std::shared_ptr<server> server, std::unique_ptr<memory_connection> owned);
    /// A borrowed one: the handle stays its owner's.
    memory_session(std::shared_ptr<server> server, memory_connection& borrowed);

    std::uint64_t id() const noexcept override { return server::number_of(id_); }
    server_life life() const override { return life_; }
    void* native_handle() noexcept override { return handle_; }
    int descriptor() const noexcept override { return -1; }
    void declare(branch_modes const& next) noexcept override;
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void sever() noexcept override;
    void abandon() noexcept override;

private:
    std::shared_ptr<server> server_;
    std::unique_ptr<memory_connection> owned_;
    memory_connection* handle_;
    std::uint64_t id_;
    server_life const life_;
    std::shared_ptr<pending_reply> waiting_;
    bool is_in_step_ = true;
    bool is_prepared_ = false;
    bool is_abandoned_ = false;
};

}  // namespace assent::inline v0::testing::memory

#endif  // ASSENT_ADAPTERS_MEMORY_SESSION_HPP
