// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_server_test.cpp -- which servers are accepted, who they are, and who may guard them.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>
#include <vector>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int one_second = 1'000;
constexpr int ten_seconds = 10'000;

class mysql_server : public mysql_case
{
protected:
    void create_account(std::string const& name, std::string const& password)
    {
        administrator().query("drop user if exists " + name + "@'127.0.0.1'");
        administrator().query("create user " + name + "@'127.0.0.1' identified by '" + password +
                              "'");
    }

    server_facts preflight(resource_manager_driver& of)
    {
        return of.preflight(*of.connect(session_purpose::manage, in_ms(ten_seconds)),
                            in_ms(ten_seconds));
    }
};

TEST_P(mysql_server, FactsNameTheServer)
{
    server_facts const seen = facts();

    std::string const kind = name_of(GetParam());
    EXPECT_EQ(seen.kind, kind);
    EXPECT_THAT(seen.identity, StartsWith(kind + ":"));
    EXPECT_THAT(seen.identity, ::testing::EndsWith("/accounts"));
    EXPECT_LE(seen.identity.size(), 120U);
    EXPECT_EQ(seen.user, "shop");
    EXPECT_EQ(seen.database, "accounts");
    EXPECT_FALSE(seen.is_proxied);
    EXPECT_EQ(seen.version, administrator().query("select version()"));
    EXPECT_EQ(driver().capabilities().stays_attached_after_prepare, is_mariadb());
}

TEST_P(mysql_server, ThatIsNotTheOneOfPreflightGetsNoWork)
{
    // Whether another test gave that database an identity decides what is said.
    administrator().query("drop table if exists orders.assent_identity");
    char const* database = "accounts";
    mysql::resource_manager const moving{
        "shop-db", [&] { return mysql_client::account(server(), database).release(); }};
    preflight(*moving.driver());
    EXPECT_NE(moving.driver()->connect(session_purpose::work, in_ms(ten_seconds)), nullptr);

    database = "orders";  // as an address does that moves to another server
    std::string const why =
        refusal([&] { moving.driver()->connect(session_purpose::work, in_ms(ten_seconds)); });

    EXPECT_THAT(why, HasSubstr(is_mariadb() ? "another server or database" : "not accounts"));
    EXPECT_NO_THROW(moving.driver()->connect(session_purpose::manage, in_ms(ten_seconds)))
        << "which is how the difference is found out";
}

TEST_P(mysql_server, AHandleThatIsLentFromBehindAProxyHasNoSessionId)
{
    auto direct = mysql_client::account(server(), "accounts");
    auto proxied = mysql_client::account(server(), "accounts");
    proxied.get()->thread_id += 1'000'000;  // what a proxy's greeting says

    EXPECT_NE(borrow(direct)->id(), 0u);
    EXPECT_EQ(borrow(proxied)->id(), 0u)
        << "another session may have the proxy's number, and would be ended in its place";
}

TEST_P(mysql_server, FlushLogNotOneIsRefusedByName)
{
    administrator().query("set global innodb_flush_log_at_trx_commit = 2");
    std::string const why = refusal([&] { facts(); });
    mysql::connect_options insisting = where();
    insisting.safety.allow_non_durable = true;
    std::string const why_not = refusal([&] { preflight(*driver_of(insisting)); });
    administrator().query("set global innodb_flush_log_at_trx_commit = 1");

    EXPECT_THAT(why, HasSubstr("innodb_flush_log_at_trx_commit"));
    EXPECT_THAT(why, HasSubstr("shop-db"));
    EXPECT_EQ(why_not, "");
}

TEST_P(mysql_server, SyncBinlogNotOneIsRefusedByNameWhereThereIsABinlog)
{
    // MySQL has one unless it is told otherwise, MariaDB only when it is told so.
    auto const other = is_mariadb() ? another_server({"log_bin=binlog", "server_id=1"})
                                    : another_server({"skip-log-bin=ON"});
    auto const its_driver = driver_of(where_at(*other));
    EXPECT_EQ(refusal([&] { preflight(*its_driver); }), "");

    mysql_client::administrator(*other).query("set global sync_binlog = 0");
    std::string const there = refusal([&] { preflight(*its_driver); });
    administrator().query("set global sync_binlog = 0");
    std::string const here = refusal([&] { facts(); });
    administrator().query("set global sync_binlog = 1");

    EXPECT_THAT(is_mariadb() ? there : here, HasSubstr("sync_binlog"));
    EXPECT_EQ(is_mariadb() ? here : there, "") << "without a binlog the setting means nothing";
}

TEST_P(mysql_server, MissingIdentityOfAKnownServerIsAChangedIdentity)
{
    ASSENT_ONLY_ON(mariadb, "MySQL has an identity of its own");
    std::string const before = facts().identity;
    administrator().query("drop table assent_identity");

    scan_result const seen = driver().scan(*open(session_purpose::manage), in_ms(ten_seconds));
    std::string const after = facts().identity;

    EXPECT_NE(seen.identity, before);
    EXPECT_NE(after, before);
    EXPECT_NE(seen.identity, after);
    EXPECT_EQ(facts().identity, after);
}

TEST_P(mysql_server, ManyCreatorsAgreeOnOneIdentity)
{
    ASSENT_ONLY_ON(mariadb, "MySQL has an identity of its own");
    administrator().query("drop table if exists assent_identity");
    std::vector<std::string> seen(8);
    std::vector<std::thread> creators;
    creators.reserve(seen.size());
    for (std::string& one : seen) {
        creators.emplace_back([&one, this] {
            try {
                one = facts().identity;
            } catch (std::exception const& error) {
                one = error.what();
            }
        });
    }
    for (std::thread& one : creators)
        one.join();

    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 1U) << seen[0];
    EXPECT_EQ(seen[0], facts().identity);
}

TEST_P(mysql_server, AccountThatMayNotCreateTablesIsToldWhatToRun)
{
    ASSENT_ONLY_ON(mariadb, "MySQL needs no table");
    auto root = mysql_client::administrator(server());
    root.query("drop table if exists assent_identity");
    create_account("clerk", "secret-word");
    root.query("grant select, insert on accounts.* to clerk@'127.0.0.1'");
    mysql::connect_options clerk = where();
    clerk.user = "clerk";
    clerk.password = "secret-word";
    auto const its_driver = driver_of(clerk);

    std::string const why = refusal([&] { preflight(*its_driver); });

    EXPECT_THAT(why, HasSubstr("CREATE TABLE assent_identity"));
    EXPECT_THAT(why, Not(HasSubstr("secret-word")));
    std::size_t const begin = why.find("CREATE TABLE");
    std::size_t const middle = why.find("; INSERT");
    ASSERT_NE(middle, why.npos);
    root.query(why.substr(begin, middle - begin));
    root.query(why.substr(middle + 2));
    EXPECT_EQ(preflight(*its_driver).identity, facts().identity);
}

TEST_P(mysql_server, TakesEveryStatementOfItsPage)
{
    std::string const path =
        ASSENT_ROOT "/docs/adapters/" + std::string(name_of(GetParam())) + ".md";
    std::ifstream file(path);
    std::string const page{std::istreambuf_iterator<char>(file), {}};
    auto root = mysql_client::administrator(server());
    root.query("drop table if exists assent_identity");
    int statements = 0;
    for (std::size_t at = page.find("```sql\n"); at != page.npos; at = page.find("```sql\n", at)) {
        std::size_t const end = page.find("```", at + 1);
        for (at += 7; at < end; ++statements) {
            std::size_t const semicolon = page.find(";\n", at);
            ASSERT_LT(semicolon, end) << path << ": a statement has no end";
            std::string const statement = page.substr(at, semicolon - at);
            EXPECT_EQ(root.try_query(statement), 0U) << statement;
            at = semicolon + 2;
        }
    }
    root.query("drop user 'shop'@'10.0.0.%'");

    EXPECT_GE(statements, 5) << path;
    EXPECT_EQ(refusal([&] { facts(); }), "");
}

TEST_P(mysql_server, TwoDatabasesOfOneServerAreTwoIdentities)
{
    EXPECT_NE(preflight(*driver_of(where("orders"))).identity, facts().identity);
}

TEST_P(mysql_server, ServerStartIsOneAndTheSameUntilItRestarts)
{
    auto const manage = open(session_purpose::manage);
    std::set<std::string> seen;
    auto const until = in_ms(2 * one_second);
    while (std::chrono::steady_clock::now() < until) {
        seen.insert(driver().preflight(*manage, in_ms(ten_seconds)).server_start);
    }
    EXPECT_EQ(seen.size(), 1U);
}

TEST_P(mysql_server, DatabasesOfOneServerHaveGuardiansOfTheirOwn)
{
    auto const orders = driver_of(where("orders"));
    auto const first = open(session_purpose::guardian);
    auto const second = orders->connect(session_purpose::guardian, in_ms(ten_seconds));
    auto const rival = open(session_purpose::guardian);
    constexpr std::uint64_t node = 0xffffffffffffffff;

    EXPECT_TRUE(driver().try_guard(*first, node, in_ms(ten_seconds)));
    EXPECT_TRUE(orders->try_guard(*second, node, in_ms(ten_seconds)));
    EXPECT_FALSE(driver().try_guard(*rival, node, in_ms(ten_seconds)));
    EXPECT_EQ(driver().guard_holder(*rival, node, in_ms(ten_seconds)),
              "session " + std::to_string(first->id()));
    EXPECT_EQ(driver().guard_holder(*rival, 8, in_ms(ten_seconds)), "") << "nobody has it";
    EXPECT_TRUE(driver().try_guard(*rival, 7, in_ms(ten_seconds))) << "another node's lock";

    EXPECT_EQ(query(*first, "select @@wait_timeout"), "10");
    EXPECT_EQ(refusal([&] { driver().heartbeat(*first, in_ms(ten_seconds)); }), "");
    kill(*first);
    EXPECT_NE(refusal([&] { driver().heartbeat(*first, in_ms(ten_seconds)); }), "");
}

TEST_P(mysql_server, HeartbeatNoticesALockThatWasReleased)
{
    auto const guardian = open(session_purpose::guardian);
    ASSERT_TRUE(driver().try_guard(*guardian, 9, in_ms(ten_seconds)));
    query(*guardian, "do release_all_locks()");

    EXPECT_THAT(refusal([&] { driver().heartbeat(*guardian, in_ms(ten_seconds)); }),
                HasSubstr("lost"));
}

TEST_P(mysql_server, SessionsHaveTheSettingsOfTheirPurpose)
{
    auto const work = open();
    auto const manage = open(session_purpose::manage);

    EXPECT_EQ(query(*work, "select @@wait_timeout = @@global.wait_timeout"), "1");
    EXPECT_EQ(query(*manage, "select @@wait_timeout"), "31536000");
    EXPECT_EQ(query(*manage, "select @@innodb_lock_wait_timeout"), "2");
    EXPECT_EQ(query(*manage, "select @@lock_wait_timeout"), "2");
    EXPECT_NE(query(*work, "select @@lock_wait_timeout"), "2");
    EXPECT_EQ(query(*work, "select @@autocommit"), "1");
    EXPECT_EQ(std::stod(query(*manage, is_mariadb() ? "select @@max_statement_time"
                                                    : "select @@max_execution_time")),
              0.0);
    EXPECT_FALSE(reconnects(handle_of(*work)));
}

TEST_P(mysql_server, OlderSessionsAreSeenUntilTheyAreGone)
{
    auto older = open();
    auto const ours = open(session_purpose::manage);
    auto const younger = open();
    EXPECT_EQ(driver().sessions_before(*ours, ours->id(), in_ms(ten_seconds)),
              session_presence::present);

    std::uint64_t const id = older->id();
    older.reset();
    wait_until_gone(id);

    EXPECT_EQ(driver().sessions_before(*ours, ours->id(), in_ms(ten_seconds)),
              session_presence::gone);
}

TEST_P(mysql_server, SessionsOfOtherAccountsAreNeverEnded)
{
    auto root = mysql_client::administrator(server());
    create_account("auditor", "pass-word");
    root.query("grant all on *.* to auditor@'127.0.0.1'");
    mysql::connect_options auditor = where();
    auditor.user = "auditor";
    auditor.password = "pass-word";
    auto const powerful = driver_of(auditor);
    auto const manage = powerful->connect(session_purpose::manage, in_ms(ten_seconds));
    auto const other = open();

    EXPECT_THAT(refusal([&] { powerful->end_session(*manage, other->id(), in_ms(ten_seconds)); }),
                HasSubstr("another account"));
    EXPECT_THAT(
        refusal([&] { powerful->cancel_statement(*manage, other->id(), in_ms(ten_seconds)); }),
        HasSubstr("another account"));

    EXPECT_EQ(query(*other, "select 1"), "1");
}

// Why strangers must be kept off a server, and why recovery judges a branch by its name alone.
TEST_P(mysql_server, AnyAccountFinishesEverybodysBranchesAndOnMariadbListsThemToo)
{
    auto root = mysql_client::administrator(server());
    create_account("stranger", "pass-word");
    auto owner = open();
    auto manage = open(session_purpose::manage);
    xid const x = prepare(*owner, 1);
    auto const owner_id = owner->id();
    owner.reset();
    wait_until_gone(owner_id);

    std::unique_ptr<MYSQL, void (*)(MYSQL*)> const stranger{mysql_init(nullptr), &mysql_close};
    ASSERT_NE(mysql_real_connect(stranger.get(), "127.0.0.1", "stranger", "pass-word", nullptr,
                                 static_cast<unsigned>(server().port()), nullptr, 0),
              nullptr)
        << mysql_error(stranger.get());
    EXPECT_EQ(mysql_client::try_query(stranger.get(), "xa recover"), is_mariadb() ? 0U : 1401U);
    EXPECT_EQ(mysql_client::try_query(stranger.get(), "xa commit " + xa_name(x)), 0u);

    EXPECT_TRUE(driver().scan(*manage, in_ms(ten_seconds)).ours.empty());
    EXPECT_EQ(root.query("select count(*) from accounts.t"), "1");
}

TEST_P(mysql_server, WrongPasswordIsReportedWithoutIt)
{
    mysql::connect_options wrong = where();
    wrong.password = "not-the-password";

    std::string const why =
        refusal([&] { driver_of(wrong)->connect(session_purpose::work, in_ms(ten_seconds)); });

    EXPECT_THAT(why, HasSubstr("shop-db"));
    EXPECT_THAT(why, HasSubstr("Access denied"));
    EXPECT_THAT(why, Not(HasSubstr("not-the-password")));
}

TEST_P(mysql_server, SilentServerCostsNoMoreThanTheDeadline)
{
    int const silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(listen(silent, 1), 0);
    ASSERT_EQ(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &length), 0);
    mysql::connect_options there = where();
    there.port = ntohs(address.sin_port);
    auto const before = std::chrono::steady_clock::now();

    std::string const why =
        refusal([&] { driver_of(there)->connect(session_purpose::work, in_ms(300)); });

    EXPECT_THAT(why, HasSubstr("deadline"));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
    close(silent);
}

TEST_P(mysql_server, FrozenServerCostsNoMoreThanTheDeadline)
{
    auto const manage = open(session_purpose::manage);
    server().freeze();
    auto const before = std::chrono::steady_clock::now();

    std::string const why = refusal([&] { driver().scan(*manage, in_ms(300)); });

    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(20));
    server().thaw();
    EXPECT_THAT(why, HasSubstr("deadline"));
    EXPECT_NE(refusal([&] { driver().scan(*manage, in_ms(ten_seconds)); }), "")
        << "a late answer must not be taken for the next one";
}

TEST_P(mysql_server, ConnectFunctionGivesSessionsOfTheSameKind)
{
    mysql::resource_manager const given{
        "shop-db", [this] { return mysql_client::account(server(), "accounts").release(); }};
    auto const session = given.driver()->connect(session_purpose::work, in_ms(ten_seconds));
    xid const x = start(*session, 1);

    EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_TRUE(session->is_reusable());
    EXPECT_EQ(preflight(*given.driver()).identity, facts().identity);

    mysql::resource_manager const none{"shop-db", mysql::connect_function{[] { return nullptr; }}};
    EXPECT_NE(refusal([&] { none.driver()->connect(session_purpose::work, in_ms(one_second)); }),
              "");
}

TEST_P(mysql_server, PasswordComesFromAFileThatOnlyItsOwnerMayRead)
{
    // Beside the server's directory, so that no other program of these tests has the same.
    std::string const path = server().directory() + "-password";
    std::ofstream(path) << server().password() << '\n';
    chmod(path.c_str(), 0600);
    mysql::connect_options there = where();
    there.password.clear();
    there.password_file = path;
    auto const its_driver = driver_of(there);
    auto const attempt = [&] { its_driver->connect(session_purpose::work, in_ms(ten_seconds)); };

    EXPECT_EQ(refusal(attempt), "");
    chmod(path.c_str(), 0640);
    EXPECT_THAT(refusal(attempt), HasSubstr("chmod 600"));
    unlink(path.c_str());
    EXPECT_THAT(refusal(attempt), HasSubstr(path));
}

ASSENT_ON_EACH_SERVER(mysql_server);

}  // namespace

}  // namespace assent::contract
