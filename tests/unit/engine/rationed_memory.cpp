// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rationed_memory.cpp -- see rationed_memory.hpp.  Replaces the operator new of its program.

#include "tests/unit/engine/rationed_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace engine_test {

thread_local rationing rations;

namespace {

bool is_refused() noexcept
{
    if (rations.spared > 0 || rations.to_fail == 0) return false;
    rations.left = std::max(rations.left - 1, 0);
    if (rations.left > 0) return false;
    --rations.to_fail;
    rations.has_failed = true;
    return true;
}

}  // namespace

}  // namespace engine_test

void* operator new(std::size_t size)
{
    bool const is_refused = engine_test::is_refused();
    void* const block = is_refused ? nullptr : std::malloc(std::max<std::size_t>(size, 1));
    if (block == nullptr) throw std::bad_alloc();
    return block;
}
void operator delete(void* block) noexcept
{
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept
{
    std::free(block);
}
