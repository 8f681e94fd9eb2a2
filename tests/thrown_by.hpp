// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// thrown_by.hpp -- an exception as a value, for tests that ask it questions.

#ifndef ASSENT_TESTS_THROWN_BY_HPP
#define ASSENT_TESTS_THROWN_BY_HPP

#include <stdexcept>

namespace assent::testing {

/// What `call` throws; a test fails when it throws nothing or something else.
template <class Error, class Call>
Error thrown_by(Call&& call)
{
    try {
        call();
    } catch (Error const& e) {
        return e;
    }
    throw std::logic_error{"nothing was thrown"};
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_THROWN_BY_HPP
