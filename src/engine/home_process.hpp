// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// home_process.hpp -- the process that made something: in a forked child it is inert.

#ifndef ASSENT_ENGINE_HOME_PROCESS_HPP
#define ASSENT_ENGINE_HOME_PROCESS_HPP

#include <cstdint>

#include <assent/error.hpp>

#include "ports/forks.hpp"

namespace assent::engine {

class home_process
{
public:
    /// Whether this is another process, forked from it.
    bool is_forked() const noexcept { return generation_ != ports::fork_generation(); }

    /// @throws error  errc::forked.
    void require() const
    {
        if (!is_forked()) return;
        throw error{errc::forked,
                    "this process was forked from the one that opened the transaction manager; "
                    "open one of its own, with its own log directory"};
    }

private:
    std::uint64_t generation_ = ports::fork_generation();
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_HOME_PROCESS_HPP
