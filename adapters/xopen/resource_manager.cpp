// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- what xopen.hpp promises: everything is looked at, and nothing is called.

#include <utility>

#include "adapters/dialects/subject.hpp"
#include "adapters/xopen/driver.hpp"
#include "adapters/xopen/identity_file.hpp"
#include "adapters/xopen/loading.hpp"

namespace assent::inline v0::xopen {

namespace {

void require_declared(std::string const& name, options::values const& chosen)
{
    auto const refuse = [&](std::string const& why) {
        throw driver_error(errc::bad_argument, dialects::subject(name) + why);
    };
    if (!chosen.is_unguarded) {
        refuse(
            "a switch has no lock by which copies of this log could be kept apart; if the log is "
            "never copied, say so by options::unguarded()");
    }
    if (chosen.identity.empty() == chosen.identity_file.empty()) {
        refuse(
            "a switch has no identity of its own: give either options::identity() or "
            "options::identity_file()");
    }
    if (!chosen.identity.empty() && !xopen_switch::is_good_identity(chosen.identity)) {
        refuse("options::identity() is 1 to 100 printable ASCII characters");
    }
    if (chosen.sessions_end_within && chosen.sessions_end_within->count() < 0) {
        refuse("options::sessions_end_within() is not negative");
    }
}

std::shared_ptr<resource_manager_driver> make_driver(std::string name, xa_switch_t const& entries,
                                                     std::string const& xa_info,
                                                     options const& chosen)
{
    require_name(name);
    xopen_switch::require_sound(name, entries);
    xopen_switch::require_info(name, xa_info);
    require_declared(name, chosen.given());
    auto& is = xopen_switch::instance_of(entries, xa_info);
    return std::make_shared<xopen_switch::driver>(std::move(name), is, chosen.given());
}

}  // namespace

resource_manager::resource_manager(std::string name, xa_switch_t const& entries,
                                   std::string const& xa_info, options const& chosen)
    : assent::resource_manager(make_driver(std::move(name), entries, xa_info, chosen))
{
}

resource_manager::resource_manager(std::string const& name, library const& from,
                                   std::string const& xa_info, options const& chosen)
    : resource_manager(name, xopen_switch::load(require_name(name), from), xa_info, chosen)
{
}

int resource_manager::rmid() const noexcept
{
    return static_cast<xopen_switch::driver&>(*driver()).rmid();
}

}  // namespace assent::inline v0::xopen
