// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// refusal.hpp -- why what a person decided is not carried out.

#ifndef ASSENT_RECOVERY_REFUSAL_HPP
#define ASSENT_RECOVERY_REFUSAL_HPP

#include <cstdint>
#include <stdexcept>
#include <string>

namespace assent::recovery {

/// The numbers are those of the program's exit status; `done` is no refusal.
enum class act_status : std::uint8_t {
    done = 0,
    failed = 1,     ///< the log or a database could not be asked
    misused = 2,    ///< there is no such thing, or it is another node's
    attention = 4,  ///< it would be wrong as things stand; the sentence says what to do first
};

/// Nothing was done, but where the sentence says so.
class refusal : public std::runtime_error
{
public:
    refusal(act_status status, std::string const& why) : std::runtime_error(why), status_(status) {}

    act_status status() const noexcept { return status_; }

private:
    act_status status_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_REFUSAL_HPP
