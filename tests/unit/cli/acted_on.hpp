// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// acted_on.hpp -- two databases in memory, and what a process that is gone left in them.

#ifndef ASSENT_TESTS_CLI_ACTED_ON_HPP
#define ASSENT_TESTS_CLI_ACTED_ON_HPP

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

#include "tests/unit/cli/acting.hpp"

namespace cli_test {

/// Whether nothing is due or prepared in any of its databases, within half a minute.
inline bool becomes_drained(assent::transaction_manager const& tm)
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    for (;;) {
        auto const all = tm.state().resource_managers;
        bool const is_so =
            std::all_of(all.begin(), all.end(), [](auto const& each) { return each.is_drained; });
        if (is_so || std::chrono::steady_clock::now() > until) return is_so;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}

class acted_on : public ::testing::Test
{
protected:
    static assent::xid branch(assent::gtrid const& of, std::uint16_t id)
    {
        return {of, assent::bqual::make({id, 1, 0})};
    }
    std::vector<assent::resource_manager> all() const
    {
        return {assent::testing::memory_resource_manager{"accounts", accounts_},
                assent::testing::memory_resource_manager{"orders", orders_}};
    }
    /// Decides the next transaction, of a branch in each; in accounts it is prepared, with that
    /// row.
    assent::gtrid const& decide(assent::log::file_log& log, std::string const& row)
    {
        ids_.push_back(assent::gtrid::make(
            {assent::decision_place::log, 0, log.node(), 1, log.current().nonce, ids_.size() + 1}));
        auto const& id = ids_.back();
        accounts_.prepare_branch(branch(id, 1), row, 7);
        log.force({id, {branch(id, 1).branch, branch(id, 2).branch}},
                  std::chrono::steady_clock::now() + std::chrono::seconds{5});
        return id;
    }

    acting_desk desk_;
    assent::testing::memory_database accounts_;
    assent::testing::memory_database orders_;
    std::vector<assent::gtrid> ids_;
};

}  // namespace cli_test

#endif  // ASSENT_TESTS_CLI_ACTED_ON_HPP
