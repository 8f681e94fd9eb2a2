// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// lending_driver.cpp -- a native driver whose sessions for work are lent.

#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

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
    void declare_read_only() noexcept override { session_->declare_read_only(); }
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

class lending_driver final : public resource_manager_driver
{
public:
    lending_driver(std::shared_ptr<resource_manager_driver> native, text_client open)
        : native_(std::move(native)), open_(std::move(open))
    {
    }

    std::string const& name() const noexcept override { return native_->name(); }
    driver_capabilities capabilities() const noexcept override { return native_->capabilities(); }

    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline until) override
    {
        if (purpose != session_purpose::work) return native_->connect(purpose, until);
        server_facts const expected = facts(until);
        std::unique_ptr<sql_session> client;
        try {
            client = open_();
        } catch (std::runtime_error const& error) {
            throw driver_error("resource manager " + name() + ": " + error.what());
        }
        auto borrowed = native_->borrow_session(*client, expected, until);
        return std::make_unique<lent_session>(std::move(client), std::move(borrowed));
    }
    std::unique_ptr<driver_session> borrow(void* handle, server_facts const& expected,
                                           deadline until) override
    {
        // There is no null session: the door takes a reference.
        if (handle == nullptr) return native_->borrow(handle, expected, until);
        return native_->borrow_session(*static_cast<sql_session*>(handle), expected, until);
    }
    server_facts preflight(driver_session& manage, deadline until) override
    {
        return native_->preflight(manage, until);
    }
    scan_result scan(driver_session& manage, deadline until) override
    {
        return native_->scan(manage, until);
    }
    bool try_guard(driver_session& guardian, std::uint64_t node, deadline until) override
    {
        return native_->try_guard(guardian, node, until);
    }
    void heartbeat(driver_session& guardian, deadline until) override
    {
        native_->heartbeat(guardian, until);
    }
    session_presence presence(driver_session& manage, std::uint64_t id, deadline until) override
    {
        return native_->presence(manage, id, until);
    }
    session_presence older_sessions(driver_session& ours, deadline until) override
    {
        return native_->older_sessions(ours, until);
    }
    void cancel_statement(driver_session& manage, std::uint64_t id, deadline until) override
    {
        native_->cancel_statement(manage, id, until);
    }
    void end_session(driver_session& manage, std::uint64_t id, deadline until) override
    {
        native_->end_session(manage, id, until);
    }
    witness_state ask_witness(driver_session& manage, std::string const& witness,
                              deadline until) override
    {
        return native_->ask_witness(manage, witness, until);
    }

private:
    server_facts facts(deadline until)
    {
        std::lock_guard const hold(mutex_);
        if (!facts_) {
            auto const manage = native_->connect(session_purpose::manage, until);
            facts_ = native_->preflight(*manage, until);
        }
        return *facts_;
    }

    std::shared_ptr<resource_manager_driver> const native_;
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
