// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_cluster_test.cpp -- several databases of one cluster are several resource managers:
// what is prepared in one is listed for all, and can be finished in that one only.

#include <string>
#include <utility>

#include "tests/contract/postgresql_doors.hpp"
#include "tests/contract/postgresql_said.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

using ::testing::HasSubstr;
using ::testing::Pair;

class postgresql_cluster : public postgresql_doors
{
protected:
    server_facts facts_of(std::string const& database)
    {
        auto const by = pg().driver_for(database);
        return by->preflight(*by->connect(session_purpose::manage, in_seconds(10)), in_seconds(10));
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_cluster, postgresql_without_replica);

TEST_P(postgresql_cluster, CommitsAndRollsBackInAllItsDatabases)
{
    open_manager();
    auto tx = begin();
    write_row(tx.lease(*accounts_), 1);
    write_row(tx.lease(*orders_), 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    auto other = begin();
    write_row(other.lease(*accounts_), 2);
    write_row(other.lease(*orders_), 2);
    EXPECT_EQ(other.rollback(), outcome::rolled_back);

    EXPECT_THAT(rows(1), Pair(1, 1));
    EXPECT_THAT(rows(2), Pair(0, 0));
    EXPECT_EQ(tm_->state().decisions, 1u);
    EXPECT_EQ(prepared(), "0");
}

TEST_P(postgresql_cluster, FinishesEachBranchInItsOwnDatabaseWhenBothRepliesAreLost)
{
    testing::proxy network;
    auto const first = network.add(testing::wire_protocol::postgresql, pg().server().port());
    auto const second = network.add(testing::wire_protocol::postgresql, pg().server().port());
    open_manager({"accounts", conninfo("accounts", network.port(first)) + " sslmode=disable"},
                 {"orders", conninfo("orders", network.port(second)) + " sslmode=disable"});
    auto tx = begin();
    write_row(tx.lease(*accounts_), 1);
    write_row(tx.lease(*orders_), 1);
    for (auto const each : {first, second}) {
        network.on_request(each, "COMMIT PREPARED", testing::fault::lose_request);
    }

    EXPECT_EQ(tx.commit(), outcome::committed_pending);

    EXPECT_TRUE(becomes_idle(*tm_));
    EXPECT_THAT(rows(1), Pair(1, 1));
    EXPECT_EQ(prepared(), "0");
    EXPECT_THAT(tm_->state().quarantined, ::testing::IsEmpty());
    EXPECT_EQ(tm_->state().heuristics, 0u);
}

TEST_P(postgresql_cluster, ScansListTheirOwnDatabaseOnly)
{
    auto const branch = prepare_branch(1);
    plain_connection elsewhere{conninfo("orders")};
    elsewhere.run("BEGIN");
    elsewhere.run("PREPARE TRANSACTION 'somebody''s'");
    auto const orders = pg().driver_for("orders");
    auto const manage = orders->connect(session_purpose::manage, in_seconds(10));

    auto const there = orders->scan(*manage, in_seconds(10));
    auto const here = driver().scan(*open(session_purpose::manage), in_seconds(10));

    EXPECT_TRUE(there.ours.empty());
    EXPECT_EQ(there.foreign_count, 1u);
    EXPECT_EQ(here.ours.size(), 1u);
    EXPECT_EQ(here.foreign_count, 0u);
    for (verb const end : {verb::commit, verb::rollback}) {
        reply const answer = run(*manage, end, branch.id);
        EXPECT_EQ(answer.sqlstate, "0A000");
        EXPECT_EQ(answer.code, xa_code::proto) << "it is not unknown";
    }
}

TEST_P(postgresql_cluster, TwoNamesForOneDatabaseAreRefused)
{
    open_manager();
    auto const ledger =
        tm_->add(postgresql::resource_manager{"ledger", conninfo("accounts") + " host=localhost"});
    ASSERT_TRUE(eventually(
        [&] { return state_of(*tm_, "ledger").why.find("already bound") != std::string::npos; }));
    auto tx = begin(std::chrono::seconds(1));

    auto const refused = thrown_by<error>([&] { tx.lease(ledger); });

    EXPECT_EQ(refused.code(), errc::unavailable);
    EXPECT_THAT(refused.what(), HasSubstr("already bound under the name \"accounts\""));
    auto other = begin();
    write_row(other.lease(*orders_), 1);
    EXPECT_EQ(other.commit(), outcome::committed) << "the others serve";
}

TEST_P(postgresql_cluster, ARenamedDatabaseIsTheSameAndOneMadeAnewIsNot)
{
    pg().administer("DROP DATABASE IF EXISTS renamed", "postgres");
    pg().administer("CREATE DATABASE till OWNER shop", "postgres");
    auto const before = facts_of("till").identity;

    pg().administer("ALTER DATABASE till RENAME TO renamed", "postgres");
    EXPECT_EQ(facts_of("renamed").identity, before);

    pg().administer("DROP DATABASE renamed", "postgres");
    pg().administer("CREATE DATABASE renamed OWNER shop", "postgres");
    EXPECT_NE(facts_of("renamed").identity, before);
    EXPECT_EQ(facts_of("accounts").history, facts_of("renamed").history);
}

TEST_P(postgresql_cluster, AnIdentityThatChangedUnderANameIsRefused)
{
    open_manager();
    tm_.reset();
    tm_.emplace(quick_options(log_.path()));
    auto const swapped = tm_->add(postgresql::resource_manager{"accounts", conninfo("postgres")});
    ASSERT_TRUE(eventually([&] {
        return state_of(*tm_, "accounts").why.find("it was bound to") != std::string::npos;
    }));
    auto tx = begin(std::chrono::seconds(1));

    EXPECT_THAT(thrown_by<error>([&] { tx.lease(swapped); }).what(),
                HasSubstr("not the server it was bound to"));
}

TEST_P(postgresql_cluster, AListedBranchKeepsItsDatabaseFromBeingDropped)
{
    prepare_branch(1);
    listening_connection admin{pg().server().superuser_conninfo("postgres")};

    // Without FORCE the server says the same, after it has waited five seconds.
    said const answer = admin.ask("DROP DATABASE accounts WITH (FORCE)");

    EXPECT_EQ(answer.sqlstate, "55006");
    EXPECT_THAT(answer.text, HasSubstr("prepared transaction"));
}

}  // namespace assent::contract
