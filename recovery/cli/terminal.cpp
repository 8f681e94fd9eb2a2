// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace assent::cli {

bool is_terminal(int descriptor)
{
    return ::isatty(descriptor) == 1;
}

screen_size size_of_terminal()
{
    winsize size = {};
    screen_size is;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return is;
    is.rows = size.ws_row;
    is.columns = size.ws_col;
    return is;
}

painter paint_of_output()
{
    bool const is_plain = std::getenv("NO_COLOR") != nullptr;
    return painter{!is_plain && is_terminal(STDOUT_FILENO)};
}

answers::answers(std::string doing, std::size_t all) : doing_(std::move(doing)), all_(all)
{
    if (is_terminal(STDERR_FILENO)) line_.emplace(std::cerr, true);
}

void answers::tell()
{
    std::lock_guard const held{mutex_};
    ++done_;
    if (!line_) return;
    // Short, so that it stays one line of a narrow terminal.
    line_->say(doing_ + ": " + std::to_string(done_) + " of " + std::to_string(all_) + " done");
}

}  // namespace assent::cli
