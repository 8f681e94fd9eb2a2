// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// answers.hpp -- the manager's outcomes in TX's return codes; docs/reference/tx.md is this table.
//
// Invariant: TX_OK, TX_ROLLBACK and TX_COMMITTED say what is known of every branch.  What is not
// known is TX_HAZARD, whatever it may turn out to be.

#ifndef ASSENT_TX_ANSWERS_HPP
#define ASSENT_TX_ANSWERS_HPP

#include <cstdint>
#include <string_view>
#include <vector>

#include <xopen/tx.h>

#include <assent/error.hpp>
#include <assent/outcome.hpp>

namespace assent::tx {

/// How a transaction is ended.
enum class ending : std::uint8_t { commit = 1, rollback = 2 };

/// What became of one branch's work, so far as it is known.
enum class branch_end : std::uint8_t {
    none = 0,
    committed = 1,
    rolled_back = 2,
    mixed = 3,
    unknown = 4
};

/// By branch_report::state; a word that is not known here is `unknown`.
branch_end end_of(std::string_view state) noexcept;

/// Of an ending that returned.
int answer_to(outcome told, COMMIT_RETURN when) noexcept;

/// Of an ending with a heuristic: what its branches say together.
int answer_to(std::vector<branch_report> const& branches, ending how) noexcept;

/// Of a call that was not carried out.
int answer_to(errc why) noexcept;

}  // namespace assent::tx

#endif  // ASSENT_TX_ANSWERS_HPP
