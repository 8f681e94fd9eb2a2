// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// settlement.hpp -- one reservation's end: a local transaction that deletes its row and runs the
// application's confirm or cancel.
//
//   row taken, handler returned, committed   ok
//   no such row                              nota: a later list decides, as everywhere
//   the handler threw, or anything failed    busy: again, later; certainly not done
//   the COMMIT was not answered              XAER_RMFAIL: again, later; perhaps done
//   the handler ended the transaction        XA_HEURHAZ: recorded; nothing more is sent by itself
//
// Invariant: the handler takes effect with the deletion of the row, or not at all.

#ifndef ASSENT_ADAPTERS_RESERVATIONS_SETTLEMENT_HPP
#define ASSENT_ADAPTERS_RESERVATIONS_SETTLEMENT_HPP

#include <optional>

#include "adapters/reservations/service.hpp"

namespace assent::reservations {

enum class end : std::uint8_t { confirm = 1, cancel = 2 };

inline char const* name_of(end what) noexcept
{
    return what == end::confirm ? "confirm" : "cancel";
}

/// Settles the reservation on a session that is in no transaction.  A session that is not reusable
/// afterwards is to be closed.
/// @return nothing where the session was found dead before anything had begun, so that another one
///         may be tried; not where it fell silent, and may yet wait for a lock.
std::optional<reply> settle(service const& of, driver_session& on, xid const& name,
                            end what) noexcept;

}  // namespace assent::reservations

#endif  // ASSENT_ADAPTERS_RESERVATIONS_SETTLEMENT_HPP
