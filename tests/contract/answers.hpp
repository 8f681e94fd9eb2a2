// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// answers.hpp -- how a branch can end, how long a test waits for it, and what it asks of the
// answer.

#ifndef ASSENT_TESTS_CONTRACT_ANSWERS_HPP
#define ASSENT_TESTS_CONTRACT_ANSWERS_HPP

#include <array>
#include <chrono>
#include <string>

#include <assent/driver.hpp>

namespace assent::contract {

/// The verbs that end an active branch.
inline constexpr std::array ends = {verb::prepare, verb::commit_one_phase, verb::rollback};

/// The database did something behind our back: nobody may call it rolled back.
inline bool is_left_behind(reply const& what)
{
    return what.code == xa_code::proto && what.detail == reply_detail::left_behind;
}

inline bool is_lost(reply const& what)
{
    return what.code == xa_code::rmfail && what.detail == reply_detail::reply_lost;
}

inline bool is_rolled_back(reply const& what)
{
    return what.code >= xa_code::rbrollback && what.code <= xa_code::rbtransient &&
           what.detail == reply_detail::none;
}

/// `count` milliseconds from now.
inline deadline in_ms(int count)
{
    return deadline::clock::now() + std::chrono::milliseconds(count);
}

/// The message of what `action` throws; empty when it throws nothing.
template <typename Action>
std::string refusal(Action&& action)
{
    try {
        action();
    } catch (driver_error const& error) {
        return error.what();
    }
    return {};
}

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_ANSWERS_HPP
