// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_server_test.cpp -- servers on which no vote can rest, and the connections that the
// manager opens.

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <assent/postgresql.hpp>

#include "tests/contract/postgresql_target.hpp"
#include "tests/contract/renumbering_proxy.hpp"
#include "tests/servers/sockets.hpp"

namespace assent::contract {

namespace {

/// What preflight says of the server: nothing when it accepts it.
std::string refusal(testing::private_server& server, postgresql::safety_options safety = {})
{
    postgresql::resource_manager const accounts{"accounts", server.conninfo(), safety};
    auto const manage = accounts.driver()->connect(session_purpose::manage, in_seconds(10));
    try {
        accounts.driver()->preflight(*manage, in_seconds(10));
    } catch (driver_error const& error) {
        return error.what();
    }
    return {};
}

/// Takes connections and says nothing, as a machine does that hangs.
class silent_host
{
public:
    silent_host() : listener_(testing::tcp_socket())
    {
        sockaddr_in address = testing::loopback(0);
        socklen_t length = sizeof address;
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_.get(), raw, length) != 0 || ::listen(listener_.get(), 8) != 0 ||
            ::getsockname(listener_.get(), raw, &length) != 0) {
            testing::fail("a silent host");
        }
        port_ = ntohs(address.sin_port);
    }
    int port() const noexcept { return port_; }

private:
    testing::descriptor listener_;
    int port_ = 0;
};

/// The application's own look at a session.
std::string ask(driver_session& session, std::string const& sql)
{
    return plain_connection::run(static_cast<PGconn*>(session.native_handle()), sql);
}

}  // namespace

class postgresql_server : public postgresql_case
{
protected:
    /// Tests of settings restart it with others and put them back.
    testing::private_server& server() { return pg().server(); }

    void restart_with(std::vector<std::string> const& settings)
    {
        server().stop();
        server().set(settings);
        server().start();
    }

    /// For settings that a running server takes.
    void reload_with(std::string const& name, std::string const& value)
    {
        plain_connection admin{server().superuser_conninfo()};
        admin.run("ALTER SYSTEM SET " + name + " = '" + value + "'");
        admin.run("SELECT pg_reload_conf()");
        ASSERT_TRUE(eventually([&] { return pg().administer("SHOW " + name) == value; }));
    }

    std::shared_ptr<resource_manager_driver> driver(std::string const& more = {})
    {
        return postgresql::resource_manager{"accounts", server().conninfo() + " " + more}.driver();
    }

    static xid numbered(std::uint64_t sequence)
    {
        return {gtrid::make({decision_place::log, 0, 5, 1, 6, sequence}), bqual::make({1, 1, 0})};
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_server, postgresql_target);

TEST_P(postgresql_server, WithoutPreparedTransactionsIsRefusedAndAVoteSaysWhatToSet)
{
    restart_with({"max_prepared_transactions=0"});

    EXPECT_NE(refusal(server()).find("max_prepared_transactions"), std::string::npos);

    auto const session = driver()->connect(session_purpose::work, in_seconds(10));
    ASSERT_TRUE(run(*session, verb::start, numbered(1)).is_ok());
    reply const answer = run(*session, verb::prepare, numbered(1));
    EXPECT_EQ(answer.code, xa_code::rbother);
    EXPECT_EQ(answer.sqlstate, "55000");
    EXPECT_EQ(answer.detail, reply_detail::none) << "not busy";
    EXPECT_NE(answer.text.find("set max_prepared_transactions"), std::string::npos);
    restart_with({"max_prepared_transactions=64"});
}

TEST_P(postgresql_server, ThatHasNoPlaceLeftVotesNo)
{
    restart_with({"max_prepared_transactions=1"});
    auto const accounts = driver();
    auto const first = accounts->connect(session_purpose::work, in_seconds(10));
    auto const second = accounts->connect(session_purpose::work, in_seconds(10));
    ASSERT_TRUE(run(*first, verb::start, numbered(1)).is_ok());
    ASSERT_TRUE(run(*first, verb::prepare, numbered(1)).is_ok());
    ASSERT_TRUE(run(*second, verb::start, numbered(2)).is_ok());

    reply const answer = run(*second, verb::prepare, numbered(2));

    EXPECT_EQ(answer.code, xa_code::rbtransient);
    EXPECT_EQ(answer.sqlstate, "53200");
    EXPECT_TRUE(second->is_reusable());
    EXPECT_TRUE(run(*first, verb::rollback, numbered(1)).is_ok());
    restart_with({"max_prepared_transactions=64"});
}

TEST_P(postgresql_server, ThatIsNotDurableIsRefusedByNameUnlessAskedFor)
{
    for (std::string const setting : {"fsync", "full_page_writes"}) {
        reload_with(setting, "off");
        EXPECT_NE(refusal(server()).find(setting + " is off"), std::string::npos);
        EXPECT_EQ(refusal(server(), postgresql::safety_options{true}), "");
        reload_with(setting, "on");
    }
    EXPECT_EQ(refusal(server()), "");
}

TEST_P(postgresql_server, NeedsOnlyAPlainRole)
{
    EXPECT_EQ(plain_connection{server().conninfo()}.run(
                  "SELECT rolsuper OR rolreplication OR rolcreaterole FROM pg_roles "
                  "WHERE rolname = current_user"),
              "f");
    EXPECT_EQ(refusal(server()), "");
}

TEST_P(postgresql_server, SeesTheManagersOwnSettingsOnTheManagersOwnSessions)
{
    server();
    plain_connection{server().superuser_conninfo()}.run(
        "ALTER ROLE shop SET statement_timeout = '1min'; "
        "ALTER ROLE shop SET default_transaction_read_only = on; "
        "ALTER ROLE shop SET idle_session_timeout = '2min'");
    bool const has_transaction_timeout = pg().major_version() >= 17;
    if (has_transaction_timeout) {
        pg().administer("ALTER ROLE shop SET transaction_timeout = '3min'");
    }
    auto const accounts = driver();
    auto const manage = accounts->connect(session_purpose::manage, in_seconds(10));
    auto const guardian = accounts->connect(session_purpose::guardian, in_seconds(10));
    auto const work = accounts->connect(session_purpose::work, in_seconds(10));

    EXPECT_EQ(ask(*manage, "SHOW statement_timeout"), "0");
    EXPECT_EQ(ask(*manage, "SHOW idle_in_transaction_session_timeout"), "0");
    EXPECT_EQ(ask(*manage, "SHOW idle_session_timeout"), "0");
    EXPECT_EQ(ask(*manage, "SHOW lock_timeout"), "2s");
    EXPECT_EQ(ask(*manage, "SHOW default_transaction_read_only"), "off");
    EXPECT_EQ(ask(*guardian, "SHOW idle_session_timeout"), "10s");
    EXPECT_EQ(ask(*work, "SHOW statement_timeout"), "1min") << "a lease keeps its own";
    if (has_transaction_timeout) {
        EXPECT_EQ(ask(*manage, "SHOW transaction_timeout"), "0");
        EXPECT_EQ(ask(*guardian, "SHOW transaction_timeout"), "0");
        EXPECT_EQ(ask(*work, "SHOW transaction_timeout"), "3min");
    }

    plain_connection{server().superuser_conninfo()}.run("ALTER ROLE shop RESET ALL");
}

TEST_P(postgresql_server, SeesANameOnEverySessionUnlessTheUserGaveOne)
{
    auto const manage = driver()->connect(session_purpose::manage, in_seconds(10));
    auto const named =
        driver("application_name=till")->connect(session_purpose::work, in_seconds(10));

    EXPECT_EQ(ask(*manage, "SHOW application_name"), "assent:accounts:manage");
    EXPECT_EQ(ask(*named, "SHOW application_name"), "till");
}

TEST_P(postgresql_server, IsReachedThroughTheUsersOwnFunction)
{
    std::string const conninfo = server().conninfo();
    postgresql::resource_manager const accounts{
        "accounts", [conninfo] { return PQconnectdb(conninfo.c_str()); }};

    auto const session = accounts.driver()->connect(session_purpose::manage, in_seconds(10));

    EXPECT_EQ(ask(*session, "SHOW application_name"), "assent:accounts:manage");
    EXPECT_TRUE(session->is_reusable());
}

TEST_P(postgresql_server, ThatAFunctionCannotReachIsAnErrorByName)
{
    postgresql::resource_manager const none{"accounts", [] { return nullptr; }};
    postgresql::resource_manager const bad{
        "accounts", [] { return PQconnectdb("host=/nonexistent dbname=accounts"); }};

    for (auto const& accounts : {none, bad}) {
        try {
            accounts.driver()->connect(session_purpose::work, in_seconds(10));
            ADD_FAILURE() << "connected to nothing";
        } catch (driver_error const& error) {
            EXPECT_NE(std::string{error.what()}.find("\"accounts\""), std::string::npos);
        }
    }
}

TEST_P(postgresql_server, IsFoundBehindHostsThatAreSilentRefuseOrAreStandbys)
{
    silent_host const silent;
    std::string const here = std::to_string(server().port());
    for (std::string const& more :
         {" host=127.0.0.1,127.0.0.1 port=" + std::to_string(silent.port()) + "," + here,
          " host=127.0.0.1,127.0.0.1,localhost connect_timeout=1 port=" +
              std::to_string(silent.port()) + ",1," + here,
          " host=nowhere.invalid,elsewhere.invalid hostaddr=127.0.0.1,127.0.0.1 port=1," + here}) {
        auto const begun = std::chrono::steady_clock::now();
        EXPECT_NO_THROW(driver(more)->connect(session_purpose::manage, in_seconds(4))) << more;
        EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(4));
    }
    postgresql::resource_manager const by_uri{
        "accounts", "postgresql://shop:" + server().password() + "@127.0.0.1:1,127.0.0.1:" + here +
                        "/accounts?target_session_attrs=read-write"};
    EXPECT_NO_THROW(by_uri.driver()->connect(session_purpose::manage, in_seconds(4)));
}

TEST_P(postgresql_server, ThatIsAtNoneOfItsHostsIsAnErrorThatNamesThemAll)
{
    auto const why = [&](std::string const& more) {
        try {
            driver(more)->connect(session_purpose::manage, in_seconds(2));
        } catch (driver_error const& error) {
            return std::string{error.what()};
        }
        return std::string{};
    };

    std::string const refused = why(" host=127.0.0.1,127.0.0.1 port=1,2");
    EXPECT_NE(refused.find("port 1 failed"), std::string::npos) << refused;
    EXPECT_NE(refused.find("port 2 failed"), std::string::npos) << refused;
    EXPECT_EQ(refused.find(server().password()), std::string::npos) << refused;
    EXPECT_NE(why(" host=127.0.0.1,127.0.0.1 port=1,2,3").find("could not match 3 port numbers"),
              std::string::npos);
}

TEST_P(postgresql_server, ThatIsNotTheOneOfPreflightGetsNoWork)
{
    std::string where = server().conninfo("accounts");
    postgresql::resource_manager const accounts{"accounts",
                                                [&where] { return PQconnectdb(where.c_str()); }};
    auto const manage = accounts.driver()->connect(session_purpose::manage, in_seconds(10));
    accounts.driver()->preflight(*manage, in_seconds(10));
    EXPECT_NO_THROW(accounts.driver()->connect(session_purpose::work, in_seconds(10)));

    where = server().conninfo("orders");

    EXPECT_THROW(accounts.driver()->connect(session_purpose::work, in_seconds(10)), driver_error);
    where = server().superuser_conninfo("accounts");
    EXPECT_THROW(accounts.driver()->connect(session_purpose::work, in_seconds(10)), driver_error);
}

TEST_P(postgresql_server, FailsTheHeartbeatOfAGuardianWhoseLockIsGone)
{
    auto const accounts = driver();
    auto const guardian = accounts->connect(session_purpose::guardian, in_seconds(10));
    ASSERT_TRUE(accounts->try_guard(*guardian, 7, in_seconds(10)));
    EXPECT_NO_THROW(accounts->heartbeat(*guardian, in_seconds(10)));

    ask(*guardian, "SELECT pg_advisory_unlock_all()");  // as a pool does between two clients

    EXPECT_THROW(accounts->heartbeat(*guardian, in_seconds(10)), driver_error);
}

TEST_P(postgresql_server, ThatWasPromotedHasAnotherHistory)
{
    auto const history = [this] {
        auto const accounts = driver();
        auto const manage = accounts->connect(session_purpose::manage, in_seconds(10));
        return accounts->preflight(*manage, in_seconds(10)).history;
    };
    std::string const before = history();
    EXPECT_FALSE(before.empty());
    restart_with({});
    EXPECT_EQ(history(), before) << "a restart changes nothing";

    server().stop();
    std::ofstream const made{server().directory() + "/data/standby.signal"};
    server().start();
    EXPECT_NE(refusal(server()).find("hot standby"), std::string::npos);
    plain_connection{server().superuser_conninfo()}.run("SELECT pg_promote()");

    EXPECT_NE(history(), before);
}

// A crash forgets the numbers of transactions whose writes had not reached the disk, and gives
// them away again.
TEST_P(postgresql_server, AWitnessProvesNothingOnceACrashMayHaveGivenItsNumberToAnother)
{
    reload_with("wal_writer_delay", "10s");  // what is not committed stays off the disk
    plain_connection{server().conninfo()}.run(R"(
        CREATE TABLE payment (id int);
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON payment DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION dawdle())");
    auto const accounts = driver();
    auto const session = accounts->connect(session_purpose::work, in_seconds(10));
    ASSERT_TRUE(run(*session, verb::start, numbered(1)).is_ok());
    ask(*session, "INSERT INTO payment VALUES (1)");
    auto const number = ask(*session, "SELECT pg_current_xact_id_if_assigned()");
    session->submit(verb::commit_one_phase, numbered(1));
    std::string const dawdles =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
        std::to_string(session->id());
    ASSERT_TRUE(eventually([&] {
        auto const soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
        EXPECT_FALSE(session->collect(soon).has_value());
        return pg().administer(dawdles) == "1";
    })) << "the commit is under way";

    // The server's parent process survives and restarts the others.
    ASSERT_EQ(::kill(static_cast<pid_t>(session->id()), SIGKILL), 0);
    auto const answer = session->collect(in_seconds(10));
    ASSERT_TRUE(answer && answer->detail == reply_detail::reply_lost);
    ASSERT_FALSE(answer->witness.empty());
    std::unique_ptr<driver_session> manage;
    for (auto const end = in_seconds(20); !manage && std::chrono::steady_clock::now() < end;) {
        try {
            manage = accounts->connect(session_purpose::manage, in_seconds(10));
        } catch (driver_error const&) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));  // it still recovers
        }
    }
    ASSERT_NE(manage, nullptr);
    EXPECT_NE(accounts->ask_witness(*manage, answer->witness, in_seconds(10)),
              witness_state::committed);
    ask(*manage, "BEGIN; INSERT INTO payment VALUES (2)");
    ASSERT_EQ(ask(*manage, "SELECT pg_current_xact_id_if_assigned()"), number);
    ask(*manage, "COMMIT");

    EXPECT_EQ(accounts->ask_witness(*manage, answer->witness, in_seconds(10)),
              witness_state::unknown);

    EXPECT_EQ(ask(*manage, "SELECT count(*) FROM payment WHERE id = 1"), "0");
    reload_with("wal_writer_delay", "200ms");
}

TEST_P(postgresql_server, WhoHoldsTheNodesLockIsSaid)
{
    auto const accounts = driver();
    auto const guardian = accounts->connect(session_purpose::guardian, in_seconds(10));
    EXPECT_EQ(accounts->guard_holder(*guardian, 77, in_seconds(10)), "");
    plain_connection stranger{server().superuser_conninfo("accounts") +
                              " application_name='any\tbody'"};
    std::uint64_t const key = std::uint64_t{77} ^ 0x417373656e740001;
    stranger.run("SELECT pg_advisory_lock(" + std::to_string(key) + ")");

    EXPECT_FALSE(accounts->try_guard(*guardian, 77, in_seconds(10)));
    std::string const who = accounts->guard_holder(*guardian, 77, in_seconds(10));

    EXPECT_NE(who.find("session " + std::to_string(PQbackendPID(stranger.get()))),
              std::string::npos)
        << who;
    EXPECT_NE(who.find("role 'postgres'"), std::string::npos) << who;
    EXPECT_NE(who.find("calls itself 'any"), std::string::npos) << who;
    EXPECT_EQ(who.find('\t'), std::string::npos) << who;
}

TEST_P(postgresql_server, ABranchOfAnotherRoleIsListedAsItsOwn)
{
    auto const ours = prepare_branch(1);
    auto const session = open(session_purpose::work);
    xid const theirs = next_xid(*session);
    plain_connection stranger{server().superuser_conninfo("accounts")};
    stranger.run("BEGIN; PREPARE TRANSACTION '" + theirs.text() + "'");
    auto const manage = open(session_purpose::manage);

    auto const seen = contract::driver().scan(*manage, in_seconds(10));

    EXPECT_EQ(seen.ours.size(), 2u);
    ASSERT_EQ(seen.of_strangers.size(), 1u);
    EXPECT_EQ(seen.of_strangers.front().id, theirs);
    EXPECT_EQ(seen.of_strangers.front().account, "postgres");
    stranger.run("ROLLBACK PREPARED '" + theirs.text() + "'");
    EXPECT_TRUE(run(*ours.session, verb::rollback, ours.id).is_ok());
}

TEST_P(postgresql_server, SessionsAndScansSayWhichServerAndWhichOfItsLives)
{
    auto const accounts = driver();
    auto const manage = accounts->connect(session_purpose::manage, in_seconds(10));
    auto const facts = accounts->preflight(*manage, in_seconds(10));
    auto const work = accounts->connect(session_purpose::work, in_seconds(10));
    plain_connection lent{server().conninfo()};
    auto const scanned = accounts->scan(*manage, in_seconds(10));

    EXPECT_FALSE(facts.instance.empty());
    EXPECT_EQ(facts.identity.substr(0, facts.identity.find('/')) + '/' + facts.history,
              facts.instance);
    EXPECT_EQ(manage->life(), facts.life());
    EXPECT_EQ(work->life(), facts.life());
    EXPECT_EQ(accounts->borrow(lent.get(), facts, in_seconds(10))->life(), facts.life());
    EXPECT_EQ(scanned.life, facts.life());
    EXPECT_EQ(scanned.history, facts.history);
}

TEST_P(postgresql_server, BehindAProxyNoSessionIsTakenAsGoneOrTouched)
{
    renumbering_proxy const proxy{server().port()};
    postgresql::resource_manager const accounts{
        "accounts", server().conninfo("accounts", proxy.port()) + " sslmode=disable"};
    auto const proxied = accounts.driver()->connect(session_purpose::manage, in_seconds(10));

    server_facts const facts = accounts.driver()->preflight(*proxied, in_seconds(10));
    EXPECT_TRUE(facts.is_proxied);
    EXPECT_EQ(proxied->id(), 0u) << "the number is the proxy's";
    EXPECT_EQ(accounts.driver()->presence(*proxied, 1, in_seconds(10)), session_presence::unknown);
    EXPECT_EQ(accounts.driver()->sessions_before(*proxied, proxied->id(), in_seconds(10)),
              session_presence::unknown);
    EXPECT_THROW(accounts.driver()->end_session(*proxied, 1, in_seconds(10)), driver_error);
    EXPECT_THROW(accounts.driver()->cancel_statement(*proxied, 1, in_seconds(10)), driver_error);
}

TEST_P(postgresql_server, AnOlderSessionCountsOnlyWhileItIsInATransactionOfBefore)
{
    auto const idle = open(session_purpose::work);
    auto const branch = start_branch(1);
    auto const manage = open(session_purpose::manage);
    auto const seen = [&] {
        return contract::driver().sessions_before(*manage, manage->id(), in_seconds(10));
    };
    EXPECT_EQ(seen(), session_presence::present);

    ASSERT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    EXPECT_TRUE(eventually([&] { return seen() == session_presence::gone; }));
    xid const later = next_xid(*idle);
    ASSERT_TRUE(run(*idle, verb::start, later).is_ok());
    EXPECT_EQ(seen(), session_presence::gone);
    ASSERT_TRUE(run(*idle, verb::rollback, later).is_ok());
}

TEST_P(postgresql_server, AHandleThatIsLentFromBehindAProxyHasNoSessionId)
{
    auto const accounts = driver();
    auto const manage = accounts->connect(session_purpose::manage, in_seconds(10));
    server_facts const facts = accounts->preflight(*manage, in_seconds(10));
    ASSERT_FALSE(facts.is_proxied);
    renumbering_proxy const proxy{server().port()};
    plain_connection const lent{server().conninfo("accounts", proxy.port()) + " sslmode=disable"};
    plain_connection const direct{server().conninfo()};

    EXPECT_EQ(accounts->borrow(lent.get(), facts, in_seconds(10))->id(), 0u)
        << "another session may have the proxy's number, and would be ended in its place";
    EXPECT_NE(accounts->borrow(direct.get(), facts, in_seconds(10))->id(), 0u);
}

TEST_P(postgresql_server, PasswordsAreNotShownInErrors)
{
    for (std::string const malformed :
         {"host=127.0.0.1 password=my secret word", "password='secret", "secret=1",
          "postgresql://shop:secret@[::1/accounts"}) {
        try {
            postgresql::resource_manager const never{"accounts", malformed};
            ADD_FAILURE() << "accepted a malformed connection string";
        } catch (driver_error const& error) {
            EXPECT_EQ(std::string{error.what()}.find("secret"), std::string::npos) << error.what();
        }
    }
    postgresql::resource_manager const wrong{"accounts", server().conninfo() + " password=secret"};
    try {
        wrong.driver()->connect(session_purpose::work, in_seconds(10));
        ADD_FAILURE() << "the password does not matter";
    } catch (driver_error const& error) {
        EXPECT_EQ(std::string{error.what()}.find("secret"), std::string::npos) << error.what();
        EXPECT_NE(std::string{error.what()}.find("FATAL:  password authentication failed"),
                  std::string::npos)
            << error.what();
        EXPECT_EQ(error.sqlstate(), "28P01") << "so that it is not tried again in a hurry";
        EXPECT_EQ(std::string{error.what()}.find(".c:"), std::string::npos) << error.what();
    }
}

TEST_P(postgresql_server, NamesAreCheckedBeforeTheyAreUsed)
{
    for (std::string const& name :
         {std::string{}, std::string(65, 'a'), std::string{"a\nb"}, std::string{"caf\xc3\xa9"}}) {
        EXPECT_THROW(postgresql::resource_manager(name, "dbname=accounts"), driver_error);
    }
    EXPECT_NO_THROW(postgresql::resource_manager(std::string(64, 'a'), "dbname=accounts"));
}

TEST_P(postgresql_server, ReportsErrorsThatAnotherRunMayCure)
{
    plain_connection session{server().conninfo()};
    auto const raised = [&](std::string const& sqlstate) {
        PGresult* const result =
            PQexec(session.get(),
                   ("DO $$BEGIN RAISE 'x' USING ERRCODE = '" + sqlstate + "'; END$$").c_str());
        bool const is_retryable = postgresql::is_retryable(result);
        PQclear(result);
        return is_retryable;
    };

    EXPECT_TRUE(raised("40001"));
    EXPECT_TRUE(raised("40P01"));
    EXPECT_TRUE(raised("55P03"));
    EXPECT_FALSE(raised("23505"));
    EXPECT_FALSE(postgresql::is_retryable(nullptr));
}

}  // namespace assent::contract
