// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch.cpp -- what assent/postgresql_switch.h promises.

#include <assent/postgresql_switch.h>
#include <xopen/xa.h>
#include <assent/export.hpp>
#include <assent/postgresql.hpp>

#include "adapters/switch_out/exported.hpp"

namespace {

using namespace assent;

std::shared_ptr<resource_manager_driver> make_driver(std::string const& name,
                                                     switch_out::settings const& given)
{
    postgresql::safety_options safety;
    safety.allow_non_durable = given.allow_non_durable;
    return postgresql::resource_manager{name, given.connect, safety}.driver();
}

switch_out::resource& here() noexcept
{
    static auto* const one = new switch_out::resource{make_driver};
    return *one;
}

}  // namespace

extern "C" {

ASSENT_EXPORT xa_switch_t assent_postgresql_switch =
    switch_out::exported<here>("Assent PostgreSQL");

ASSENT_EXPORT pg_conn* assent_postgresql_switch_handle(int rmid)
{
    return static_cast<pg_conn*>(here().handle(rmid));
}

ASSENT_EXPORT char const* assent_postgresql_switch_message(void)
{
    return switch_out::resource::message();
}

}  // extern "C"
