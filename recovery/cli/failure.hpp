// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// failure.hpp -- how the program ends, and why a command could not be carried out.

#ifndef ASSENT_RECOVERY_CLI_FAILURE_HPP
#define ASSENT_RECOVERY_CLI_FAILURE_HPP

#include <cstdint>
#include <stdexcept>
#include <string>

namespace assent::cli {

/// The program's exit status; the man page explains each.
enum class exit_code : std::uint8_t {
    fine = 0,       ///< nothing is in doubt, as far as the command looked
    failed = 1,     ///< the command could not find out what it should
    misused = 2,    ///< wrong usage, or a wrong configuration
    owned = 3,      ///< recover or repair did nothing: a live process owns the log
    attention = 4,  ///< something is in doubt, or needs a person
    damaged = 5,    ///< the log is damaged: it is refused until it is restored or salvaged
};

/// A command that could not be carried out; what() says why, and what to do.
class failure : public std::runtime_error
{
public:
    failure(exit_code code, std::string const& what) : std::runtime_error(what), code_(code) {}

    exit_code code() const noexcept { return code_; }

private:
    exit_code code_;
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_FAILURE_HPP
