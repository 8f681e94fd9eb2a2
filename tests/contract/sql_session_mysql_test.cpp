// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session_mysql_test.cpp -- MariaDB and MySQL through clients that show no handle, held to the
// contract, and what such a client may do behind one's back.

#include <gmock/gmock.h>

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

}  // namespace assent::contract
