// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/progress_line.hpp"

#include <algorithm>
#include <ostream>

#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// What is read faster needs no line.
constexpr auto patience = 300ms;
constexpr auto on_terminal_every = 100ms;
constexpr auto in_file_every = 1s;

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
        write(last_);
    }
}

void progress_line::tell(log::inspection_progress const& now)
{
    last_ = now;
    auto const at = steady::now();
    if (at < next_) return;
    next_ = at + (is_terminal_ ? std::chrono::milliseconds{on_terminal_every} : in_file_every);
    is_shown_ = true;
    write(now);
}

void progress_line::write(log::inspection_progress const& now)
{
    out_ << (is_terminal_ ? "\r\x1b[K" : "") << "reading segment " << now.segment << ": "
         << bytes(now.bytes_read) << " of " << bytes(std::max(now.bytes, now.bytes_read))
         << (is_terminal_ ? "" : "\n") << std::flush;
}

}  // namespace assent::cli
