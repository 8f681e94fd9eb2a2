// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_tried_test.cpp -- what nobody had tried: foreign and unlogged tables, timeouts at
// every place of a branch's life, catalog tables that a prepared branch has locked, a disk that
// takes no more, an account that may do nothing else.

#include <sys/resource.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>

#include <assent/examination.hpp>
#include <assent/postgresql.hpp>

#include <gmock/gmock.h>

#include "tests/contract/postgresql_said.hpp"
#include "tests/servers/held_commits.hpp"

namespace assent::contract {

using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

/// A server of this program's own, which some tests leave unusable.
class postgresql_tried : public postgresql_case
{
protected:
    void SetUp() override
    {
        postgresql_case::SetUp();
        if (IsSkipped()) return;
    }

    std::string prepared() { return pg().administer("SELECT count(*) FROM pg_prepared_xacts"); }

    std::shared_ptr<resource_manager_driver> driver_of(std::string const& user)
    {
        return postgresql::resource_manager{"accounts",
                                            pg().server().superuser_conninfo() + " user=" + user}
            .driver();
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_tried, postgresql_target);

// --- tables that are not the server's own, or not durable ---

TEST_P(postgresql_tried, AForeignTableVotesNoAndInOnePhaseIsCommittedThereFirst)
{
    try {
        pg().administer("CREATE EXTENSION IF NOT EXISTS postgres_fdw");
    } catch (std::runtime_error const&) {
        GTEST_SKIP() << "this PostgreSQL has no postgres_fdw";
    }
    auto const& server = pg().server();
    pg().administer("DROP TABLE IF EXISTS far; CREATE TABLE far(key int)", "orders");
    pg().administer("GRANT ALL ON far TO shop", "orders");
    pg().administer(
        "DROP SERVER IF EXISTS other CASCADE; CREATE SERVER other FOREIGN DATA WRAPPER "
        "postgres_fdw OPTIONS (host '127.0.0.1', port '" +
        std::to_string(server.port()) +
        "', dbname 'orders'); CREATE USER MAPPING FOR shop SERVER other OPTIONS "
        "(user 'shop', password '" +
        server.password() +
        "'); CREATE FOREIGN TABLE far(key int) SERVER other; GRANT ALL ON far TO shop");

    for (std::string const sql : {"INSERT INTO far VALUES (1)", "SELECT count(*) FROM far"}) {
        auto const branch = start_branch(1);
        apply(*branch.session, sql);
        reply const vote = run(*branch.session, verb::prepare, branch.id);
        EXPECT_TRUE(is_rolled_back(vote)) << vote.text;
        EXPECT_EQ(vote.sqlstate, "0A000");
        EXPECT_THAT(vote.text, HasSubstr("postgres_fdw"));
        EXPECT_EQ(pg().count_rows(1), 0);
    }
    EXPECT_EQ(pg().administer("SELECT count(*) FROM far", "orders"), "0");

    auto const alone = start_branch(2);
    apply(*alone.session, "INSERT INTO far VALUES (2)");
    EXPECT_TRUE(run(*alone.session, verb::commit_one_phase, alone.id).is_ok());
    EXPECT_EQ(pg().administer("SELECT count(*) FROM far", "orders"), "1");
}

TEST_P(postgresql_tried, AnUnloggedTableIsEmptyAfterACrashAlthoughItVoted)
{
    pg().administer(
        "DROP TABLE IF EXISTS light; CREATE UNLOGGED TABLE light(key int); "
        "GRANT ALL ON light TO shop");
    auto const branch = start_branch(1);
    apply(*branch.session, "INSERT INTO light VALUES (1)");
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());

    pg().crash();
    pg().start();

    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(pg().count_rows(1), 1);
    EXPECT_EQ(pg().administer("SELECT count(*) FROM light"), "0");
}

// --- timeouts ---

TEST_P(postgresql_tried, NoTimeoutTouchesABranchThatIsPrepared)
{
    bool const is_newer = pg().major_version() >= 17;
    std::string const name =
        is_newer ? "transaction_timeout" : "idle_in_transaction_session_timeout";
    auto const branch = start_branch(1);
    apply(*branch.session, "SET " + name + " = '300ms'");
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    auto const waits = open(session_purpose::work);
    apply(*waits, "SELECT pg_sleep(0.5)");

    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok()) << "the session lives";
    EXPECT_EQ(pg().count_rows(1), 1);
}

/// Set by the administrator for everybody: Assent's own sessions are not everybody's.
TEST_P(postgresql_tried, ATransactionTimeoutOfTheRoleEndsNoCommitThatWaits)
{
    if (pg().major_version() < 17) GTEST_SKIP() << "it came with PostgreSQL 17";
    pg().administer("ALTER ROLE shop SET transaction_timeout = '200ms'");
    auto const manage = open(session_purpose::manage);
    EXPECT_EQ(apply(*manage, "SHOW transaction_timeout"), "0");
    auto const branch = start_branch(1);
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    // The session that waits is a lease, with the role's timeout.
    testing::held_commits held{pg().server().superuser_conninfo()};
    ASSERT_TRUE(eventually(
        [&] { return apply(*branch.session, "SHOW synchronous_standby_names") == "nobody"; }));
    branch.session->submit(verb::commit, branch.id);
    wait_for_replica(branch.session->id());
    auto const said = branch.session->collect(deadline::clock::now() + seconds{1});
    held.release();
    pg().administer("ALTER ROLE shop RESET transaction_timeout");

    if (said) {
        EXPECT_FALSE(is_rolled_back(*said)) << said->text;
    }
    EXPECT_TRUE(eventually([&] { return pg().count_rows(1) == 1; }));
}

// --- the least account ---

TEST_P(postgresql_tried, ARoleWithNoRightButOnItsTableWorksInEveryPhase)
{
    pg().administer("DROP ROLE IF EXISTS least");
    pg().administer(
        "CREATE ROLE least LOGIN; GRANT INSERT ON entry TO least; "
        "DROP TABLE IF EXISTS public.assent_decision");
    auto const manager = open(session_purpose::manage);
    driver().preflight(*manager, in_seconds(10));
    driver().decisions()->ensure(*manager, in_seconds(10));
    pg().administer("GRANT SELECT, INSERT, UPDATE, DELETE ON public.assent_decision TO least");

    auto const its = driver_of("least");
    auto const manage = its->connect(session_purpose::manage, in_seconds(10));
    its->preflight(*manage, in_seconds(10));
    auto const guardian = its->connect(session_purpose::guardian, in_seconds(10));
    ASSERT_TRUE(its->try_guard(*guardian, 77, in_seconds(10)));
    its->heartbeat(*guardian, in_seconds(10));
    auto branch = start_on(*its, 1);
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_EQ(its->scan(*manage, in_seconds(10)).ours, std::vector<xid>{branch.id});
    std::uint64_t const id = branch.session->id();
    its->end_session(*manage, id, in_seconds(10));
    EXPECT_TRUE(eventually(
        [&] { return its->presence(*manage, id, in_seconds(10)) == session_presence::gone; }));
    EXPECT_TRUE(run(*manage, verb::commit, branch.id).is_ok());
    auto const undone = start_on(*its, 2);
    EXPECT_TRUE(run(*undone.session, verb::rollback, undone.id).is_ok());

    gtrid const name = gtrid::make({decision_place::commit_row, 1, 0xfeed, 1, 1, 1});
    auto& table = *its->decisions();
    table.ensure(*manage, in_seconds(10));
    auto const row = start_on(*its, 3);
    table.carry(*row.session, {name, row_kind::commit, std::string(48, '0')});
    EXPECT_TRUE(run(*row.session, verb::commit_one_phase, row.id).is_ok());
    auto const seen = table.fence(*manage, name, in_seconds(10));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->kind, row_kind::commit);
    auto parts = name.parts();
    parts.epoch = 0;
    parts.nonce = parts.sequence = 0;
    table.prune(*manage, {gtrid::make(parts), row_kind::horizon, {}}, {name}, in_seconds(10));
    EXPECT_EQ(pg().count_rows(1) + pg().count_rows(3), 2);

    auto* const examined = dynamic_cast<examined_driver*>(its.get());
    ASSERT_NE(examined, nullptr);
    for (auto const& each : examined->examine(*manage, in_seconds(10)).findings)
        EXPECT_LT(each.level, finding_level::warning) << each.check << ": " << each.advice;
}

// --- what a prepared branch has locked ---

TEST_P(postgresql_tried, ALockedTableOfCommitRowsKeepsNobodyBeyondHisDeadline)
{
    auto const manage = open(session_purpose::manage);
    driver().preflight(*manage, in_seconds(10));
    driver().decisions()->ensure(*manage, in_seconds(10));
    auto const branch = start_branch(1);
    apply(*branch.session, "LOCK TABLE public.assent_decision IN ACCESS EXCLUSIVE MODE");
    ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    gtrid const name = gtrid::make({decision_place::commit_row, 1, 0xfeed, 1, 1, 1});

    auto const begun = steady_clock::now();
    auto const until = [] { return deadline::clock::now() + std::chrono::milliseconds{500}; };
    try {
        EXPECT_FALSE(driver().decisions()->fence(*manage, name, until()));
    } catch (driver_error const&) {
        // It may as well say that it was in vain.
    }
    EXPECT_THROW(
        driver().decisions()->list(*open(session_purpose::manage), name.text(), 1, until()),
        driver_error);
    EXPECT_LT(steady_clock::now() - begun, seconds{8});

    EXPECT_TRUE(is_listed(branch.id)) << "which needs no lock on it";
    finish_elsewhere(verb::commit, branch.id);
    EXPECT_EQ(pg().count_rows(1), 1);
}

/// A superuser's branch.  Of pg_class: nobody can log in to that database any more.  Who is there
/// can finish it, and is kept by it no longer than he is willing to wait.
TEST_P(postgresql_tried, ALockedCatalogIsLetGoOfByASessionThatIsThereAndKeepsNobodyElseForLong)
{
    auto const supers = driver_of("postgres");
    int key = 0;
    for (std::string const catalog : {"pg_class", "pg_database"}) {
        SCOPED_TRACE(catalog);
        auto const manage = supers->connect(session_purpose::manage, in_seconds(10));
        supers->preflight(*manage, in_seconds(10));
        auto const lister = supers->connect(session_purpose::manage, in_seconds(10));
        auto const guardian = supers->connect(session_purpose::guardian, in_seconds(10));
        ASSERT_TRUE(supers->try_guard(*guardian, 78, in_seconds(10)));
        auto const branch = start_on(*supers, ++key);
        apply(*branch.session, "LOCK TABLE pg_catalog." + catalog + " IN ACCESS EXCLUSIVE MODE");
        ASSERT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());

        auto const begun = steady_clock::now();
        auto const soon = [] { return deadline::clock::now() + std::chrono::milliseconds{300}; };
        EXPECT_NE(refusal([&] { supers->connect(session_purpose::manage, soon()); }), "");
        EXPECT_NE(refusal([&] { supers->scan(*lister, soon()); }), "");
        refusal([&] { supers->heartbeat(*guardian, soon()); });  // of pg_database: no answer
        EXPECT_LT(steady_clock::now() - begun, seconds{8});

        EXPECT_TRUE(run(*manage, verb::commit, branch.id).is_ok());
        EXPECT_EQ(pg().count_rows(key), 1);
    }
}

// --- a disk that takes no more ---

/// For what this program starts meanwhile.  A server of segments of 4 MB meets the limit within one
/// of its log, as it meets a full disk: what it may not write makes it panic.
class small_files
{
public:
    small_files()
    {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit const small{2U << 20U, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~small_files() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    small_files(small_files const&) = delete;
    small_files& operator=(small_files const&) = delete;

private:
    rlimit before_{};
};

TEST_P(postgresql_tried, AServerThatCannotWriteItsLogLosesNoVoteAndCommitsOnceItCan)
{
    pg().administer(
        "DROP TABLE IF EXISTS heavy; CREATE TABLE heavy(text text); "
        "GRANT ALL ON heavy TO shop");
    pg().administer("SELECT pg_switch_wal()");
    pg().server().stop();
    {
        small_files const are_all;
        pg().start();
    }
    refresh_driver();
    auto const due = prepare_branch(1);
    int key = 1;
    std::set<int> committed;
    reply said;
    xid last;
    while (said.is_ok() && key < 200) {
        try {
            auto const branch = start_branch(++key);
            last = branch.id;
            apply(*branch.session,
                  "INSERT INTO heavy SELECT md5(i::text) FROM "
                  "generate_series(1, 1000) AS i");
            said = run(*branch.session, verb::prepare, branch.id);
            if (said.is_ok()) said = run(*branch.session, verb::commit, branch.id);
            if (said.is_ok()) committed.insert(key);
        } catch (std::runtime_error const&) {
            break;  // the statement met it
        }
    }
    ASSERT_LT(key, 200) << "the server has never met its limit";
    EXPECT_TRUE(said.is_ok() || is_lost(said)) << said.text;
    reply const after = run(*due.session, verb::commit, due.id);
    EXPECT_TRUE(is_lost(after)) << after.text;

    pg().crash();
    pg().start();
    EXPECT_TRUE(is_listed(due.id));
    finish_elsewhere(verb::commit, due.id);
    EXPECT_EQ(pg().count_rows(1), 1);
    for (int const each : committed)
        EXPECT_EQ(pg().count_rows(each), 1) << each;
    // Whose answer was lost is there to be finished, or is over.
    if (is_listed(last)) finish_elsewhere(verb::rollback, last);
    EXPECT_EQ(prepared(), "0");
}

}  // namespace assent::contract
