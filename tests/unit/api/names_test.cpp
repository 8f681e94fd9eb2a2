// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// names_test.cpp -- one rule for the names of resource managers: whoever is given a bad one refuses
// it with the same error.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver.hpp>
#include <assent/testing.hpp>
#include <assent/transaction_manager.hpp>

#ifdef ASSENT_WITH_POSTGRESQL
#include <assent/postgresql.hpp>
#endif
#ifdef ASSENT_WITH_MYSQL
#include <assent/mysql.hpp>
#endif
#ifdef ASSENT_WITH_ODBC
#include <assent/odbc.hpp>
#endif
#include <assent/testing_switch.hpp>
#include <assent/xopen.hpp>

#include "tests/contract/forwarding_driver.hpp"
#include "tests/thrown_by.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace {

using assent::errc;
using assent::testing::thrown_by;

/// A driver of somebody's own, whose constructor asks nothing.
class misnamed final : public assent::contract::forwarding_driver
{
public:
    misnamed(std::string name, assent::testing::memory_database const& where)
        : forwarding_driver(assent::testing::memory_resource_manager{"good", where}.driver()),
          name_(std::move(name))
    {
    }

    std::string const& name() const noexcept override { return name_; }

private:
    std::string name_;
};

struct door
{
    char const* what;
    std::function<void(std::string const&)> enter;
};

std::vector<std::string> const bad{
    "",      std::string(65, 'n'), "a b",      " a", "a ", "a\tb", "a\nb", "a\x01",
    "a\x7f", "caf\xc3\xa9",        {"a\0b", 3}};

std::vector<std::string> const good{"a", std::string(64, 'n'), "orders-1", "a.b:c/d", "\"'\\"};

TEST(Names, EveryDoorRefusesABadOneInTheSameWords)
{
    api_test::doors at;
    std::vector<door> const all{
        {"add",
         [&](auto const& name) {
             at.tm->add(assent::resource_manager{std::make_shared<misnamed>(name, at.bank)});
         }},
        {"memory",
         [&](auto const& name) {
             assent::testing::memory_resource_manager{name, at.bank};
         }},
#ifdef ASSENT_WITH_POSTGRESQL
        {"postgresql",
         [](auto const& name) {
             assent::postgresql::resource_manager{name, "dbname=d"};
         }},
        {"postgresql, connect",
         [](auto const& name) {
             assent::postgresql::resource_manager{name, [] { return nullptr; }};
         }},
#endif
#ifdef ASSENT_WITH_MYSQL
        {"mysql",
         [](auto const& name) {
             assent::mysql::resource_manager{name, "database=d"};
         }},
        {"mysql, options",
         [](auto const& name) {
             assent::mysql::connect_options where;
             where.database = "d";
             assent::mysql::resource_manager{name, where};
         }},
        {"mysql, connect",
         [](auto const& name) {
             assent::mysql::resource_manager{name, [] { return nullptr; }};
         }},
#endif
        {"xopen",
         [](auto const& name) {
             api_test::temporary_directory const home;
             assent::testing::switch_options chosen;
             chosen.file = home.path() + "/bank";
             assent::testing::strict_switch const bank{chosen};
             assent::xopen::resource_manager{name, bank.entries(), "home",
                                             assent::xopen::options{}.identity("x").unguarded()};
         }},
#ifdef ASSENT_WITH_ODBC
        {"odbc",
         [](auto const& name) {
             assent::odbc::resource_manager{name, "DSN=d"};
         }},
        {"odbc, connect",
         [](auto const& name) {
             assent::odbc::resource_manager{name, [] { return assent::odbc::connection{}; }};
         }},
#endif
    };

    for (auto const& name : bad) {
        EXPECT_FALSE(assent::is_good_name(name));
        for (auto const& each : all) {
            SCOPED_TRACE(each.what);
            auto const refused = thrown_by<assent::driver_error>([&] { each.enter(name); });
            EXPECT_EQ(refused.code(), errc::bad_argument);
            std::string const words =
                "the name of a resource manager is 1 to 64 printable ASCII characters without "
                "blanks; \"" +
                name.substr(0, 64) + "\" is not";
            EXPECT_STREQ(refused.what(), words.c_str());
        }
    }
    for (auto const& name : good) {
        EXPECT_TRUE(assent::is_good_name(name));
        for (auto const& each : all) {
            SCOPED_TRACE(each.what + (": " + name));
            EXPECT_NO_THROW(each.enter(name));
        }
    }
}

TEST(Names, AnEmptyConnectFunctionIsRefusedInTheNameOfItsResourceManager)
{
    std::vector<door> const all{
#ifdef ASSENT_WITH_POSTGRESQL
        {"postgresql",
         [](auto const& name) {
             assent::postgresql::resource_manager{name, assent::postgresql::connect_function{}};
         }},
#endif
#ifdef ASSENT_WITH_MYSQL
        {"mysql",
         [](auto const& name) {
             assent::mysql::resource_manager{name, assent::mysql::connect_function{}};
         }},
#endif
#ifdef ASSENT_WITH_ODBC
        {"odbc",
         [](auto const& name) {
             assent::odbc::resource_manager{name, assent::odbc::connect_function{}};
         }},
#endif
    };

    for (auto const& each : all) {
        SCOPED_TRACE(each.what);
        auto const refused = thrown_by<assent::driver_error>([&] { each.enter("accounts"); });
        EXPECT_EQ(refused.code(), errc::bad_argument);
        EXPECT_STREQ(refused.what(),
                     "resource manager \"accounts\": the connect function is empty");
    }
}

}  // namespace
