// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

std::shared_ptr<void> open_owned(std::string const& connect_string)
{
    auto const opened = std::make_shared<odbc_client>(connect_string);
    return {opened, opened->get()};
}

sql_answer try_by_odbc(void* handle, std::string const& sql)
{
    auto const failure = odbc_client::try_query(handle, sql);
    sql_answer said;
    said.is_ok = failure.sqlstate.empty();
    said.is_lost = failure.sqlstate.substr(0, 2) == "08";
    said.sqlstate = failure.sqlstate;
    said.native_code = failure.native_code;
    said.text = failure.text;
    return said;
}

std::shared_ptr<resource_manager_driver> odbc_target::driver_with(std::string const& more)
{
    return odbc::resource_manager{"accounts", connect_string() + more}.driver();
}

std::shared_ptr<resource_manager_driver> odbc_target::driver_behind(testing::proxy& network)
{
    auto const number = network.add(protocol(), port());
    return odbc::resource_manager{"accounts", connect_string(network.port(number))}.driver();
}

std::string odbc_postgresql_target::connect_string_by_socket()
{
    return "DRIVER=" + file() + ";SERVER=" + server().socket_directory() +
           ";PORT=" + std::to_string(port()) +
           ";DATABASE=accounts;UID=shop;PWD=" + server().password();
}

std::string odbc_mysql_target::connect_string_by_socket()
{
    return "DRIVER=" + file() + ";SERVER=localhost;SOCKET=" + server().socket() +
           ";DATABASE=accounts;UID=shop;PWD=" + server().password();
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(odbc_server);

}  // namespace assent::contract
