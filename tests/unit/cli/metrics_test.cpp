// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "recovery/cli/scan.hpp"
#include "recovery/cli/status.hpp"
#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using ::testing::HasSubstr;
using ::testing::Not;

std::string told(made_log const& log, std::vector<surveyed_database> const& listed)
{
    auto const from = both();
    return in_metrics(make_status(from, log.view()), judge(from, log.twice(), listed), 5'500);
}

TEST(CliMetrics, TellWhatIsDueAndForHowLong)
{
    auto const decided = transaction(1, 1);
    auto const undecided = transaction(1, 2);
    made_log log;
    log.decide(decided, 1);  // the first branch is finished

    auto const text = told(log, listings({}, {branch(decided, 2), branch(undecided, 2)}));

    for (char const* const line :
         {"\nassent_log_owned 0\n", "\nassent_decisions_unfinished 1\n",
          "\nassent_branches_due{resource_manager=\"accounts\"} 0\n",
          "\nassent_branches_due{resource_manager=\"orders\"} 1\n",
          "\nassent_oldest_due_seconds{resource_manager=\"accounts\"} 0\n",
          "\nassent_oldest_due_seconds{resource_manager=\"orders\"} 2.5\n",
          "\nassent_branches{resource_manager=\"orders\",action=\"commit\"} 1\n",
          "\nassent_branches{resource_manager=\"orders\",action=\"roll back\"} 1\n",
          "\nassent_branches{resource_manager=\"orders\",action=\"quarantine\"} 0\n",
          "\nassent_waiting{resource_manager=\"orders\",reason=\"decided\"} 1\n",
          "\nassent_waiting{resource_manager=\"orders\",reason=\"undecided\"} 1\n",
          "\nassent_oldest_in_doubt_seconds{resource_manager=\"accounts\"} 0\n",
          "\nassent_oldest_in_doubt_seconds{resource_manager=\"orders\"} 4.5\n",
          "\nassent_database_answers{resource_manager=\"orders\"} 1\n"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
    EXPECT_THAT(text, HasSubstr("\nassent_looked_at_seconds 5.5\n"));
}

TEST(CliMetrics, TellWhyADatabaseDoesNotTell)
{
    auto listed = listings({});
    listed[1].scan.reset();
    listed[1].why_not = reason::login_refused;

    auto const text = told(made_log{}, listed);

    EXPECT_THAT(
        text,
        HasSubstr("\nassent_waiting{resource_manager=\"orders\",reason=\"login_refused\"} 1\n"));
    EXPECT_THAT(text,
                Not(HasSubstr("\nassent_oldest_in_doubt_seconds{resource_manager=\"orders\"}")))
        << "0 would say that nothing is in doubt there";
}

}  // namespace
