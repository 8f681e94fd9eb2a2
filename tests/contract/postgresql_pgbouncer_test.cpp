// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_pgbouncer_test.cpp -- what stands between, and that the node's lock holds through it
// or is not asked for.

#include "tests/contract/postgresql_doors.hpp"
#include "tests/servers/pgbouncer.hpp"

namespace assent::contract {

using ::testing::HasSubstr;
using ::testing::Pair;

class postgresql_pgbouncer : public postgresql_doors
{
protected:
    void SetUp() override
    {
        postgresql_doors::SetUp();
        if (IsSkipped()) return;
        std::string const why = testing::pgbouncer::why_missing();
        if (!why.empty()) GTEST_SKIP() << why;
    }

    postgresql::resource_manager through(testing::pgbouncer const& proxy, bool pools_by_session)
    {
        postgresql::safety_options safety;
        safety.pools_by_session = pools_by_session;
        return {"accounts", conninfo("accounts", proxy.port()) + " sslmode=disable", safety};
    }

    static std::string refusal_of_guard(postgresql::resource_manager const& from)
    {
        auto const guardian = from.driver()->connect(session_purpose::guardian, in_seconds(10));
        return thrown_by<driver_error>(
                   [&] { from.driver()->try_guard(*guardian, 7, in_seconds(10)); })
            .what();
    }
};
ASSENT_ON_EACH_POSTGRESQL(postgresql_pgbouncer, postgresql_target);

TEST_P(postgresql_pgbouncer, WithoutAWordNothingIsGuardedInWhateverMode)
{
    for (std::string const mode : {"session", "transaction", "statement"}) {
        testing::pgbouncer const proxy{pg().server(), mode, 5};

        EXPECT_THAT(refusal_of_guard(through(proxy, false)), HasSubstr("pools_by_session")) << mode;
    }
}

TEST_P(postgresql_pgbouncer, WithoutAWordNothingIsDecided)
{
    testing::pgbouncer const proxy{pg().server(), "transaction", 5};
    accounts_.emplace(through(proxy, false));
    orders_.emplace("orders", conninfo("orders"));
    tm_.emplace(quick_options(log_.path(), told_));
    tm_->add(*accounts_);
    tm_->add(*orders_);

    EXPECT_TRUE(eventually([&] {
        return state_of(*tm_, "accounts").why.find("pools_by_session") != std::string::npos;
    }));
    EXPECT_ANY_THROW({
        auto tx = begin(std::chrono::seconds(2));
        write_row(tx.lease(*accounts_), 1);
        write_row(tx.lease(*orders_), 1);
        tx.commit();
    });
    EXPECT_THAT(rows(1), Pair(0, 0));
}

TEST_P(postgresql_pgbouncer, APoolOfSessionsThatIsStatedServes)
{
    testing::pgbouncer const proxy{pg().server(), "session", 20};
    open_manager(through(proxy, true), postgresql::resource_manager{"orders", conninfo("orders")});

    auto tx = begin();
    write_row(tx.lease(*accounts_), 1);
    write_row(tx.lease(*orders_), 1);

    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(rows(1), Pair(1, 1));
    tm_.reset();
}

TEST_P(postgresql_pgbouncer, WhereTheStatementIsUntrueTheLockIsSeenToBeLost)
{
    testing::pgbouncer const proxy{pg().server(), "transaction", 2};
    auto const stated = through(proxy, true);
    auto const guardian = stated.driver()->connect(session_purpose::guardian, in_seconds(10));
    ASSERT_TRUE(stated.driver()->try_guard(*guardian, 7, in_seconds(10)));
    EXPECT_NO_THROW(stated.driver()->heartbeat(*guardian, in_seconds(10)));

    // A copy of the log, to which PgBouncer gives the very same session.
    auto const copy = stated.driver()->connect(session_purpose::guardian, in_seconds(10));
    EXPECT_FALSE(stated.driver()->try_guard(*copy, 7, in_seconds(10)));

    {
        // Somebody's transaction keeps that session, so that another one answers.
        plain_connection other{conninfo("accounts", proxy.port()) + " sslmode=disable"};
        other.run("BEGIN");
        EXPECT_THROW(stated.driver()->heartbeat(*guardian, in_seconds(10)), driver_error);
        other.run("ROLLBACK");
    }
    // Somebody's reset lets go of it.
    auto const second = stated.driver()->connect(session_purpose::guardian, in_seconds(10));
    pg().administer(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted");
    ASSERT_TRUE(eventually([&] {
        return pg().administer("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0";
    }));
    ASSERT_TRUE(stated.driver()->try_guard(*second, 7, in_seconds(10)));
    plain_connection{conninfo("accounts", proxy.port()) + " sslmode=disable"}.run("DISCARD ALL");
    EXPECT_THROW(stated.driver()->heartbeat(*second, in_seconds(10)), driver_error);
}

}  // namespace assent::contract
