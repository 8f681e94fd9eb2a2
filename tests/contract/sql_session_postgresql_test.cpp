// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_postgresql_test.cpp -- PostgreSQL through a client that shows no handle, held to the
// contract, and what such a client may do behind one's back.

#include <gmock/gmock.h>

#include <stdexcept>
#include <vector>

#include "adapters/sql_text/worker.hpp"
#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

auto const by_libpq = ::testing::Values(&the_only<text_postgresql_target, edition::installed>);

}  // namespace

INSTANTIATE_TEST_SUITE_P(text, contract, by_libpq);
INSTANTIATE_TEST_SUITE_P(text, text_session, by_libpq);

class text_postgresql : public text_session
{
protected:
    text_postgresql_target& pg() { return dynamic_cast<text_postgresql_target&>(target()); }

    static std::unique_ptr<meddled_text> open_client_of(std::string const& conninfo)
    {
        return std::make_unique<meddled_text>(
            [conninfo] { return open_postgresql_text(conninfo); });
    }
    std::string unix_conninfo()
    {
        return "host=" + pg().server().socket_directory() +
               " port=" + std::to_string(pg().server().port()) +
               " user=shop dbname=accounts password=" + pg().server().password();
    }
};
INSTANTIATE_TEST_SUITE_P(text, text_postgresql, by_libpq);

// ---- marks -----------------------------------------------------------------------------------

TEST_P(text_postgresql, TheApplicationsOwnCommitIsNoticedAtEveryEnd)
{
    int key = 0;
    for (char const* const meddling : {"COMMIT; BEGIN", "COMMIT AND CHAIN", "COMMIT"}) {
        for (verb const end : ends) {
            auto const branch = start_on(open_client(), ++key);
            run_text(branch.client.get(), meddling);

            reply const answer = run(*branch.session, end, branch.id);

            EXPECT_TRUE(is_left_behind(answer)) << meddling << ": " << answer.text;
            EXPECT_FALSE(branch.session->is_reusable());
            EXPECT_FALSE(is_listed(branch.id));
        }
    }
}

TEST_P(text_postgresql, AFailedTransactionIsANoVoteAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        auto const branch = start_on(open_client(), ++key);
        EXPECT_FALSE(branch.client->run("SELECT 1/0").is_ok);

        reply const answer = run(*branch.session, end, branch.id);

        if (end == verb::rollback) {
            EXPECT_TRUE(answer.is_ok()) << answer.text;
        } else {
            EXPECT_TRUE(is_rolled_back(answer)) << answer.text;
        }
        EXPECT_TRUE(branch.session->is_reusable());
        EXPECT_EQ(pg().count_rows(key), 0);
    }
}

TEST_P(text_postgresql, ADeferredConstraintThatFailsAtTheCommitIsANoVote)
{
    pg().administer("CREATE TABLE IF NOT EXISTS late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    pg().administer("GRANT ALL ON late TO shop");
    auto const branch = start_on(open_client(), 1);
    run_text(branch.client.get(), "INSERT INTO late VALUES (1), (1)");

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_TRUE(is_rolled_back(answer)) << answer.text;
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(text_postgresql, AnOnePhaseCommitLeavesTheConnectionOutsideAnyTransaction)
{
    auto const branch = start_on(open_client(), 1);

    EXPECT_TRUE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok());

    EXPECT_TRUE(branch.session->is_reusable());
    run_text(branch.client.get(), "INSERT INTO entry VALUES (2)");
    EXPECT_EQ(pg().count_rows(1), 1);
    EXPECT_EQ(pg().count_rows(2), 1);
}

// ---- clients that do too much ----------------------------------------------------------------

TEST_P(text_postgresql, APrepareThatIsRepeatedInANewSessionIsLookedUp)
{
    for (bool const is_first_heard : {false, true}) {
        int const key = is_first_heard ? 2 : 1;
        auto branch = start_on(open_client(), key);
        auto& client = *branch.client;
        client.before = [&](std::string const& sql) -> std::optional<sql_answer> {
            if (!sql.starts_with("PREPARE")) return std::nullopt;
            if (is_first_heard) client.run_as_it_is(sql);
            client.reconnect();
            return std::nullopt;
        };

        reply const answer = run(*branch.session, verb::prepare, branch.id);

        EXPECT_EQ(answer.is_ok(), is_first_heard) << answer.text;
        EXPECT_EQ(is_listed(branch.id), is_first_heard);
        if (is_first_heard) finish_elsewhere(verb::rollback, branch.id);
    }
}

TEST_P(text_postgresql, AClientThatBeginsTransactionsItselfIsRefused)
{
    auto const client = open_client();
    bool is_open = false;
    client->before = [&](std::string const& sql) -> std::optional<sql_answer> {
        if (std::exchange(is_open, true)) return std::nullopt;
        return client->run_as_it_is("BEGIN; " + sql);  // autocommit is off, in one message
    };

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("switch autocommit on"));
}

TEST_P(text_postgresql, AConnectionThatLoggedInAsAnotherIsRefused)
{
    auto const client = open_client_of(pg().server().superuser_conninfo());
    run_text(client.get(), "SET ROLE shop");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("logged in as 'postgres'"));
}

TEST_P(text_postgresql, AnExceptionIsSilenceAndItsWordsAreKeptToItself)
{
    auto branch = start_on(open_client(), 1);
    branch.client->before = [](std::string const& sql) -> std::optional<sql_answer> {
        if (sql.starts_with("PREPARE")) throw std::runtime_error("secret: " + sql);
        return std::nullopt;
    };

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(answer.code, xa_code::rmfail);
    EXPECT_EQ(answer.detail, reply_detail::reply_lost);
    EXPECT_THAT(answer.text, Not(HasSubstr("secret")));
}

TEST_P(text_postgresql, AOnePhaseCommitThatIsSilentBeforeItWasSentIsRolledBack)
{
    auto branch = start_on(open_client(), 1);
    branch.client->before = [](std::string const& sql) -> std::optional<sql_answer> {
        if (sql.starts_with("SELECT")) return sql_answer{};  // the mark's query
        return std::nullopt;
    };

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_EQ(answer.code, xa_code::rbother) << answer.text;
}

// ---- sessions that are hard to reach ---------------------------------------------------------

TEST_P(text_postgresql, ANumberThatTheServerConfirmsIsTheSessions)
{
    auto client = open_client();
    client->number = std::stoull(run_text(client.get(), "SELECT pg_backend_pid()"));
    auto const number = client->number;

    auto const branch = start_on(std::move(client), 1);

    EXPECT_EQ(branch.session->id(), number);
}

TEST_P(text_postgresql, ASessionThatCannotBeCutIsEndedAtTheServerWithTheNextScan)
{
    auto const another = open_client_of(unix_conninfo());  // which socket is whose?
    auto const branch = start_on(open_client_of(unix_conninfo()), 1);
    auto const id = branch.session->id();
    ASSERT_NE(id, 0u);
    ASSERT_EQ(branch.session->descriptor(), -1);

    branch.session->sever();

    auto const manage = open(session_purpose::manage);
    EXPECT_EQ(run(*branch.session, verb::rollback, branch.id).detail, reply_detail::reply_lost);
    driver().scan(*manage, in_seconds(10));
    EXPECT_TRUE(eventually(
        [&] { return driver().presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_TRUE(another->run("SELECT 1").is_ok);
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(text_postgresql, TheClientsOwnWayToCutIsTakenFirst)
{
    auto client = open_client();
    int cuts = 0;
    client->cut = [&cuts] { return ++cuts > 0; };
    auto const branch = start_on(std::move(client), 1);

    branch.session->sever();
    branch.session->sever();

    EXPECT_EQ(cuts, 1);
    EXPECT_TRUE(branch.client->run("SELECT 1").is_ok) << "no other way was taken besides";
}

TEST_P(text_postgresql, AClientThatHangsIsGivenUpAtTheDeadlineAndGivenBackWhenItReturns)
{
    auto another = open_client_of(unix_conninfo());
    auto branch = start_on(open_client_of(unix_conninfo()), 1);
    ASSERT_EQ(branch.session->descriptor(), -1);
    pg().freeze();

    branch.session->submit(verb::prepare, branch.id);
    auto const nothing = branch.session->collect(in_ms(100));
    branch.session->sever();
    auto const lost = branch.session->collect(in_seconds(10));
    branch.session.reset();  // the socket that its thread waits for is told by the kernel

    EXPECT_FALSE(nothing);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->detail, reply_detail::reply_lost);
    pg().thaw();
    EXPECT_FALSE(branch.client->run("SELECT 1").is_ok);
    EXPECT_TRUE(another->run("SELECT 1").is_ok);
    EXPECT_TRUE(eventually([] { return sql_text::worker::stuck_count() == 0; }));
}

TEST_P(text_postgresql, ACrashIsALostReplyAndWhatWasPreparedStays)
{
    auto prepared = start_on(open_client(), 1);
    auto active = start_on(open_client(), 2);
    ASSERT_TRUE(run(*prepared.session, verb::prepare, prepared.id).is_ok());

    pg().crash();

    EXPECT_EQ(run(*prepared.session, verb::commit, prepared.id).detail, reply_detail::reply_lost);
    EXPECT_EQ(run(*active.session, verb::commit_one_phase, active.id).code, xa_code::rbother);
    EXPECT_FALSE(prepared.session->is_reusable());
    pg().start();
    finish_elsewhere(verb::commit, prepared.id);
    EXPECT_EQ(pg().count_rows(1), 1);
    EXPECT_EQ(pg().count_rows(2), 0);
}

}  // namespace assent::contract
