// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// watch.hpp -- looks at something again and again, and writes how it stands and what has changed.
//
//   on a terminal      over and over in the same place, by moving the cursor up and erasing
//   in a file, a pipe  a block for each look, with its time
//
// It leaves the terminal as it was, also when it is killed: it neither switches screens nor hides
// the cursor.

#ifndef ASSENT_RECOVERY_CLI_WATCH_HPP
#define ASSENT_RECOVERY_CLI_WATCH_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "recovery/cli/failure.hpp"

namespace assent::cli {

struct watched
{
    exit_code code = exit_code::fine;
    std::string text;  ///< lines
    std::int64_t unix_ms = 0;
};

struct screen_size
{
    std::size_t rows = 24;
    std::size_t columns = 80;
};

struct watch_options
{
    bool is_terminal = false;
    bool has_changes = true;              ///< says what changed: not in JSON
    std::function<screen_size()> size;    ///< of the terminal, which may be resized at any time
    std::function<bool()> wait_for_next;  ///< @return false: it is to end
};

/// Changes that are shown of one look; of the rest only their number.
inline constexpr std::size_t changes_max = 10;

/// @return the exit code of the last look.
exit_code watch(std::function<watched()> const& look, std::ostream& out, watch_options const& how);

/// `+ line` for each line that is new, `- line` for each that is gone.
std::vector<std::string> changes_between(std::string const& before, std::string const& after);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_WATCH_HPP
