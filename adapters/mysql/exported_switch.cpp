// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch.cpp -- what assent/mysql_switch.h promises.

#include <assent/mysql_switch.h>
#include <xopen/xa.h>
#include <assent/export.hpp>
#include <assent/mysql.hpp>

#include "adapters/switch_out/exported.hpp"

namespace {

using namespace assent;

std::shared_ptr<resource_manager_driver> make_driver(std::string const& name,
                                                     switch_out::settings const& given)
{
    auto where = mysql::parse_connect_string(given.connect);
    if (given.allow_non_durable) where.safety.allow_non_durable = true;
    return mysql::resource_manager{name, where}.driver();
}

switch_out::resource& here() noexcept
{
    static auto* const one = new switch_out::resource{make_driver};
    return *one;
}

}  // namespace

extern "C" {

ASSENT_EXPORT xa_switch_t assent_mysql_switch = switch_out::exported<here>("Assent MySQL/MariaDB");

ASSENT_EXPORT void* assent_mysql_switch_handle(int rmid)
{
    return here().handle(rmid);
}

ASSENT_EXPORT char const* assent_mysql_switch_message(void)
{
    return switch_out::resource::message();
}

}  // extern "C"
