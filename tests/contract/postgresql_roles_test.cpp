// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_roles_test.cpp -- who may finish a branch, and what becomes of a session that is, or
// turns into, somebody else.
//
//   login    under which the server lists a session: never changes
//   role     current_user: owns what is prepared, and it alone may finish that

#include <string>

#include <assent/postgresql.hpp>

#include <gmock/gmock.h>

#include "tests/contract/postgresql_said.hpp"

namespace assent::contract {

class postgresql_roles : public postgresql_case
{
protected:
    void SetUp() override
    {
        postgresql_case::SetUp();
        if (IsSkipped()) return;
        pg().administer(R"(
            DO $$BEGIN
                CREATE ROLE clerk LOGIN; CREATE ROLE bare LOGIN;
            EXCEPTION WHEN duplicate_object THEN END$$;
            GRANT clerk TO shop;
            GRANT ALL ON entry TO clerk;
            ALTER ROLE shop RESET role)");
    }
    void TearDown() override
    {
        if (!IsSkipped()) pg().administer("ALTER ROLE shop RESET role");
        postgresql_case::TearDown();
    }

    /// By the unix socket, where everybody is who he says.
    std::shared_ptr<resource_manager_driver> driver_of(std::string const& role)
    {
        return postgresql::resource_manager{"accounts",
                                            pg().server().superuser_conninfo() + " user=" + role}
            .driver();
    }

    std::string refusal(plain_connection& lent)
    {
        try {
            driver().borrow(lent.get(), facts(), in_seconds(10));
        } catch (driver_error const& error) {
            EXPECT_FALSE(error.must_close());
            return error.what();
        }
        return {};
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_roles, postgresql_without_replica);

using ::testing::HasSubstr;

TEST_P(postgresql_roles, MembershipDoesNotFinishABranch)
{
    auto const clerks = driver_of("clerk");
    auto const branch = start_on(*clerks, 1);
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    auto const manage = open(session_purpose::manage);
    ASSERT_EQ(apply(*manage, "SELECT pg_has_role('clerk', 'usage')"), "t");

    for (verb const end : {verb::commit, verb::rollback}) {
        reply const answer = run(*manage, end, branch.id);
        EXPECT_EQ(answer.code, xa_code::proto);
        EXPECT_EQ(answer.sqlstate, "42501");
        EXPECT_THAT(answer.text, HasSubstr("only the role that prepared it"));
    }
    EXPECT_TRUE(is_listed(branch.id)) << "everybody sees it";

    auto const super = driver_of("postgres")->connect(session_purpose::manage, in_seconds(10));
    EXPECT_TRUE(run(*super, verb::commit, branch.id).is_ok()) << "a superuser may";
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_roles, WhatIsPreparedUnderSetRoleBelongsToThatRole)
{
    listening_connection session{pg().server().conninfo()};
    session.ask("BEGIN");
    session.ask("SET LOCAL ROLE clerk");
    session.ask("INSERT INTO entry VALUES (1)");
    ASSERT_TRUE(session.ask("PREPARE TRANSACTION 'clerks'").is_ok());

    EXPECT_EQ(session.ask("SELECT current_user").value, "shop") << "the local role is over";
    EXPECT_EQ(session.ask("COMMIT PREPARED 'clerks'").sqlstate, "42501");
    EXPECT_EQ(session.ask("ROLLBACK PREPARED 'clerks'").sqlstate, "42501");
    session.ask("SET ROLE clerk");
    EXPECT_TRUE(session.ask("COMMIT PREPARED 'clerks'").is_ok());
}

TEST_P(postgresql_roles, AnotherSessionAuthorizationIsTheApplicationsOwn)
{
    auto const super = driver_of("postgres");
    auto const branch = start_on(*super, 1);
    apply(*branch.session, "SET SESSION AUTHORIZATION clerk");

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_EQ(pg().administer("SELECT owner FROM pg_prepared_xacts"), "postgres");
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(postgresql_roles, ARoleThatWasGivenBackIsNoAlarm)
{
    pg().administer(R"(
        CREATE OR REPLACE FUNCTION as_owner() RETURNS name LANGUAGE sql SECURITY DEFINER
            AS 'SELECT current_user'; GRANT EXECUTE ON FUNCTION as_owner() TO shop)");
    auto const branch = start_branch(1);
    apply(*branch.session, "SET ROLE clerk");
    apply(*branch.session, "INSERT INTO entry VALUES (2)");
    apply(*branch.session, "RESET ROLE");
    ASSERT_EQ(apply(*branch.session, "SELECT as_owner()"), "postgres");

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(2), 1);
}

TEST_P(postgresql_roles, OfOneDatabaseTheRoleDoesNotMatterAtTheEnd)
{
    auto const branch = start_branch(1);
    apply(*branch.session, "SET ROLE clerk");

    EXPECT_TRUE(run(*branch.session, verb::commit_one_phase, branch.id).is_ok())
        << "the session ends its own transaction";
    EXPECT_EQ(pg().count_rows(1), 1);
}

// --- connections that are lent ---

TEST_P(postgresql_roles, ALentConnectionOfAnotherRoleIsRefusedByName)
{
    plain_connection clerk{pg().server().superuser_conninfo() + " user=clerk"};
    plain_connection turned{pg().server().conninfo()};
    turned.run("SET ROLE clerk");

    for (auto* each : {&clerk, &turned}) {
        EXPECT_THAT(refusal(*each),
                    HasSubstr("its role is 'clerk', and that of the manager's own connections is "
                              "'shop'"));
    }
}

TEST_P(postgresql_roles, ALentConnectionOfAnotherLoginIsRefusedWhateverItsRole)
{
    plain_connection super{pg().server().superuser_conninfo()};
    super.run("SET SESSION AUTHORIZATION shop");
    ASSERT_EQ(super.run("SELECT current_user || ' ' || session_user"), "shop shop");

    EXPECT_THAT(refusal(super), HasSubstr("it logged in as 'postgres', and the manager's own "
                                          "connections as 'shop'"));
    super.run("RESET SESSION AUTHORIZATION");
    super.run("SET ROLE shop");
    EXPECT_THAT(refusal(super), HasSubstr("it logged in as 'postgres'"));
}

// --- accounts that work ---

TEST_P(postgresql_roles, ARoleThatTheServerSetsAtLoginIsTheRoleOfAllAndMustBeAbleToEndSessions)
{
    pg().administer("ALTER ROLE shop SET role = 'clerk'");
    refresh_driver();
    auto const manage = open(session_purpose::manage);
    try {
        driver().preflight(*manage, in_seconds(10));
        ADD_FAILURE() << "no deadline could end a session";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), HasSubstr("GRANT pg_signal_backend"));
    }
    pg().administer("GRANT pg_signal_backend TO clerk");
    ASSERT_EQ(facts().user, "clerk");
    auto const branch = prepare_branch(1);

    finish_elsewhere(verb::commit, branch.id);

    EXPECT_EQ(pg().count_rows(1), 1);
    auto const older = start_branch(2);
    auto const ours = open(session_purpose::manage);
    EXPECT_EQ(driver().sessions_before(*ours, ours->id(), in_seconds(10)),
              session_presence::present);
    driver().end_session(*manage, branch.session->id(), in_seconds(10));
    EXPECT_TRUE(eventually([&] {
        return driver().presence(*manage, branch.session->id(), in_seconds(10)) ==
               session_presence::gone;
    }));
    pg().administer("REVOKE pg_signal_backend FROM clerk");
}

TEST_P(postgresql_roles, ASuperuserAndARoleWithoutAnyRightDoAlike)
{
    for (std::string const role : {"postgres", "bare"}) {
        SCOPED_TRACE(role);
        auto const by = driver_of(role);
        auto const manage = by->connect(session_purpose::manage, in_seconds(10));
        auto const guardian = by->connect(session_purpose::guardian, in_seconds(10));
        EXPECT_EQ(by->preflight(*manage, in_seconds(10)).user, role);
        EXPECT_TRUE(by->try_guard(*guardian, 11, in_seconds(10)));
        EXPECT_NO_THROW(by->heartbeat(*guardian, in_seconds(10)));
        auto const work = by->connect(session_purpose::work, in_seconds(10));
        xid const x = next_xid(*work);
        ASSERT_TRUE(run(*work, verb::start, x).is_ok());
        ASSERT_TRUE(run(*work, verb::prepare, x).is_ok());
        EXPECT_EQ(by->scan(*manage, in_seconds(10)).ours.size(), 1u);
        EXPECT_TRUE(run(*manage, verb::commit, x).is_ok());
        EXPECT_NO_THROW(by->cancel_statement(*manage, work->id(), in_seconds(10)));
        EXPECT_NO_THROW(by->end_session(*manage, work->id(), in_seconds(10)));
    }
}

TEST_P(postgresql_roles, AServerThatHidesWhoItIsSaysWhatToGrant)
{
    std::string const function = " ON FUNCTION pg_catalog.pg_control_system() ";
    pg().administer("REVOKE EXECUTE" + function + "FROM PUBLIC");
    std::string why;
    try {
        open(session_purpose::manage);
    } catch (driver_error const& error) {
        why = error.what();
    }
    pg().administer("GRANT EXECUTE" + function + "TO shop");

    EXPECT_THAT(why, HasSubstr("\"accounts\""));
    EXPECT_THAT(why, HasSubstr("GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system()"));
    EXPECT_EQ(facts().user, "shop");
    pg().administer("GRANT EXECUTE" + function + "TO PUBLIC");
}

}  // namespace assent::contract
