// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_lent_again_test.cpp -- a connection that was lent before is asked again who it is, but
// for what its server's process cannot have changed.

#include <unistd.h>

#include <gmock/gmock.h>

#include "tests/contract/postgresql_target.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

using ::testing::HasSubstr;
using ::testing::Not;

class postgresql_lent_again : public postgresql_case
{
protected:
    void SetUp() override
    {
        postgresql_case::SetUp();
        if (!IsSkipped()) expected_ = facts();
    }

    void lend(plain_connection& to)
    {
        auto const session = driver().borrow(to.get(), expected_, in_seconds(10));
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        ASSERT_TRUE(run(*session, verb::rollback, x).is_ok());
    }

    std::string refusal(plain_connection& of)
    {
        try {
            driver().borrow(of.get(), expected_, in_seconds(10));
        } catch (driver_error const& error) {
            return error.what();
        }
        return "it was not refused";
    }

private:
    server_facts expected_;
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_lent_again, postgresql_target);

TEST_P(postgresql_lent_again, IsAskedInFullOnce)
{
    testing::proxy network;
    auto const database = network.add(testing::wire_protocol::postgresql, pg().server().port());
    plain_connection lent{pg().server().conninfo("accounts", network.port(database)) +
                          " sslmode=disable"};
    auto const question = [&] {
        network.clear();
        lend(lent);
        return network.sql(database).front().text;
    };

    auto const first = question();
    EXPECT_THAT(first, HasSubstr("pg_control_system"));
    EXPECT_THAT(first, HasSubstr("pg_stat_get_activity"));
    for (int again = 0; again < 2; ++again) {
        auto const next = question();
        EXPECT_THAT(next, HasSubstr("pg_postmaster_start_time"));
        EXPECT_THAT(next, Not(HasSubstr("pg_control_system")));
        EXPECT_THAT(next, Not(HasSubstr("pg_stat_get_activity")));
    }
    PQreset(lent.get());
    EXPECT_THAT(question(), HasSubstr("pg_control_system"));
}

TEST_P(postgresql_lent_again, IsRefusedWhereItIsNotWhatItWas)
{
    pg().administer("DO $$BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END$$");
    pg().administer("GRANT clerk TO shop");
    plain_connection lent{pg().server().conninfo()};
    lend(lent);
    lent.run("SET ROLE clerk");
    EXPECT_THAT(refusal(lent), HasSubstr("its role is 'clerk'"));
    lent.run("RESET ROLE");
    lend(lent);

    pg().administer("ALTER ROLE shop RENAME TO renamed");
    EXPECT_THAT(refusal(lent), HasSubstr("its role is 'renamed'"));
    pg().administer("ALTER ROLE renamed RENAME TO shop");
    pg().administer("ALTER ROLE shop PASSWORD '" + pg().server().password() + "'");
    lend(lent);
}

/// As a client does that connects again by itself, behind the client library's back.
TEST_P(postgresql_lent_again, IsAnotherOneOnAnotherSocket)
{
    auto const lent =
        std::make_unique<plain_connection>(pg().server().conninfo() + " sslmode=disable");
    lend(*lent);
    plain_connection orders{pg().server().conninfo("orders") + " sslmode=disable"};
    ASSERT_GE(::dup2(PQsocket(orders.get()), PQsocket(lent->get())), 0);
    EXPECT_THAT(refusal(*lent), HasSubstr("connected to the database 'orders'"));

    plain_connection super{pg().server().superuser_conninfo("accounts") + " sslmode=disable"};
    ASSERT_GE(::dup2(PQsocket(super.get()), PQsocket(lent->get())), 0);
    EXPECT_THAT(refusal(*lent), HasSubstr("its role is 'postgres'"));
}

}  // namespace assent::contract
