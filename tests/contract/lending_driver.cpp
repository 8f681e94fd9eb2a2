// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lending_driver.cpp -- a native driver whose sessions for work are lent.

#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "tests/contract/forwarding_driver.hpp"
#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

namespace {

/// A lent session together with what lends it.
class lent_session final : public driver_session
{
public:
    lent_session(std::unique_ptr<sql_session> client, std::unique_ptr<driver_session> session)
        : client_(std::move(client)), session_(std::move(session))
    {
    }

    std::uint64_t id() const noexcept override { return session_->id(); }
    void* native_handle() noexcept override { return session_->native_handle(); }
    int descriptor() const noexcept override { return session_->descriptor(); }
    void declare(branch_modes const& next) noexcept override { session_->declare(next); }
    void submit(verb v, xid const& x) noexcept override { session_->submit(v, x); }
    std::optional<reply> collect(deadline until) noexcept override
    {
        return session_->collect(until);
    }
    bool is_reusable() const noexcept override { return session_->is_reusable(); }
    void sever() noexcept override { session_->sever(); }
    void abandon() noexcept override
    {
        session_->abandon();
        static_cast<void>(client_.release());  // it is the parent's
    }

private:
    std::unique_ptr<sql_session> client_;  // outlives the session
    std::unique_ptr<driver_session> session_;
};

class lending_driver final : public forwarding_driver
{
public:
    lending_driver(std::shared_ptr<resource_manager_driver> native, text_client open)
        : forwarding_driver(std::move(native)), open_(std::move(open))
    {
    }

    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override
    {
        if (purpose != session_purpose::work) return under().connect(purpose, until);
        server_facts const expected = facts(until);
        std::unique_ptr<sql_session> client;
        try {
            client = open_();
        } catch (std::runtime_error const& error) {
            throw driver_error("resource manager \"" + name() + "\": " + error.what());
        }
        auto borrowed = under().borrow_session(*client, expected, until);
        return std::make_unique<lent_session>(std::move(client), std::move(borrowed));
    }
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override
    {
        // There is no null session: the door takes a reference.
        if (handle == nullptr) return under().borrow(handle, expected, until);
        return under().borrow_session(*static_cast<sql_session*>(handle), expected, until);
    }

private:
    server_facts facts(deadline until)
    {
        std::lock_guard const hold(mutex_);
        if (!facts_) {
            auto const manage = under().connect(session_purpose::manage, until);
            facts_ = under().preflight(*manage, until);
        }
        return *facts_;
    }

    text_client const open_;
    std::mutex mutex_;
    std::optional<server_facts> facts_;
};

}  // namespace

std::shared_ptr<resource_manager_driver> make_lending_driver(
    std::shared_ptr<resource_manager_driver> native, text_client open)
{
    return std::make_shared<lending_driver>(std::move(native), std::move(open));
}

}  // namespace assent::contract
