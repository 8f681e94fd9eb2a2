// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// observer.hpp -- the interface that hears what happens.  Without an observer the library reports
// nothing.
//
// Each event has a name (branch.commit.reply), and fields instead of sentences.  An event never
// contains SQL or a secret.  boost_log.hpp has an observer that writes to Boost.Log.

#ifndef ASSENT_OBSERVER_HPP
#define ASSENT_OBSERVER_HPP

#include <cstdint>
#include <string_view>

#include <assent/export.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// How urgent an event is; an alarm needs a person now.
enum class severity : std::uint8_t { debug = 1, info = 2, warning = 3, alarm = 4 };

/// One thing that happened.  The texts are valid during the call only.
struct event
{
    severity level = severity::info;    ///< how urgent it is
    std::string_view name;              ///< stable, dotted
    std::string_view resource_manager;  ///< empty: none
    std::string_view id;                ///< gtrid, or gtrid.bqual, or empty
    std::string_view text;              ///< for people
};

/// Hears what happens.
///
/// Thread safety: on() is called from any thread, with no lock held, and should be quick.  What
/// it throws is dropped: an observer that fails must not change an outcome.
class ASSENT_EXPORT observer
{
public:
    virtual ~observer();
    /// Called for each event.
    virtual void on(event const& what) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_OBSERVER_HPP
