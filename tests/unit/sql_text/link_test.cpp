// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// link_test.cpp -- what a connection's answers mean before any speaker has looked at them.

#include "adapters/sql_text/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace assent::sql_text {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Answers as it was told to, and remembers what it was asked.
class scripted final : public link
{
public:
    explicit scripted(std::shared_ptr<gate> passes) : link(std::move(passes)) {}

    void* handle() const noexcept override { return nullptr; }
    std::optional<bool> has_autocommit() const noexcept override { return true; }
    bool may_reconnect() const noexcept override { return false; }

    std::map<std::string, execution> answers;
    std::vector<std::string> asked;

private:
    execution run(std::string const& sql) override
    {
        asked.push_back(sql);
        auto const found = answers.find(sql);
        if (found != answers.end()) return found->second;
        execution done;
        done.is_ok = true;
        done.tables.push_back({{sql}});
        return done;
    }
};

execution failure(bool is_lost)
{
    execution failed;
    failed.is_lost = is_lost;
    failed.sqlstate = "40001";
    return failed;
}

struct SqlTextLink : ::testing::Test
{
    std::shared_ptr<gate> passes = std::make_shared<gate>();
    scripted wire{passes};
};

TEST_F(SqlTextLink, SeveralStatementsGiveTheirTablesInOrder)
{
    execution const said = wire.execute_each({"a", "b"});

    EXPECT_TRUE(said.is_ok);
    EXPECT_THAT(wire.asked, ElementsAre("a", "b"));
    ASSERT_EQ(said.tables.size(), 2u);
    EXPECT_EQ(said.tables[0].front().front(), "a");
    EXPECT_EQ(said.tables[1].front().front(), "b");
}

TEST_F(SqlTextLink, TheFirstStatementThatFailsIsTheLast)
{
    wire.answers["b"] = failure(false);

    execution const said = wire.execute_each({"a", "b", "c"});

    EXPECT_FALSE(said.is_ok);
    EXPECT_EQ(said.sqlstate, "40001");
    EXPECT_THAT(wire.asked, ElementsAre("a", "b"));
    EXPECT_EQ(said.tables.size(), 1u);
}

TEST_F(SqlTextLink, NothingIsSentOnceAnAnswerWasLost)
{
    wire.answers["a"] = failure(true);

    EXPECT_TRUE(wire.execute("a").is_lost);
    EXPECT_TRUE(wire.execute("b").is_lost);
    EXPECT_TRUE(wire.execute_commit("c").is_lost);

    EXPECT_THAT(wire.asked, ElementsAre("a"));
    EXPECT_FALSE(passes->has_commit_passed());
}

TEST_F(SqlTextLink, NothingIsSentOnceTheGateIsCut)
{
    passes->cut();

    EXPECT_TRUE(wire.execute_each({"a", "b"}).is_lost);

    EXPECT_THAT(wire.asked, IsEmpty());
}

bool is_lost(database_kind kind, std::string state, int native_code)
{
    execution failed;
    failed.sqlstate = std::move(state);
    failed.native_code = native_code;
    return is_lost_by_code(kind, failed);
}

TEST(SqlTextCodes, APostgresqlIsLostByTheseStatesOnly)
{
    for (char const* const lost : {"08S01", "08003", "57P01", "57P05", "25P03", "25P04"})
        EXPECT_TRUE(is_lost(database_kind::postgresql, lost, 1)) << lost;
    for (char const* const other : {"", "57014", "25P02", "40P01", "HY000", "3B001"})
        EXPECT_FALSE(is_lost(database_kind::postgresql, other, 1)) << other;
}

TEST(SqlTextCodes, AMariadbIsLostByItsClientsNumbers)
{
    EXPECT_TRUE(is_lost(database_kind::mariadb, "HY000", 2013));
    EXPECT_TRUE(is_lost(database_kind::mysql, "HY000", 2006));
    EXPECT_FALSE(is_lost(database_kind::mariadb, "40001", 1213));
}

}  // namespace

}  // namespace assent::sql_text
