// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// shop.cpp -- see shop.hpp.

#include "shop.hpp"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "accounts_session.hpp"
#include "orders_session.hpp"

namespace assent::bench {

namespace {

constexpr std::int64_t first_balance = 1'000'000;
constexpr auto rows = static_cast<std::int64_t>(shop::threads_max * shop::rows_per_thread);

// The first pair is there already.
std::string name_of(std::string const& database, std::size_t pair)
{
    return pair == 0 ? database : database + '_' + std::to_string(pair);
}

// Each thread has sessions for each kind of variant; and a checkpoint in the middle of a round
// would be one variant's bad luck.
std::vector<std::string> settings_of_postgresql(std::size_t pairs, wire how,
                                                std::size_t prepared_max)
{
    std::vector<std::string> all{
        "max_connections=" + std::to_string(100 + 400 * pairs),
        "max_prepared_transactions=" + std::to_string(prepared_max * pairs), "max_wal_size=2GB",
        "checkpoint_timeout=30min"};
    if (how == wire::encrypted) all.push_back("tls=on");
    return all;
}

std::vector<std::string> settings_of_mariadb(std::size_t pairs, wire how)
{
    std::vector<std::string> all{"max_connections=" + std::to_string(100 + 400 * pairs),
                                 "table_open_cache=1000", "innodb_log_file_size=256M"};
    if (how == wire::encrypted) all.push_back("tls=on");
    return all;
}

void make_databases(testing::private_server& postgresql, testing::private_server& mariadb,
                    std::size_t pairs)
{
    accounts_session accounts(postgresql.superuser_conninfo("postgres"));
    mysql::connect_options root;
    root.socket = mariadb.socket();
    root.user = "root";
    orders_session orders(root);
    for (std::size_t pair = 1; pair < pairs; ++pair) {
        accounts.run("create database " + name_of("accounts", pair) + " owner shop");
        std::string const name = name_of("orders", pair);
        orders.run("create database " + name);
        for (char const* host : {"127.0.0.1", "localhost"})
            orders.run("grant all on " + name + ".* to shop@'" + host + "'");
    }
}

void fill(addresses const& pair)
{
    std::string const columns = "(id integer primary key, amount bigint not null)";
    std::string const last = std::to_string(rows - 1);
    std::string const amount = std::to_string(first_balance);

    accounts_session accounts(pair.accounts);
    accounts.run("create table balance " + columns);
    accounts.run("insert into balance select id, " + amount + " from generate_series(0, " + last +
                 ") id");
    accounts.run("create table decision (name varchar(64) primary key, thread integer not null)");

    orders_session orders(pair.orders);
    orders.run("create table balance " + columns + " engine=innodb");
    orders.run("insert into balance select seq, " + amount + " from seq_0_to_" + last);
}

}  // namespace

shop::shop(std::size_t pairs, wire how, std::size_t prepared_max)
    : pairs_(pairs),
      how_(how),
      postgresql_(
          testing::private_server::postgresql(settings_of_postgresql(pairs, how, prepared_max))),
      mariadb_(testing::private_server::mariadb(settings_of_mariadb(pairs, how)))
{
    make_databases(*postgresql_, *mariadb_, pairs);
    for (addresses const& pair : directly())
        fill(pair);
}

places shop::directly() const
{
    places all = by_port(0, 0);
    if (how_ == wire::encrypted) return all;
    for (std::size_t pair = 0; pair < pairs_; ++pair) {
        all[pair].accounts = "host=" + postgresql_->socket_directory() +
                             " port=" + std::to_string(postgresql_->port()) +
                             " user=shop dbname=" + name_of("accounts", pair) +
                             " connect_timeout=10";
        all[pair].orders.host.clear();
        all[pair].orders.port = 0;
        all[pair].orders.socket = mariadb_->socket();
    }
    return all;
}

places shop::by_port(int accounts, int orders) const
{
    places all;
    for (std::size_t pair = 0; pair < pairs_; ++pair)
        all.push_back(pair_by_port(pair, accounts, orders));
    return all;
}

addresses shop::pair_by_port(std::size_t pair, int accounts, int orders) const
{
    addresses where;
    where.accounts = postgresql_->conninfo(name_of("accounts", pair), accounts);
    where.orders.host = mariadb_->host();
    where.orders.port = static_cast<unsigned>(orders == 0 ? mariadb_->port() : orders);
    where.orders.user = mariadb_->account();
    where.orders.password_file = mariadb_->directory() + "/password";
    where.orders.database = name_of("orders", pair);
    if (how_ == wire::encrypted) {
        where.accounts += " sslmode=verify-ca sslrootcert=" + postgresql_->authority();
        where.orders.ssl_ca = mariadb_->authority();
    }
    return where;
}

void shop::require_whole() const
{
    std::int64_t sum = 0;
    bool is_left = false;
    for (addresses const& pair : directly()) {
        accounts_session accounts(pair.accounts);
        orders_session orders(pair.orders);
        for (auto const& each : {accounts.ask("select sum(amount) from balance"),
                                 orders.ask("select sum(amount) from balance")}) {
            sum += std::stoll(each);
        }
        is_left = is_left || accounts.ask("select count(*) from pg_prepared_xacts") != "0" ||
                  !orders.ask("xa recover").empty();
    }
    if (sum != static_cast<std::int64_t>(2 * pairs_) * rows * first_balance) {
        throw std::runtime_error("money was made or lost");
    }
    if (is_left) throw std::runtime_error("a branch is left prepared");
}

}  // namespace assent::bench
