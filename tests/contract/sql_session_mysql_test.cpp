// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_mysql_test.cpp -- MariaDB and MySQL through clients that show no handle, held to the
// contract, and what such a client may do behind one's back.

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <thread>

#include "adapters/sql_text/peer.hpp"
#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

using ::testing::HasSubstr;

ASSENT_ON_EACH_MYSQL(contract, text_mysql_target);
ASSENT_ON_EACH_MYSQL(text_session, text_mysql_target);

class text_mysql : public text_session
{
};
ASSENT_ON_EACH_MYSQL(text_mysql, text_mysql_target);

TEST_P(text_mysql, ASessionThatWasReplacedStartsNoBranch)
{
    auto const branch = lend(open_client());
    branch.client->reconnect();

    EXPECT_EQ(run(*branch.session, verb::start, branch.id).code, xa_code::proto);
    EXPECT_FALSE(branch.session->is_reusable());
}

TEST_P(text_mysql, ABranchThatTheApplicationRolledBackIsLeftBehind)
{
    auto const branch = start_on(open_client(), 1);
    run_text(branch.client.get(), "XA END " + xa_name(branch.id));
    run_text(branch.client.get(), "XA ROLLBACK " + xa_name(branch.id));

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_TRUE(is_left_behind(answer)) << answer.text;
}

TEST_P(text_mysql, AConnectionWithAutocommitOffIsRefused)
{
    auto const client = open_client();
    run_text(client.get(), "SET autocommit = 0");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("autocommit"));
}

TEST_P(text_mysql, ABranchOfTheApplicationsIsATransactionToo)
{
    auto const client = open_client();
    run_text(client.get(), "XA START 'its own'");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("transaction"));
}

TEST_P(text_mysql, AModeThatIsChosenForTheBranchAloneHoldsInIt)
{
    auto client = open_client();
    run_text(client.get(), "SET TRANSACTION READ ONLY");

    auto const branch = lend(std::move(client));
    ASSERT_TRUE(run(*branch.session, verb::start, branch.id).is_ok());

    EXPECT_EQ(branch.client->run("INSERT INTO t VALUES (1, 1)").native_code, 1792);
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

TEST_P(text_mysql, TheSnapshotIsTakenByTheApplicationsFirstQuery)
{
    auto const branch = lend(open_client());
    ASSERT_TRUE(run(*branch.session, verb::start, branch.id).is_ok());
    run_text(open_client().get(), "INSERT INTO t VALUES (1, 1)");

    EXPECT_EQ(run_text(branch.client.get(), "SELECT count(*) FROM t"), "1");
    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

TEST_P(text_mysql, ResultsInAnotherCharacterSetAreRead)
{
    auto client = open_client();
    run_text(client.get(), "SET character_set_results = 'utf16'");
    run_text(client.get(), "SET collation_connection = 'utf16_general_ci'");
    run_text(client.get(), "SET sql_select_limit = 0");

    auto const branch = lend(std::move(client));
    ASSERT_TRUE(run(*branch.session, verb::start, branch.id).is_ok());
    run_text(branch.client.get(), "INSERT INTO t VALUES (1, 1)");

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 1);
}

/// A client whose caller waits on a future, and whose socket this process has twice: nothing tells
/// that it is the session's, so that it cannot be cut.
class text_mysql_out_of_reach : public text_session
{
protected:
    void TearDown() override
    {
        for (int const each : copies_)
            ::close(each);
        text_session::TearDown();
    }

    std::unique_ptr<meddled_text> open_out_of_reach()
    {
        auto client = std::make_unique<meddled_text>([this] {
            auto const before = sql_text::open_sockets();
            auto opened = open_mysql_text(server(), "accounts");
            for (auto const& each : sql_text::open_sockets()) {
                bool const is_old = std::find(before.begin(), before.end(), each) != before.end();
                if (!is_old) copies_.push_back(::dup(each.descriptor));
            }
            return opened;
        });
        client->before = [&of = *client](std::string const& sql) {
            return std::async(std::launch::async, [&] { return of.run_as_it_is(sql); }).get();
        };
        return client;
    }
    testing::private_server& server() { return dynamic_cast<mysql_target&>(target()).server(); }

    void await_commit(driver_session const& by)
    {
        wait_for(server(),
                 "select count(*) from information_schema.processlist where info like "
                 "'XA COMMIT%' and id = " +
                     std::to_string(by.id()),
                 "1");
    }

private:
    std::vector<int> copies_;
};
ASSENT_ON_EACH_MYSQL(text_mysql_out_of_reach, text_mysql_target);

TEST_P(text_mysql_out_of_reach, ASessionThatExecutesACommitIsNeverEnded)
{
    int key = 0;
    auto const manage = open(session_purpose::manage);
    for (verb const end : {verb::commit, verb::commit_one_phase}) {
        auto branch = start_on(open_out_of_reach(), ++key);
        if (end == verb::commit) {
            ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
        }
        std::promise<sql_answer> said;
        branch.client->before = [&of = *branch.client, &said](std::string const& sql) {
            auto answer =
                std::async(std::launch::async, [&] { return of.run_as_it_is(sql); }).get();
            if (sql.starts_with("XA COMMIT")) said.set_value(answer);
            return answer;
        };
        auto root = mysql_client::administrator(server());
        root.query("flush tables with read lock");
        branch.session->submit(end, branch.id);
        await_commit(*branch.session);
        EXPECT_FALSE(branch.session->collect(in_ms(20)));
        branch.session->sever();

        auto const seen = driver().scan(*manage, in_seconds(10));

        EXPECT_THAT(seen.warnings, ::testing::Contains(HasSubstr("is not ended")));
        root.query("unlock tables");
        sql_answer const answer = said.get_future().get();
        EXPECT_TRUE(answer.is_ok) << answer.text;
        EXPECT_EQ(target().count_rows(key), 1);
    }
}

TEST_P(text_mysql_out_of_reach, ASessionThatACommitNeverReachedIsEndedAndHoldsNothing)
{
    auto const manage = open(session_purpose::manage);
    auto branch = start_on(open_out_of_reach(), 1);
    auto const id = branch.session->id();
    std::promise<void> is_lost;
    branch.client->before = [&](std::string const& sql) -> std::optional<sql_answer> {
        if (!sql.starts_with("XA COMMIT")) return std::nullopt;
        is_lost.get_future().wait();
        return sql_answer{};
    };
    branch.session->submit(verb::commit_one_phase, branch.id);
    EXPECT_FALSE(branch.session->collect(in_ms(200)));
    branch.session->sever();

    auto const is_there = [&] {
        return mysql_client::administrator(server()).query(
                   "select count(*) from information_schema.processlist where id = " +
                   std::to_string(id)) != "0";
    };
    for (auto const end = in_seconds(30); is_there() && deadline::clock::now() < end;) {
        driver().scan(*manage, in_seconds(10));  // it must have been idle for some seconds
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }

    EXPECT_FALSE(is_there());
    EXPECT_EQ(target().count_rows(1), 0);
    is_lost.set_value();
}

}  // namespace assent::contract
