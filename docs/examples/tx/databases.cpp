// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// databases.cpp -- which databases a program in C works with, and where the log is.

#include "databases.h"

#include <assent/assent.hpp>
#include <assent/mysql.hpp>
#include <assent/postgresql.hpp>
#include <assent/tx.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

std::string setting(char const* name)
{
    char const* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error{std::string{name} + " is not set"};
    return value;
}

// [service]
struct shop
{
    assent::transaction_manager manager{
        assent::options{}.log_directory(setting("SHOP_LOG")).node_label("shop-c")};
    assent::postgresql::resource_manager accounts =
        manager.add(assent::postgresql::resource_manager{"accounts", setting("SHOP_ACCOUNTS")});
    assent::mysql::resource_manager orders =
        manager.add(assent::mysql::resource_manager{"orders", setting("SHOP_ORDERS")});
    assent::tx_service tx{manager, {accounts, orders}};
};

std::optional<shop> here;

}  // namespace

int open_databases()
try {
    here.emplace();
    return 1;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return 0;
}

void close_databases()
{
    here.reset();
}
// [service]
