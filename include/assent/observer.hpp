// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// observer.hpp -- what happened, told to whoever watches.  The core is silent without one.
//
// One name per event (branch.commit.reply), fields instead of sentences; never SQL, never a
// secret.  The component boost_log offers an observer that writes to Boost.Log.

#ifndef ASSENT_OBSERVER_HPP
#define ASSENT_OBSERVER_HPP

#include <cstdint>
#include <memory>
#include <string_view>

#include <assent/export.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

enum class severity : std::uint8_t { debug = 1, info = 2, warning = 3, alarm = 4 };

struct event
{
    severity level = severity::info;
    std::string_view name;              ///< stable, dotted
    std::string_view resource_manager;  ///< empty: none
    std::string_view id;                ///< gtrid, or gtrid.bqual, or empty
    std::string_view text;              ///< for people
};

/// Thread safety: on() is called from any thread, with no lock held, and should be quick.  What
/// it throws is dropped: an observer that fails must not change an outcome.
class ASSENT_EXPORT observer
{
public:
    virtual ~observer();
    virtual void on(event const& what) = 0;
};

/// An observer that writes to Boost.Log's trivial logger (component boost_log).
ASSENT_EXPORT std::shared_ptr<observer> make_boost_log_observer();

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_OBSERVER_HPP
