// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cells.hpp -- the matrix of reservations: what happens, and in which step.
//
//   18 steps  x  { kill of us, kill of the database, request lost, reply lost }  x  the database
//   that holds the reservation: PostgreSQL (accounts) or MariaDB (orders)
//
//   attempt   begin, row, work, more, commit       prepare   look, beside
//   decide    force, durable, row                  confirm   begin, take, work, commit
//                                                  cancel    begin, take, work, commit
//
// A step is a request to a database, told by a part of its text, and it is while that request is on
// its way that the cell happens; force and durable are the log's, and there it happens to whatever
// is sent next.  So a request of the dead may reach its server after their death.

#ifndef ASSENT_TESTS_CRASH_CELLS_HPP
#define ASSENT_TESTS_CRASH_CELLS_HPP

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace assent::testing {

enum class blow : std::uint8_t { kill_us, kill_database, lose_request, lose_reply };
inline constexpr std::array blows{blow::kill_us, blow::kill_database, blow::lose_request,
                                  blow::lose_reply};

enum class where_reserved : std::uint8_t { accounts, orders };

struct step
{
    char const* name;
    char const* mode;    ///< how the transaction ends: commit, row, rollback
    char const* stop;    ///< the last point of our program before it
    bool is_beside;      ///< in the database of the XA branch, not in that of the reservation
    char const* part;    ///< of the request at PostgreSQL; null: no request
    char const* mysqls;  ///< at MariaDB
};

extern std::array<step, 18> const steps;

/// What must have become of the reservation.
enum class fate_of_reservation : std::uint8_t {
    never_was,
    cancelled,
    confirmed,
    either,  ///< recovery and a late request are in a race
};

struct cell
{
    step const* at;
    blow what;
    where_reserved in;

    /// accounts.attempt.commit.reply_lost
    std::string name() const;
    /// Whether it is PostgreSQL that the step is a request to.
    bool is_at_accounts() const noexcept
    {
        return (in == where_reserved::accounts) != at->is_beside;
    }
    /// Empty: no request.
    std::string part() const;
    fate_of_reservation expected() const;
};

/// All of them, those of a step together.
std::vector<cell> all_cells();

/// Of each step one, as the seed will.
std::vector<cell> cells_of(std::uint64_t seed);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_CELLS_HPP
