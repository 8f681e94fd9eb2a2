// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/progress_line.hpp"

#include <algorithm>
#include <ostream>

#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// What is done faster needs no line.
constexpr auto patience = 300ms;
constexpr auto on_terminal_every = 100ms;
constexpr auto in_file_every = 1s;

std::string in_words(log::inspection_progress const& now)
{
    return "reading segment " + std::to_string(now.segment) + ": " + bytes(now.bytes_read) +
           " of " + bytes(std::max(now.bytes, now.bytes_read));
}

}  // namespace

progress_line::progress_line(std::ostream& out, bool is_terminal)
    : out_(out), is_terminal_(is_terminal), next_(steady::now() + patience)
{
}

progress_line::~progress_line()
{
    if (is_terminal_) {
        if (is_shown_) out_ << "\r\x1b[K" << std::flush;
    } else if (last_.bytes > 0) {
        write(in_words(last_));
    }
}

void progress_line::tell(log::inspection_progress const& now)
{
    last_ = now;
    if (is_due()) write(in_words(now));
}

void progress_line::say(std::string const& line)
{
    if (is_due()) write(line);
}

bool progress_line::is_due()
{
    auto const at = steady::now();
    if (at < next_) return false;
    next_ = at + (is_terminal_ ? std::chrono::milliseconds{on_terminal_every} : in_file_every);
    return true;
}

void progress_line::write(std::string const& line)
{
    is_shown_ = true;
    out_ << (is_terminal_ ? "\r\x1b[K" : "") << line << (is_terminal_ ? "" : "\n") << std::flush;
}

}  // namespace assent::cli
