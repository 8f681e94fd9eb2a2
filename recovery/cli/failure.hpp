// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// failure.hpp -- how the program ends, and why a command could not be carried out.

#ifndef ASSENT_RECOVERY_CLI_FAILURE_HPP
#define ASSENT_RECOVERY_CLI_FAILURE_HPP

#include <cstdint>
#include <stdexcept>
#include <string>

#include "recovery/refusal.hpp"

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

/// The numbers are the same.
inline exit_code code_of(recovery::act_status status) noexcept
{
    return static_cast<exit_code>(status);
}

/// What is refused by the parts that the owner of a log has, too, is this program's failure.
template <class Act>
auto refused_as_failure(Act const& act)
{
    try {
        return act();
    } catch (recovery::refusal const& e) {
        throw failure{code_of(e.status()), e.what()};
    }
}

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_FAILURE_HPP
