// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// terminal.hpp -- what the program's standard input, output and error lead to, and what only a
// terminal gets: colours, and how far something is.

#ifndef ASSENT_RECOVERY_CLI_TERMINAL_HPP
#define ASSENT_RECOVERY_CLI_TERMINAL_HPP

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>

#include "recovery/cli/progress_line.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/cli/watch.hpp"

namespace assent::cli {

bool is_terminal(int descriptor);

/// Of standard output.
screen_size size_of_terminal();
/// For standard output.
painter paint_of_output();

/// Counts the answers that came, on standard error.
/// Thread safety: any thread may tell of one.
class answers
{
public:
    answers(std::string doing, std::size_t all);
    void tell();

private:
    std::string const doing_;
    std::size_t const all_;
    std::mutex mutex_;
    std::size_t done_ = 0;
    std::optional<progress_line> line_;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_TERMINAL_HPP
