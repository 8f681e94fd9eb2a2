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
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <assent/sql_session.hpp>

#include "tests/contract/client_target.hpp"
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

/// The application's own SQL; the first row's first value.  @throws std::runtime_error
std::string run_text(void* session, std::string const& sql);

/// A client that shows no handle and the server behind it, as the tests of all such see them.
class text_target
{
public:
    virtual ~text_target() = default;

    /// A connection for the account of the tests, to their database.
    virtual std::unique_ptr<sql_session> open_text() = 0;

    /// In the server's dialect: the question for a session's number, and how statements begin.
    virtual char const* number_query() const = 0;
    virtual char const* prepare_begins() const = 0;
    virtual char const* commit_begins() const = 0;
};

template <class Native>
class text_target_of : public client_target<Native>, public text_target
{
public:
    using client_target<Native>::client_target;

    std::shared_ptr<resource_manager_driver> driver() override
    {
        return make_lending_driver(Native::driver(), [this] { return open_text(); });
    }
    std::unique_ptr<sql_session> open_text() override { return open(this->server(), "accounts"); }

protected:
    virtual std::unique_ptr<sql_session> open(testing::private_server& server,
                                              std::string const& database) const = 0;
    std::shared_ptr<void> lend(testing::private_server& server,
                               std::string const& database) override
    {
        return open(server, database);
    }
    sql_answer try_run(void* handle, std::string const& sql) override
    {
        return static_cast<sql_session*>(handle)->run(sql);
    }
};

class text_postgresql_target final : public text_target_of<postgresql_target>
{
public:
    using text_target_of::text_target_of;

    std::string client_version() override;
    char const* number_query() const override { return "SELECT pg_backend_pid()"; }
    char const* prepare_begins() const override { return "PREPARE"; }
    char const* commit_begins() const override { return "COMMIT"; }

protected:
    std::unique_ptr<sql_session> open(testing::private_server& server,
                                      std::string const& database) const override;
};

/// MariaDB by Connector/C++, MySQL by the C library.
class text_mysql_target final : public text_target_of<mysql_target>
{
public:
    using text_target_of::text_target_of;

    std::string client_version() override;
    char const* number_query() const override { return "SELECT CONNECTION_ID()"; }
    char const* prepare_begins() const override { return "XA PREPARE"; }
    char const* commit_begins() const override { return "XA COMMIT"; }

protected:
    std::unique_ptr<sql_session> open(testing::private_server& server,
                                      std::string const& database) const override;
};

/// The fixture of the tests that every such client passes, and of each one's own.
class text_session : public contract
{
protected:
    text_target& by_text() { return dynamic_cast<text_target&>(target()); }

    std::unique_ptr<meddled_text> open_client()
    {
        return std::make_unique<meddled_text>([this] { return by_text().open_text(); });
    }

    /// A branch on a session that the test has under its hand.
    struct meddled_branch
    {
        std::unique_ptr<meddled_text> client;  // outlives the session
        session_ptr session;
        xid id;
    };
    meddled_branch lend(std::unique_ptr<meddled_text> client);
    /// ... that writes row `key`.
    meddled_branch start_on(std::unique_ptr<meddled_text> client, int key);
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_SQL_SESSION_TARGET_HPP
