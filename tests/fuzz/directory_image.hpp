// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// directory_image.hpp -- a log's directory in a few bytes, for a fuzzer and its corpus.
//
//   file:   kind 1 (what follows the number in its name), number 8, pages 2, bytes beyond them 2,
//           runs 2, then each run: offset 4, length 2, bytes
//
// What no run covers is zero.  All integers are little endian.
//
// Invariant: any bytes are a directory; what does not fit is left out.

#ifndef ASSENT_TESTS_DIRECTORY_IMAGE_HPP
#define ASSENT_TESTS_DIRECTORY_IMAGE_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "memory_files.hpp"

namespace assent::testing {

inline constexpr std::size_t image_files_max = 4;
inline constexpr std::size_t image_pages_max = 40;

enum class file_kind : std::uint8_t { segment = 0, half_made = 1, torn = 2, other = 3 };
inline constexpr std::size_t file_kinds = 4;

std::string file_name(file_kind kind, std::uint64_t number);

/// The number in the name of a file of any kind; 0 when there is none.
std::uint64_t number_in(std::string const& name) noexcept;

std::vector<memory_file> unpack(std::span<std::byte const> image);
std::vector<std::byte> pack(std::vector<memory_file> const& files);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_DIRECTORY_IMAGE_HPP
