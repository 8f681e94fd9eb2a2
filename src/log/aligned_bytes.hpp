// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// aligned_bytes.hpp -- memory that may be written past the page cache (O_DIRECT): it begins at a
// multiple of a page.

#ifndef ASSENT_LOG_ALIGNED_BYTES_HPP
#define ASSENT_LOG_ALIGNED_BYTES_HPP

#include <cstddef>
#include <new>
#include <vector>

#include "log/format.hpp"

namespace assent::log {

template <typename T>
struct page_allocator
{
    using value_type = T;

    page_allocator() noexcept = default;
    template <typename Other>
    page_allocator(page_allocator<Other> const&) noexcept
    {
    }

    T* allocate(std::size_t count)
    {
        return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{page_bytes}));
    }
    void deallocate(T* at, std::size_t) noexcept
    {
        ::operator delete (at, std::align_val_t{page_bytes});
    }

    template <typename Other>
    bool operator==(page_allocator<Other> const&) const noexcept
    {
        return true;
    }
};

using aligned_bytes = std::vector<std::byte, page_allocator<std::byte>>;

}  // namespace assent::log

#endif  // ASSENT_LOG_ALIGNED_BYTES_HPP
