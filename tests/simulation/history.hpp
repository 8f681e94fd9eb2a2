// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// history.hpp -- what the application did and was told, and what must be true of it at the end.
//
//   - every transaction is in all of its databases, or in none;
//   - `committed` was answered: in all; `rolled back` was answered: in none;
//   - a commit row and its transaction agree, and so do the manager's later words;
//   - of confirm and cancel exactly one took effect, once, where an attempt did, and none
//   elsewhere;
//     confirm together with the transaction's rows; and the table of reservations is empty;
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
/// How many hold reservations, where any does.
inline constexpr std::size_t reserving = 2;
/// The one that may have a replica.
inline constexpr std::size_t replicated = 1;

enum class answer : std::uint8_t { none, committed, rolled_back, unknown };

struct transaction_record
{
    std::string row;  // its key, the same in every database
    std::array<bool, database_count> writes{};
    answer said = answer::none;  // nobody heard one
    std::optional<gtrid> name;
    struct reservation
    {
        std::size_t at;
        std::string payload;
    };
    std::vector<reservation> reserves;  // what was attempted, with or without success
};

/// What restores took of which the manager cannot know.
struct losses
{
    std::set<std::pair<std::size_t, gtrid>> branches;  ///< where; heard to be committed
    std::set<std::pair<std::size_t, gtrid>> ends;      ///< of reservations, heard to be confirmed
    std::set<gtrid> rows;  ///< whose decision was there: whoever asks now is told that it is none
};

struct history
{
    std::vector<transaction_record> all;
    std::array<std::uint64_t, 4> answers{};  // by answer
    std::uint64_t early = 0;                 // pending, and returned when the decision was durable
    std::uint64_t confirmed = 0, cancelled = 0, refused = 0;  // reservations
    std::map<row_kind, std::uint64_t> rows;                   // of assent_decision at the end

    transaction_record& begin_one();
    /// @return what does not hold, in words.
    /// @param told  of which transactions the manager said that it may be in some databases only.
    /// @param lost  what need not be told.
    /// @param place_of  which database holds the commit row of a transaction.
    using places_of = std::function<std::size_t(gtrid const&)>;
    std::vector<std::string> check(std::vector<memory_database> const& databases,
                                   std::set<gtrid> const& told, losses const& lost,
                                   places_of const& place_of);

private:
    static bool is_left(memory_database const& there, gtrid const& which);
    /// @param is_left  it has not ended, which is another thing to tell of.
    /// @return whether it was confirmed.
    bool check_reservation(std::map<std::string, std::int64_t> const& among,
                           std::string const& payload, bool is_left,
                           std::vector<std::string>& wrong);
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_HISTORY_HPP
