// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control.hpp -- one thread of control at one rmid (C193, tables 6-1 and 6-2).
//
//   not open  ->  there is no such object
//   T0        ->  `associated` is null
//   T1        ->  it is not
//   T2        ->  the branch is among `suspended`

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_CONTROL_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_CONTROL_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/switch_out/branches.hpp"
#include "adapters/switch_out/database.hpp"

namespace assent::switch_out {

/// What xa_recover has listed, and up to where it was given out.
struct scan_cursor
{
    std::vector<dialects::branch_name> listed;
    std::size_t given = 0;
};

/// Closed by its destructor: when the thread ends, at the latest.  Work that the thread is
/// associated with then is rolled back by its database.
///
/// Thread safety: that thread only.
class control
{
public:
    explicit control(std::shared_ptr<database> opened) : of(std::move(opened)) {}
    ~control();
    control(control const&) = delete;
    control& operator=(control const&) = delete;

    /// The thread's connection, or another one where a branch has it.  @throws driver_error
    std::shared_ptr<connection> take();
    /// A connection that no branch needs any more.  Kept where it can serve another one.
    void give_back(std::shared_ptr<connection> idle) noexcept;

    std::shared_ptr<database> const of;
    std::shared_ptr<connection> spare;
    branch_ptr associated;
    std::vector<branch_ptr> suspended;
    std::optional<scan_cursor> scan;
};

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_CONTROL_HPP
