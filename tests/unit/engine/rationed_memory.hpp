// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// rationed_memory.hpp -- a program whose operator new fails when a test says so.

#ifndef ASSENT_TESTS_UNIT_ENGINE_RATIONED_MEMORY_HPP
#define ASSENT_TESTS_UNIT_ENGINE_RATIONED_MEMORY_HPP

namespace engine_test {

/// Of this thread.
struct rationing
{
    int left = 0;     ///< allocations up to the first that fails
    int to_fail = 0;  ///< how many fail from there on; 0: none
    int spared = 0;   ///< how deep we are in what is not rationed
    bool has_failed = false;
};
extern thread_local rationing rations;

/// What is allocated here never fails.
struct spare
{
    spare() noexcept { ++rations.spared; }
    ~spare() { --rations.spared; }
    spare(spare const&) = delete;
    spare& operator=(spare const&) = delete;
};

}  // namespace engine_test

#endif  // ASSENT_TESTS_UNIT_ENGINE_RATIONED_MEMORY_HPP
