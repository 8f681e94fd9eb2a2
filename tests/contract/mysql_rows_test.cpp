// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_rows_test.cpp -- commit rows on real MariaDB and MySQL servers: no row outside of its
// branch, whatever the application did to the session, and tables that will not do.

#include <chrono>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class mysql_rows : public mysql_case
{
protected:
    void SetUp() override
    {
        mysql_case::SetUp();
        if (IsSkipped()) return;
        administrator().query("drop table if exists assent_decision");
        administrator().query("drop view if exists assent_decision");
        manage_ = open(session_purpose::manage);
        driver().preflight(*manage_, in_ms(10'000));
        table().ensure(*manage_, in_ms(10'000));
    }

    decision_table& table() { return *driver().decisions(); }
    driver_session& manage() { return *manage_; }
    gtrid const& name() const { return name_; }
    decision_row horizon_row() const
    {
        auto parts = name_.parts();
        parts.epoch = 0;
        parts.nonce = parts.sequence = 0;
        return {gtrid::make(parts), row_kind::horizon, {}};
    }

    std::optional<decision_row> fence(int ms) { return table().fence(manage(), name_, in_ms(ms)); }
    std::optional<row_kind> row()
    {
        auto const seen = table().list(manage(), name_.text(), 1, in_ms(10'000));
        return seen.empty() ? std::nullopt : std::optional{seen.front().kind};
    }
    void carry(driver_session& session)
    {
        table().carry(session, {name_, row_kind::commit, std::string(48, '0')});
    }
    reply commit(driver_session& session, xid const& x)
    {
        carry(session);
        return run(session, verb::commit_one_phase, x);
    }

private:
    gtrid const name_ = gtrid::make({decision_place::commit_row, 1, 0xfeed, 1, 1, 1});
    session_ptr manage_;
};
ASSENT_ON_EACH_SERVER(mysql_rows);

// --- facts of the server on which the adapter is built ---

TEST_P(mysql_rows, ASavepointIsForgottenOutsideOfATransactionAndKeptInABranch)
{
    auto client = mysql_client::account(server(), "accounts");
    EXPECT_EQ(client.try_query("savepoint s"), 0u);
    EXPECT_EQ(client.try_query("release savepoint s"), 1305u);

    client.query("xa start 'g','b',1");
    EXPECT_EQ(client.try_query("savepoint s"), 0u);
    EXPECT_EQ(client.try_query("release savepoint s"), 0u);
    client.query("xa end 'g','b',1");
    client.query("xa rollback 'g','b',1");
}

TEST_P(mysql_rows, AFenceWaitsForARowThatIsNotCommittedAndGivesUpInTime)
{
    for (bool const commits : {true, false}) {
        administrator().query("delete from assent_decision");
        auto other = mysql_client::account(server(), "accounts");
        other.query("begin");
        other.query("insert into assent_decision (gtrid, kind, content) values ('" +
                    std::string{name().text()} + "', 'c', '')");

        auto const begun = steady_clock::now();
        EXPECT_EQ(fence(2'500), std::nullopt) << "absence is no answer";
        EXPECT_LT(steady_clock::now() - begun, milliseconds(25'000));
        EXPECT_TRUE(manage().is_reusable()) << "and the connection goes on";
        other.query(commits ? "commit" : "rollback");

        auto const seen = fence(10'000);
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->kind, commits ? row_kind::commit : row_kind::abort);
    }
}

TEST_P(mysql_rows, AnAnswerIsCommittedWhateverTheServersCompletionTypeIs)
{
    for (char const* const type : {"'CHAIN'", "'RELEASE'"}) {
        administrator().query("delete from assent_decision");
        administrator().query(std::string("set global completion_type = ") + type);
        auto const session = open(session_purpose::manage);
        administrator().query("set global completion_type = 'NO_CHAIN'");
        auto const place = horizon_row();

        table().prune(*session, place, {}, in_ms(10'000));
        auto const seen = table().fence(*session, name(), in_ms(10'000));

        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->kind, row_kind::abort);
        EXPECT_EQ(row(), row_kind::abort) << type << ": it goes with the session that asked";
    }
}

// --- what an application can do ---

TEST_P(mysql_rows, ASessionThatWasResetCarriesNoRow)
{
    auto const session = open();
    xid const x = start(*session, 1);
    ASSERT_EQ(mysql_reset_connection(handle_of(*session)), 0);
    query(*session, insert(2));

    auto const said = commit(*session, x);

    EXPECT_EQ(said.detail, reply_detail::left_behind) << said.text;
    EXPECT_EQ(row(), std::nullopt) << "it would have been permanent at once";
    EXPECT_EQ(rows(2), 1) << "as this one was";
    EXPECT_FALSE(session->is_reusable());
}

TEST_P(mysql_rows, ATransactionOfTheApplicationsOwnTakesTheRowWithIt)
{
    auto const session = open();
    xid const x = start(*session, 1);
    ASSERT_EQ(mysql_reset_connection(handle_of(*session)), 0);
    query(*session, "start transaction");
    query(*session, insert(2));

    auto const said = commit(*session, x);

    EXPECT_EQ(said.detail, reply_detail::left_behind) << said.text;
    EXPECT_NE(try_query(*session, "commit"), 0u) << "the session was cut";
    EXPECT_EQ(fence(10'000)->kind, row_kind::abort);
    EXPECT_EQ(rows(2), 0);
}

TEST_P(mysql_rows, ABranchThatTheApplicationEndedCarriesNoRow)
{
    auto const session = open();
    xid const x = start(*session, 1);
    query(*session, "xa end " + xa_name(x));

    EXPECT_TRUE(is_rolled_back(commit(*session, x)));

    EXPECT_EQ(row(), std::nullopt);
    EXPECT_EQ(rows(1), 0);
    EXPECT_TRUE(session->is_reusable());

    xid const committed = start(*session, 2);
    query(*session, "xa end " + xa_name(committed));
    query(*session, "xa commit " + xa_name(committed) + " one phase");
    EXPECT_EQ(commit(*session, committed).detail, reply_detail::left_behind);
    EXPECT_EQ(row(), std::nullopt);
    EXPECT_EQ(rows(2), 1);
}

TEST_P(mysql_rows, ADeadlocksVictimCarriesNoRow)
{
    auto const session = open();
    xid const x = start(*session, 1);
    lose_deadlock(*session);

    auto const said = commit(*session, x);

    EXPECT_TRUE(is_rolled_back(said)) << said.text;
    EXPECT_EQ(row(), std::nullopt);
    EXPECT_EQ(rows(1), 0);
    EXPECT_FALSE(is_listed(x));
}

TEST_P(mysql_rows, TheRowGoesIntoTheBranchesDatabaseWhereverTheApplicationIs)
{
    auto const session = open();
    xid const x = start(*session, 1);
    query(*session, "use orders");
    query(*session, "set sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'");

    EXPECT_TRUE(commit(*session, x).is_ok());

    EXPECT_EQ(row(), row_kind::commit);
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_rows, ASessionThatIsKilledBeforeItsCommitLeavesNone)
{
    auto const session = open();
    xid const x = start(*session, 1);
    carry(*session);
    kill(*session);

    EXPECT_FALSE(run(*session, verb::commit_one_phase, x).is_ok());

    EXPECT_EQ(fence(10'000)->kind, row_kind::abort);
    EXPECT_EQ(rows(1), 0);
}

TEST_P(mysql_rows, ABorrowedSessionThatWasResetCarriesNoRowEither)
{
    auto lent = mysql_client::account(server(), "accounts");
    auto const session = borrow(lent);
    xid const x = start(*session, 1);
    ASSERT_EQ(mysql_reset_connection(lent.get()), 0);

    EXPECT_EQ(commit(*session, x).detail, reply_detail::left_behind);

    EXPECT_EQ(row(), std::nullopt);
}

// --- tables ---

TEST_P(mysql_rows, AMissingTableListsNothingAndFencesNothing)
{
    administrator().query("drop table assent_decision");

    EXPECT_TRUE(table().list(manage(), name().text(), 10, in_ms(10'000)).empty());
    EXPECT_THAT(refusal([&] { fence(2'000); }), ::testing::HasSubstr("is missing"));
    EXPECT_EQ(administrator().try_query("select 1 from assent_decision"), 1146u)
        << "asking never makes it";
    EXPECT_TRUE(manage().is_reusable());
}

TEST_P(mysql_rows, ATableThatWouldLoseRowsIsRefusedByName)
{
    struct wrong
    {
        char const* change;
        char const* why;
    };
    for (auto const& each :
         {wrong{"alter table assent_decision engine=myisam", "not InnoDB"},
          wrong{"alter table assent_decision engine=innodb, drop primary key", "not gtrid"},
          wrong{"alter table assent_decision add primary key (gtrid, kind)", "not gtrid"},
          wrong{"alter table assent_decision drop primary key, add primary key (gtrid)", ""},
          wrong{"create trigger spy before insert on assent_decision for each row set @x = 1",
                "triggers"}}) {
        administrator().query(each.change);

        auto const why = refusal([&] { table().ensure(manage(), in_ms(10'000)); });

        EXPECT_THAT(why, ::testing::HasSubstr(each.why));
        EXPECT_EQ(why.empty(), std::string{each.why}.empty()) << why;
        EXPECT_TRUE(manage().is_reusable());
    }
    administrator().query("drop table assent_decision");
    administrator().query("create view assent_decision as select 1 as gtrid");
    EXPECT_THAT(refusal([&] { table().ensure(manage(), in_ms(10'000)); }),
                ::testing::HasSubstr("no plain table"));
}

TEST_P(mysql_rows, AnAccountThatMayMakeNoTableIsToldWhatToRun)
{
    administrator().query("drop table assent_decision");
    administrator().query("drop user if exists clerk");
    administrator().query("create user clerk identified by 'a clerk''s word'");
    administrator().query("grant select, insert, update, delete on accounts.* to clerk");
    if (!is_mariadb()) {
        administrator().query("grant xa_recover_admin on *.* to clerk");
        administrator().query("grant select on performance_schema.global_status to clerk");
    }
    auto options = where();
    options.user = "clerk";
    options.password = "a clerk's word";
    auto const limited = driver_of(options);
    auto const session = limited->connect(session_purpose::manage, in_ms(10'000));
    limited->preflight(*session, in_ms(10'000));

    auto const why = refusal([&] { limited->decisions()->ensure(*session, in_ms(10'000)); });

    EXPECT_THAT(why, ::testing::HasSubstr("CREATE TABLE assent_decision"));
    EXPECT_THAT(why, ::testing::HasSubstr("shop-db"));
    EXPECT_TRUE(session->is_reusable());
    // What it says is all that is needed.
    auto const from = why.find("CREATE TABLE assent_decision");
    administrator().query(why.substr(from, why.find(", and GRANT") - from));
    EXPECT_NO_THROW(limited->decisions()->ensure(*session, in_ms(10'000)));
    EXPECT_EQ(limited->decisions()->fence(*session, name(), in_ms(10'000))->kind, row_kind::abort);
    administrator().query("drop user clerk");
}

}  // namespace

}  // namespace assent::contract
