// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch.cpp -- what assent/odbc_switch.h promises.

#include <assent/odbc_switch.h>
#include <xopen/xa.h>
#include <assent/export.hpp>
#include <assent/odbc.hpp>

#include "adapters/switch_out/exported.hpp"

namespace {

using namespace assent;

std::shared_ptr<resource_manager_driver> make_driver(std::string const& name,
                                                     switch_out::settings const& given)
{
    auto where = odbc::parse_connect_string(given.connect);
    if (given.allow_non_durable) where.safety.allow_non_durable = true;
    return odbc::resource_manager{name, where}.driver();
}

switch_out::resource& here() noexcept
{
    static auto* const one = new switch_out::resource{make_driver};
    return *one;
}

}  // namespace

extern "C" {

ASSENT_EXPORT xa_switch_t assent_odbc_switch = switch_out::exported<here>("Assent ODBC");

ASSENT_EXPORT void* assent_odbc_switch_handle(int rmid)
{
    return here().handle(rmid);
}

ASSENT_EXPORT char const* assent_odbc_switch_message(void)
{
    return switch_out::resource::message();
}

}  // extern "C"
