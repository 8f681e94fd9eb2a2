// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// giving_back.hpp -- what the application lent is given back to it.

#ifndef ASSENT_ENGINE_GIVING_BACK_HPP
#define ASSENT_ENGINE_GIVING_BACK_HPP

#include "shared/context.hpp"

namespace assent::engine {

/// Calls the owner's `on_release` for the branch's connection; what that throws is told, and
/// changes nothing.  @pre  the branch's session is gone.
void give_back(shared::context const& shared, release_function<void*> const& on_release,
               shared::branch const& b, assent::release what) noexcept;

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_GIVING_BACK_HPP
