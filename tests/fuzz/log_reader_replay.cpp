// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_reader_replay.cpp -- the inputs that the fuzzer's corpus keeps, and a few changes of each.
//
//   ASSENT_CASES=1000 ASSENT_SEED=1 log_reader_replay      a thousand changes

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "directory_image.hpp"
#include "log_mutator.hpp"
#include "mix.hpp"
#include "reader_properties.hpp"
#include "settings.hpp"

namespace assent::testing {
namespace {

struct named_input
{
    std::string name;
    std::vector<std::byte> bytes;
};

std::vector<named_input> corpus()
{
    std::vector<named_input> all;
    for (auto const& entry : std::filesystem::directory_iterator(ASSENT_LOG_CORPUS)) {
        std::ifstream from(entry.path(), std::ios::binary);
        std::string const text{std::istreambuf_iterator<char>(from), {}};
        auto const bytes = std::as_bytes(std::span(text));
        all.push_back({entry.path().filename().string(), {bytes.begin(), bytes.end()}});
    }
    std::sort(all.begin(), all.end(),
              [](auto const& one, auto const& other) { return one.name < other.name; });
    return all;
}

TEST(LogReaderCorpus, HoldsLogsThatAreReadAndLogsThatAreRefused)
{
    std::size_t read = 0;
    std::size_t refused = 0;
    std::size_t size = 0;
    for (named_input const& input : corpus()) {
        SCOPED_TRACE(input.name);
        ++(check_reader(unpack(input.bytes)) ? read : refused);
        size += input.bytes.size();
        auto const files = unpack(input.bytes);
        EXPECT_EQ(unpack(pack(files)), files) << "the container loses nothing";
    }
    EXPECT_GE(read, 8U);
    EXPECT_GE(refused, 6U);
    EXPECT_LT(size, 200U * 1024U) << "it stays small enough for a repository";
}

TEST(LogReaderCorpus, ChangedAndRepairedKeepsEveryProperty)
{
    auto const inputs = corpus();
    std::uint64_t const changes = 1 + setting("ASSENT_CASES", 1000) / inputs.size();
    std::uint64_t const seed = seed_of_this_run();
    std::size_t read = 0;
    std::uint64_t number = 0;
    for (named_input const& input : inputs) {
        SCOPED_TRACE(input.name);
        for (std::uint64_t i = 0; i < changes; ++i) {
            auto files = unpack(input.bytes);
            std::uint64_t const mine = mix(seed, ++number);
            small_random random(mine);
            mutate(files, mine, [&](std::span<std::byte> bytes) {
                bytes[random.below(bytes.size())] = random.byte();
            });
            if (check_reader(unpack(pack(files)))) ++read;
        }
    }
    EXPECT_GT(read, number / 20) << "the repairs bring changes behind the checksums";
}

}  // namespace
}  // namespace assent::testing
