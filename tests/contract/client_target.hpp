// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// client_target.hpp -- the server of a native adapter's target, worked on by another client.
//
// What the administrator sees and does stays with the native client; branches, and the
// application's own statements in them, go through the other one.

#ifndef ASSENT_TESTS_CONTRACT_CLIENT_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_CLIENT_TARGET_HPP

#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <assent/sql_session.hpp>

#include "tests/contract/contract_suite.hpp"
#include "tests/servers/private_server.hpp"

namespace assent::contract {

/// The handles that a target has lent; each owns its connection.
class lent_handles
{
public:
    void* keep(std::shared_ptr<void> handle)
    {
        return all_.emplace(handle.get(), handle).first->first;
    }
    void close(void* handle) { all_.erase(handle); }

private:
    std::map<void*, std::shared_ptr<void>> all_;
};

/// Whether a statement was cancelled, or its session ended.
inline bool is_ended(sql_answer const& said)
{
    return !said.is_ok && (said.is_lost || said.sqlstate == "57014" || said.sqlstate == "57P01" ||
                           said.native_code == 1317 || said.native_code == 1927 ||
                           said.native_code == 2013 || said.native_code == 2006);
}

template <class Native>
class client_target : public Native
{
public:
    using Native::Native;

    /// These clients read whole results at once.  What branches survive the native adapters' tests
    /// see, and starting servers takes time: one crash a client is among its own tests.
    bool has(feature what) const override
    {
        return what != feature::busy_handles && what != feature::crash && what != feature::move;
    }
    void write_row(driver_session& session, int key) override
    {
        run(session.native_handle(), Native::insert(key));
    }
    std::future<bool> run_blocked(driver_session& session) override
    {
        this->block();
        auto running = std::async(std::launch::async, [this, handle = session.native_handle()] {
            return is_ended(try_run(handle, Native::waits));
        });
        this->wait_until_blocked(session.id());
        return running;
    }
    void* open_handle(handle_kind kind) override
    {
        bool const is_other = kind == handle_kind::other_database;
        void* const handle =
            lent_.keep(lend(this->server_for(kind), is_other ? "orders" : "accounts"));
        if (kind == handle_kind::in_transaction) run(handle, "BEGIN");
        return handle;
    }
    bool is_usable(void* handle) override { return try_run(handle, "SELECT 1").is_ok; }
    void close_handle(void* handle) override { lent_.close(handle); }

protected:
    bool accepts(driver_session& session, std::string const& sql) override
    {
        return try_run(session.native_handle(), sql).is_ok;
    }
    /// A connection of the application's, which belongs to its handle.
    virtual std::shared_ptr<void> lend(testing::private_server& server,
                                       std::string const& database) = 0;
    virtual sql_answer try_run(void* handle, std::string const& sql) = 0;

private:
    void run(void* handle, std::string const& sql)
    {
        auto const said = try_run(handle, sql);
        if (!said.is_ok) throw std::runtime_error(sql + ": " + said.text);
    }

    lent_handles lent_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_CLIENT_TARGET_HPP
