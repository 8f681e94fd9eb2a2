// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// finishing.hpp -- how fast what was left behind is finished: by hand, and by recovery.

#ifndef ASSENT_TESTS_BENCH_RECOVERY_FINISHING_HPP
#define ASSENT_TESTS_BENCH_RECOVERY_FINISHING_HPP

#include <cstddef>
#include <optional>
#include <string>

#include "estate.hpp"

namespace assent::bench {

/// On one database.
struct finishing
{
    double count = 0;
    double first_s = 0;  ///< from the beginning until the first was finished
    double last_s = 0;

    /// From the first one on, so that what happens once before it is not in the rate.
    double per_second() const { return count > 1 ? (count - 1) / (last_s - first_s) : 0; }
    double first_ms() const { return first_s * 1000; }
};

/// New transfers of the application, a second.
struct transfers
{
    double meanwhile = 0;  ///< while branches were being finished
    double alone = 0;      ///< afterwards, of the same manager
};

/// What finishing both databases at once took.
struct finished
{
    finishing accounts;
    finishing orders;
    double cpu_seconds = 0;  ///< of this process
    std::optional<transfers> work;
};

/// By the plain client libraries, over `connections` to each database, from their lists.  MariaDB
/// comes later by `orders_later`, as it does in recovery: what the two share is then the same.
finished finish_by_hand(addresses const& where, std::size_t count, ending how,
                        std::size_t connections, limits::duration orders_later);

struct recovery_plan
{
    std::string directory;  ///< of the log
    std::size_t count = 0;
    limits::duration presumed_abort_delay{0};
    std::size_t threads = 0;  ///< that transfer money meanwhile
    double seconds = 0;       ///< of transfers afterwards
};

/// By a manager that is opened for it.
/// @throws std::runtime_error  it finishes something otherwise, or not within ten minutes.
finished finish_by_recovery(addresses const& where, recovery_plan const& what);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_RECOVERY_FINISHING_HPP
