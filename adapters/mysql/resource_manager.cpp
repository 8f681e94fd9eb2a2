// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- what the public header promises.

#include <memory>
#include <utility>

#include <assent/mysql.hpp>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/mysql/driver.hpp"

namespace assent {
inline namespace v0 {
namespace mysql {

namespace {

std::shared_ptr<resource_manager_driver> make(std::string name, connect_options settings)
{
    auto const safety = settings.safety;
    return std::make_shared<mysql_adapter::driver>(
        std::move(name), mysql_adapter::connect_method{std::move(settings), {}}, safety);
}

std::shared_ptr<resource_manager_driver> make(std::string name, connect_function connect,
                                              safety_options safety)
{
    dialects::require_connect_function(name, connect);
    return std::make_shared<mysql_adapter::driver>(
        std::move(name), mysql_adapter::connect_method{{}, std::move(connect)}, safety);
}

}  // namespace

resource_manager::resource_manager(std::string name, connect_options settings)
    : assent::resource_manager(make(std::move(name), std::move(settings)))
{
}

resource_manager::resource_manager(std::string name, std::string const& connect_string)
    : resource_manager(std::move(name), parse_connect_string(connect_string))
{
}

resource_manager::resource_manager(std::string name, connect_function connect,
                                   safety_options safety)
    : assent::resource_manager(make(std::move(name), std::move(connect), safety))
{
}

bool is_retryable(handle_type handle) noexcept
{
    return handle != nullptr &&
           mysql_adapter::is_retryable(mysql_errno(handle), mysql_error(handle));
}

}  // namespace mysql
}  // namespace v0
}  // namespace assent
