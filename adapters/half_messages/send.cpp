// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <string>

#include "adapters/dialects/subject.hpp"
#include "adapters/half_messages/driver.hpp"

namespace assent::inline v0::half {

void send(transaction& tx, assent::resource_manager const& rm, message const& what)
{
    if (dynamic_cast<half_messages::driver const*>(rm.driver().get()) == nullptr) {
        throw error(errc::invalid_state,
                    dialects::subject(rm.name()) + "it is no broker: take a lease there", tx.id());
    }
    tx.work_on(rm, [&what](driver_session& on, deadline until) {
        static_cast<half_messages::session&>(on).send(what, until);
    });
}

}  // namespace assent::inline v0::half
