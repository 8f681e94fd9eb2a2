// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_replication_test.cpp -- a primary and its hot standby: what a standby's list is worth,
// what becomes of a transaction whose replica is silent, and of one whose server failed over.
//
//   program -- host=primary,standby target_session_attrs=read-write --+--> primary --WAL--+
//                                                                     +..> standby <------+

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "tests/contract/postgresql_doors.hpp"

namespace assent::contract {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Pair;

namespace {

/// A primary whose standby keeps up, and waits for nobody unless a test says so.
class replicated_target final : public postgresql_target
{
public:
    using postgresql_target::postgresql_target;

    void reset() override
    {
        if (is_over_) {
            standby_.reset();
            renew();
            is_over_ = false;
        }
        thaw_standby();
        replicate_synchronously(false);
        postgresql_target::reset();
    }

    testing::private_server& standby()
    {
        if (!standby_) standby_ = testing::private_server::standby_of(server());
        return *standby_;
    }
    std::string ask_standby(std::string const& sql, std::string const& database = "accounts")
    {
        return plain_connection{standby().superuser_conninfo(database)}.run(sql);
    }

    /// All that the primary wrote so far has been replayed by the standby.
    void catch_up()
    {
        standby();
        std::string const written = administer("SELECT pg_current_wal_lsn()");
        wait([&] {
            return ask_standby("SELECT pg_last_wal_replay_lsn() >= '" + written + "'") == "t";
        });
    }

    void freeze_standby()
    {
        is_standby_frozen_ = true;
        standby().freeze();
    }
    void thaw_standby()
    {
        if (is_standby_frozen_) standby().thaw();
        is_standby_frozen_ = false;
    }

    /// Whether commits wait for the standby from now on.
    void replicate_synchronously(bool is_on)
    {
        // The standby is a copy of the primary, which is stopped while it is made.
        if (is_on) standby();
        plain_connection admin{server().superuser_conninfo()};
        admin.run(is_on ? "ALTER SYSTEM SET synchronous_standby_names = 'standby'"
                        : "ALTER SYSTEM RESET synchronous_standby_names");
        admin.run("SELECT pg_reload_conf()");
        wait([&] {
            return admin.run(
                       "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") ==
                   (is_on ? "1" : "0");
        });
    }

    /// The primary is gone for good.
    void fail_over()
    {
        is_over_ = true;
        if (!standby().is_running()) standby().start();
        ask_standby("SELECT pg_promote()");
    }

private:
    static void wait(std::function<bool()> const& condition)
    {
        if (!eventually(condition)) throw std::runtime_error("the replica does not follow");
    }

    std::unique_ptr<testing::private_server> standby_;
    bool is_standby_frozen_ = false;
    bool is_over_ = false;
};

}  // namespace

class postgresql_replication : public postgresql_doors
{
protected:
    replicated_target& both() { return dynamic_cast<replicated_target&>(target()); }

    /// Wherever the primary is.
    std::string primary_conninfo(std::string const& database)
    {
        return conninfo(database) +
               " host=127.0.0.1,127.0.0.1 port=" + std::to_string(pg().server().port()) + "," +
               std::to_string(both().standby().port()) + " target_session_attrs=read-write";
    }
    postgresql::resource_manager accounts_at_primary()
    {
        return {"accounts", primary_conninfo("accounts")};
    }
    postgresql::resource_manager orders_at_primary()
    {
        return {"orders", primary_conninfo("orders")};
    }
    std::shared_ptr<resource_manager_driver> standby_driver()
    {
        return postgresql::resource_manager{"accounts", both().standby().conninfo()}.driver();
    }

    void write_both(transaction& tx, int key)
    {
        write_row(tx.lease(*accounts_), key);
        write_row(tx.lease(*orders_), key);
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_replication, replicated_target);

// --- a standby ---

TEST_P(postgresql_replication, AStandbyListsNothingOfWhatItsPrimaryHasPreparedAndFinishesNothing)
{
    auto const first = prepare_branch(1);
    auto const second = prepare_branch(2);
    both().catch_up();
    EXPECT_EQ(prepared(), "2");
    EXPECT_EQ(both().ask_standby("SELECT count(*) FROM pg_prepared_xacts"), "0");
    auto const standby = standby_driver();
    auto const manage = standby->connect(session_purpose::manage, in_seconds(10));

    auto const seen = standby->scan(*manage, in_seconds(10));

    EXPECT_EQ(seen.identity, facts().identity) << "it is the same cluster";
    EXPECT_FALSE(seen.is_writable_primary);
    EXPECT_TRUE(seen.ours.empty());
    EXPECT_THROW(standby->preflight(*manage, in_seconds(10)), driver_error);
    for (verb const end : {verb::commit, verb::rollback}) {
        reply const answer = run(*manage, end, first.id);
        EXPECT_EQ(answer.code, xa_code::retry);
        EXPECT_EQ(answer.sqlstate, "25006");
    }
    EXPECT_TRUE(is_listed(first.id));
    EXPECT_TRUE(is_listed(second.id));
}

TEST_P(postgresql_replication, AConnectionToAStandbyIsNotTaken)
{
    plain_connection lent{both().standby().conninfo()};
    try {
        driver().borrow(lent.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a connection to a standby";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), HasSubstr("the server is a hot standby"));
        EXPECT_FALSE(error.must_close());
    }
}

TEST_P(postgresql_replication, NothingIsDecidedWhereOnlyTheStandbyAnswers)
{
    // The program's address of the database leads to the one or to the other.
    auto const leads_to_standby = std::make_shared<std::atomic<bool>>(false);
    auto const address = [&](std::string const& database) {
        std::string const primary = conninfo(database);
        std::string const standby = both().standby().conninfo(database);
        return [=] { return PQconnectdb((*leads_to_standby ? standby : primary).c_str()); };
    };
    open_manager({"accounts", address("accounts")}, {"orders", address("orders")});
    told_->at("decision.durable", [&] {
        *leads_to_standby = true;
        pg().administer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'shop'");
    });
    auto tx = begin();
    write_both(tx, 1);

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    ASSERT_TRUE(eventually([&] {
        return state_of(*tm_, "accounts").why.find("hot standby") != std::string::npos &&
               state_of(*tm_, "orders").why.find("hot standby") != std::string::npos;
    }));
    EXPECT_EQ(prepared(), "2");
    EXPECT_EQ(tm_->state().live_transactions, 1u);
    *leads_to_standby = false;
    EXPECT_TRUE(becomes_idle(*tm_));
    EXPECT_THAT(rows(1), Pair(1, 1));
    EXPECT_EQ(tm_->state().heuristics, 0u);
}

// --- a synchronous replica that is silent ---

TEST_P(postgresql_replication, AVoteThatWaitsForASilentReplicaIsRolledBackAtTheDeadline)
{
    both().replicate_synchronously(true);
    open_manager();
    both().freeze_standby();
    auto tx = begin(2s);
    write_both(tx, 1);

    auto const told = thrown_by<rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(told.is_retryable()) << "not confirmed yet";
    EXPECT_EQ(prepared(), "2") << "durable here, and not answered";
    EXPECT_EQ(tm_->state().live_transactions, 1u);
    both().thaw_standby();
    EXPECT_TRUE(becomes_idle(*tm_));
    EXPECT_EQ(prepared(), "0");
    EXPECT_THAT(rows(1), Pair(0, 0));
    EXPECT_EQ(tm_->state().heuristics, 0u);
}

TEST_P(postgresql_replication, ACommitThatWaitsForASilentReplicaIsPendingUntilItIsReleased)
{
    for (bool const by_operator : {false, true}) {
        SCOPED_TRACE(by_operator ? "no longer synchronous" : "the replica is back");
        target().reset();
        both().replicate_synchronously(true);
        told_->at("decision.durable", [&] { both().freeze_standby(); });
        if (!tm_) open_manager();
        int const key = by_operator ? 2 : 1;
        auto tx = begin();
        write_both(tx, key);

        EXPECT_EQ(tx.commit(), outcome::committed_pending);

        EXPECT_EQ(prepared(), "2");
        EXPECT_THAT(rows(key), Pair(0, 0)) << "nobody sees it before the replica has it";
        if (by_operator) {
            both().replicate_synchronously(false);
        } else {
            both().thaw_standby();
        }
        EXPECT_TRUE(becomes_idle(*tm_));
        EXPECT_EQ(prepared(), "0");
        EXPECT_THAT(rows(key), Pair(1, 1));
        EXPECT_EQ(tm_->state().heuristics, 0u);
    }
}

// --- failover ---

// Four transactions are decided, and none is told to the databases: of two the standby has the
// prepared branches, of two it has nothing.  One manager lives through it, the other is opened
// again afterwards.
TEST_P(postgresql_replication, AfterAFailoverWhatIsThereIsCommittedAndWhatIsNotIsAHazard)
{
    log_directory const other_log;
    auto const before = facts();
    open_manager(accounts_at_primary(), orders_at_primary());
    auto other = std::make_unique<transaction_manager>(quick_options(other_log.path(), told_));
    auto const other_accounts = other->add(accounts_at_primary());
    auto const other_orders = other->add(orders_at_primary());
    int step = 0;
    std::function<void()> const next = [&] {
        auto const commit = [&](transaction tx, auto const& first, auto const& second, int key) {
            write_row(tx.lease(first), key);
            write_row(tx.lease(second), key);
            EXPECT_EQ(tx.commit(), outcome::committed_pending) << key;
        };
        switch (++step) {
            case 1:
                return commit(begin(), *accounts_, *orders_, 1);
            case 2:
                return commit(other->begin(), other_accounts, other_orders, 2);
            case 3:
                both().catch_up();
                both().standby().stop();
                return commit(begin(), *accounts_, *orders_, 3);
            case 4:
                return commit(other->begin(), other_accounts, other_orders, 4);
            default:
                return pg().server().kill();
        }
    };
    told_->at("decision.durable", next);
    next();
    ASSERT_EQ(step, 5);
    EXPECT_FALSE(other->close(std::chrono::steady_clock::now() + 100ms).is_drained);
    other.reset();
    told_->at("", {});

    both().fail_over();

    auto const after = standby_driver();
    auto const manage = after->connect(session_purpose::manage, in_seconds(10));
    server_facts const now = after->preflight(*manage, in_seconds(10));
    EXPECT_EQ(now.identity, before.identity);
    EXPECT_NE(now.history, before.history);
    EXPECT_TRUE(becomes_idle(*tm_));
    EXPECT_TRUE(told_->has("resource_manager.history_changed@accounts"));
    EXPECT_EQ(tm_->state().heuristics, 2u) << "the third, in both databases";

    transaction_manager again{quick_options(other_log.path())};
    again.add(accounts_at_primary());
    again.add(orders_at_primary());
    EXPECT_TRUE(eventually([&] { return again.state().heuristics == 2u; }));
    EXPECT_TRUE(eventually(
        [&] { return both().ask_standby("SELECT count(*) FROM pg_prepared_xacts") == "0"; }));
    for (std::string const database : {"accounts", "orders"}) {
        EXPECT_EQ(both().ask_standby("SELECT string_agg(key::text, ' ' ORDER BY key) FROM entry",
                                     database),
                  "1 2");
    }
    EXPECT_TRUE(eventually([&] {
        try {
            auto tx = begin();
            write_both(tx, 5);
            tx.commit();
            return true;
        } catch (rolled_back_error const&) {
            return false;  // a guardian of before has just noticed that its server is gone
        }
    })) << "the manager goes on";
    EXPECT_TRUE(becomes_idle(*tm_));
    tm_.reset();

    // Nobody fenced the former primary: it is the first host, lets us in, and writes.
    pg().server().start();
    try {
        plain_connection lent{conninfo("accounts")};
        after->borrow(lent.get(), now, in_seconds(10));
        ADD_FAILURE() << "borrowed a connection to the past";
    } catch (driver_error const& error) {
        EXPECT_THAT(error.what(), HasSubstr("it is on timeline " + before.history +
                                            " of the server, not " + now.history));
    }
}

}  // namespace assent::contract
