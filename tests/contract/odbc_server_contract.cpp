// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_server_contract.cpp -- what every driver of a server must bear, besides the suite: sockets
// that it hides, a network that fails under it, and a server that is silent or dies.

#include <gmock/gmock.h>

#include <filesystem>

#include "adapters/sql_text/worker.hpp"
#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

using ::testing::HasSubstr;

TEST_P(odbc_server, TheFactsNameDriverAndDriverManager)
{
    std::string const file = std::filesystem::path{by_odbc().file()}.filename();

    EXPECT_THAT(facts().version, HasSubstr(file));
    EXPECT_THAT(facts().version, HasSubstr("driver manager"));
}

TEST_P(odbc_server, ItIsTheSameDatabaseAsByTheNativeAdapter)
{
    auto const native = by_odbc().native();
    auto const manage = native->connect(session_purpose::manage, in_seconds(10));
    auto const same = native->preflight(*manage, in_seconds(10));
    auto const seen = facts();

    EXPECT_EQ(seen.kind, same.kind);
    EXPECT_EQ(seen.identity, same.identity);
    EXPECT_EQ(seen.server_start, same.server_start);
    EXPECT_EQ(seen.history, same.history);
    EXPECT_THAT(seen.version, HasSubstr(same.version));

    auto branch = prepare_branch(1);
    EXPECT_THAT(native->scan(*manage, in_seconds(10)).ours, ::testing::Contains(branch.id));
    if (driver().capabilities().stays_attached_after_prepare) {
        branch.session.reset();
        EXPECT_TRUE(eventually([&] { return run(*manage, verb::commit, branch.id).is_ok(); }));
    } else {
        EXPECT_TRUE(run(*manage, verb::commit, branch.id).is_ok());
    }
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(odbc_server, AHandleWithAutocommitOffIsRefused)
{
    odbc_client client{by_odbc().connect_string()};
    client.set_autocommit(false);

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("SQL_ATTR_AUTOCOMMIT"));
}

TEST_P(odbc_server, ALeaseByUnixSocketIsSeveredLikeAnyOther)
{
    auto const by_socket =
        odbc::resource_manager{"accounts", by_odbc().connect_string_by_socket()}.driver();
    auto const branch = start_on(*by_socket, 1);
    auto const id = branch.session->id();
    ASSERT_NE(id, 0u);
    ASSERT_GE(branch.session->descriptor(), 0);

    branch.session->sever();

    auto const manage = open(session_purpose::manage);
    EXPECT_TRUE(eventually(
        [&] { return driver().presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(odbc_server, AOnePhaseCommitThatIsCutBeforeItWasSentIsRolledBack)
{
    testing::proxy network;
    auto const branch = start_behind(network, 1);
    network.on_request(0, by_odbc().last_before_commit(), testing::fault::silence_before);

    branch.session->submit(verb::commit_one_phase, branch.id);
    EXPECT_FALSE(branch.session->collect(in_ms(100)));
    branch.session->sever();
    auto const answer = branch.session->collect(in_ms(0));

    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->code, xa_code::rbother) << answer->text << ": its session may still be there";
    EXPECT_EQ(target().count_rows(1), 0);
}

TEST_P(odbc_server, ALentHandleOfASilentServerIsGivenUpAtTheDeadline)
{
    odbc_client client{by_odbc().connect_string()};
    auto const expected = facts();
    target().freeze();
    auto const before = deadline::clock::now();

    try {
        driver().borrow(client.get(), expected, in_ms(200));
        ADD_FAILURE() << "the server is frozen";
    } catch (driver_error const& error) {
        EXPECT_TRUE(error.must_close());
    }

    EXPECT_LT(deadline::clock::now() - before, std::chrono::seconds(10));
    EXPECT_TRUE(eventually([] { return sql_text::worker::stuck_count() == 0; }));
    target().thaw();
}

TEST_P(odbc_server, AServerThatDiesInTheMiddleIsALostReply)
{
    if (facts().kind == "mysql") GTEST_SKIP() << "MariaDB is the driver's too, and starts quickly";
    auto const prepared = prepare_branch(1);
    auto const active = start_branch(2);
    target().freeze();
    prepared.session->submit(verb::commit, prepared.id);
    active.session->submit(verb::commit_one_phase, active.id);

    target().crash();

    auto const committed = prepared.session->collect(in_seconds(10));
    auto const ended = active.session->collect(in_seconds(10));
    ASSERT_TRUE(committed && ended);
    EXPECT_EQ(committed->detail, reply_detail::reply_lost) << committed->text;
    // PostgreSQL is asked before it commits, MariaDB's XA END goes before XA COMMIT: nothing was
    // sent that could make the branch permanent.
    EXPECT_EQ(ended->code, xa_code::rbother) << ended->text;
    EXPECT_FALSE(prepared.session->is_reusable());
    target().start();
    EXPECT_TRUE(is_listed(prepared.id));
    finish_elsewhere(verb::commit, prepared.id);
    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_EQ(target().count_rows(2), 0);
}

}  // namespace assent::contract
