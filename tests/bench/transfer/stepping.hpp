// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// stepping.hpp -- work held to its cost, round by round.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_STEPPING_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_STEPPING_HPP

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>

#include "costs.hpp"
#include "stepping_network.hpp"

namespace assent::bench {

/// Does `work`, whose messages must come in the rounds that `what` says.
template <class Work>
void step(stepping_network& net, cost const& what, Work const& work)
{
    auto working = std::async(std::launch::async, work);
    int number = 0;
    bool is_right = true;
    for (auto const word : what.words()) {
        std::string const round =
            "round " + std::to_string(++number) + ", " + std::string(word) + ": ";
        bool const is_awaited = word[0] != '(';
        if (!is_awaited &&
            working.wait_for(std::chrono::seconds{20}) != std::future_status::ready) {
            ADD_FAILURE() << round << "the caller waits for it" << net.words();
            is_right = false;
        }
        if (!net.comes(word)) {
            ADD_FAILURE() << round << "there came" << net.words();
            is_right = false;
        }
        if (!is_right) break;
        net.next_round();
    }
    if (!is_right) net.let_all_go();
    EXPECT_NO_THROW(working.get());
}

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_STEPPING_HPP
