// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The operator's report of a real outage: what it says, to whom the file belongs, and that it asks
// nobody where it is told not to.

#include <filesystem>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"
#include "tests/integration/reported_outage.hpp"

namespace {

using namespace assent::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
namespace fs = std::filesystem;

using CliReport = reported_outage;

TEST_F(CliReport, TellsOfAnOutageToItsOwnerAlone)
{
    auto const file = desk_.path("report.html");
    auto const written = report({"--html", file});
    auto const said = report({"--html"});

    EXPECT_EQ(written.status, 4) << written.err;
    EXPECT_THAT(written.out + written.err, IsEmpty());
    EXPECT_EQ(fs::status(file).permissions(), fs::perms{0600});
    EXPECT_EQ(said.status, 4);
    for (auto const& page : {text_of(file), said.out}) {
        EXPECT_THAT(page, StartsWith("<!DOCTYPE html>"));
        EXPECT_THAT(page, HasSubstr("<h1>2 branches in 2 databases are in doubt.</h1>"));
        EXPECT_THAT(page, HasSubstr(id_));
        EXPECT_THAT(page, HasSubstr(config_ + " recover <span>--timeout</span> 300"));
    }
}

TEST_F(CliReport, SaysWhoDoesNotAnswerAndWhatIsDueThere)
{
    auto text = both_databases(log_, *bank_);
    auto const right = bank_->accounts_conninfo();
    text.replace(text.find(right), right.size(), "host=127.0.0.1 port=1 dbname=none user=nobody");
    auto const config = desk_.file("dead.toml", text);

    auto const told = report({"--html"}, config);

    EXPECT_EQ(told.status, 4);
    EXPECT_THAT(told.out, HasSubstr("What &quot;accounts&quot; has is not known."));
    EXPECT_THAT(told.out, HasSubstr("<strong>not known</strong>: it could not be asked"));
    EXPECT_THAT(told.out, HasSubstr("accounts: 1 branch to commit, because: its decision is in "
                                    "the log; whether the branch is still there is not known"));
    EXPECT_THAT(told.out, HasSubstr("orders: 1 branch to commit"));
}

TEST_F(CliReport, AsksNobodyWhereItIsToldNotTo)
{
    auto text = both_databases(log_, *bank_);
    auto const right = bank_->accounts_conninfo();
    text.replace(text.find(right), right.size(), "host=127.0.0.1 port=1 dbname=none user=nobody");

    auto const told = report({"--html", "--offline"}, desk_.file("dead.toml", text));

    EXPECT_EQ(told.status, 4);
    EXPECT_THAT(told.out, Not(HasSubstr("could not be asked")));
    EXPECT_THAT(told.out, HasSubstr("<strong>not asked</strong>"));
    EXPECT_THAT(told.out, HasSubstr("The databases were not asked."));
}

TEST_F(CliReport, ChangesNothingWhereTheFileCannotBeWritten)
{
    auto const told = report({"--html", desk_.path("none/report.html")});

    EXPECT_EQ(told.status, 1);
    EXPECT_THAT(told.err, HasSubstr("none/report.html cannot be written"));
    EXPECT_THAT(told.out, IsEmpty());
}

}  // namespace
