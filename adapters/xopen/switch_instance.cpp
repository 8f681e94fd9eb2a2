// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/switch_instance.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace assent::xopen_switch {

switch_instance& instance_of(xa_switch_t const& entries, std::string const& xa_info)
{
    using key = std::pair<xa_switch_t const*, std::string>;
    static std::mutex mutex;
    // Not destroyed: threads that end late close what they opened.
    static auto* const all = new std::map<key, std::unique_ptr<switch_instance>>;

    std::lock_guard const held{mutex};
    auto& one = (*all)[{&entries, xa_info}];
    if (!one) {
        xopen::instance const shown{static_cast<int>(all->size())};
        one.reset(new switch_instance{entries, xa_info, shown,
                                      std::make_shared<ports::session_numbers>()});
    }
    return *one;
}

}  // namespace assent::xopen_switch
