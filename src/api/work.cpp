// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "api/work.hpp"

#include <cxxabi.h>

namespace assent::api {

/// A cancelled thread unwinds through here, and its transaction is rolled back on the way out; what
/// it unwinds with is no object that a reference could be bound to.
__attribute__((noinline, no_sanitize("null"))) std::exception_ptr thrown_by(
    std::function<void()> const& work)
{
    try {
        work();
    } catch (abi::__forced_unwind const&) {
        throw;
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

std::exception_ptr thrown_in(engine::engine const& under, shared::global_transaction const& begun,
                             std::function<void(transaction&)> const& work)
{
    auto thrown = thrown_by([&] { work(*bound_here(&under)); });
    auto const* const tx = bound_here(&under);
    bool const is_bound = tx != nullptr && tx->id() == begun.id;
    if (thrown && (!is_bound || begun.is_completed)) {
        // The work ended its transaction itself: what remained of it is not known here.
        std::rethrow_exception(thrown);
    }
    if (begun.is_completed) {
        throw error{errc::invalid_state, "the work ended its transaction itself", begun.id};
    }
    if (!is_bound) {
        throw error{errc::invalid_state, "the work suspended its transaction and did not resume it",
                    begun.id};
    }
    return thrown;
}

}  // namespace assent::api
