// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// subject.hpp -- how the words of an error begin that belongs to a resource manager, and what every
// adapter refuses in the same ones.

#ifndef ASSENT_ADAPTERS_DIALECTS_SUBJECT_HPP
#define ASSENT_ADAPTERS_DIALECTS_SUBJECT_HPP

#include <string>

#include <assent/driver.hpp>

namespace assent::dialects {

inline std::string subject(std::string const& resource_manager)
{
    return "resource manager \"" + resource_manager + "\": ";
}

/// Does `work`, whose every error then names the resource manager that it came from.
template <typename Work>
auto named(std::string const& resource_manager, Work work)
{
    try {
        return work();
    } catch (driver_error const& error) {
        throw driver_error(error.why(), subject(resource_manager) + error.what(), error.sqlstate(),
                           error.native_code(), error.must_close());
    }
}

/// @throws driver_error  errc::bad_argument: the name will not do, or there is no function.
template <typename ConnectFunction>
void require_connect_function(std::string const& name, ConnectFunction const& connect)
{
    require_name(name);
    if (connect) return;
    throw driver_error(errc::bad_argument, subject(name) + "the connect function is empty");
}

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_SUBJECT_HPP
