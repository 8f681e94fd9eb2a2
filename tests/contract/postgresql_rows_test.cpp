// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_rows_test.cpp -- commit rows on a real PostgreSQL: a COMMIT that becomes visible after
// it was asked about, what an application can do to the row, and tables that will not do.

#include <chrono>
#include <csignal>
#include <string>

#include <assent/postgresql.hpp>

#include "tests/contract/postgresql_target.hpp"
#include "tests/servers/held_commits.hpp"

namespace assent::contract {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

}  // namespace

class postgresql_rows : public postgresql_case
{
protected:
    void SetUp() override
    {
        postgresql_case::SetUp();
        if (IsSkipped()) return;
        pg().administer("DROP TABLE IF EXISTS public.assent_decision");
        manage_ = open(session_purpose::manage);
        driver().preflight(*manage_, in_seconds(10));
        table().ensure(*manage_, in_seconds(10));
    }
    void TearDown() override
    {
        manage_.reset();
        postgresql_case::TearDown();
    }

    decision_table& table() { return *driver().decisions(); }
    driver_session& manage() { return *manage_; }
    gtrid const& name() const { return name_; }

    std::optional<decision_row> fence(int ms) { return table().fence(manage(), name_, in_ms(ms)); }
    std::optional<row_kind> row()
    {
        auto const seen = table().list(manage(), name_.text(), 1, in_seconds(10));
        return seen.empty() ? std::nullopt : std::optional{seen.front().kind};
    }
    void carry(driver_session& session)
    {
        table().carry(session, {name_, row_kind::commit, std::string(48, '0')});
    }
    reply commit(started const& branch)
    {
        carry(*branch.session);
        return run(*branch.session, verb::commit_one_phase, branch.id);
    }
    std::string insertion() const
    {
        return "INSERT INTO public.assent_decision (gtrid, kind, content) VALUES ('" +
               std::string{name_.text()} + "', 'c', '')";
    }

private:
    gtrid const name_ = gtrid::make({decision_place::commit_row, 1, 0xfeed, 1, 1, 1});
    session_ptr manage_;
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_rows, postgresql_target);

// --- whoever asks, waits, and fences ---

TEST_P(postgresql_rows, AFenceWaitsForARowThatIsNotCommittedAndGivesUpInTime)
{
    for (bool const commits : {true, false}) {
        pg().administer("DELETE FROM public.assent_decision");
        plain_connection other{pg().server().conninfo()};
        other.run("BEGIN");
        other.run(insertion());

        auto const begun = steady_clock::now();
        EXPECT_EQ(fence(1'000), std::nullopt) << "absence is no answer";
        EXPECT_LT(steady_clock::now() - begun, milliseconds(10'000));
        EXPECT_TRUE(manage().is_reusable()) << "and the connection goes on";
        other.run(commits ? "COMMIT" : "ROLLBACK");

        auto const seen = fence(10'000);
        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->kind, commits ? row_kind::commit : row_kind::abort);
    }
}

// A killed client's COMMIT waits for a standby.  Its row is not seen, and then it is.
TEST_P(postgresql_rows, ACommitThatWaitsForAStandbyIsInvisibleAndFencedByNobody)
{
    auto const branch = start_branch(1);
    apply(*branch.session, "SET synchronous_commit = off");  // the application's, not the row's
    testing::held_commits held{pg().server().superuser_conninfo()};
    carry(*branch.session);
    branch.session->submit(verb::commit_one_phase, branch.id);
    EXPECT_TRUE(eventually([&] {
        EXPECT_EQ(branch.session->collect(in_ms(50)), std::nullopt);
        return waits_for_replica(branch.session->id());
    })) << "also where the application waits for nothing";
    branch.session->sever();
    EXPECT_EQ(branch.session->collect(in_seconds(10))->detail, reply_detail::reply_lost);

    EXPECT_EQ(row(), std::nullopt) << "no row is seen";
    EXPECT_EQ(fence(1'500), std::nullopt) << "and nobody concludes anything from that";
    held.release();

    std::optional<decision_row> seen;
    EXPECT_TRUE(eventually([&] { return (seen = fence(10'000)).has_value(); }));
    EXPECT_EQ(seen->kind, row_kind::commit) << "a moment later it was there";
    EXPECT_EQ(target().count_rows(1), 1);
}

// The client is gone, and its COMMIT with the row is still in the server's socket.
TEST_P(postgresql_rows, ACommitThatIsReadAfterTheFenceFails)
{
    auto const branch = start_branch(1);
    auto const process = static_cast<pid_t>(branch.session->id());
    ASSERT_EQ(::kill(process, SIGSTOP), 0);
    carry(*branch.session);
    branch.session->submit(verb::commit_one_phase, branch.id);
    branch.session->sever();
    static_cast<void>(branch.session->collect(in_seconds(10)));

    EXPECT_EQ(fence(10'000)->kind, row_kind::abort);
    ASSERT_EQ(::kill(process, SIGCONT), 0);

    EXPECT_TRUE(eventually([&] {
        return driver().presence(manage(), branch.session->id(), in_seconds(10)) ==
               session_presence::gone;
    }));
    EXPECT_EQ(row(), row_kind::abort);
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(postgresql_rows, AreReadAndFencedUnderAnyDefaultIsolation)
{
    ASSERT_TRUE(commit(start_branch(1)).is_ok());
    for (std::string const level : {"serializable", "repeatable read"}) {
        auto const strict = pg().driver_for(
            "accounts",
            "options='-c default_transaction_isolation=" +
                std::string{level == "serializable" ? "serializable" : "repeatable\\\\ read"} +
                "'");
        auto const session = strict->connect(session_purpose::manage, in_seconds(10));
        auto const leased = strict->connect(session_purpose::work, in_seconds(10));
        ASSERT_EQ(apply(*leased, "SHOW default_transaction_isolation"), level);
        EXPECT_EQ(apply(*session, "SHOW default_transaction_isolation"), "read committed");

        auto const seen = strict->decisions()->fence(*session, name(), in_seconds(3));

        ASSERT_TRUE(seen);
        EXPECT_EQ(seen->kind, row_kind::commit);
    }
}

// --- what an application can do ---

TEST_P(postgresql_rows, ATransactionThatIsNotTheBranchCarriesNoRow)
{
    for (std::string const left :
         {"COMMIT; BEGIN", "COMMIT AND CHAIN", "COMMIT", "ROLLBACK; BEGIN"}) {
        SCOPED_TRACE(left);
        auto const branch = start_branch(1);
        apply(*branch.session, left);

        auto const said = commit(branch);

        EXPECT_EQ(said.detail, reply_detail::left_behind) << said.text;
        EXPECT_EQ(row(), std::nullopt);
        EXPECT_FALSE(branch.session->is_reusable());
        pg().administer("DELETE FROM entry");
    }
}

TEST_P(postgresql_rows, AFailedTransactionCarriesNoRow)
{
    auto const branch = start_branch(1);
    fail(*branch.session);

    EXPECT_TRUE(is_rolled_back(commit(branch)));

    EXPECT_EQ(row(), std::nullopt);
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(postgresql_rows, AConstraintThatFailsAtCommitTakesTheRowAlong)
{
    pg().administer("CREATE TABLE parent (id int PRIMARY KEY)");
    pg().administer("CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
    pg().administer("GRANT ALL ON parent, child TO shop");
    auto const branch = start_branch(1);
    apply(*branch.session, "INSERT INTO child VALUES (1)");

    auto const said = commit(branch);

    EXPECT_EQ(said.code, xa_code::rbintegrity) << said.text;
    EXPECT_EQ(row(), std::nullopt);
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_TRUE(branch.session->is_reusable());
    pg().administer("DROP TABLE child, parent");
}

// The table was looked at when the manager connected, and somebody changed it since.
TEST_P(postgresql_rows, AnInsertThatInsertsNothingCommitsNothing)
{
    struct change
    {
        std::string made, undone;
    };
    pg().administer(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NULL; END'");
    for (auto const& each :
         {change{"CREATE TRIGGER swallow BEFORE INSERT ON public.assent_decision FOR EACH ROW "
                 "EXECUTE FUNCTION swallow()",
                 "DROP TRIGGER swallow ON public.assent_decision"},
          change{"CREATE RULE swallow AS ON INSERT TO public.assent_decision DO INSTEAD NOTHING",
                 "DROP RULE swallow ON public.assent_decision"}}) {
        SCOPED_TRACE(each.made);
        pg().administer(each.made);
        auto const branch = start_branch(1);

        EXPECT_TRUE(is_rolled_back(commit(branch)));

        pg().administer(each.undone);
        EXPECT_EQ(target().count_rows(1), 0) << "its work would be there without its decision";
        EXPECT_TRUE(branch.session->is_reusable());
    }
    pg().administer("DROP FUNCTION swallow()");
}

TEST_P(postgresql_rows, TheRowIsTheLoginsWhateverRoleTheApplicationTook)
{
    pg().administer("DROP ROLE IF EXISTS clerk");
    pg().administer("CREATE ROLE clerk");
    pg().administer("GRANT clerk TO shop");
    auto const branch = start_branch(1);
    apply(*branch.session, "SET ROLE clerk");

    auto const said = commit(branch);

    EXPECT_TRUE(said.is_ok()) << said.text;
    EXPECT_EQ(row(), row_kind::commit);
    EXPECT_EQ(target().count_rows(1), 1);
    pg().administer("DROP ROLE clerk");
}

TEST_P(postgresql_rows, ATransactionThatTheApplicationMadeReadOnlyIsToldByName)
{
    for (bool const is_late : {false, true}) {
        auto const session = open(session_purpose::work);
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        if (is_late) pg().write_row(*session, 1);
        apply(*session, "SET TRANSACTION READ ONLY");

        carry(*session);
        auto const said = run(*session, verb::commit_one_phase, x);

        EXPECT_EQ(said.code, xa_code::rbproto);
        EXPECT_NE(said.text.find("read only"), std::string::npos) << said.text;
        EXPECT_EQ(row(), std::nullopt);
        EXPECT_EQ(target().count_rows(1), 0);
        EXPECT_TRUE(session->is_reusable());
    }
}

TEST_P(postgresql_rows, ATableOfTheSameNameInTheSearchPathIsNotMistakenForIt)
{
    pg().administer("DROP SCHEMA IF EXISTS own CASCADE");
    pg().administer("CREATE SCHEMA own AUTHORIZATION shop");
    auto const branch = start_branch(1);
    apply(*branch.session, "CREATE TABLE own.assent_decision (LIKE public.assent_decision)");
    apply(*branch.session, "SET LOCAL search_path = own");

    EXPECT_TRUE(commit(branch).is_ok());

    EXPECT_EQ(row(), row_kind::commit);
    EXPECT_EQ(pg().administer("SELECT count(*) FROM own.assent_decision"), "0");
    pg().administer("DROP SCHEMA own CASCADE");
}

TEST_P(postgresql_rows, ASessionThatIsKilledBeforeItsCommitLeavesNone)
{
    auto const branch = start_branch(1);
    carry(*branch.session);
    target().kill_session(branch.session->id());

    auto const said = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_FALSE(said.is_ok());
    EXPECT_EQ(fence(10'000)->kind, row_kind::abort);
    EXPECT_EQ(target().count_rows(1), 0);
}

// --- tables ---

TEST_P(postgresql_rows, AMissingTableListsNothingAndFencesNothing)
{
    pg().administer("DROP TABLE public.assent_decision");

    EXPECT_TRUE(table().list(manage(), name().text(), 10, in_seconds(10)).empty());
    EXPECT_NE(refusal([&] { fence(1'000); }).find("is missing"), std::string::npos);
    EXPECT_EQ(pg().administer("SELECT to_regclass('public.assent_decision') IS NULL"), "t")
        << "asking never makes it";
    EXPECT_TRUE(manage().is_reusable());
}

TEST_P(postgresql_rows, ATableThatWouldLoseRowsIsRefusedByName)
{
    struct wrong
    {
        char const* change;
        char const* why;
        char const* undo;
    };
    for (auto const& each :
         {wrong{"ALTER TABLE public.assent_decision SET UNLOGGED", "unlogged",
                "ALTER TABLE public.assent_decision SET LOGGED"},
          wrong{"ALTER TABLE public.assent_decision ENABLE ROW LEVEL SECURITY", "row security",
                "ALTER TABLE public.assent_decision DISABLE ROW LEVEL SECURITY"},
          wrong{"ALTER TABLE public.assent_decision DROP CONSTRAINT assent_decision_pkey",
                "not unique", "ALTER TABLE public.assent_decision ADD PRIMARY KEY (gtrid)"},
          wrong{"REVOKE DELETE ON public.assent_decision FROM shop", "GRANT",
                "GRANT ALL ON public.assent_decision TO shop"}}) {
        pg().administer(each.change);

        auto const why = refusal([&] { table().ensure(manage(), in_seconds(10)); });

        EXPECT_NE(why.find(each.why), std::string::npos) << why;
        EXPECT_NE(why.find("\"accounts\""), std::string::npos) << why;
        EXPECT_TRUE(manage().is_reusable());
        pg().administer(each.undo);
        EXPECT_NO_THROW(table().ensure(manage(), in_seconds(10)));
    }
    pg().administer("DROP TABLE public.assent_decision");
    pg().administer("CREATE VIEW public.assent_decision AS SELECT 1 AS gtrid");
    EXPECT_NE(refusal([&] { table().ensure(manage(), in_seconds(10)); }).find("no plain table"),
              std::string::npos);
    pg().administer("DROP VIEW public.assent_decision");
}

TEST_P(postgresql_rows, AnAccountThatMayMakeNoTableIsToldWhatToRun)
{
    pg().administer("DROP TABLE public.assent_decision");
    pg().administer("REVOKE CREATE ON SCHEMA public FROM PUBLIC, shop");
    bool const owns = pg().administer(
                          "SELECT pg_has_role('shop', datdba, 'USAGE') FROM pg_database WHERE "
                          "datname = current_database()") == "t";
    if (owns) pg().administer("ALTER SCHEMA public OWNER TO CURRENT_USER");

    auto const why = refusal([&] { table().ensure(manage(), in_seconds(10)); });

    EXPECT_NE(why.find("CREATE TABLE public.assent_decision"), std::string::npos) << why;
    EXPECT_NE(why.find("GRANT SELECT, INSERT, UPDATE, DELETE"), std::string::npos) << why;
    EXPECT_TRUE(manage().is_reusable());
    // What it says is all that is needed.
    auto const from = why.find("CREATE TABLE");
    pg().administer(why.substr(from));
    EXPECT_NO_THROW(table().ensure(manage(), in_seconds(10)));
    EXPECT_TRUE(commit(start_branch(1)).is_ok());
    EXPECT_EQ(row(), row_kind::commit);
    pg().administer("GRANT CREATE ON SCHEMA public TO PUBLIC");
}

}  // namespace assent::contract
