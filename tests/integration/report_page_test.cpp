// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The report of a real outage in a real browser; see_page says what is looked at.

#include "tests/integration/reported_outage.hpp"
#include "tests/servers/spawn.hpp"

namespace {

using namespace assent::testing;

constexpr int skipped = 77;

using ReportPage = reported_outage;

TEST_F(ReportPage, IsSeenWholeInABrowserAndOnPaper)
{
    auto const file = desk_.path("report.html");
    ASSERT_EQ(report({"--html", file}).status, 4);

    auto const seen = run_process({ASSENT_SEE_PAGE, file});

    if (seen.status == skipped) GTEST_SKIP() << seen.output;
    EXPECT_EQ(seen.status, 0) << seen.output;
}

}  // namespace
