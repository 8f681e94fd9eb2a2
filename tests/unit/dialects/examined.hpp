// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examined.hpp -- looking into an examination.

#ifndef ASSENT_TESTS_UNIT_DIALECTS_EXAMINED_HPP
#define ASSENT_TESTS_UNIT_DIALECTS_EXAMINED_HPP

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <assent/examination.hpp>

namespace assent::testing {

/// Whether a question is the one with `part` in it.
inline bool has(std::string const& sql, char const* part)
{
    return sql.find(part) != std::string::npos;
}

inline finding found(examination const& in, std::string const& check)
{
    for (auto const& each : in.findings) {
        if (each.check == check) return each;
    }
    ADD_FAILURE() << "no finding " << check;
    return {};
}

inline std::vector<std::string> at_level(examination const& in, finding_level level)
{
    std::vector<std::string> all;
    for (auto const& each : in.findings) {
        if (each.level == level) all.push_back(each.check);
    }
    return all;
}

inline std::vector<std::string> worse_than_ok(examination const& in)
{
    std::vector<std::string> all;
    for (auto const& each : in.findings) {
        if (each.level != finding_level::ok) all.push_back(each.check);
    }
    return all;
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_UNIT_DIALECTS_EXAMINED_HPP
