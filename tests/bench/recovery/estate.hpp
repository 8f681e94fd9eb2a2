// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// estate.hpp -- what a manager that died has left: prepared branches on both databases, and a log
// that has decided them, or has not.
//
//   a manager has run once here: the databases are bound
//   an opening of its log       --> names; sessions of the application prepare branches by them
//                               --> the decisions are forced, and nothing is finished
//   the next manager            --> finishes all of it
//
// The log is written by its own class.  A manager leaves exactly this when it is killed between its
// decisions and the second phase; but it would have to be killed once for each few branches.

#ifndef ASSENT_TESTS_BENCH_RECOVERY_ESTATE_HPP
#define ASSENT_TESTS_BENCH_RECOVERY_ESTATE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <assent/assent.hpp>
#include <assent/xid.hpp>

#include "shop.hpp"

namespace assent::bench {

/// What becomes of the branches.
enum class ending : std::uint8_t { commit, rollback };

/// The branches of as many transactions, one on each database.
struct estate
{
    std::vector<xid> accounts;
    std::vector<xid> orders;
};

/// The servers are the bench's own, so its log is no copy of anybody's; but the delay of presumed
/// abort may be kept all the same.
options recovery_options(std::string const& directory, limits::duration presumed_abort_delay);

/// Where branches insert rows, on both databases.
void make_room(addresses const& where);
/// @throws std::runtime_error  something is left prepared, or another number of rows was committed
/// than `expected`.  Empties the tables.
void require_ended(addresses const& where, std::size_t expected);

/// Has a manager bind both databases.
void bind_all(addresses const& where, std::string const& directory);

/// Leaves `count` transactions behind, for a manager that opens this log.  Where they are to be
/// committed, the log has decided that.  The sessions that prepared them are gone.
/// `first`: what was left there before has the rows below that number.
estate leave_behind(addresses const& where, std::string const& directory, std::size_t count,
                    ending how, std::size_t first = 0);

/// The same, of a node that no log is of: for whoever finishes them by hand.
estate leave_to_hands(addresses const& where, std::size_t count);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_RECOVERY_ESTATE_HPP
