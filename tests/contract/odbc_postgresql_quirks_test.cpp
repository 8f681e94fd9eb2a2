// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_postgresql_quirks_test.cpp -- what psqlODBC does behind one's back, and that a branch's end
// notices it.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include <assent/postgresql.hpp>

#include "adapters/sql_text/worker.hpp"
#include "tests/contract/odbc_target.hpp"
#include "tests/servers/proxy.hpp"
#include "tests/servers/spawn.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The driver's option under which a statement that fails aborts its transaction.
constexpr char no_savepoints[] = "A1=7.4-0;";

constexpr std::array ends = {verb::prepare, verb::commit_one_phase, verb::rollback};

std::shared_ptr<odbc_postgresql_target> the_target()
{
    static auto const target = std::make_shared<odbc_postgresql_target>(edition::installed);
    return target;
}

std::shared_ptr<contract_target> make_target()
{
    return the_target();
}

/// A proxy in a process of its own: in ours its sockets would be ours.
class proxy_process
{
public:
    explicit proxy_process(int server_port)
    {
        int to_parent[2];
        int to_child[2];
        if (::pipe(to_parent) != 0 || ::pipe(to_child) != 0) throw std::runtime_error("pipe");
        child_ = ::fork();
        if (child_ == 0) {
            ::close(to_child[1]);
            testing::proxy network;
            int const mine =
                network.port(network.add(testing::wire_protocol::postgresql, server_port));
            char ignored = 0;
            bool const is_told = ::write(to_parent[1], &mine, sizeof mine) == sizeof mine;
            while (is_told && ::read(to_child[0], &ignored, 1) > 0) {
            }
            ::_exit(0);
        }
        ::close(to_child[0]);
        ::close(to_parent[1]);
        end_ = to_child[1];
        if (::read(to_parent[0], &port_, sizeof port_) != sizeof port_) port_ = 0;
        ::close(to_parent[0]);
    }
    proxy_process(proxy_process const&) = delete;
    proxy_process& operator=(proxy_process const&) = delete;
    ~proxy_process()
    {
        ::close(end_);
        ::waitpid(child_, nullptr, 0);
    }

    int port() const { return port_; }

private:
    pid_t child_ = -1;
    int end_ = -1;
    int port_ = 0;
};

bool is_left_behind(reply const& what)
{
    return what.code == xa_code::proto && what.detail == reply_detail::left_behind;
}

bool is_rolled_back(reply const& what)
{
    return what.code >= xa_code::rbrollback && what.code <= xa_code::rbtransient &&
           what.detail == reply_detail::none;
}

bool fails(driver_session& session, std::string const& sql)
{
    return !odbc_client::try_query(session.native_handle(), sql).sqlstate.empty();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(psqlodbc, contract, ::testing::Values(&make_target));

class odbc_postgresql : public contract
{
protected:
    odbc_postgresql_target& pg() { return *the_target(); }

    started start_with(std::string const& more, int key)
    {
        driver_ = pg().driver_with(more);
        return start_on(*driver_, key);
    }

private:
    std::shared_ptr<resource_manager_driver> driver_;
};
INSTANTIATE_TEST_SUITE_P(psqlodbc, odbc_postgresql, ::testing::Values(&make_target));

// ---- facts of the driver on which the adapter is built ---------------------------------------

TEST_P(odbc_postgresql, TheDriverCallsPrepareOfAFailedTransactionASuccess)
{
    odbc_client client{postgresql_string(pg().server()) + no_savepoints};
    client.query("BEGIN");
    ASSERT_EQ(odbc_client::try_query(client.get(), "SELECT 1/0").sqlstate, "22012");

    auto const said = odbc_client::try_query(client.get(), "PREPARE TRANSACTION 'never'");

    EXPECT_EQ(said.sqlstate, "");
    EXPECT_EQ(client.query("SELECT count(*) FROM pg_prepared_xacts"), "0");
}

TEST_P(odbc_postgresql, TheDriverStopsAMessageAtItsFirstFailure)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN");

    auto const said = odbc_client::try_query(
        client.get(), "SELECT CAST('x' AS int4); PREPARE TRANSACTION 'never'");

    EXPECT_EQ(said.sqlstate, "22P02");
    EXPECT_EQ(client.query("SELECT count(*) FROM pg_prepared_xacts"), "0");
}

TEST_P(odbc_postgresql, TheDriverCommitsWhenAutocommitIsSwitchedOff)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN");
    client.query("INSERT INTO entry VALUES (1)");

    client.set_autocommit(false);

    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, TheDriverPutsSavepointsOfItsOwnIntoATransactionThatWasBegunAsText)
{
    odbc_client client{postgresql_string(pg().server())};
    client.query("BEGIN");
    EXPECT_EQ(odbc_client::try_query(client.get(), "SELECT 1/0").sqlstate, "22012");

    EXPECT_EQ(client.query("SELECT 1"), "1") << "the failed statement was undone alone";
    client.query("COMMIT; BEGIN");
    EXPECT_EQ(odbc_client::try_query(client.get(), "SELECT 1").sqlstate, "3B001")
        << "it did not notice that its savepoint was gone";
}

// ---- votes -----------------------------------------------------------------------------------

TEST_P(odbc_postgresql, AFailedStatementAloneDoesNotDoomItsBranchByDefault)
{
    auto const branch = start_branch(1);
    ASSERT_TRUE(fails(*branch.session, "INSERT INTO entry VALUES (1)"));

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, AFailedTransactionIsANoVoteAndNothingIsPrepared)
{
    for (verb const end : {verb::prepare, verb::commit_one_phase}) {
        auto const branch = start_with(no_savepoints, 1);
        ASSERT_TRUE(fails(*branch.session, "SELECT 1/0"));

        reply const vote = run(*branch.session, end, branch.id);

        EXPECT_EQ(vote.code, xa_code::rbrollback) << vote.text;
        EXPECT_FALSE(is_listed(branch.id));
        EXPECT_EQ(pg().count_rows(1), 0);
        EXPECT_TRUE(branch.session->is_reusable());
    }
}

TEST_P(odbc_postgresql, AFailedTransactionIsRolledBack)
{
    auto const branch = start_with(no_savepoints, 1);
    ASSERT_TRUE(fails(*branch.session, "SELECT 1/0"));

    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
    EXPECT_TRUE(branch.session->is_reusable());
}

TEST_P(odbc_postgresql, ADeferredConstraintThatFailsAtTheEndIsANoVote)
{
    pg().administer("CREATE TABLE IF NOT EXISTS parent(id int PRIMARY KEY)");
    pg().administer(
        "CREATE TABLE IF NOT EXISTS child(id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)");
    pg().administer("GRANT ALL ON parent, child TO shop");
    for (verb const end : {verb::prepare, verb::commit_one_phase}) {
        auto const branch = start_branch(1);
        run_sql(*branch.session, "INSERT INTO child VALUES (77)");

        reply const vote = run(*branch.session, end, branch.id);

        EXPECT_EQ(vote.code, xa_code::rbintegrity) << vote.text;
        EXPECT_EQ(vote.sqlstate, "23503");
        EXPECT_THAT(vote.text, Not(HasSubstr("77"))) << "a row's values are nobody's business";
        EXPECT_FALSE(is_listed(branch.id));
        EXPECT_EQ(pg().count_rows(1), 0);
        EXPECT_TRUE(branch.session->is_reusable());
    }
}

TEST_P(odbc_postgresql, ARoleThatTheManagerCouldNotFinishForIsANoVote)
{
    pg().administer("DROP ROLE IF EXISTS other", "accounts");
    pg().administer("CREATE ROLE other; GRANT other TO shop; GRANT ALL ON entry TO other");
    auto const branch = start_branch(1);
    run_sql(*branch.session, "SET ROLE other");

    reply const vote = run(*branch.session, verb::prepare, branch.id);

    EXPECT_TRUE(is_rolled_back(vote)) << vote.text;
    EXPECT_FALSE(is_listed(branch.id));
    EXPECT_EQ(pg().count_rows(1), 0);
    pg().administer("REVOKE ALL ON entry FROM other; DROP ROLE other");
}

TEST_P(odbc_postgresql, AnUnassignedTransactionHasNoWitness)
{
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    run_sql(*session, "SELECT 1");

    EXPECT_EQ(run(*session, verb::commit_one_phase, x).witness, "");
}

// ---- marks -----------------------------------------------------------------------------------

TEST_P(odbc_postgresql, TheApplicationsOwnCommitIsNoticedAtEveryEnd)
{
    for (char const* const more : {"", no_savepoints}) {
        for (char const* const meddling : {"COMMIT", "COMMIT; BEGIN", "COMMIT AND CHAIN"}) {
            int key = 0;
            for (verb const end : ends) {
                auto const branch = start_with(more, ++key);
                run_sql(*branch.session, meddling);

                reply const answer = run(*branch.session, end, branch.id);

                EXPECT_TRUE(is_left_behind(answer)) << more << meddling << ": " << answer.text;
                EXPECT_FALSE(branch.session->is_reusable());
                EXPECT_FALSE(is_listed(branch.id));
            }
            pg().reset();
        }
    }
}

TEST_P(odbc_postgresql, ASecondTransactionThatFailedIsNoticedAsWell)
{
    for (verb const end : ends) {
        auto const branch = start_with(no_savepoints, 1 + static_cast<int>(end));
        run_sql(*branch.session, "COMMIT; BEGIN");
        ASSERT_TRUE(fails(*branch.session, "SELECT 1/0"));

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
    }
}

TEST_P(odbc_postgresql, SwitchingAutocommitInsideABranchIsNoticed)
{
    int key = 0;
    for (verb const end : ends) {
        auto const branch = start_on(driver(), ++key);
        odbc_client::set_autocommit(branch.session->native_handle(), false);

        EXPECT_TRUE(is_left_behind(run(*branch.session, end, branch.id)));
        EXPECT_FALSE(branch.session->is_reusable());
    }
}

TEST_P(odbc_postgresql, SqlEndTranInsideABranchIsNoticedOrHarmless)
{
    auto const branch = start_branch(1);
    SQLEndTran(SQL_HANDLE_DBC, branch.session->native_handle(), SQL_COMMIT);
    bool const did_commit = pg().count_rows(1) == 1;

    reply const vote = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(is_left_behind(vote), did_commit) << vote.text;
    EXPECT_EQ(vote.is_ok(), !did_commit) << vote.text;
}

TEST_P(odbc_postgresql, ABranchDoesNotStartInsideATransactionOfTheApplications)
{
    auto const session = open(session_purpose::work);
    run_sql(*session, "BEGIN");

    EXPECT_EQ(run(*session, verb::start, next_xid(*session)).code, xa_code::outside);
    EXPECT_FALSE(session->is_reusable());
}

// ---- connections -----------------------------------------------------------------------------

TEST_P(odbc_postgresql, AHandleWithAutocommitOffIsRefused)
{
    odbc_client client{postgresql_string(pg().server())};
    client.set_autocommit(false);

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("SQL_ATTR_AUTOCOMMIT"));
}

TEST_P(odbc_postgresql, AHandleInAFailedTransactionIsRefused)
{
    odbc_client client{postgresql_string(pg().server()) + no_savepoints};
    client.query("BEGIN");
    odbc_client::try_query(client.get(), "SELECT 1/0");

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("transaction"));
}

TEST_P(odbc_postgresql, AHandleWhoseSocketIsDoubtfulIsRefused)
{
    std::string const by_socket = "DRIVER=" + odbc_drivers::postgresql() +
                                  ";SERVER=" + pg().server().socket_directory() +
                                  ";PORT=" + std::to_string(pg().server().port()) +
                                  ";DATABASE=accounts;UID=shop;PWD=" + pg().server().password();
    odbc_client client{by_socket};
    odbc_client const another{by_socket};

    EXPECT_THAT(refusal_of(client.get()), HasSubstr("socket cannot be told"));
}

TEST_P(odbc_postgresql, ALeaseByUnixSocketIsSeveredLikeAnyOther)
{
    auto const by_socket = odbc::resource_manager{
        "accounts", "DRIVER=" + odbc_drivers::postgresql() +
                        ";SERVER=" + pg().server().socket_directory() +
                        ";PORT=" + std::to_string(pg().server().port()) +
                        ";DATABASE=accounts;UID=shop;PWD=" + pg().server().password()};
    auto const branch = start_on(*by_socket.driver(), 1);
    ASSERT_NE(branch.session->id(), 0u);
    ASSERT_GE(branch.session->descriptor(), 0);

    branch.session->sever();

    auto const manage = open(session_purpose::manage);
    EXPECT_TRUE(eventually([&] {
        return driver().presence(*manage, branch.session->id(), in_seconds(10)) ==
               session_presence::gone;
    }));
}

TEST_P(odbc_postgresql, ASeveredSessionWithoutASocketIsEndedAtTheServer)
{
    // Two connections are made where one is asked for, both by a unix socket: which is which?
    std::string const by_socket = "DRIVER=" + odbc_drivers::postgresql() +
                                  ";SERVER=" + pg().server().socket_directory() +
                                  ";PORT=" + std::to_string(pg().server().port()) +
                                  ";DATABASE=accounts;UID=shop;PWD=" + pg().server().password();
    std::vector<std::unique_ptr<odbc_client>> others;
    auto const doubled =
        odbc::resource_manager{"accounts", odbc::connect_function{[&] {
                                   others.push_back(std::make_unique<odbc_client>(by_socket));
                                   return odbc::connection{open_raw(by_socket)};
                               }}};
    auto const from = doubled.driver();
    auto branch = start_on(*from, 1);
    auto const id = branch.session->id();
    ASSERT_NE(id, 0u);
    ASSERT_EQ(branch.session->descriptor(), -1);
    auto const manage = from->connect(session_purpose::manage, in_seconds(10));

    branch.session->sever();

    EXPECT_EQ(run(*branch.session, verb::rollback, branch.id).detail, reply_detail::reply_lost);
    EXPECT_TRUE(eventually(
        [&] { return from->presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(odbc_postgresql, BehindAProxySessionsHaveNoNumberAndBranchesWork)
{
    proxy_process const network{pg().server().port()};
    auto const behind = odbc::resource_manager{
        "accounts", postgresql_string(pg().server(), "accounts", network.port())};
    auto const branch = start_on(*behind.driver(), 1);
    auto const manage = behind.driver()->connect(session_purpose::manage, in_seconds(10));

    EXPECT_EQ(branch.session->id(), 0u);
    EXPECT_TRUE(behind.driver()->preflight(*manage, in_seconds(10)).is_proxied);
    EXPECT_EQ(behind.driver()->older_sessions(*manage, in_seconds(10)), session_presence::unknown);
    EXPECT_THROW(behind.driver()->end_session(*manage, 1, in_seconds(10)), driver_error);
    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);

    odbc_client const lent{postgresql_string(pg().server(), "accounts", network.port())};
    EXPECT_THAT(refusal_of(lent.get()), HasSubstr("socket cannot be told"));
}

TEST_P(odbc_postgresql, AOnePhaseCommitWhoseReplyIsLostLeavesItsWitness)
{
    testing::proxy network;
    auto const at = network.add(testing::wire_protocol::postgresql, pg().server().port());
    auto const behind = odbc::resource_manager{
        "accounts", postgresql_string(pg().server(), "accounts", network.port(at))};
    auto const branch = start_on(*behind.driver(), 1);
    network.on_request(at, "COMMIT", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::commit_one_phase, branch.id);

    EXPECT_EQ(answer.detail, reply_detail::reply_lost) << answer.text;
    ASSERT_FALSE(answer.witness.empty());
    auto const manage = open(session_purpose::manage);
    EXPECT_EQ(driver().ask_witness(*manage, answer.witness, in_seconds(10)),
              witness_state::committed);
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, AOnePhaseCommitThatIsCutBeforeItWasSentIsRolledBack)
{
    testing::proxy network;
    auto const at = network.add(testing::wire_protocol::postgresql, pg().server().port());
    auto const behind = odbc::resource_manager{
        "accounts", postgresql_string(pg().server(), "accounts", network.port(at))};
    auto const branch = start_on(*behind.driver(), 1);
    network.on_request(at, "pg_current_xact_id_if_assigned", testing::fault::silence_before);

    branch.session->submit(verb::commit_one_phase, branch.id);
    EXPECT_FALSE(branch.session->collect(deadline::clock::now() + std::chrono::milliseconds(100)));
    branch.session->sever();
    auto const answer = branch.session->collect(deadline::clock::now());

    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->code, xa_code::rbcommfail) << answer->text;
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(odbc_postgresql, APrepareWhoseReplyIsLostIsLost)
{
    testing::proxy network;
    auto const at = network.add(testing::wire_protocol::postgresql, pg().server().port());
    auto const behind = odbc::resource_manager{
        "accounts", postgresql_string(pg().server(), "accounts", network.port(at))};
    auto const branch = start_on(*behind.driver(), 1);
    network.on_request(at, "PREPARE TRANSACTION", testing::fault::lose_reply);

    reply const answer = run(*branch.session, verb::prepare, branch.id);

    EXPECT_EQ(answer.code, xa_code::rmfail);
    EXPECT_EQ(answer.detail, reply_detail::reply_lost) << answer.text;
    finish_elsewhere(verb::rollback, branch.id);
    EXPECT_EQ(pg().count_rows(1), 0);
}

TEST_P(odbc_postgresql, ASessionDoesNotLiveOnInTheDriverManagersPool)
{
    std::string const directory = pg().server().directory() + "-pool";
    ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
    std::ofstream{directory + "/odbcinst.ini"} << "[ODBC]\nPooling = Yes\n";
    ::setenv("POOL_USER_WHERE", postgresql_string(pg().server()).c_str(), 1);
    auto const sessions = [&] {
        return pg().administer("SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'");
    };
    for (char const* const who : {"application", "manager"}) {
        ASSERT_TRUE(eventually([&] { return sessions() == "0"; }));
        int input[2];
        int output[2];
        ASSERT_EQ(::pipe2(input, O_CLOEXEC), 0);
        ASSERT_EQ(::pipe2(output, O_CLOEXEC), 0);
        pid_t const user =
            testing::spawn({"/usr/bin/env", "ODBCSYSINI=" + directory, ASSENT_ODBC_POOL_USER, who},
                           input[0], output[1]);
        ::close(input[0]);
        ::close(output[1]);
        char said[4] = {};
        ASSERT_EQ(::read(output[0], said, sizeof said), 4);
        EXPECT_EQ(std::string(said, 4), "done");

        bool const is_manager = std::string{who} == "manager";
        EXPECT_TRUE(eventually([&] { return sessions() == (is_manager ? "0" : "1"); })) << who;
        ::close(input[1]);
        int status = -1;
        EXPECT_EQ(::waitpid(user, &status, 0), user);
        EXPECT_EQ(status, 0) << who;
        ::close(output[0]);
    }
    ::unlink((directory + "/odbcinst.ini").c_str());
    ::rmdir(directory.c_str());
}

TEST_P(odbc_postgresql, ALentHandleOfASilentServerIsGivenUpAtTheDeadline)
{
    odbc_client client{postgresql_string(pg().server())};
    auto const expected = facts();
    pg().freeze();
    auto const before = deadline::clock::now();

    try {
        driver().borrow(client.get(), expected, before + std::chrono::milliseconds(200));
        ADD_FAILURE() << "the server is frozen";
    } catch (driver_error const& error) {
        EXPECT_TRUE(error.must_close());
    }

    EXPECT_LT(deadline::clock::now() - before, std::chrono::seconds(10));
    EXPECT_EQ(sql_text::worker::stuck_count(), 0u);
    pg().thaw();
}

TEST_P(odbc_postgresql, AServerThatDiesInTheMiddleIsALostReply)
{
    auto const prepared = prepare_branch(1);
    auto const active = start_branch(2);
    pg().freeze();
    prepared.session->submit(verb::commit, prepared.id);
    active.session->submit(verb::commit_one_phase, active.id);

    pg().crash();

    auto const committed = prepared.session->collect(in_seconds(10));
    auto const unsent = active.session->collect(in_seconds(10));
    ASSERT_TRUE(committed && unsent);
    EXPECT_EQ(committed->detail, reply_detail::reply_lost) << committed->text;
    EXPECT_EQ(unsent->code, xa_code::rbcommfail) << unsent->text;
    EXPECT_FALSE(prepared.session->is_reusable());
    pg().start();
    EXPECT_TRUE(is_listed(prepared.id));
    finish_elsewhere(verb::commit, prepared.id);
    EXPECT_EQ(pg().count_rows(1), 1);
    EXPECT_EQ(pg().count_rows(2), 0);
}

TEST_P(odbc_postgresql, ConnectionsThatHangInTheDriverAreLeftAndReturn)
{
    pg().freeze();
    for (int i = 0; i < 3; ++i) {
        EXPECT_THROW(driver().connect(session_purpose::work,
                                      deadline::clock::now() + std::chrono::milliseconds(50)),
                     driver_error);
    }
    pg().thaw();

    EXPECT_TRUE(eventually([] { return sql_text::worker::stuck_count() == 0; }));
}

TEST_P(odbc_postgresql, TheFactsNameDriverAndDriverManager)
{
    auto const seen = facts();

    EXPECT_EQ(seen.kind, "postgresql");
    EXPECT_THAT(seen.version, HasSubstr("psqlodbcw.so"));
    EXPECT_THAT(seen.version, HasSubstr("driver manager"));
    EXPECT_TRUE(driver().capabilities().has_one_phase_witness);
}

TEST_P(odbc_postgresql, ItIsTheSameDatabaseAsByTheNativeAdapter)
{
    auto const native = postgresql::resource_manager{"accounts", pg().server().conninfo()}.driver();
    auto const manage = native->connect(session_purpose::manage, in_seconds(10));
    auto const same = native->preflight(*manage, in_seconds(10));
    auto const seen = facts();

    EXPECT_EQ(seen.kind, same.kind);
    EXPECT_EQ(seen.identity, same.identity);
    EXPECT_EQ(seen.server_start, same.server_start);
    EXPECT_EQ(seen.history, same.history);

    auto const branch = prepare_branch(1);
    EXPECT_THAT(native->scan(*manage, in_seconds(10)).ours, ::testing::Contains(branch.id));
    EXPECT_TRUE(run(*manage, verb::commit, branch.id).is_ok());
    EXPECT_EQ(pg().count_rows(1), 1);
}

TEST_P(odbc_postgresql, APasswordComesFromItsFileWhateverIsInIt)
{
    std::string const password = "a;b}c {d}=e";
    pg().administer("DROP ROLE IF EXISTS odd");
    pg().administer("CREATE ROLE odd LOGIN PASSWORD '" + password + "'");
    std::string const path = pg().server().directory() + "-odd";
    std::ofstream{path} << password << "\n";
    ::chmod(path.c_str(), 0600);
    odbc::connect_options where = odbc::parse_connect_string(
        "DRIVER=" + odbc_drivers::postgresql() + ";SERVER=127.0.0.1;PORT=" +
        std::to_string(pg().server().port()) + ";DATABASE=accounts;UID=odd;PASSWORD_FILE=" + path);

    auto const session = odbc::resource_manager{"accounts", where}.driver()->connect(
        session_purpose::work, in_seconds(10));
    EXPECT_EQ(run_sql(*session, "SELECT current_user"), "odd");

    std::ofstream{path} << "wrong-" << password;
    try {
        odbc::resource_manager{"accounts", where}.driver()->connect(session_purpose::work,
                                                                    in_seconds(10));
        ADD_FAILURE() << "a wrong password was accepted";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr("wrong-")));
        EXPECT_THAT(error.what(), HasSubstr("accounts"));
    }
    ::unlink(path.c_str());
}

}  // namespace assent::contract
