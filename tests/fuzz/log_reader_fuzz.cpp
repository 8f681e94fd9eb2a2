// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_reader_fuzz.cpp -- libFuzzer over the reader of the log.
//
//   log_reader_fuzz -max_total_time=60 NEW-INPUTS tests/fuzz/corpus/log_reader
//   log_reader_fuzz INPUT                                      one input again
//
// Built where the compiler is clang; elsewhere log_reader_replay runs what the corpus keeps.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "directory_image.hpp"
#include "log_mutator.hpp"
#include "reader_properties.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    assent::testing::check_reader(assent::testing::unpack(std::as_bytes(std::span(data, size))));
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed)
{
    // The container itself seldom: what it can say wrong, unpack leaves out.
    if (seed % 32 == 0) return LLVMFuzzerMutate(data, size, max_size);
    auto files = assent::testing::unpack(std::as_bytes(std::span(data, size)));
    assent::testing::mutate(files, seed, [](std::span<std::byte> bytes) {
        LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size(), bytes.size());
    });
    auto const packed = assent::testing::pack(files);
    if (packed.size() > max_size || packed.empty()) return LLVMFuzzerMutate(data, size, max_size);
    std::memcpy(data, packed.data(), packed.size());
    return packed.size();
}
