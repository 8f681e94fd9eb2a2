// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// service.hpp -- what is behind the TX functions of this process, if anything.

#ifndef ASSENT_TX_SERVICE_HPP
#define ASSENT_TX_SERVICE_HPP

#include <cstdint>
#include <map>
#include <string>

#include <assent/transaction_manager.hpp>

namespace assent::tx {

struct service
{
    transaction_manager& manager;
    std::map<std::string, resource_manager> databases;  // by name
    std::uint64_t serial;  // no other service of this process had it, or will; never 0
};

/// The service of this process; null where there is none, as in a forked child.
service const* present() noexcept;

}  // namespace assent::tx

#endif  // ASSENT_TX_SERVICE_HPP
