// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// history.hpp -- what the application did and was told, and what must be true of it at the end.
//
//   - every transaction is in all of its databases, or in none;
//   - `committed` was answered: in all; `rolled back` was answered: in none;
//   - a commit row and its transaction agree, and so do the manager's later words;
//   - no branch of this node is prepared anywhere; a stranger's still is;
//   - the manager kept to XA's tables.
//
// Where the world itself broke a promise (a restore, a heuristic), the transaction may differ, and
// then the log must have a hazard of it: never silent.  Only what the manager had heard to be
// committed a restore takes without a word.

#ifndef ASSENT_TESTS_SIMULATION_HISTORY_HPP
#define ASSENT_TESTS_SIMULATION_HISTORY_HPP

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <assent/driver.hpp>
#include <assent/testing.hpp>
#include <assent/xid.hpp>

namespace assent::testing {

/// How many databases can prepare; the one behind them is only ever a place for commit rows.
inline constexpr std::size_t voters = 3;
inline constexpr std::size_t database_count = voters + 1;
/// The one that may have a replica.
inline constexpr std::size_t replicated = 1;

enum class answer : std::uint8_t { none, committed, rolled_back, unknown };

struct transaction_record
{
    std::string row;  // its key, the same in every database
    std::array<bool, database_count> writes{};
    answer said = answer::none;  // nobody heard one
    std::optional<gtrid> name;
};

/// What restores took of which the manager cannot know.
struct losses
{
    std::set<std::pair<std::size_t, gtrid>> branches;  ///< where; heard to be committed
    std::set<gtrid> rows;  ///< whose decision was there: whoever asks now is told that it is none
};

struct history
{
    std::vector<transaction_record> all;
    std::array<std::uint64_t, 4> answers{};  // by answer
    std::map<row_kind, std::uint64_t> rows;  // of assent_decision at the end

    transaction_record& begin_one();
    /// @return what does not hold, in words.
    /// @param told  of which transactions the manager said that it may be in some databases only.
    /// @param lost  what need not be told.
    /// @param place_of  which database holds the commit row of a transaction.
    using places_of = std::function<std::size_t(gtrid const&)>;
    std::vector<std::string> check(std::vector<memory_database> const& databases,
                                   std::set<gtrid> const& told, losses const& lost,
                                   places_of const& place_of);
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_HISTORY_HPP
