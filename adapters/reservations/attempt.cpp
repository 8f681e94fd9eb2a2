// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <string>

#include "adapters/dialects/subject.hpp"
#include "adapters/reservations/driver.hpp"

namespace assent::inline v0::tcc {

void attempt(transaction& tx, assent::resource_manager const& rm, std::string const& payload)
{
    auto const* const mine = dynamic_cast<reservations::driver const*>(rm.driver().get());
    if (mine == nullptr) {
        throw error(errc::invalid_state,
                    dialects::subject(rm.name()) + "it holds no reservations: take a lease there",
                    tx.id());
    }
    if (!mine->has_handlers()) {
        throw error(errc::invalid_state,
                    dialects::subject(rm.name()) + "it was made without handlers", tx.id());
    }
    if (payload.size() > payload_max) {
        throw error(errc::bad_argument,
                    dialects::subject(rm.name()) + "a payload has at most " +
                        std::to_string(payload_max) +
                        " bytes: keep the rest in a table of your own",
                    tx.id());
    }
    tx.work_on(
        rm,
        [&payload](driver_session& on, deadline until) {
            static_cast<reservations::session&>(on).attempt(payload, until);
        },
        [&payload](driver_session& on) {
            static_cast<reservations::session&>(on).begin_with(payload);
        });
}

}  // namespace assent::inline v0::tcc
