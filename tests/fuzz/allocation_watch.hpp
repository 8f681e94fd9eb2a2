// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// allocation_watch.hpp -- how much memory a piece of work asked for.
//
// A program that links allocation_watch.cpp counts what operator new gives out.  What a file says
// must never decide how much that is.

#ifndef ASSENT_TESTS_ALLOCATION_WATCH_HPP
#define ASSENT_TESTS_ALLOCATION_WATCH_HPP

#include <cstddef>

namespace assent::testing {

/// Counts for one thread at a time, from its construction on.
class allocation_watch
{
public:
    allocation_watch() noexcept;
    allocation_watch(allocation_watch const&) = delete;
    allocation_watch& operator=(allocation_watch const&) = delete;
    ~allocation_watch();

    /// The largest block that was asked for.
    std::size_t largest() const noexcept;
    /// The most bytes that were held at once, beyond those that were held before.
    std::size_t peak() const noexcept;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_ALLOCATION_WATCH_HPP
