// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// one_thread_memory.cpp -- operator new and delete for a program that has one thread of the
// operating system, and makes small things by the million.
//
//   size --> class of 16 bytes --> list of free pieces --empty--> the next block of one class
//
// Which class a piece is of its block says, so that a piece has no header.  What is large, or does
// not fit into the range that was reserved, is malloc's.  Nothing goes back to the system.
//
// Must not be in a program with more threads, nor under a sanitizer.

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t step = 16;
constexpr std::size_t small_max = 1'024;
constexpr std::size_t class_count = small_max / step + 1;
constexpr std::size_t block_bytes = std::size_t{1} << 16;
constexpr std::size_t block_count = std::size_t{1} << 14;
constexpr std::size_t range_bytes = block_bytes * block_count;

struct free_piece
{
    free_piece* next;
};

/// Of each class; zero before any constructor runs, as everything here.
free_piece* free_pieces[class_count];
std::uint8_t class_of_block[block_count];
std::byte* range;
std::size_t blocks_made;
bool is_refused;

/// Cuts the next block into pieces.  @return false when there is none.
bool make_pieces(std::size_t of_class)
{
    if (range == nullptr && !is_refused) {
        void* const all = ::mmap(nullptr, range_bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        is_refused = all == MAP_FAILED;
        range = is_refused ? nullptr : static_cast<std::byte*>(all);
    }
    if (range == nullptr || blocks_made == block_count) return false;
    std::byte* const block = range + blocks_made * block_bytes;
    class_of_block[blocks_made++] = static_cast<std::uint8_t>(of_class);
    std::size_t const bytes = of_class * step;
    for (std::size_t at = block_bytes / bytes; at-- > 0;) {
        free_pieces[of_class] = new (block + at * bytes) free_piece{free_pieces[of_class]};
    }
    return true;
}

void* take_from_malloc(std::size_t bytes)
{
    void* const made = std::malloc(bytes);
    if (made == nullptr) throw std::bad_alloc{};
    return made;
}

}  // namespace

void* operator new(std::size_t bytes)
{
    std::size_t const of_class = bytes == 0 ? 1 : (bytes + step - 1) / step;
    if (of_class >= class_count) return take_from_malloc(bytes);
    if (free_pieces[of_class] == nullptr && !make_pieces(of_class)) return take_from_malloc(bytes);
    free_piece* const taken = free_pieces[of_class];
    free_pieces[of_class] = taken->next;
    return taken;
}

void operator delete(void* piece) noexcept
{
    auto const from_start =
        reinterpret_cast<std::uintptr_t>(piece) - reinterpret_cast<std::uintptr_t>(range);
    if (range == nullptr || from_start >= range_bytes) return std::free(piece);
    std::size_t const of_class = class_of_block[from_start / block_bytes];
    free_pieces[of_class] = new (piece) free_piece{free_pieces[of_class]};
}

void operator delete(void* piece, std::size_t) noexcept
{
    operator delete(piece);
}
