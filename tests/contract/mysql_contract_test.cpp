// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_contract_test.cpp -- MariaDB and MySQL, held to the contract of every adapter.

#include <thread>

#include <assent/mysql.hpp>

#include "tests/contract/contract_suite.hpp"
#include "tests/contract/mysql_client.hpp"

namespace assent::contract {

namespace {

class mysql_target final : public contract_target
{
public:
    explicit mysql_target(server_kind kind) : kind_(kind) {}

    bool has(feature) const override { return true; }

    std::string why_missing() const override { return assent::contract::why_missing(kind_); }
    std::string client_version() override { return assent::contract::client_version(); }
    std::string server_version() override { return assent::contract::server_version(kind_); }

    void reset() override
    {
        server_ = &shared_server(kind_);
        server_->thaw();
        if (!server_->is_running()) server_->start();
        blocker_.reset();
        auto administrator = mysql_client::administrator(*server_);
        // Sessions of an earlier test may still be on their way out, and keep what they prepared.
        wait_for(*server_,
                 "select count(*) from information_schema.processlist where user = 'shop'", "0");
        for (auto const& name : administrator.prepared())
            administrator.query("xa rollback " + name);
        administrator.query(
            "create table if not exists t (k int primary key, v int) engine=innodb");
        administrator.query("delete from t");
    }

    std::shared_ptr<resource_manager_driver> driver() override
    {
        mysql::connect_options where;
        where.host = server_->host();
        where.port = static_cast<unsigned>(server_->port());
        where.user = server_->account();
        where.password = server_->password();
        where.database = "accounts";
        return mysql::resource_manager{"accounts", where}.driver();
    }

    void write_row(driver_session& session, int key) override
    {
        mysql_client::query(static_cast<MYSQL*>(session.native_handle()), insert(key));
    }

    int count_rows(int key) override
    {
        return std::stoi(mysql_client::administrator(*server_).query(
            "select count(*) from t where k = " + std::to_string(key)));
    }

    void prepare_foreign(int key) override
    {
        auto other = mysql_client::account(*server_, "accounts");
        other.query("xa start 'somebody','else',7");
        other.query(insert(key));
        other.query("xa end 'somebody','else',7");
        other.query("xa prepare 'somebody','else',7");
    }

    void commit_foreign() override
    {
        wait_for(*server_,
                 "select count(*) from information_schema.processlist where user = 'shop' and "
                 "command = 'Killed'",
                 "0");
        mysql_client::administrator(*server_).query("xa commit 'somebody','else',7");
    }

    void kill_session(std::uint64_t id) override
    {
        auto administrator = mysql_client::administrator(*server_);
        administrator.query("kill connection " + std::to_string(id));
        wait_for(
            *server_,
            "select count(*) from information_schema.processlist where id = " + std::to_string(id),
            "0");
    }

    void freeze() override { server_->freeze(); }
    void thaw() override { server_->thaw(); }
    // A frozen server dies without another step.
    void crash() override { server_->kill(); }
    void start() override { server_->start(); }
    void restart() override
    {
        server_->stop();
        server_->start();
    }
    void restart_elsewhere() override
    {
        int const port = server_->port();
        server_->stop();
        for (int other = port + 1; other < port + 20; ++other) {
            try {
                server_->start_on_port(other);
                return;
            } catch (std::runtime_error const&) {
                if (other == port + 19) throw;
            }
        }
    }

    std::future<bool> run_blocked(driver_session& session) override
    {
        blocker_ = std::make_unique<mysql_client>(mysql_client::administrator(*server_));
        blocker_->query("insert ignore into t values (-1, 0)");
        blocker_->query("begin");
        blocker_->query("update t set v = v + 1 where k = -1");
        auto* const handle = static_cast<MYSQL*>(session.native_handle());
        auto result = std::async(std::launch::async, [handle] {
            unsigned const said =
                mysql_client::try_query(handle, "update t set v = 0 where k = -1");
            return said == 1317 || said == 1927 || said == 2013 || said == 2006;
        });
        wait_for(*server_,
                 "select count(*) from information_schema.processlist where command = 'Query' and "
                 "state = 'Updating' and id = " +
                     std::to_string(session.id()),
                 "1");
        return result;
    }
    void release_blocker() override { blocker_.reset(); }

    void* open_handle(handle_kind kind) override
    {
        bool const is_other = kind == handle_kind::other_server;
        if (is_other && !other_) {
            other_ = make_server(kind_);
        }
        auto lent =
            mysql_client::account(is_other ? *other_ : *server_,
                                  kind == handle_kind::other_database ? "orders" : "accounts");
        if (kind == handle_kind::in_transaction) lent.query("begin");
        if (kind == handle_kind::busy && mysql_query(lent.get(), "select 1 union select 2") != 0) {
            throw std::runtime_error(mysql_error(lent.get()));
        }
        return lent.release();
    }
    bool is_usable(void* handle) override
    {
        return mysql_client::try_query(static_cast<MYSQL*>(handle), "select 1") == 0;
    }
    void close_handle(void* handle) override { mysql_close(static_cast<MYSQL*>(handle)); }

private:
    static std::string insert(int key)
    {
        return "insert into t values (" + std::to_string(key) + ", 0)";
    }

    server_kind kind_;
    testing::private_server* server_ = nullptr;
    std::unique_ptr<testing::private_server> other_;
    std::unique_ptr<mysql_client> blocker_;
};

template <server_kind Kind>
std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<mysql_target>(Kind);
    return target;
}

}  // namespace

#ifdef LIBMARIADB
INSTANTIATE_TEST_SUITE_P(mariadb, contract, ::testing::Values(&make_target<server_kind::mariadb>));
#endif
INSTANTIATE_TEST_SUITE_P(mysql, contract, ::testing::Values(&make_target<server_kind::mysql>));

}  // namespace assent::contract
