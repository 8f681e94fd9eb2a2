// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_mysql_test.cpp -- MariaDB and MySQL through clients that show no handle, held to the
// contract, and what such a client may do behind one's back.

#include <gmock/gmock.h>

#include <array>
#include <stdexcept>

#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;

constexpr std::array ends = {verb::prepare, verb::commit_one_phase, verb::rollback};

template <server_kind Kind>
std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<text_mysql_target>(Kind);
    return target;
}

bool is_left_behind(reply const& what)
{
    return what.code == xa_code::proto && what.detail == reply_detail::left_behind;
}

bool begins_with(std::string const& text, char const* beginning)
{
    return text.rfind(beginning, 0) == 0;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(text_mariadb, contract,
                         ::testing::Values(&make_target<server_kind::mariadb>));
INSTANTIATE_TEST_SUITE_P(text_mysql, contract, ::testing::Values(&make_target<server_kind::mysql>));

class text_mysql : public contract
{
protected:
    text_mysql_target& my() { return dynamic_cast<text_mysql_target&>(target()); }

    std::unique_ptr<meddled_text> open_client()
    {
        return std::make_unique<meddled_text>(
            [this] { return my().open_text(my().server(), "accounts"); });
    }
    meddled_branch lend(std::unique_ptr<meddled_text> client)
    {
        meddled_branch branch{std::move(client), nullptr, {}};
        branch.session = driver().borrow(branch.client.get(), facts(), in_seconds(10));
        branch.id = next_xid(*branch.session);
        return branch;
    }
    meddled_branch start_on(std::unique_ptr<meddled_text> client, int key)
    {
        auto branch = lend(std::move(client));
        reply const begun = run(*branch.session, verb::start, branch.id);
        if (!begun.is_ok()) throw std::runtime_error("start failed: " + begun.text);
        my().write_row(*branch.session, key);
        return branch;
    }
    std::string refusal_of(sql_session& lent)
    {
        try {
            driver().borrow(&lent, facts(), in_seconds(10));
        } catch (driver_error const& error) {
            return error.what();
        }
        return "it was taken";
    }
};

INSTANTIATE_TEST_SUITE_P(on, text_mysql,
                         ::testing::Values(&make_target<server_kind::mariadb>,
                                           &make_target<server_kind::mysql>),
                         [](auto const& of) { return of.index == 0 ? "mariadb" : "mysql"; });

TEST_P(text_mysql, ASilentReconnectInsideABranchIsNoticedAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        auto const branch = start_on(open_client(), ++key);
        branch.client->reconnect();
        my().write_row(*branch.session, 100 + key);  // permanent at once

        reply const answer = run(*branch.session, end, branch.id);

        EXPECT_TRUE(is_left_behind(answer)) << answer.text;
        EXPECT_FALSE(branch.session->is_reusable());
        EXPECT_EQ(my().count_rows(key), 0);
        EXPECT_EQ(my().count_rows(100 + key), 1);
    }
}

TEST_P(text_mysql, ACommitThatIsRepeatedInANewSessionIsNotBelieved)
{
    for (bool const is_first_heard : {false, true}) {
        int const key = is_first_heard ? 2 : 1;
        auto branch = start_on(open_client(), key);
        auto& client = *branch.client;
        client.before = [&](std::string const& sql) -> std::optional<sql_answer> {
            if (!begins_with(sql, "XA COMMIT")) return std::nullopt;
            if (is_first_heard) client.run_as_it_is(sql);
            client.reconnect();
            return std::nullopt;
        };

        reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

        EXPECT_FALSE(answer.is_ok());
        EXPECT_FALSE(answer.code >= xa_code::rbrollback && answer.code <= xa_code::rbtransient)
            << answer.text;
        EXPECT_EQ(my().count_rows(key), is_first_heard ? 1 : 0);
    }
}

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
    std::string const name = "'" + std::string{branch.id.global.text()} + "','" +
                             std::string{branch.id.branch.text()} + "',1";
    run_text(branch.client.get(), "XA END " + name);
    run_text(branch.client.get(), "XA ROLLBACK " + name);

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_TRUE(is_left_behind(answer)) << answer.text;
}

TEST_P(text_mysql, AConnectionWithAutocommitOffIsRefused)
{
    auto const client = open_client();
    run_text(client.get(), "SET autocommit = 0");

    EXPECT_THAT(refusal_of(*client), HasSubstr("autocommit"));
}

TEST_P(text_mysql, ABranchOfTheApplicationsIsATransactionToo)
{
    auto const client = open_client();
    run_text(client.get(), "XA START 'its own'");

    EXPECT_THAT(refusal_of(*client), HasSubstr("transaction"));
}

TEST_P(text_mysql, AnErrorWithoutACodeIsSilence)
{
    auto branch = start_on(open_client(), 1);
    branch.client->after = [](std::string const& sql, sql_answer& answer) {
        if (begins_with(sql, "XA PREPARE")) answer = {};
    };

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(answer.detail, reply_detail::reply_lost) << answer.text;
    EXPECT_TRUE(is_listed(branch.id));
    branch.session.reset();
    branch.client.reset();
    finish_elsewhere(verb::rollback, branch.id);
}

TEST_P(text_mysql, ANumberThatTheServerDoesNotConfirmMeansAProxy)
{
    auto client = open_client();
    client->number = 1 + std::stoull(run_text(client.get(), "SELECT CONNECTION_ID()"));

    auto const branch = start_on(std::move(client), 1);

    EXPECT_EQ(branch.session->id(), 0u);
    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(my().count_rows(1), 1);
}

}  // namespace assent::contract
