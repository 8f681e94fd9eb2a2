// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// `assent doctor` on MariaDB and MySQL: a sound server, and each finding provoked.

#include <chrono>
#include <memory>
#include <vector>

#include <assent/driver.hpp>
#include <assent/mysql.hpp>

#include "tests/contract/mysql_client.hpp"
#include "tests/integration/consulting_room.hpp"

namespace {

using namespace assent::testing;
using assent::contract::mysql_client;
using assent::contract::server_kind;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

class DoctorMysql : public ::testing::TestWithParam<server_kind>
{
protected:
    void SetUp() override
    {
        auto const missing = assent::contract::why_missing(GetParam());
        if (!missing.empty()) GTEST_SKIP() << missing;
    }

    static bool is_mariadb() { return GetParam() == server_kind::mariadb; }
    static private_server& sound() { return assent::contract::shared_server(GetParam()); }
    static std::string administer(std::string const& sql, private_server const& server = sound())
    {
        return mysql_client::administrator(server).query(sql);
    }

    /// In `accounts`; as `shop`, or as another account with the password `secret-word`.
    static diagnosis examine(private_server const& server, std::string const& account = "shop",
                             std::string const& more = {})
    {
        consulting_room room;
        std::string const secret = account == "shop" ? server.password() : "secret-word";
        auto const password = room.files().file("password", secret);
        room.keep_secret(secret);
        room.admit("accounts", assent::contract::name_of(GetParam()),
                   "host=127.0.0.1 port=" + std::to_string(server.port()) + " user=" + account +
                       " password_file=" + password + " database=accounts",
                   more);
        return room.examine();
    }
    static diagnosis examine() { return examine(sound()); }

    /// Why the start of an application with reservations is refused; empty: it is not.
    static std::string why_refused()
    {
        assent::mysql::connect_options as;
        as.host = "127.0.0.1";
        as.port = sound().port();
        as.user = "clerk";
        as.password = "secret-word";
        as.database = "accounts";
        assent::mysql::resource_manager const clerks{"clerks", as};
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
        auto& driver = *clerks.driver();
        auto const session = driver.connect(assent::session_purpose::manage, until);
        try {
            driver.branches()->ensure_branches(*session, until);
        } catch (assent::driver_error const& e) {
            return e.what();
        }
        return {};
    }
    /// An account with `rights` on the database `accounts`, and nothing else.
    static void make_clerk(std::string const& rights)
    {
        administer("drop user if exists clerk@'127.0.0.1'");
        administer("create user clerk@'127.0.0.1' identified by 'secret-word'");
        administer("grant " + rights + " on accounts.* to clerk@'127.0.0.1'");
    }
};
INSTANTIATE_TEST_SUITE_P(on, DoctorMysql,
                         ::testing::Values(server_kind::mariadb, server_kind::mysql),
                         [](auto const& of) { return assent::contract::name_of(of.param); });

TEST_P(DoctorMysql, ASoundServerIsFineAndNothingIsLeftBehind)
{
    auto const told = examine();

    EXPECT_EQ(told.status(), 0) << told.json();
    EXPECT_THAT(told.at_level("accounts", "advice"), IsEmpty());
    auto const accounts = told.patient("accounts");
    EXPECT_GT(accounts.at("round_trip").at("median_us"), 0);
    EXPECT_EQ(accounts.at("force"), nullptr);
    EXPECT_THAT(told.seen("accounts", "force"), HasSubstr("without leaving something behind"));
    EXPECT_EQ(accounts.at("identity").is_null(), is_mariadb());
    EXPECT_EQ(administer("select count(*) from information_schema.tables where table_schema = "
                         "'accounts'"),
              "0");
    EXPECT_THAT(mysql_client::administrator(sound()).prepared(), IsEmpty());
}

TEST_P(DoctorMysql, AForceIsMeasuredWhereATableOfOursIsThereAndLeavesNoRow)
{
    administer(
        "create table assent_decision (gtrid char(57) character set ascii collate ascii_bin "
        "not null primary key, kind char(1) not null, content text not null) engine=InnoDB");
    auto const measured = examine();
    auto const left = administer("select count(*) from assent_decision");
    make_clerk("select");
    administer(is_mariadb() ? "select 1" : "grant xa_recover_admin on *.* to clerk@'127.0.0.1'");
    auto const forbidden = examine(sound(), "clerk");
    administer("drop table assent_decision");

    EXPECT_EQ(measured.status(), 0);
    EXPECT_GT(measured.patient("accounts").at("force").at("median_us"), 0);
    EXPECT_EQ(left, "0");
    EXPECT_EQ(forbidden.patient("accounts").at("force"), nullptr);
    EXPECT_THAT(forbidden.seen("accounts", "force"), HasSubstr("denied"));
    if (!is_mariadb()) return;
    administer(
        "create table assent_identity (id tinyint not null primary key, value char(32) not "
        "null) engine=InnoDB");
    administer("insert into assent_identity values (1, 'one')");
    auto const by_identity = examine();
    auto const rows = administer("select group_concat(value) from assent_identity");
    administer("drop table assent_identity");
    EXPECT_GT(by_identity.patient("accounts").at("force").at("median_us"), 0);
    EXPECT_EQ(rows, "one");
}

TEST_P(DoctorMysql, SettingsThatLoseVotesOrBranchesAreNamed)
{
    auto const server = assent::contract::make_server(GetParam());
    server->stop();
    std::vector<std::string> settings{"innodb_flush_log_at_trx_commit=2",
                                      "sync_binlog=0",
                                      "innodb_doublewrite=OFF",
                                      "innodb_flush_method=nosync",
                                      "wait_timeout=5",
                                      "autocommit=OFF",
                                      "default_storage_engine=MyISAM",
                                      "max_connections=10",
                                      "innodb_force_recovery=1",
                                      "transaction-isolation=READ-UNCOMMITTED",
                                      "init_connect=SET @at = 1"};
    if (is_mariadb()) {
        for (char const* more :
             {"log_bin=bin", "idle_transaction_timeout=5", "idle_write_transaction_timeout=5",
              "idle_readonly_transaction_timeout=5"})
            settings.emplace_back(more);
    }
    server->set(settings);
    server->start();
    administer("create table plain (id int) engine=MyISAM", *server);

    auto const told = examine(*server);
    auto const accepted = examine(*server, "shop", "allow_non_durable = true");

    EXPECT_EQ(told.status(), 4);
    std::vector<std::string> const errors{"innodb_flush_log_at_trx_commit", "binary log",
                                          "innodb_flush_method", "innodb_force_recovery"};
    EXPECT_THAT(told.at_level("accounts", "error"), UnorderedElementsAreArray(errors));
    std::vector<std::string> warnings{"innodb_doublewrite", "wait_timeout", "autocommit",
                                      "default_storage_engine", "tables of other engines"};
    if (is_mariadb()) {
        for (char const* more : {"idle_transaction_timeout", "idle_write_transaction_timeout",
                                 "idle_readonly_transaction_timeout"})
            warnings.emplace_back(more);
    }
    EXPECT_THAT(told.at_level("accounts", "warning"), UnorderedElementsAreArray(warnings));
    std::vector<std::string> const advice{is_mariadb() ? "tx_isolation" : "transaction_isolation",
                                          "init_connect"};
    EXPECT_THAT(told.at_level("accounts", "advice"), UnorderedElementsAreArray(advice));
    EXPECT_EQ(told.seen("accounts", "tables of other engines"), "plain");
    EXPECT_THAT(told.advice("accounts", "innodb_flush_log_at_trx_commit"),
                HasSubstr("SET GLOBAL innodb_flush_log_at_trx_commit = 1"));
    EXPECT_THAT(told.advice("accounts", "binary log"), HasSubstr("SET GLOBAL sync_binlog = 1"));
    EXPECT_THAT(accepted.at_level("accounts", "error"), ElementsAre("innodb_force_recovery"));
    EXPECT_EQ(accepted.level_of("accounts", "binary log"), "warning");
    if (is_mariadb()) {
        auto const reserving = examine(*server, "shop", "reservations = true\n");
        EXPECT_EQ(reserving.level_of("accounts", "table of reservations"), "error");
        EXPECT_THAT(reserving.advice("accounts", "table of reservations"),
                    HasSubstr("a server without a binary log"));
    }

    administer("set global sync_binlog = 1", *server);
    EXPECT_EQ(examine(*server).level_of("accounts", "binary log"), is_mariadb() ? "advice" : "ok");

    // The last free connection is the doctor's, once those of before are gone from the server.
    assent::contract::wait_for(
        *server, "select count(*) from information_schema.processlist where user = 'shop'", "0");
    constexpr int taken = 9;
    std::vector<mysql_client> others;
    others.reserve(taken);
    for (int i = 0; i < taken; ++i)
        others.push_back(mysql_client::account(*server, "accounts"));
    EXPECT_EQ(examine(*server).level_of("accounts", "connections"), "warning");
}

TEST_P(DoctorMysql, AServerThatRefusesWritesIsNoPrimary)
{
    administer("set global read_only = 1");
    auto const told = examine();
    administer("set global read_only = 0");

    EXPECT_EQ(told.status(), 4);
    EXPECT_THAT(told.at_level("accounts", "error"), ElementsAre("writable primary"));
}

TEST_P(DoctorMysql, RightsThatAreMissingAreToldWithTheStatementToRun)
{
    make_clerk("select, insert, update, delete");

    auto const told = examine(sound(), "clerk");

    EXPECT_EQ(told.status(), 4);
    EXPECT_EQ(told.level_of("accounts", "table of commit rows"), "advice");
    EXPECT_THAT(told.advice("accounts", "table of commit rows"),
                HasSubstr("CREATE TABLE assent_decision"));
    if (is_mariadb()) {
        EXPECT_THAT(told.at_level("accounts", "error"), ElementsAre("identity"));
        EXPECT_THAT(told.advice("accounts", "identity"), HasSubstr("CREATE TABLE assent_identity"));
    } else {
        EXPECT_THAT(told.at_level("accounts", "error"), ElementsAre("list of branches"));
        EXPECT_THAT(told.advice("accounts", "list of branches"),
                    HasSubstr("GRANT XA_RECOVER_ADMIN ON *.* TO 'clerk'@'127.0.0.1'"));
    }
}

/// The application with these reservations would not start, so it is an error.
TEST_P(DoctorMysql, ReservationsWithoutTheirTableOrRightsAreRefused)
{
    constexpr char check[] = "table of reservations";
    constexpr char with[] = "reservations = true\n";
    make_clerk("select");
    auto const missing = examine(sound(), "clerk", with);
    administer(
        "create table assent_branch (xid varchar(82) character set ascii collate ascii_bin not "
        "null primary key, manager varchar(64) character set ascii collate ascii_bin not null, "
        "payload mediumblob not null, made timestamp not null default current_timestamp) "
        "engine=InnoDB");
    make_clerk("select, insert, update");
    auto const cannot_end = examine(sound(), "clerk", with);
    auto const why_no_start = why_refused();
    auto const unused = examine(sound(), "clerk");
    make_clerk("select, update, delete");
    auto const cannot_begin = examine(sound(), "clerk", with);
    make_clerk("select, insert, delete");
    auto const can = examine(sound(), "clerk", with);
    EXPECT_EQ(why_refused(), "");
    administer("drop table assent_branch");

    EXPECT_EQ(missing.status(), 4);
    EXPECT_EQ(missing.level_of("accounts", check), "error");
    EXPECT_THAT(missing.advice("accounts", check), HasSubstr("CREATE TABLE assent_branch"));
    EXPECT_EQ(cannot_end.level_of("accounts", check), "error");
    EXPECT_THAT(cannot_end.advice("accounts", check), HasSubstr("rights on it are missing"));
    EXPECT_THAT(cannot_end.advice("accounts", check), HasSubstr("GRANT SELECT, INSERT"));
    EXPECT_THAT(why_no_start, HasSubstr("rights on it are missing"));
    EXPECT_EQ(unused.level_of("accounts", check), "warning");
    EXPECT_EQ(cannot_begin.level_of("accounts", check), "error");
    EXPECT_EQ(can.level_of("accounts", check), "ok");
}

TEST_P(DoctorMysql, ATableThatCannotHoldCommitRowsIsTold)
{
    administer(
        "create table assent_decision (gtrid char(57) primary key, kind char(1), content "
        "text) engine=MyISAM");
    auto const told = examine();
    administer("drop table assent_decision");

    EXPECT_EQ(told.status(), 4);
    EXPECT_EQ(told.level_of("accounts", "table of commit rows"), "warning");
    EXPECT_THAT(told.advice("accounts", "table of commit rows"), HasSubstr("not InnoDB"));
}

TEST_P(DoctorMysql, DetachOffIsAnErrorWhetherOrNotTheAccountMayChangeIt)
{
    if (is_mariadb()) GTEST_SKIP() << "MariaDB never detaches";
    make_clerk("all");
    administer("grant session_variables_admin, xa_recover_admin on *.* to clerk@'127.0.0.1'");
    administer("set global xa_detach_on_prepare = 0");
    auto const plain = examine();
    auto const able = examine(sound(), "clerk");
    administer("set global xa_detach_on_prepare = 1");

    EXPECT_EQ(plain.status(), 1);
    EXPECT_THAT(plain.patient("accounts").at("problem").get<std::string>(),
                HasSubstr("SET PERSIST xa_detach_on_prepare = ON"));
    EXPECT_EQ(able.status(), 4);
    EXPECT_THAT(able.at_level("accounts", "error"), ElementsAre("xa_detach_on_prepare"));
}

TEST_P(DoctorMysql, BranchesOfOthersAreCountedAndMixedFormatIdsAreAWarningOfMysql)
{
    {
        auto other = mysql_client::account(sound(), "accounts");
        for (char const* sql :
             {"xa start 'theirs','b',7", "xa end 'theirs','b',7", "xa prepare 'theirs','b',7"})
            other.query(sql);
    }

    auto const told = examine();
    auto root = mysql_client::administrator(sound());
    while (root.try_query("xa rollback 'theirs','b',7") == 1397) {
        if (root.prepared().empty()) break;  // until MariaDB has let go of the session
    }

    EXPECT_THAT(told.seen("accounts", "list of branches"),
                AnyOf(HasSubstr("1 prepared, 1 of them by others"), HasSubstr("0 prepared")));
    if (is_mariadb()) {
        EXPECT_EQ(told.status(), 0);
    } else {
        EXPECT_EQ(told.status(), 4);
        EXPECT_THAT(told.at_level("accounts", "warning"), ElementsAre("format ids"));
    }
}

}  // namespace
