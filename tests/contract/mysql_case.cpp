// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/mysql_case.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/contract/matrix.hpp"

namespace assent::contract {

namespace {

constexpr char sessions_of_ours[] =
    "select count(*) from information_schema.processlist where user = 'shop'";

}  // namespace

reply run(driver_session& on, verb v, xid const& x)
{
    on.submit(v, x);
    auto said = on.collect(in_ms(10'000));
    if (!said) throw std::runtime_error("no answer within ten seconds");
    return *said;
}

xid next_xid(driver_session const& session)
{
    static std::uint64_t sequence = 0;
    return {gtrid::make({decision_place::log, 0, 0xfeedbeef, 1, 0x5a5a5a, ++sequence}),
            bqual::make({1, 1, session.id()})};
}

void mysql_case::SetUp()
{
    count_for(client_version(), server_version(GetParam()));
    if (auto const why = why_missing(GetParam()); !why.empty()) GTEST_SKIP() << why;
    administrator_ = std::make_unique<mysql_client>(mysql_client::administrator(server()));
    wait_for(server(), sessions_of_ours, "0");
    for (auto const& name : administrator().prepared())
        administrator().query("xa rollback " + name);
    administrator().query("create table if not exists t (k int primary key, v int) engine=innodb");
    administrator().query("delete from t");
    driver_ = driver_of(where());
}

std::unique_ptr<testing::private_server> mysql_case::another_server(
    std::vector<std::string> const& settings)
{
    return make_server(GetParam(), settings);
}

mysql::connect_options mysql_case::where_at(testing::private_server const& other) const
{
    mysql::connect_options options;
    options.host = other.host();
    options.port = static_cast<unsigned>(other.port());
    options.user = other.account();
    options.password = other.password();
    options.database = "accounts";
    return options;
}

mysql::connect_options mysql_case::where(std::string const& database)
{
    mysql::connect_options options = where_at(server());
    options.database = database;
    return options;
}

std::shared_ptr<resource_manager_driver> mysql_case::driver_of(
    mysql::connect_options const& options)
{
    return mysql::resource_manager{"shop-db", options}.driver();
}

session_ptr mysql_case::open(session_purpose purpose)
{
    return driver().connect(purpose, in_ms(10'000));
}

server_facts mysql_case::facts()
{
    return driver().preflight(*open(session_purpose::manage), in_ms(10'000));
}

session_ptr mysql_case::borrow(mysql_client& handle)
{
    return driver().borrow(handle.get(), facts(), in_ms(10'000));
}

MYSQL* mysql_case::handle_of(driver_session& session)
{
    return static_cast<MYSQL*>(session.native_handle());
}

std::string mysql_case::query(driver_session& session, std::string const& sql)
{
    return mysql_client::query(handle_of(session), sql);
}

unsigned mysql_case::try_query(driver_session& session, std::string const& sql)
{
    return mysql_client::try_query(handle_of(session), sql);
}

std::string mysql_case::insert(int key)
{
    return "insert into t values (" + std::to_string(key) + ", 0)";
}

xid mysql_case::start(driver_session& session, int key)
{
    xid const x = next_xid(session);
    reply const said = run(session, verb::start, x);
    if (!said.is_ok()) throw std::runtime_error("start failed: " + said.text);
    query(session, insert(key));
    return x;
}

xid mysql_case::prepare(driver_session& session, int key)
{
    xid const x = start(session, key);
    reply const vote = run(session, verb::prepare, x);
    if (!vote.is_ok()) throw std::runtime_error("prepare failed: " + vote.text);
    return x;
}

xid mysql_case::prepare_read_only(driver_session& session)
{
    xid const x = next_xid(session);
    bool const is_begun = run(session, verb::start, x).is_ok();
    query(session, "select count(*) from t");
    if (!is_begun || !run(session, verb::prepare, x).is_ok()) {
        throw std::runtime_error("a branch that only read could not be prepared");
    }
    return x;
}

int mysql_case::rows(int key)
{
    return std::stoi(
        administrator().query("select count(*) from t where k = " + std::to_string(key)));
}

bool mysql_case::is_listed(xid const& x)
{
    auto const seen = driver().scan(*open(session_purpose::manage), in_ms(10'000));
    return std::find(seen.ours.begin(), seen.ours.end(), x) != seen.ours.end();
}

void mysql_case::finish_elsewhere(verb v, xid const& x)
{
    auto const manage = open(session_purpose::manage);
    reply said;
    for (deadline const until = in_ms(10'000); std::chrono::steady_clock::now() < until;) {
        said = run(*manage, v, x);
        if (said.is_ok() || (said.code == xa_code::nota && !is_listed(x))) return;
        if (said.code != xa_code::nota) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    throw std::runtime_error("the branch could not be finished: " + said.text);
}

void mysql_case::wait_until_gone(std::uint64_t session)
{
    wait_for(
        server(),
        "select count(*) from information_schema.processlist where id = " + std::to_string(session),
        "0");
}

void mysql_case::kill(driver_session& session)
{
    administrator().query("kill connection " + std::to_string(session.id()));
    wait_until_gone(session.id());
}

// The server rolls back the one that changed fewer rows: the rival writes some more.
void mysql_case::lose_deadlock(driver_session& session)
{
    auto rival = mysql_client::administrator(server());
    rival.query("insert ignore into t values (-1, 0), (-2, 0)");
    query(session, "update t set v = v + 1 where k = -1");
    rival.query("begin");
    rival.query("insert into t values (-3, 0), (-4, 0), (-5, 0), (-6, 0)");
    rival.query("update t set v = v + 1 where k = -2");
    std::string const waits = "update t set v = v + 1 where k = -1";
    if (mysql_send_query(rival.get(), waits.data(), waits.size()) != 0) {
        throw std::runtime_error(mysql_error(rival.get()));
    }
    wait_for(server(),
             "select count(*) from information_schema.processlist where state = 'Updating' and "
             "id = " +
                 std::to_string(mysql_thread_id(rival.get())),
             "1");
    unsigned const said = try_query(session, "update t set v = v + 1 where k = -2");
    bool const rival_won = mysql_read_query_result(rival.get()) == 0;
    rival.query("rollback");
    if (said != 1213 || !rival_won) throw std::runtime_error("no deadlock came about");
}

}  // namespace assent::contract
