// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// work.hpp -- the application's work, between the beginning of a transaction and its end.

#ifndef ASSENT_API_WORK_HPP
#define ASSENT_API_WORK_HPP

#include <exception>
#include <functional>

#include "api/doors.hpp"

namespace assent::api {

/// Calls `work`.  @return what it threw, or nothing.
std::exception_ptr thrown_by(std::function<void()> const& work);

/// The same in a transaction that was begun for it, and is bound to this thread: afterwards it is
/// still there to be ended.
/// @throws error  errc::invalid_state: it is not; or what `work` threw, where it is not.
std::exception_ptr thrown_in(engine::engine const& under, shared::global_transaction const& begun,
                             std::function<void(transaction&)> const& work);

}  // namespace assent::api

#endif  // ASSENT_API_WORK_HPP
