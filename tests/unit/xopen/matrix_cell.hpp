// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// matrix_cell.hpp -- one cell of the matrix: a manager over three strict switches, one of which
// answers one call as the cell says.

#ifndef ASSENT_TESTS_UNIT_XOPEN_MATRIX_CELL_HPP
#define ASSENT_TESTS_UNIT_XOPEN_MATRIX_CELL_HPP

#include <array>
#include <string>
#include <vector>

#include "tests/unit/xopen/expected_answers.hpp"

namespace xopen_test {

/// Each call has a name, as it stands in what a failure says.
inline constexpr std::array call_names = {"open",    "close",  "start",     "end",
                                          "prepare", "commit", "one phase", "rollback",
                                          "recover", "forget", "complete"};

/// The 24 of xa.h, and four beside the bounds of what has a name.
inline constexpr std::array all_answers = {0,   3,   4,   5,   6,   7,   8,  9,  100, 101,
                                           102, 103, 104, 105, 106, 107, -2, -3, -4,  -5,
                                           -6,  -7,  -8,  -9,  -10, -1,  10, 108};
inline constexpr std::array position_names = {"first", "middle", "last"};
inline constexpr int positions = 3;
inline constexpr int cell_count =
    static_cast<int>(call_names.size() * all_answers.size()) * positions * 2;

/// How the matrix is played.
enum class variant : std::uint8_t {
    as_xa_says,    // the answer has the effect that XA gives it
    was_done,      // the call was carried out before an answer that does not say so
    repeated,      // it is given three times, to a call that is made again
    registering,   // the same as the first, of switches that call ax_reg
    asynchronous,  // ... of switches whose calls are completed
};

struct cell
{
    call what = call::open;
    int answer = 0;
    int position = 0;
    when in = when::run;
    variant how = variant::as_xa_says;

    std::string text() const;
};

cell cell_of(int number);
/// Whether there is such a cell: a switch that registers is never called for xa_start, and not
/// every answer leaves open what was done.  XAER_NOTA of a prepared branch is left out: where that
/// is gone as well, nothing is sent again, and of a decided one nobody knows how it went
/// (outcomes_test has it).
bool is_played(cell const& one);
/// Which row of the table is the cell's.
expected const& expectation_of(cell const& one);

class wreckage;

/// Goes through one cell.
/// @return what is not as it should be; empty: all is.
std::vector<std::string> play(cell const& one, wreckage const& left);

}  // namespace xopen_test

#endif  // ASSENT_TESTS_UNIT_XOPEN_MATRIX_CELL_HPP
