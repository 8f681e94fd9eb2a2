// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// switch_instance.hpp -- a switch with an xa_info string: what an rmid stands for.
//
// Invariant: one rmid for each (switch, xa_info) of a process, whoever asks, for ever: resource
// managers know an instance by it.

#ifndef ASSENT_ADAPTERS_XOPEN_SWITCH_INSTANCE_HPP
#define ASSENT_ADAPTERS_XOPEN_SWITCH_INSTANCE_HPP

#include <memory>
#include <string>

#include <xopen/xa.h>
#include <assent/xopen.hpp>

#include "src/ports/session_numbers.hpp"

namespace assent::xopen_switch {

struct switch_instance
{
    xa_switch_t const& entries;
    std::string info;       // not const: the routines take a char*
    xopen::instance shown;  // to whoever has a lease
    std::shared_ptr<ports::session_numbers> numbers;

    int rmid() const noexcept { return shown.rmid; }
};

/// @pre  the switch and the string are sound.
switch_instance& instance_of(xa_switch_t const& entries, std::string const& xa_info);

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_SWITCH_INSTANCE_HPP
