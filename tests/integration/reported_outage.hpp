// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reported_outage.hpp -- an application that was killed between its decision and its commits, on
// real servers, and the program's report of it.

#ifndef ASSENT_TESTS_INTEGRATION_REPORTED_OUTAGE_HPP
#define ASSENT_TESTS_INTEGRATION_REPORTED_OUTAGE_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"

namespace assent::testing {

inline std::string text_of(std::string const& file)
{
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

class reported_outage : public AtBank
{
protected:
    void SetUp() override
    {
        log_ = bank_->new_log_directory();
        config_ = desk_.file("assent.toml", both_databases(log_, *bank_));
        bank_->stop_looking();
        id_ = victim::killed_at(*bank_, log_, "decision.durable");
    }

    void TearDown() override
    {
        auto const done =
            run_assent({"--config", config_, "recover", "--presumed-abort-delay", "0"});
        EXPECT_EQ(done.status, 0) << done.out << done.err;
    }

    answer report(std::vector<std::string> words, std::string const& config = {}) const
    {
        words.insert(words.begin(), {"--config", config.empty() ? config_ : config, "report"});
        auto told = run_assent(words);
        using ::testing::HasSubstr;
        using ::testing::Not;
        EXPECT_THAT(told.out + told.err, Not(HasSubstr(bank_->mariadb().password())));
        EXPECT_THAT(told.out + told.err, Not(HasSubstr(bank_->postgresql().password())));
        return told;
    }

    desk desk_;
    std::string log_;
    std::string config_;
    std::string id_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_REPORTED_OUTAGE_HPP
