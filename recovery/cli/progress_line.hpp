// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// progress_line.hpp -- how far something is that takes longer than a moment, on standard error: one
// line that a terminal shows over and over, or one line a second for a file.

#ifndef ASSENT_RECOVERY_CLI_PROGRESS_LINE_HPP
#define ASSENT_RECOVERY_CLI_PROGRESS_LINE_HPP

#include <chrono>
#include <iosfwd>
#include <string>

#include "recovery/log_tools/log_inspection.hpp"

namespace assent::cli {

class progress_line
{
public:
    /// @pre  `out` outlives it.
    progress_line(std::ostream& out, bool is_terminal);
    progress_line(progress_line const&) = delete;
    progress_line& operator=(progress_line const&) = delete;
    /// Leaves nothing on a terminal; says to a file how much of a log was read.
    ~progress_line();

    void tell(log::inspection_progress const& now);
    void say(std::string const& line);

private:
    bool is_due();
    void write(std::string const& line);

    std::ostream& out_;
    bool const is_terminal_;
    std::chrono::steady_clock::time_point next_;
    log::inspection_progress last_;
    bool is_shown_ = false;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_PROGRESS_LINE_HPP
