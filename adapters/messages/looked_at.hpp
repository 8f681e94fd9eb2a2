// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// looked_at.hpp -- a database whose tables of ours are looked at before they are used.
//
// The look is on a connection of its own, which is closed again: a session of the manager's would
// have to be asked for, and a branch is no place to make tables in.

#ifndef ASSENT_ADAPTERS_MESSAGES_LOOKED_AT_HPP
#define ASSENT_ADAPTERS_MESSAGES_LOOKED_AT_HPP

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include <assent/driver.hpp>

namespace assent::messages {

/// Thread safety: every member may be called from several threads at once.
class looked_at
{
public:
    using look = std::function<void(resource_manager_driver&, driver_session&, deadline)>;

    explicit looked_at(resource_manager where) : where_(std::move(where)) {}

    resource_manager const& manager() const noexcept { return where_; }
    std::string const& name() const noexcept { return where_.name(); }

    /// Has the tables looked at, and made, unless they were.  A look that failed is not repeated
    /// at once: an account that the server refuses would be locked by many of them.
    /// @throws error  errc::unavailable.
    void require_fit(gtrid const& for_whom, look const& with);

    /// On a session of its own, which no forked child keeps open.
    void ask(std::chrono::milliseconds at_most, look const& what) const;

    /// Where a table is missing, after all, the next one looks again.
    template <class Work>
    auto watching(Work const& work)
    {
        try {
            return work();
        } catch (driver_error const& e) {
            doubt(e);
            throw;
        }
    }

    /// They may be there no more, for all that was seen.
    void doubt(driver_error const& why) noexcept;

private:
    resource_manager const where_;
    std::mutex mutex_;  // guards the three below
    bool is_fit_ = false;
    std::string why_not_;
    deadline again_at_{};
};

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_LOOKED_AT_HPP
