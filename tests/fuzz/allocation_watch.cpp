// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// allocation_watch.cpp -- replaces the global operator new and delete of its program.
//
// They end in malloc, so that a sanitizer still sees every block.

#include "allocation_watch.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

struct counts
{
    bool is_watching = false;
    std::size_t largest = 0;
    std::int64_t held = 0;
    std::int64_t peak = 0;
};

thread_local counts now;

void* given_or_null(void* block, std::size_t size) noexcept
{
    if (now.is_watching && block != nullptr) {
        now.largest = std::max(now.largest, size);
        now.held += static_cast<std::int64_t>(::malloc_usable_size(block));
        now.peak = std::max(now.peak, now.held);
    }
    return block;
}

void* given(void* block, std::size_t size)
{
    if (block == nullptr) throw std::bad_alloc();
    return given_or_null(block, size);
}

void taken(void* block) noexcept
{
    if (now.is_watching && block != nullptr) {
        now.held -= static_cast<std::int64_t>(::malloc_usable_size(block));
    }
    std::free(block);
}

}  // namespace

void* operator new(std::size_t size)
{
    return given(std::malloc(std::max<std::size_t>(size, 1)), size);
}
void* operator new[](std::size_t size)
{
    return given(std::malloc(std::max<std::size_t>(size, 1)), size);
}
void* operator new(std::size_t size, std::align_val_t to)
{
    auto const step = static_cast<std::size_t>(to);
    return given(std::aligned_alloc(step, (size + step - 1) / step * step), size);
}
void* operator new(std::size_t size, std::nothrow_t const&) noexcept
{
    return given_or_null(std::malloc(std::max<std::size_t>(size, 1)), size);
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept
{
    return given_or_null(std::malloc(std::max<std::size_t>(size, 1)), size);
}
void operator delete(void* block, std::nothrow_t const&) noexcept
{
    taken(block);
}
void operator delete[](void* block, std::nothrow_t const&) noexcept
{
    taken(block);
}
void operator delete(void* block) noexcept
{
    taken(block);
}
void operator delete[](void* block) noexcept
{
    taken(block);
}
void operator delete(void* block, std::size_t) noexcept
{
    taken(block);
}
void operator delete[](void* block, std::size_t) noexcept
{
    taken(block);
}
void operator delete(void* block, std::align_val_t) noexcept
{
    taken(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept
{
    taken(block);
}

namespace assent::testing {

allocation_watch::allocation_watch() noexcept
{
    now = {};
    now.is_watching = true;
}

allocation_watch::~allocation_watch()
{
    now.is_watching = false;
}

std::size_t allocation_watch::largest() const noexcept
{
    return now.largest;
}

std::size_t allocation_watch::peak() const noexcept
{
    return static_cast<std::size_t>(now.peak);
}

}  // namespace assent::testing
