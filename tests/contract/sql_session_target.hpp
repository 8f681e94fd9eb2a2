// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_target.hpp -- the servers of the native adapters' targets; the sessions that work are
// lent by a client that shows no handle.
//
//   lending_driver   the native driver, whose sessions for work are lent to it as a sql_session:
//                    so the whole suite runs on them, and the manager's own stay native
//
// What a session is to the application is its sql_session, and that is its native handle here.

#ifndef ASSENT_TESTS_CONTRACT_SQL_SESSION_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_SQL_SESSION_TARGET_HPP

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <assent/sql_session.hpp>

#include "tests/contract/contract_suite.hpp"
#include "tests/contract/mysql_target.hpp"
#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

/// Opens a connection of the application's.  @throws std::runtime_error
using text_client = std::function<std::unique_ptr<sql_session>()>;

std::shared_ptr<resource_manager_driver> make_lending_driver(
    std::shared_ptr<resource_manager_driver> native, text_client open);

/// As libpq's and MySQL's plain functions give it, and no more.
std::unique_ptr<sql_session> open_postgresql_text(std::string const& conninfo);
std::unique_ptr<sql_session> open_mysql_text(testing::private_server const& server,
                                             std::string const& database);

/// By MySQL Connector/C++ where it is here; else the same as open_mysql_text.
std::unique_ptr<sql_session> open_connector_text(testing::private_server const& server,
                                                 std::string const& database);
/// "MySQL Connector/C++ 1.1.12", or empty where it is not here.
std::string connector_version();

/// A client that does things behind one's back, as a test tells it to.
class meddled_text final : public sql_session
{
public:
    explicit meddled_text(text_client open) : open_(std::move(open)), inner_(open_()) {}

    /// Called with each statement; an answer takes the place of the server's.
    std::function<std::optional<sql_answer>(std::string const&)> before;
    /// Called with each answer.
    std::function<void(std::string const&, sql_answer&)> after;
    std::function<bool()> cut;
    std::uint64_t number = 0;

    /// Goes on in a new session without a word.
    void reconnect()
    {
        inner_.reset();
        inner_ = open_();
    }
    /// Past what the test told it.
    sql_answer run_as_it_is(std::string const& sql) { return inner_->run(sql); }

    sql_answer run(std::string const& sql) override
    {
        if (before) {
            if (auto const answer = before(sql)) return *answer;
        }
        sql_answer answer = inner_->run(sql);
        if (after) after(sql, answer);
        return answer;
    }
    std::uint64_t id() const noexcept override { return number; }
    bool sever() noexcept override { return cut && cut(); }

private:
    text_client open_;
    std::unique_ptr<sql_session> inner_;
};

/// A branch on a session that a test has under its hand.
struct meddled_branch
{
    std::unique_ptr<meddled_text> client;  // outlives the session
    std::unique_ptr<driver_session> session;
    xid id;
};

/// The application's own SQL; the first row's first value.  @throws std::runtime_error
std::string run_text(void* session, std::string const& sql);

/// A client reads whole results, and what branches survive the native adapters' tests see.
inline bool has_by_text(feature what)
{
    return what != feature::busy_handles && what != feature::crash && what != feature::move;
}

class lent_texts
{
public:
    void* keep(std::unique_ptr<sql_session> opened);
    void close(void* session) { all_.erase(session); }

private:
    std::map<void*, std::unique_ptr<sql_session>> all_;
};

class text_postgresql_target final : public postgresql_target
{
public:
    using postgresql_target::postgresql_target;

    bool has(feature what) const override { return has_by_text(what); }
    std::string client_version() override
    {
        return "sql_session over " + postgresql_target::client_version();
    }
    std::shared_ptr<resource_manager_driver> driver() override;
    std::shared_ptr<resource_manager_driver> native() { return postgresql_target::driver(); }
    void write_row(driver_session& session, int key) override;
    std::future<bool> run_blocked(driver_session& session) override;
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override;
    void close_handle(void* handle) override { lent_.close(handle); }

private:
    lent_texts lent_;
};

class text_mysql_target final : public mysql_target
{
public:
    explicit text_mysql_target(server_kind kind) : mysql_target(kind) {}

    bool has(feature what) const override { return has_by_text(what); }
    std::string client_version() override;
    std::shared_ptr<resource_manager_driver> driver() override;
    std::shared_ptr<resource_manager_driver> native() { return mysql_target::driver(); }
    void write_row(driver_session& session, int key) override;
    std::future<bool> run_blocked(driver_session& session) override;
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override;
    void close_handle(void* handle) override { lent_.close(handle); }

    testing::private_server& server() { return mysql_target::server(); }
    /// MariaDB by Connector/C++, MySQL by the C library.
    std::unique_ptr<sql_session> open_text(testing::private_server const& at,
                                           std::string const& database) const;

private:
    lent_texts lent_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_SQL_SESSION_TARGET_HPP
