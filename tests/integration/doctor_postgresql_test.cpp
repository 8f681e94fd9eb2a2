// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// `assent doctor` on PostgreSQL, of each edition: a sound server, and each finding provoked.

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/contract/postgresql_target.hpp"
#include "tests/contract/renumbering_proxy.hpp"
#include "tests/integration/consulting_room.hpp"

namespace {

using namespace assent::testing;
using assent::contract::edition;
using assent::contract::eventually;
using assent::contract::plain_connection;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

diagnosis examine_at(private_server const& server, std::string const& connect,
                     std::string const& more = {})
{
    consulting_room room;
    room.keep_secret(server.password());
    room.admit("accounts", "postgresql", connect, more);
    return room.examine();
}

class DoctorPostgresql : public ::testing::TestWithParam<edition>
{
protected:
    void SetUp() override
    {
        auto const missing = assent::contract::why_missing(GetParam());
        if (!missing.empty()) GTEST_SKIP() << missing;
    }

    /// The program's only sound server of that edition.
    static private_server& sound()
    {
        static std::unique_ptr<private_server> all[2];
        auto& one = all[static_cast<int>(GetParam())];
        if (!one) one = assent::contract::make_server(GetParam(), {"max_prepared_transactions=80"});
        return *one;
    }
    static std::string administer(std::string const& sql)
    {
        return plain_connection{sound().superuser_conninfo()}.run(sql);
    }

    static diagnosis examine() { return examine_at(sound(), sound().conninfo()); }

    static bool is_newest() { return GetParam() == edition::newest; }
};
INSTANTIATE_TEST_SUITE_P(on, DoctorPostgresql,
                         ::testing::Values(edition::installed, edition::newest),
                         [](auto const& of) {
                             return of.param == edition::newest ? "newest" : "installed";
                         });

TEST_P(DoctorPostgresql, ASoundServerIsFineAndNothingIsLeftBehind)
{
    sound();

    auto const told = examine();

    EXPECT_EQ(told.status(), 0) << told.json();
    EXPECT_THAT(told.at_level("accounts", "advice"), IsEmpty());
    EXPECT_THAT(told.at_level("accounts", "warning"), IsEmpty());
    auto const accounts = told.patient("accounts");
    EXPECT_GT(accounts.at("round_trip").at("median_us"), 0);
    EXPECT_GT(accounts.at("force").at("median_us"), 0) << "PostgreSQL can be measured";
    EXPECT_THAT(accounts.at("version").get<std::string>(), HasSubstr(is_newest() ? "" : "15."));
    EXPECT_EQ(administer("SELECT count(*) FROM pg_prepared_xacts"), "0");
    EXPECT_EQ(
        administer("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
        "0");
    EXPECT_EQ(administer("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
}

TEST_P(DoctorPostgresql, SettingsThatLoseVotesOrBranchesAreNamed)
{
    auto settings = std::vector<std::string>{"fsync=off",
                                             "full_page_writes=off",
                                             "synchronous_commit=off",
                                             "max_prepared_transactions=0",
                                             "idle_in_transaction_session_timeout=5s",
                                             "idle_session_timeout=10s",
                                             "statement_timeout=1s",
                                             "max_connections=10",
                                             "superuser_reserved_connections=0"};
    if (is_newest()) settings.emplace_back("transaction_timeout=10s");
    auto const server = assent::contract::make_server(GetParam(), settings);
    plain_connection{server->superuser_conninfo()}.run(
        "ALTER ROLE shop SET default_transaction_read_only = on");

    auto const told = examine_at(*server, server->conninfo());
    auto const accepted = examine_at(*server, server->conninfo(), "allow_non_durable = true");

    EXPECT_EQ(told.status(), 4);
    EXPECT_THAT(told.at_level("accounts", "error"),
                UnorderedElementsAre("fsync", "full_page_writes", "max_prepared_transactions"));
    std::vector<std::string> cuts{"idle_in_transaction_session_timeout",
                                  "default_transaction_read_only"};
    if (is_newest()) cuts.emplace_back("transaction_timeout");
    EXPECT_THAT(told.at_level("accounts", "warning"), ::testing::UnorderedElementsAreArray(cuts));
    EXPECT_THAT(
        told.at_level("accounts", "advice"),
        UnorderedElementsAre("synchronous_commit", "idle_session_timeout", "statement_timeout"));
    EXPECT_THAT(told.advice("accounts", "fsync"), HasSubstr("ALTER SYSTEM SET fsync = on"));
    EXPECT_THAT(told.advice("accounts", "max_prepared_transactions"),
                HasSubstr("ALTER SYSTEM SET max_prepared_transactions = 10"));
    EXPECT_EQ(accepted.level_of("accounts", "fsync"), "warning");
    EXPECT_EQ(accepted.level_of("accounts", "full_page_writes"), "warning");
    EXPECT_EQ(accepted.level_of("accounts", "max_prepared_transactions"), "error");

    // The last free connection is the doctor's, once those of before are gone from the server.
    constexpr std::size_t taken = 9;
    std::vector<std::unique_ptr<plain_connection>> others;
    others.push_back(std::make_unique<plain_connection>(server->superuser_conninfo()));
    ASSERT_TRUE(eventually([&] {
        return others.front()->run(
                   "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'") == "0";
    }));
    while (others.size() < taken)
        others.push_back(std::make_unique<plain_connection>(server->superuser_conninfo()));
    EXPECT_EQ(examine_at(*server, server->conninfo()).level_of("accounts", "connections"),
              "warning");
}

TEST_P(DoctorPostgresql, RightsThatAreMissingAreToldWithTheStatementToRun)
{
    administer("CREATE ROLE clerk; GRANT clerk TO shop; ALTER ROLE shop SET role = clerk");
    auto const other_role = examine();
    administer("ALTER ROLE shop RESET role; DROP ROLE clerk");
    administer("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    auto const nameless = examine();
    administer("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC");
    administer("ALTER ROLE shop CONNECTION LIMIT 3");
    auto const few = examine();
    administer("ALTER ROLE shop CONNECTION LIMIT -1");

    EXPECT_EQ(other_role.status(), 4);
    EXPECT_THAT(other_role.at_level("accounts", "error"), ElementsAre("right to end sessions"));
    EXPECT_THAT(other_role.advice("accounts", "right to end sessions"),
                HasSubstr("GRANT pg_signal_backend TO"));
    EXPECT_EQ(nameless.status(), 1);
    EXPECT_EQ(nameless.patient("accounts").at("is_examined"), false);
    EXPECT_THAT(nameless.patient("accounts").at("problem").get<std::string>(),
                HasSubstr("GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system()"));
    EXPECT_EQ(few.status(), 4);
    EXPECT_THAT(few.at_level("accounts", "warning"), ElementsAre("connections"));
    EXPECT_EQ(examine().status(), 0);
}

TEST_P(DoctorPostgresql, BranchesOfAnotherRoleCannotBeFinished)
{
    std::string const name = "asn1" + std::string(78, '0');
    {
        plain_connection superuser{sound().superuser_conninfo()};
        superuser.run("BEGIN");
        superuser.run("SELECT pg_current_xact_id()");
        superuser.run("PREPARE TRANSACTION '" + name + "'");
    }

    auto const as_shop = examine();
    auto const as_superuser = examine_at(sound(), sound().superuser_conninfo());
    administer("ROLLBACK PREPARED '" + name + "'");

    EXPECT_EQ(as_shop.status(), 4);
    EXPECT_THAT(as_shop.at_level("accounts", "error"), ElementsAre("branches of another role"));
    EXPECT_EQ(as_superuser.status(), 0);
    EXPECT_THAT(as_superuser.at_level("accounts", "advice"), ElementsAre("role"));
}

TEST_P(DoctorPostgresql, AProxyThatGivesOutItsOwnProcessIdsIsNoticed)
{
    assent::contract::renumbering_proxy const proxy{sound().port()};

    auto const told = examine_at(sound(), sound().conninfo("accounts", proxy.port()));

    EXPECT_EQ(told.status(), 4);
    EXPECT_THAT(told.at_level("accounts", "error"), ElementsAre("proxy"));
}

TEST_P(DoctorPostgresql, PlacesForPreparedTransactionsRunOut)
{
    plain_connection other{sound().conninfo()};
    constexpr int more_than_half = 41;
    for (int i = 0; i < more_than_half; ++i)
        other.run("BEGIN; SELECT 1; PREPARE TRANSACTION 'other " + std::to_string(i) + "'");

    auto const told = examine();
    for (int i = 0; i < more_than_half; ++i)
        other.run("ROLLBACK PREPARED 'other " + std::to_string(i) + "'");

    EXPECT_EQ(told.status(), 4);
    EXPECT_EQ(told.level_of("accounts", "max_prepared_transactions"), "warning");
    EXPECT_EQ(told.seen("accounts", "max_prepared_transactions"), "80, 41 in use");
    EXPECT_THAT(told.seen("accounts", "prepared for long"), HasSubstr("the oldest for"));
}

TEST_P(DoctorPostgresql, ATableOfCommitRowsIsLookedAtAndNeverMade)
{
    administer(
        "CREATE UNLOGGED TABLE public.assent_decision (gtrid text PRIMARY KEY, kind text, "
        "content text)");
    auto const unlogged = examine();
    administer(
        "DROP TABLE public.assent_decision; ALTER DATABASE accounts OWNER TO postgres; "
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    auto const forbidden = examine();
    administer("ALTER DATABASE accounts OWNER TO shop");

    EXPECT_EQ(unlogged.status(), 4);
    EXPECT_EQ(unlogged.level_of("accounts", "table of commit rows"), "warning");
    EXPECT_THAT(unlogged.advice("accounts", "table of commit rows"), HasSubstr("unlogged"));
    EXPECT_EQ(forbidden.status(), 0);
    EXPECT_EQ(forbidden.level_of("accounts", "table of commit rows"), "advice");
    EXPECT_THAT(forbidden.advice("accounts", "table of commit rows"),
                HasSubstr("CREATE TABLE public.assent_decision"));
}

/// The application with these reservations would not start, so it is an error.
TEST_P(DoctorPostgresql, ReservationsWithoutTheirTableOrRightsAreRefused)
{
    constexpr char check[] = "table of reservations";
    auto const reserving = [] {
        return examine_at(sound(), sound().conninfo(), "reservations = true\n");
    };
    administer(
        "ALTER DATABASE accounts OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    auto const missing = reserving();
    auto const unused = examine();
    administer(
        "CREATE TABLE public.assent_branch (xid text COLLATE \"C\" PRIMARY KEY, manager text NOT "
        "NULL, payload bytea NOT NULL, made timestamptz NOT NULL DEFAULT now()); "
        "GRANT SELECT, INSERT, UPDATE ON public.assent_branch TO shop");
    auto const cannot_end = reserving();
    administer("GRANT DELETE ON public.assent_branch TO shop");
    auto const can = reserving();
    administer("DROP TABLE public.assent_branch; ALTER DATABASE accounts OWNER TO shop");

    EXPECT_EQ(missing.status(), 4);
    EXPECT_EQ(missing.level_of("accounts", check), "error");
    EXPECT_THAT(missing.advice("accounts", check), HasSubstr("CREATE TABLE public.assent_branch"));
    EXPECT_EQ(unused.status(), 0);
    EXPECT_EQ(unused.level_of("accounts", check), "advice");
    EXPECT_EQ(cannot_end.level_of("accounts", check), "error");
    EXPECT_THAT(cannot_end.advice("accounts", check), HasSubstr("rights on it are missing"));
    EXPECT_EQ(can.level_of("accounts", check), "ok");
}

TEST(DoctorPostgresqlStandby, IsNoPrimaryAndWhereItIsNotWaitedForThatIsTold)
{
    auto const primary = private_server::postgresql();
    auto const standby = private_server::standby_of(*primary);
    plain_connection look{primary->superuser_conninfo()};
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (look.run("SELECT count(*) FROM pg_stat_replication") != "1" &&
           std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }

    auto const of_standby = examine_at(*standby, standby->conninfo());
    auto const of_primary = examine_at(*primary, primary->conninfo());

    EXPECT_EQ(of_standby.status(), 4);
    EXPECT_THAT(of_standby.at_level("accounts", "error"), ElementsAre("writable primary"));
    EXPECT_EQ(of_standby.patient("accounts").at("force"), nullptr);
    EXPECT_EQ(of_primary.status(), 0);
    EXPECT_EQ(of_primary.level_of("accounts", "replication"), "advice");
    EXPECT_EQ(of_primary.level_of("accounts", "max_prepared_transactions"), "advice")
        << "64 places for 80 connections";
}

}  // namespace
