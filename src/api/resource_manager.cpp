// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <assent/resource_manager.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

#include <assent/driver.hpp>

namespace assent {
inline namespace v0 {

namespace {

constexpr std::size_t name_length_max = 64;

}  // namespace

resource_manager::resource_manager(std::shared_ptr<resource_manager_driver> driver) noexcept
    : driver_(std::move(driver))
{
}

std::string const& resource_manager::name() const noexcept
{
    return driver_->name();
}

bool is_good_name(std::string_view name) noexcept
{
    return !name.empty() && name.size() <= name_length_max &&
           std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return c > ' ' && c <= '~'; });
}

std::string const& require_name(std::string const& name)
{
    if (!is_good_name(name)) {
        throw driver_error{errc::bad_argument,
                           "the name of a resource manager is 1 to 64 printable ASCII characters "
                           "without blanks; \"" +
                               name.substr(0, name_length_max) + "\" is not"};
    }
    return name;
}

}  // namespace v0
}  // namespace assent
