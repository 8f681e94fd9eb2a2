// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// boost_log.hpp -- an observer that writes to Boost.Log (component boost_log).

#ifndef ASSENT_BOOST_LOG_HPP
#define ASSENT_BOOST_LOG_HPP

#include <memory>

#include <assent/export.hpp>
#include <assent/observer.hpp>

namespace assent {
inline namespace v0 {

/// Makes an observer that writes to Boost.Log's trivial logger.
/// This function throws what Boost.Log throws.  Safe to retry.
ASSENT_EXPORT std::shared_ptr<observer> make_boost_log_observer();

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_BOOST_LOG_HPP
