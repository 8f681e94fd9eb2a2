// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// batch.hpp -- what one transaction puts into one database: gathered, and written at once.

#ifndef ASSENT_ADAPTERS_MESSAGES_BATCH_HPP
#define ASSENT_ADAPTERS_MESSAGES_BATCH_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <assent/message.hpp>

#include "adapters/messages/task_home.hpp"

namespace assent::messages {

/// Thread safety: that of its transaction.
class batch
{
public:
    explicit batch(std::shared_ptr<task_home> home) : home_(std::move(home)) {}

    /// @throws error  errc::bad_argument: it would be too many, or too much.
    void require_room(message::message const& next, std::string const& headers,
                      gtrid const& of) const;
    /// Where it throws nothing was added.  @return whether it is the first one, which whoever adds
    /// it must have written.  @pre  require_room().
    bool add(message::message const& next, std::string headers);
    /// The last one is not to be written after all.
    void take_back() noexcept;

    /// Writes what was gathered, the first time it is called.
    void write(driver_session& session, deadline until);

private:
    std::shared_ptr<task_home> const home_;
    std::vector<task_row> rows_;
    std::set<std::uint16_t> slots_;
    std::size_t bytes_ = 0;
};

}  // namespace assent::messages

#endif  // ASSENT_ADAPTERS_MESSAGES_BATCH_HPP
