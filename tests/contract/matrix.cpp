// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/matrix.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <iostream>
#include <map>

namespace assent::contract {

namespace {

struct counts
{
    int passed = 0;
    int failed = 0;
    int skipped = 0;
};

class listener final : public ::testing::EmptyTestEventListener
{
public:
    void choose(std::string cell) { cell_ = std::move(cell); }

    void OnTestStart(::testing::TestInfo const&) override { cell_.clear(); }

    void OnTestEnd(::testing::TestInfo const& test) override
    {
        if (cell_.empty()) return;
        counts& those = cells_[cell_];
        if (test.result()->Skipped()) {
            ++those.skipped;
        } else if (test.result()->Passed()) {
            ++those.passed;
        } else {
            ++those.failed;
        }
    }

    void OnTestProgramEnd(::testing::UnitTest const&) override
    {
        if (cells_.empty()) return;
        std::cout << "matrix: " << program_invocation_short_name;
        char const* before = ": ";
        for (auto const& [cell, those] : cells_) {
            std::cout << before << cell << ": " << those.passed << " passed, " << those.failed
                      << " failed, " << those.skipped << " skipped";
            before = "; ";
        }
        std::cout << std::endl;
    }

private:
    std::string cell_;
    std::map<std::string, counts> cells_;
};

listener& the_listener()
{
    static listener* const one = [] {
        auto* const made = new listener;  // GoogleTest owns it from here on
        ::testing::UnitTest::GetInstance()->listeners().Append(made);
        return made;
    }();
    return *one;
}

// GoogleTest asks its listeners in order, so this one must be there before the first test starts.
[[maybe_unused]] listener& is_appended_early = the_listener();

}  // namespace

void count_for(std::string const& client, std::string const& server)
{
    the_listener().choose(client + " x " + server);
}

}  // namespace assent::contract
