// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- what the public header promises.

#include <libpq-fe.h>

#include <stdexcept>
#include <type_traits>
#include <utility>

#include <assent/error.hpp>
#include <assent/postgresql.hpp>

#include "adapters/dialects/subject.hpp"
#include "adapters/postgresql/driver.hpp"
#include "adapters/postgresql/error.hpp"

namespace assent {
inline namespace v0 {
namespace postgresql {

static_assert(std::is_same_v<resource_manager::handle_type, ::PGconn*>);

namespace {

postgresql_adapter::connect_method from_function(std::string name, connect_function connect)
{
    dialects::require_connect_function(name, connect);
    return {std::move(name), {}, std::move(connect)};
}

}  // namespace

resource_manager::resource_manager(std::string name, std::string conninfo, safety_options safety)
    : assent::resource_manager(std::make_shared<postgresql_adapter::driver>(
          postgresql_adapter::connect_method{std::move(name), std::move(conninfo), {}}, safety))
{
}

resource_manager::resource_manager(std::string name, connect_function connect,
                                   safety_options safety)
    : assent::resource_manager(std::make_shared<postgresql_adapter::driver>(
          from_function(std::move(name), std::move(connect)), safety))
{
}

bool is_retryable(PGresult const* result) noexcept
{
    return is_retryable_sqlstate(postgresql_adapter::sqlstate_of(result));
}

}  // namespace postgresql
}  // namespace v0
}  // namespace assent
