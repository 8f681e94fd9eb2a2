// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/integration/bank.hpp"

#include <libpq-fe.h>
#include <mysql.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace assent::testing {

namespace {

struct result_deleter
{
    void operator()(PGresult* result) const { PQclear(result); }
};
using pg_result = std::unique_ptr<PGresult, result_deleter>;

pg_result query(PGconn* connection, std::string const& sql)
{
    pg_result result{PQexec(connection, sql.c_str())};
    auto const status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
    char const* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    if (state != nullptr && is_retryable_sqlstate(state)) {
        throw retry_requested{std::string{state} + ": " +
                              PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY)};
    }
    throw std::runtime_error{"postgresql: " + sql + ": " + PQerrorMessage(connection)};
}

struct my_result_deleter
{
    void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using my_result = std::unique_ptr<MYSQL_RES, my_result_deleter>;

my_result query(MYSQL* connection, std::string const& sql)
{
    if (mysql_real_query(connection, sql.data(), sql.size()) != 0) {
        if (mysql::is_retryable(connection)) {
            throw retry_requested{std::string{mysql_sqlstate(connection)} + ": " +
                                  mysql_error(connection)};
        }
        throw std::runtime_error{"mariadb: " + sql + ": " + mysql_error(connection)};
    }
    return my_result{mysql_store_result(connection)};
}

constexpr char const* tables =
    "create table balance (id integer primary key, amount bigint not null)";
constexpr char const* ledger =
    "create table ledger (transfer varchar(64) primary key, amount bigint not null)";

}  // namespace

void execute(PGconn* connection, std::string const& sql)
{
    query(connection, sql);
}
void execute(MYSQL* connection, std::string const& sql)
{
    query(connection, sql);
}

std::int64_t number(PGconn* connection, std::string const& sql)
{
    auto const result = query(connection, sql);
    return std::stoll(PQgetvalue(result.get(), 0, 0));
}

std::int64_t number(MYSQL* connection, std::string const& sql)
{
    auto const result = query(connection, sql);
    MYSQL_ROW const row = mysql_fetch_row(result.get());
    return std::stoll(row[0]);
}

bool bank::is_encrypted()
{
    char const* const said = std::getenv("ASSENT_TEST_TLS");
    return said != nullptr && std::string_view{said} == "on";
}

std::unique_ptr<private_server> bank::default_postgresql()
{
    return is_encrypted() ? private_server::postgresql({"tls=on"}) : private_server::postgresql();
}

#ifdef LIBMARIADB
std::string bank::why_missing()
{
    return {};
}
#else
// This client knows no more how MariaDB's accounts log in.
std::string bank::why_missing()
{
    return private_server::mysql_missing();
}
#endif

std::unique_ptr<private_server> bank::default_mariadb()
{
    std::vector<std::string> settings;
    if (is_encrypted()) settings = {"tls=on", "require_secure_transport=on"};
#ifdef LIBMARIADB
    return private_server::mariadb(settings);
#else
    return private_server::mysql(settings);
#endif
}

std::string bank::accounts_certificates() const
{
    return is_encrypted() ? postgresql_->certificates() : std::string{};
}

std::string bank::orders_certificates() const
{
    return is_encrypted() ? mariadb_->certificates() : std::string{};
}

bank::bank(std::unique_ptr<private_server> for_accounts, std::unique_ptr<private_server> for_orders)
    : postgresql_(std::move(for_accounts)), mariadb_(std::move(for_orders))
{
    for (char const* sql : {tables, ledger}) {
        execute(look_accounts(), sql);
        execute(look_orders(), std::string{sql} + " engine=innodb");
    }
    for (int id = 0; id < accounts; ++id) {
        auto const row = "insert into balance values (" + std::to_string(id) + ", " +
                         std::to_string(first_balance) + ")";
        execute(look_accounts(), row);
        execute(look_orders(), row);
    }
}

bank::~bank()
{
    std::error_code ignored;  // a directory that stays is untidy, and nothing worse
    for (int i = 1; i <= logs_; ++i)
        std::filesystem::remove_all(log_directory(i), ignored);
    stop_looking();
}

void bank::stop_looking()
{
    if (accounts_ != nullptr) PQfinish(accounts_);
    if (orders_ != nullptr) mysql_close(orders_);
    accounts_ = nullptr;
    orders_ = nullptr;
}

std::string bank::accounts_conninfo(int port) const
{
    // A network that reads what passes has no channel of which both ends could be sure.
    auto const how = is_encrypted() ? " sslmode=verify-ca channel_binding=disable sslrootcert=" +
                                          postgresql_->authority()
                                    : std::string{};
    return postgresql_->conninfo("accounts", port) + how;
}

std::string bank::orders_connect_string(int port) const
{
    return "host=127.0.0.1 port=" + std::to_string(port == 0 ? mariadb_->port() : port) +
           " user=" + mariadb_->account() + " password_file=" + mariadb_->directory() +
           "/password" + " database=orders" +
           (is_encrypted() ? " ssl_ca=" + mariadb_->authority() : "");
}

postgresql::resource_manager bank::accounts_manager(int port) const
{
    return {"accounts", accounts_conninfo(port)};
}

mysql::resource_manager bank::orders_manager(int port) const
{
    return {"orders", orders_connect_string(port)};
}

PGconn* bank::look_accounts()
{
    if (accounts_ != nullptr) {
        pg_result const alive{PQexec(accounts_, "select 1")};
        if (PQresultStatus(alive.get()) == PGRES_TUPLES_OK) return accounts_;
        PQfinish(accounts_);
    }
    accounts_ = PQconnectdb(accounts_conninfo().c_str());
    if (PQstatus(accounts_) != CONNECTION_OK) {
        throw std::runtime_error{std::string{"postgresql: "} + PQerrorMessage(accounts_)};
    }
    return accounts_;
}

MYSQL* bank::look_orders()
{
    if (orders_ != nullptr) {
        if (mysql_ping(orders_) == 0) return orders_;
        mysql_close(orders_);
    }
    orders_ = nullptr;
    return orders_ = connect_orders();
}

MYSQL* bank::connect_orders(int port) const
{
    MYSQL* const made = mysql_init(nullptr);
    if (is_encrypted()) mysql_options(made, MYSQL_OPT_SSL_CA, mariadb_->authority().c_str());
    auto const at = static_cast<unsigned>(port == 0 ? mariadb_->port() : port);
    if (mysql_real_connect(made, "127.0.0.1", mariadb_->account().c_str(),
                           mariadb_->password().c_str(), "orders", at, nullptr, 0) == nullptr) {
        std::runtime_error const failed{std::string{"mariadb: "} + mysql_error(made)};
        mysql_close(made);
        throw failed;
    }
    return made;
}

std::int64_t bank::prepared_in_accounts()
{
    return number(look_accounts(), "select count(*) from pg_prepared_xacts");
}

std::int64_t bank::prepared_in_orders()
{
    auto const result = query(look_orders(), "xa recover");
    return static_cast<std::int64_t>(mysql_num_rows(result.get()));
}

std::set<std::string> bank::transfers_in_accounts()
{
    auto const result = query(look_accounts(), "select transfer from ledger");
    std::set<std::string> all;
    for (int i = 0; i < PQntuples(result.get()); ++i)
        all.insert(PQgetvalue(result.get(), i, 0));
    return all;
}

std::set<std::string> bank::transfers_in_orders()
{
    auto const result = query(look_orders(), "select transfer from ledger");
    std::set<std::string> all;
    while (MYSQL_ROW const row = mysql_fetch_row(result.get()))
        all.insert(row[0]);
    return all;
}

std::int64_t bank::money()
{
    return number(look_accounts(), "select sum(amount) from balance") +
           number(look_orders(), "select sum(amount) from balance");
}

std::string bank::log_directory(int number) const
{
    return mariadb_->directory() + "-log-" + std::to_string(number);
}

std::string bank::new_log_directory()
{
    auto path = log_directory(++logs_);
    if (::mkdir(path.c_str(), 0700) != 0) throw std::runtime_error{"mkdir " + path};
    return path;
}

void transfer(PGconn* accounts, MYSQL* orders, std::string const& id, std::int64_t amount,
              int account)
{
    auto const money = std::to_string(amount);
    auto const where = " where id = " + std::to_string(account);
    auto const row = "insert into ledger values ('" + id + "', " + money + ")";
    execute(accounts, "update balance set amount = amount - " + money + where);
    execute(orders, "update balance set amount = amount + " + money + where);
    execute(accounts, row);
    execute(orders, row);
}

options test_options(std::string const& log_directory)
{
    return options{}
        .log_directory(log_directory)
        .node_label("test")
        .presumed_abort_delay(std::chrono::milliseconds{0});
}

}  // namespace assent::testing
