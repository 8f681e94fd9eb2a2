// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// assert.hpp -- an assertion that stays on in release: a broken invariant stops the process
// before the next write.  Only for what no input, reply or file content can cause.

#ifndef ASSENT_PROTOCOL_ASSERT_HPP
#define ASSENT_PROTOCOL_ASSERT_HPP

#include <cstdio>
#include <cstdlib>

#define ASSENT_ASSERT(condition)                                                           \
    ((condition) ? static_cast<void>(0)                                                    \
                 : (std::fprintf(stderr, "%s:%d: assent invariant broken: %s\n", __FILE__, \
                                 __LINE__, #condition),                                    \
                    std::abort()))

#endif  // ASSENT_PROTOCOL_ASSERT_HPP
