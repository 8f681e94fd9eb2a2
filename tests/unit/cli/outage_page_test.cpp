// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// The page itself: everything that others wrote is text, nothing comes from elsewhere, and nothing
// is left out without being said.

#include "recovery/cli/outage_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "recovery/cli/html.hpp"
#include "recovery/cli/scan.hpp"
#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent::cli;
using namespace cli_test;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t now_ms = 7'203'000;
constexpr char const* hostile = "<script>alert(\"x\")</script> & 'y' \x01 \xff";

std::string page(made_log const& log, std::vector<surveyed_database> const& listed,
                 configuration const& from = both())
{
    auto const scan = judge(from, log.twice(), listed);
    return in_html(make_outage(from, log.view(), &scan, now_ms));
}

std::size_t count(std::string const& text, std::string const& what)
{
    std::size_t number = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++number;
    return number;
}

TEST(Html, KeepsTextAText)
{
    EXPECT_EQ(html("<a href=\"x\">'&'</a>"),
              "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    EXPECT_EQ(html("\x01\xff\x1b\n"), "\\x01\\xff\\x1b\\x0a");
    EXPECT_EQ(html("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(Html, BreaksNoOptionOfACommand)
{
    EXPECT_EQ(html_command("assent --config a&b  scan -x"),
              "<code>assent <span>--config</span> a&amp;b  scan <span>-x</span></code>");
    EXPECT_EQ(html_command(""), "<code></code>");
}

TEST(Html, SaysHowManyRowsOfATableAreNotShown)
{
    html_table list{"all", {"one"}};
    for (std::size_t i = 0; i < html_table::rows_max; ++i)
        list.add({"cell"});
    EXPECT_THAT(list.markup(), Not(HasSubstr("not shown")));
    list.add({"last"});

    EXPECT_THAT(list.markup(), HasSubstr("1 more are not shown"));
    EXPECT_THAT(list.markup(), Not(HasSubstr("last")));
}

TEST(OutagePage, EscapesEverythingThatOthersWrote)
{
    made_log log;
    auto const id = branch(transaction(1, 1), 1);
    log.add(assent::ports::heuristic_record{id, hostile, assent::xa_code::heurhaz, hostile, 5'000})
        .add(assent::log::operator_record{id, assent::log::operator_verdict::commit, 5'500, hostile,
                                          hostile})
        .add(assent::ports::binding{3, hostile, "odbc", hostile});
    auto from = both();
    from.path = hostile;
    from.log_directory = hostile;
    auto listed = listings({id});
    listed[0].scan->warnings.push_back(hostile);
    listed[1].scan.reset();
    listed[1].problem = hostile;

    auto const text = page(log, listed, from);

    EXPECT_THAT(text, Not(HasSubstr("<script")));
    EXPECT_THAT(text, Not(HasSubstr("\x01")));
    EXPECT_THAT(text, Not(HasSubstr("\xff")));
    EXPECT_GE(count(text, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;"),
              8u);
}

TEST(OutagePage, NeedsNothingFromElsewhere)
{
    made_log log;
    log.decide(transaction(1, 1));
    auto const text = page(log, listings({branch(transaction(1, 1), 1)}));

    EXPECT_THAT(text, HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'"));
    for (char const* const from_elsewhere :
         {"://", "src=", "url(", "@import", "<link", "<script", "<img", "<iframe", " style="}) {
        EXPECT_THAT(text, Not(HasSubstr(from_elsewhere)));
    }
    // What HTML runs at an event are attributes that begin with "on".
    EXPECT_FALSE(std::regex_search(text, std::regex{"<[a-z0-9]+( [a-z0-9-]+=\"[^\"]*\")* on"}));
    std::regex const link{"href=\"([^\"]*)\""};
    for (std::sregex_iterator at{text.begin(), text.end(), link}, end; at != end; ++at)
        EXPECT_EQ((*at)[1].str()[0], '#');
}

TEST(OutagePage, HasEachSectionAlsoWhereThereIsNothing)
{
    auto const text = page(made_log{}, listings({}));

    EXPECT_THAT(text, HasSubstr("<h1>Nothing is in doubt.</h1>"));
    for (char const* const id :
         {"next", "happened", "databases", "waits", "decided", "heuristics", "persons"}) {
        EXPECT_EQ(count(text, "<section id=\"" + std::string{id} + "\""), 1u);
        EXPECT_EQ(count(text, "href=\"#" + std::string{id} + "\""), 1u);
    }
    EXPECT_THAT(text, HasSubstr("No branch of this node was seen."));
    EXPECT_THAT(text, HasSubstr("None is on record."));
    EXPECT_THAT(text, HasSubstr("The log has no decision of a person on record."));
    EXPECT_THAT(text, HasSubstr(">fine</span>"));
}

TEST(OutagePage, DoesNotSayOfWhatWasNotAskedThatItIsNotThere)
{
    auto const text = in_html(make_outage(both(), made_log{}.view(), nullptr, now_ms));

    EXPECT_THAT(text, Not(HasSubstr("Nothing is in doubt")));
    EXPECT_THAT(text, Not(HasSubstr("No branch of this node was seen")));
    EXPECT_THAT(text, Not(HasSubstr(">fine</span>")));
    EXPECT_EQ(count(text, "<strong>not asked</strong>"), 2u);
    EXPECT_THAT(text, HasSubstr("from the log alone"));
}

TEST(OutagePage, ShowsADatabaseThatDoesNotAnswer)
{
    auto listed = listings({});
    listed[1].scan.reset();
    listed[1].problem = "connection refused";
    auto const text = page(made_log{}.decide(transaction(1, 1)), listed);

    EXPECT_THAT(text, HasSubstr("<strong>not known</strong>: it could not be asked: connection "
                                "refused"));
    EXPECT_THAT(text, HasSubstr("whether the branch is still there is not known"));
    EXPECT_THAT(page(made_log{}, listed), HasSubstr("seen in the databases that answered."));
    EXPECT_THAT(text, HasSubstr("connection refused; by the log 1 branch is to commit there"));
    EXPECT_EQ(count(text, "<span>not known</span>"), 6u);  // no number is made up
}

TEST(OutagePage, ListsEachOf500BranchesOnceInATableOfTheirReason)
{
    made_log log;
    std::vector<assent::xid> listed;
    for (std::uint64_t i = 1; i <= 500; ++i) {
        log.decide(transaction(1, i), 2);  // finished in orders
        listed.push_back(branch(transaction(1, i), 1));
    }
    auto const text = page(log, listings(listed));

    EXPECT_THAT(text, HasSubstr("500 branches in 1 database are in doubt."));
    EXPECT_THAT(text, HasSubstr("accounts: 500 branches to commit, because: its decision is in"));
    for (auto const& each : listed)
        EXPECT_EQ(count(text, "<code>" + each.text() + "</code>"), 1u);
    EXPECT_LT(text.size(), 512u * 1024);
}

TEST(OutagePage, TellsWhoDidWhatAndWhatNobodyCanKnow)
{
    made_log log;
    auto const id = branch(transaction(1, 1), 2);
    log.add(assent::log::operator_record{id, assent::log::operator_verdict::roll_back, 4'000,
                                         "uid 1000 (ann)", "the order was cancelled"})
        .add(assent::ports::heuristic_record{id, "orders", assent::xa_code::heurmix, "half of it",
                                             5'000})
        .add(assent::log::retirement_record{2, 6'000, "bob", "its disks burnt"});
    auto const text = page(log, listings({}));

    EXPECT_THAT(text, HasSubstr("<span>uid 1000 (ann)</span>"));
    EXPECT_THAT(text, HasSubstr("the order was cancelled"));
    EXPECT_THAT(text, HasSubstr("<span>mixed</span>"));
    EXPECT_THAT(text, HasSubstr("give up &quot;orders&quot;"));
    EXPECT_THAT(text, HasSubstr("<span class=\"badge bad\">needs a person</span>"));
    EXPECT_THAT(text, HasSubstr("1970-01-01 00:00:06 UTC"));
}

TEST(OutagePage, CanBeReadAloud)
{
    auto const text =
        page(made_log{}.decide(transaction(1, 1)), listings({branch(transaction(1, 1), 1)}));

    EXPECT_THAT(text, HasSubstr("<html lang=\"en\">"));
    for (char const* const once : {"<h1>", "<main>", "<header>", "<footer>", "<nav "})
        EXPECT_EQ(count(text, once), 1u) << once;
    EXPECT_EQ(count(text, "<table"), count(text, "<caption>"));
    EXPECT_EQ(count(text, "role=\"img\""), count(text, "<desc id="));
    EXPECT_EQ(count(text, "<th "), count(text, "scope="));
}

}  // namespace
