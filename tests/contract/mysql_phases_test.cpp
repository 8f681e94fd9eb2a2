// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_phases_test.cpp -- owners that leave, commits that a backup blocks, cancels that come late.

#include <chrono>
#include <future>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

// Blocks every commit, as a backup does, until the end of its scope.
class backup
{
public:
    explicit backup(server_kind kind)
        : administrator_(mysql_client::administrator(shared_server(kind)))
    {
        if (kind == server_kind::mysql) {
            administrator_.query("flush tables with read lock");
            return;
        }
        administrator_.query("backup stage start");
        administrator_.query("backup stage block_commit");
    }
    // With its session everything that it holds is let go.

private:
    mysql_client administrator_;
};

class mysql_phases : public mysql_case
{
protected:
    session_ptr impatient()
    {
        auto session = open();
        query(*session, "set lock_wait_timeout = 1");
        return session;
    }

    static reply run_during_backup(driver_session& session, verb v, xid const& x)
    {
        backup const blocks{GetParam()};
        return run(session, v, x);
    }

    /// Runs a verb that a backup blocks, and interrupts it there.
    reply run_interrupted(driver_session& session, verb v, xid const& x)
    {
        backup const blocks{GetParam()};
        session.submit(v, x);
        wait_for(server(),
                 "select count(*) from information_schema.processlist where (state like "
                 "'%backup lock%' or state like '%commit lock%') and id = " +
                     std::to_string(session.id()),
                 "1");
        administrator().query("kill query " + std::to_string(session.id()));
        auto const said = session.collect(in_ms(10'000));
        if (!said) throw std::runtime_error("no answer within ten seconds");
        return *said;
    }
};

TEST_P(mysql_phases, PreparedBranchIsFreeAtOnceOnMysql)
{
    ASSENT_ONLY_ON(mysql, "MariaDB keeps a prepared branch attached");
    auto const owner = open();
    xid const first = prepare(*owner, 1);
    EXPECT_FALSE(driver().capabilities().stays_attached_after_prepare);

    xid const second = start(*owner, 2);
    EXPECT_TRUE(run(*open(session_purpose::manage), verb::commit, first).is_ok());
    EXPECT_EQ(rows(1), 1);

    EXPECT_TRUE(run(*owner, verb::commit_one_phase, second).is_ok());
    EXPECT_TRUE(owner->is_reusable());
}

TEST_P(mysql_phases, SessionServesNobodyElseWhileItsBranchIsPrepared)
{
    for (verb const end : {verb::rollback, verb::commit}) {
        auto const session = open();
        xid const x = start(*session, 1);
        EXPECT_FALSE(session->is_reusable());
        ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());

        EXPECT_FALSE(session->is_reusable());

        EXPECT_TRUE(run(*session, end, x).is_ok());
        EXPECT_TRUE(session->is_reusable());
    }
}

TEST_P(mysql_phases, NotaWhileTheOwnerIsAttachedSaysNothing)
{
    ASSENT_ONLY_ON(mariadb, "MySQL detaches a branch when it is prepared");
    auto owner = open();
    xid const x = prepare(*owner, 1);
    auto const manage = open(session_purpose::manage);

    reply const said = run(*manage, verb::commit, x);
    EXPECT_EQ(said.code, xa_code::nota);
    EXPECT_EQ(said.native_code, 1397);
    EXPECT_TRUE(is_listed(x));

    owner->sever();
    finish_elsewhere(verb::commit, x);
    EXPECT_FALSE(is_listed(x));
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_phases, OnceTheOwnerIsGoneFromTheProcessListItsBranchIsFree)
{
    for (int key = 1; key <= 20; ++key) {
        auto owner = open();
        xid const x = prepare(*owner, key);
        std::uint64_t const id = owner->id();
        auto const manage = open(session_purpose::manage);
        owner->sever();
        for (deadline const until = in_ms(10'000);
             driver().presence(*manage, id, until) != session_presence::gone;) {
        }

        EXPECT_TRUE(run(*manage, verb::commit, x).is_ok());
    }
}

TEST_P(mysql_phases, ReadOnlyBranchWhoseOwnerLeftIsFinishedLikeAnyOtherOnMysql)
{
    ASSENT_ONLY_ON(mysql, "MariaDB answers 1402");
    for (verb const end : {verb::rollback, verb::commit}) {
        auto owner = open();
        xid const x = prepare_read_only(*owner);
        kill(*owner);

        EXPECT_TRUE(run(*open(session_purpose::manage), end, x).is_ok());
        EXPECT_FALSE(is_listed(x));
    }
}

TEST_P(mysql_phases, ReadOnlyBranchWhoseOwnerLeftIsNamedSo)
{
    ASSENT_ONLY_ON(mariadb, "MySQL commits it like any other");
    for (verb const end : {verb::rollback, verb::commit}) {
        auto owner = open();
        xid const x = prepare_read_only(*owner);
        kill(*owner);

        reply const said = run(*open(session_purpose::manage), end, x);

        EXPECT_EQ(said.code, xa_code::rbrollback);
        EXPECT_EQ(said.detail, reply_detail::read_only_owner_left);
        EXPECT_EQ(said.native_code, 1402);
        EXPECT_FALSE(is_listed(x));
    }
}

TEST_P(mysql_phases, KilledWhileActiveIsRolledBackAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        auto const session = open();
        xid const x = start(*session, ++key);
        kill(*session);

        reply const said = run(*session, end, x);

        // The connection is seen to be closed, so that nothing was sent that could be permanent; a
        // KILL says nothing to an idle client, for whom it may have been closed on the way.
        if (end == verb::rollback) {
            EXPECT_EQ(said.detail, reply_detail::reply_lost);
        } else {
            EXPECT_EQ(said.code, xa_code::rbother) << said.text;
        }
        EXPECT_FALSE(session->is_reusable());
        EXPECT_FALSE(is_listed(x));
        EXPECT_EQ(rows(key), 0);
    }
}

TEST_P(mysql_phases, KilledWhilePreparedIsALostReplyAndCanBeFinishedElsewhere)
{
    int key = 0;
    for (verb const end : {verb::rollback, verb::commit}) {
        auto const session = open();
        xid const x = prepare(*session, ++key);
        kill(*session);

        EXPECT_EQ(run(*session, end, x).detail, reply_detail::reply_lost);

        EXPECT_TRUE(is_listed(x));
        finish_elsewhere(end, x);
        EXPECT_EQ(rows(key), end == verb::commit ? 1 : 0);
    }
}

TEST_P(mysql_phases, KilledWhilePreparingIsALostReply)
{
    auto const session = open();
    xid const x = start(*session, 1);
    {
        backup const blocks{GetParam()};
        session->submit(verb::prepare, x);
        ASSERT_FALSE(session->collect(in_ms(100)));
        administrator().query("kill connection " + std::to_string(session->id()));
        auto const said = session->collect(in_ms(10'000));
        ASSERT_TRUE(said);
        EXPECT_EQ(said->detail, reply_detail::reply_lost) << said->text;
        // The client hears of the kill before the server's thread does: let go now, it may prepare.
        wait_until_gone(session->id());
    }
    EXPECT_FALSE(is_listed(x));
    EXPECT_EQ(rows(1), 0);
}

TEST_P(mysql_phases, DeadlineHoldsBetweenTheAnswersOfEndAndPrepare)
{
    auto lent = mysql_client::account(server(), "accounts");
    for (bool const is_borrowed : {false, true}) {
        SCOPED_TRACE(is_borrowed);
        auto const session = is_borrowed ? borrow(lent) : open();
        xid const x = start(*session, is_borrowed ? 1 : 2);
        std::optional<reply> said;
        {
            backup const blocks{GetParam()};
            session->submit(verb::prepare, x);
            auto const before = std::chrono::steady_clock::now();
            EXPECT_FALSE(session->collect(in_ms(150)));
            EXPECT_FALSE(session->collect(in_ms(0)));
            EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
        }
        said = session->collect(in_ms(10'000));
        ASSERT_TRUE(said);
        EXPECT_TRUE(said->is_ok()) << said->text;
        EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    }
}

TEST_P(mysql_phases, PrepareThatABackupBlocksTooLongVotesNo)
{
    auto const session = impatient();
    xid const x = start(*session, 1);

    reply const vote = run_during_backup(*session, verb::prepare, x);

    EXPECT_TRUE(is_rolled_back(vote)) << vote.text;
    EXPECT_EQ(vote.native_code, 1205);
    EXPECT_FALSE(is_listed(x));
    EXPECT_EQ(rows(1), 0);
}

TEST_P(mysql_phases, OnePhaseThatABackupBlocksTooLongIsRolledBack)
{
    auto const session = impatient();
    xid const x = start(*session, 1);

    reply const said = run_during_backup(*session, verb::commit_one_phase, x);

    EXPECT_TRUE(is_rolled_back(said)) << said.text;
    EXPECT_EQ(rows(1), 0);
}

TEST_P(mysql_phases, SecondPhaseThatABackupBlocksIsAskedAgain)
{
    int key = 0;
    for (verb const end : {verb::rollback, verb::commit}) {
        auto const session = impatient();
        xid const x = prepare(*session, ++key);

        reply const said = run_during_backup(*session, end, x);

        EXPECT_EQ(said.code, xa_code::retry) << said.text;
        EXPECT_EQ(said.detail, reply_detail::busy);
        EXPECT_TRUE(run(*session, end, x).is_ok());
        EXPECT_EQ(rows(key), end == verb::commit ? 1 : 0);
        EXPECT_TRUE(session->is_reusable());
    }
}

TEST_P(mysql_phases, RollbackOfAnActiveBranchThatABackupBlocksIsAskedAgain)
{
    auto const session = impatient();
    xid const x = start(*session, 1);

    EXPECT_EQ(run_during_backup(*session, verb::rollback, x).detail, reply_detail::busy);

    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
    EXPECT_EQ(rows(1), 0);
}

TEST_P(mysql_phases, InterruptedPrepareIsNoVoteAndNoFalseAlarm)
{
    auto const session = open();
    xid const x = start(*session, 1);

    reply const vote = run_interrupted(*session, verb::prepare, x);

    EXPECT_EQ(vote.native_code, 1317);
    EXPECT_EQ(vote.code, xa_code::rmfail);
    EXPECT_EQ(vote.detail, reply_detail::none);

    reply const after = run(*session, verb::rollback, x);

    EXPECT_TRUE(after.is_ok() || after.code == xa_code::nota) << after.text;
    EXPECT_FALSE(session->is_reusable() && after.code == xa_code::nota);
    EXPECT_FALSE(is_listed(x));
    EXPECT_EQ(rows(1), 0);
}

TEST_P(mysql_phases, InterruptedCommitIsAskedAgain)
{
    auto const session = open();
    xid const x = prepare(*session, 1);

    reply const said = run_interrupted(*session, verb::commit, x);

    EXPECT_EQ(said.code, xa_code::rmfail) << said.text;
    EXPECT_TRUE(is_listed(x));

    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_phases, InterruptedOnePhaseIsNeitherCommittedNorRolledBackForSure)
{
    auto const session = open();
    xid const x = start(*session, 1);

    reply const said = run_interrupted(*session, verb::commit_one_phase, x);

    EXPECT_FALSE(said.is_ok());
    // "Rolled back" is said only where XA ROLLBACK was answered OK.
    EXPECT_TRUE(said.code == xa_code::rmfail || is_rolled_back(said)) << said.text;
    EXPECT_FALSE(session->is_reusable());
}

TEST_P(mysql_phases, CancelStopsAStatementAndTheSessionServesNobodyElse)
{
    auto const session = open();
    xid const x = start(*session, 1);
    auto* const handle = handle_of(*session);
    auto statement = std::async(std::launch::async,
                                [&] { return mysql_client::try_query(handle, "do sleep(60)"); });
    wait_for(server(),
             "select count(*) from information_schema.processlist where state = 'User sleep' and "
             "id = " +
                 std::to_string(session->id()),
             "1");

    driver().cancel_statement(*open(session_purpose::manage), session->id(), in_ms(10'000));

    ASSERT_EQ(statement.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    statement.get();
    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
    EXPECT_FALSE(session->is_reusable());
}

TEST_P(mysql_phases, CancelLeavesAnIdleSessionAndXaVerbsAlone)
{
    auto const session = open();
    xid const x = start(*session, 1);
    auto const manage = open(session_purpose::manage);
    driver().cancel_statement(*manage, session->id(), in_ms(10'000));
    {
        backup const blocks{GetParam()};
        session->submit(verb::prepare, x);
        ASSERT_FALSE(session->collect(in_ms(100)));
        driver().cancel_statement(*manage, session->id(), in_ms(10'000));
        EXPECT_FALSE(session->collect(in_ms(200)));
    }
    auto const said = session->collect(in_ms(10'000));

    ASSERT_TRUE(said);
    EXPECT_TRUE(said->is_ok()) << said->text;
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_TRUE(session->is_reusable());
}

TEST_P(mysql_phases, ResetWhilePreparedDoesNoHarmOnMysql)
{
    ASSENT_ONLY_ON(mysql, "MariaDB would answer OK to a commit that commits nothing");
    auto const session = open();
    xid const x = prepare(*session, 1);
    ASSERT_EQ(mysql_reset_connection(handle_of(*session)), 0);

    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());

    EXPECT_EQ(rows(1), 1);
    EXPECT_FALSE(is_listed(x));
}

TEST_P(mysql_phases, ResetWhilePreparedIsCutOffAndCommittedElsewhere)
{
    ASSENT_ONLY_ON(mariadb, "MySQL has detached the branch by then");
    auto const session = open();
    xid const x = prepare(*session, 1);
    ASSERT_EQ(mysql_reset_connection(handle_of(*session)), 0);
    query(*session, "select 1");

    EXPECT_EQ(run(*session, verb::commit, x).detail, reply_detail::reply_lost);

    wait_until_gone(session->id());
    finish_elsewhere(verb::commit, x);
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_phases, OurBranchesCarryTheServersOwnFormatId)
{
    auto const session = open();
    xid const x = prepare(*session, 1);

    EXPECT_EQ(administrator().query("xa recover"), std::to_string(mysql_format_id));
    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
}

TEST_P(mysql_phases, OurLayoutUnderAnotherFormatIdIsForeign)
{
    xid const x = next_xid(*open());
    std::string const name = xa_name(x, 7);
    auto other = mysql_client::account(server(), "accounts");
    for (std::string const sql : {"xa start ", "xa end ", "xa prepare "})
        other.query(sql + name);

    scan_result const seen = driver().scan(*open(session_purpose::manage), in_ms(10'000));

    EXPECT_TRUE(seen.ours.empty());
    EXPECT_EQ(seen.foreign_count, 1U);
    other.query("xa rollback " + name);
}

ASSENT_ON_EACH_SERVER(mysql_phases);

}  // namespace

}  // namespace assent::contract
