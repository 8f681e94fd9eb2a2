// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/mysql_target.hpp"

#include <assent/mysql.hpp>

#include <stdexcept>

namespace assent::contract {

void mysql_target::reset()
{
    server().thaw();
    if (!server().is_running()) server().start();
    blocker_.reset();
    auto administrator = mysql_client::administrator(server());
    // Sessions of an earlier test may still be on their way out, and keep what they prepared.
    wait_for(server(), "select count(*) from information_schema.processlist where user = 'shop'",
             "0");
    for (auto const& name : administrator.prepared())
        administrator.query("xa rollback " + name);
    administrator.query("create table if not exists t (k int primary key, v int) engine=innodb");
    administrator.query("delete from t");
}

std::shared_ptr<resource_manager_driver> mysql_target::driver()
{
    mysql::connect_options where;
    where.host = server().host();
    where.port = static_cast<unsigned>(server().port());
    where.user = server().account();
    where.password = server().password();
    where.database = "accounts";
    return mysql::resource_manager{"accounts", where}.driver();
}

void mysql_target::write_row(driver_session& session, int key)
{
    mysql_client::query(static_cast<MYSQL*>(session.native_handle()), insert(key));
}

bool mysql_target::accepts(driver_session& session, std::string const& sql)
{
    return mysql_client::try_query(static_cast<MYSQL*>(session.native_handle()), sql) == 0;
}

bool mysql_target::runs_at(driver_session& session, isolation level)
{
    return level_of(server(), session.id()) == name_of(level);
}

void mysql_target::make_read_only(driver_session& session)
{
    ASSERT_TRUE(accepts(session, "set session transaction read only"));
}

int mysql_target::count_rows(int key)
{
    return std::stoi(mysql_client::administrator(server()).query(
        "select count(*) from t where k = " + std::to_string(key)));
}

void mysql_target::prepare_foreign(int key)
{
    auto other = mysql_client::account(server(), "accounts");
    other.query("xa start 'somebody','else',7");
    other.query(insert(key));
    other.query("xa end 'somebody','else',7");
    other.query("xa prepare 'somebody','else',7");
}

void mysql_target::commit_foreign()
{
    wait_for(server(),
             "select count(*) from information_schema.processlist where user = 'shop' and "
             "command = 'Killed'",
             "0");
    mysql_client::administrator(server()).query("xa commit 'somebody','else',7");
}

void mysql_target::kill_session(std::uint64_t id)
{
    auto administrator = mysql_client::administrator(server());
    administrator.query("kill connection " + std::to_string(id));
    wait_for(server(),
             "select count(*) from information_schema.processlist where id = " + std::to_string(id),
             "0");
}

void mysql_target::restart()
{
    server().stop();
    server().start();
}

void mysql_target::restart_elsewhere()
{
    int const port = server().port();
    server().stop();
    for (int other = port + 1; other < port + 20; ++other) {
        try {
            server().start_on_port(other);
            return;
        } catch (std::runtime_error const&) {
            if (other == port + 19) throw;
        }
    }
}

void mysql_target::block()
{
    blocker_ = std::make_unique<mysql_client>(mysql_client::administrator(server()));
    blocker_->query("insert ignore into t values (-1, 0)");
    blocker_->query("begin");
    blocker_->query("update t set v = v + 1 where k = -1");
}

void mysql_target::wait_until_blocked(std::uint64_t session)
{
    wait_for(server(),
             "select count(*) from information_schema.processlist where command = 'Query' and "
             "state = 'Updating' and id = " +
                 std::to_string(session),
             "1");
}

std::future<bool> mysql_target::run_blocked(driver_session& session)
{
    block();
    auto* const handle = static_cast<MYSQL*>(session.native_handle());
    auto result = std::async(std::launch::async, [handle] {
        unsigned const said = mysql_client::try_query(handle, waits);
        return said == 1317 || said == 1927 || said == 2013 || said == 2006;
    });
    wait_until_blocked(session.id());
    return result;
}

testing::private_server& mysql_target::server_for(handle_kind kind)
{
    if (kind != handle_kind::other_server) return server();
    if (!other_) other_ = make_server(kind_);
    return *other_;
}

void* mysql_target::open_handle(handle_kind kind)
{
    auto lent = mysql_client::account(server_for(kind),
                                      kind == handle_kind::other_database ? "orders" : "accounts");
    if (kind == handle_kind::in_transaction) lent.query("begin");
    if (kind == handle_kind::busy && mysql_query(lent.get(), "select 1 union select 2") != 0) {
        throw std::runtime_error(mysql_error(lent.get()));
    }
    return lent.release();
}

bool mysql_target::is_usable(void* handle)
{
    return mysql_client::try_query(static_cast<MYSQL*>(handle), "select 1") == 0;
}

std::string mysql_target::insert(int key)
{
    return "insert into t values (" + std::to_string(key) + ", 0)";
}

}  // namespace assent::contract
