// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_contract.cpp -- what every client that shows no handle may do behind one's back, and
// that a branch's end notices it.

#include "tests/contract/sql_session_target.hpp"

namespace assent::contract {

TEST_P(text_session, ASilentReconnectInsideABranchIsNoticedAtEveryEnd)
{
    int key = 0;
    for (verb const end : ends) {
        auto const branch = start_on(open_client(), ++key);
        branch.client->reconnect();
        target().write_row(*branch.session, 100 + key);  // permanent at once

        reply const answer = run(*branch.session, end, branch.id);

        EXPECT_TRUE(is_left_behind(answer)) << answer.text;
        EXPECT_FALSE(branch.session->is_reusable());
        EXPECT_EQ(target().count_rows(key), 0);
        EXPECT_EQ(target().count_rows(100 + key), 1);
    }
}

TEST_P(text_session, ACommitThatIsRepeatedInANewSessionIsNotBelieved)
{
    for (bool const is_first_heard : {false, true}) {
        int const key = is_first_heard ? 2 : 1;
        auto branch = start_on(open_client(), key);
        auto& client = *branch.client;
        client.before = [&](std::string const& sql) -> std::optional<sql_answer> {
            if (!sql.starts_with(by_text().commit_begins())) return std::nullopt;
            if (is_first_heard) client.run_as_it_is(sql);  // ... and its answer is lost
            client.reconnect();
            return std::nullopt;
        };

        reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

        EXPECT_FALSE(answer.is_ok());
        EXPECT_FALSE(is_rolled_back(answer)) << answer.text;
        if (driver().capabilities().has_one_phase_witness) {
            EXPECT_EQ(answer.detail, reply_detail::reply_lost) << answer.text;
            EXPECT_FALSE(branch.session->is_reusable());
            auto const manage = open(session_purpose::manage);
            EXPECT_EQ(driver().ask_witness(*manage, answer.witness, in_seconds(10)),
                      is_first_heard ? witness_state::committed : witness_state::rolled_back);
        }
        EXPECT_EQ(target().count_rows(key), is_first_heard ? 1 : 0);
    }
}

TEST_P(text_session, AnErrorWithoutACodeIsSilence)
{
    auto branch = start_on(open_client(), 1);
    branch.client->after = [this](std::string const& sql, sql_answer& answer) {
        if (!sql.starts_with(by_text().prepare_begins())) return;
        answer = {};  // it was prepared, and the client found something to complain about
        answer.text = "out of memory";
    };

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(answer.detail, reply_detail::reply_lost) << answer.text;
    EXPECT_TRUE(is_listed(branch.id));
    branch.session.reset();
    branch.client.reset();
    finish_elsewhere(verb::rollback, branch.id);
}

TEST_P(text_session, ANumberThatTheServerDoesNotConfirmMeansAProxy)
{
    auto client = open_client();
    client->number = 1 + std::stoull(run_text(client.get(), by_text().number_query()));

    auto const branch = start_on(std::move(client), 1);

    EXPECT_EQ(branch.session->id(), 0u);
    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 1);
}

}  // namespace assent::contract
