// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- what tcc.hpp promises of resource managers: everything is looked at, and
// nothing is called.

#include <utility>

#include "adapters/dialects/subject.hpp"
#include "adapters/reservations/driver.hpp"
#include "ports/clock.hpp"

namespace assent::inline v0::tcc {

namespace {

constexpr std::size_t workers_max = 16;

std::shared_ptr<resource_manager_driver> make_driver(std::string name,
                                                     assent::resource_manager const& where,
                                                     handlers how, options::values const& chosen)
{
    require_name(name);
    auto const& database = where.driver();
    auto* const table = database->branches();
    if (table == nullptr) {
        throw driver_error(errc::bad_argument, dialects::subject(name) + "\"" + where.name() +
                                                   "\" can hold no reservations");
    }
    return std::make_shared<reservations::driver>(std::shared_ptr<reservations::service>{
        new reservations::service{std::move(name), database, *table, std::move(how), chosen}});
}

void require_good(std::string const& name, handlers const& how, options::values const& chosen)
{
    auto const refuse = [&](std::string const& why) {
        throw driver_error(errc::bad_argument, dialects::subject(name) + why);
    };
    if (!how.attempt || !how.confirm || !how.cancel) {
        refuse("a reservation has three handlers: attempt, confirm and cancel");
    }
    if (chosen.workers > workers_max) {
        refuse("options::workers() is at most " + std::to_string(workers_max));
    }
    if (chosen.handler_time <= chosen.handler_time.zero()) {
        refuse("options::handler_time() is more than nothing");
    }
    if (chosen.handler_time > ports::longest_duration) {
        refuse("options::handler_time() is ten years at most");
    }
}

}  // namespace

refused::~refused() = default;

resource_manager::resource_manager(std::string name, assent::resource_manager const& where,
                                   handlers how, options const& chosen)
    : assent::resource_manager(
          (require_good(name, how, chosen.given()),
           make_driver(std::move(name), where, std::move(how), chosen.given())))
{
}

resource_manager::resource_manager(std::string name, assent::resource_manager const& where)
    : assent::resource_manager(make_driver(std::move(name), where, {}, {}))
{
}

}  // namespace assent::inline v0::tcc
