// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_text.hpp -- a side of a control experiment whose client shows no handle.

#ifndef ASSENT_TESTS_CONTRACT_CONTROL_TEXT_HPP
#define ASSENT_TESTS_CONTRACT_CONTROL_TEXT_HPP

#include <memory>
#include <string>

#include "tests/contract/control.hpp"

namespace assent::contract {

inline std::unique_ptr<control_side> text_side(std::shared_ptr<sql_session> const& client,
                                               std::unique_ptr<control_side> side)
{
    side->run = [client](std::string const& sql) {
        auto const said = client->run(sql);
        if (!said.is_ok) return "error " + std::to_string(said.native_code) + said.sqlstate;
        std::string text;
        for (auto const& row : said.rows) {
            for (auto const& value : row)
                text += value.value_or("NULL") + " ";
        }
        return text;
    };
    return side;
}

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_CONTROL_TEXT_HPP
