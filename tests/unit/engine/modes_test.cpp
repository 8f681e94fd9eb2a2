// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// modes_test.cpp -- the isolation level and the access of a transaction reach each of its branches,
// or the branch does not begin.

#include "tests/unit/engine/row_fixture.hpp"

namespace {

using namespace engine_test;
using assent::access;
using assent::begin_options;
using assent::branch_choice;
using assent::branch_modes;
using assent::errc;
using assent::isolation;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Of the last branch that was begun there.
branch_modes modes_at(site const& where)
{
    branch_modes last;
    for (auto const& each : where.db.history()) {
        if (each.what == verb::start) last = each.modes;
    }
    return last;
}

TEST(Modes, WithoutOptionsABranchIsLeftToItsConnection)
{
    world at;
    auto tx = at.begin_work();

    EXPECT_EQ(modes_at(at.accounts).level, std::nullopt);
    EXPECT_EQ(modes_at(at.accounts).may, std::nullopt);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST(Modes, EveryBranchIsBegunAtTheLevelOfItsTransaction)
{
    world at;
    auto const how = begin_options{}.isolation_level(isolation::serializable);
    auto tx = at.begin_work("row", how);
    auto const lent = at.orders.db.connect();
    at.engine->enlist(*tx.tx, at.orders.rm, lent.get(), {}, branch_choice::another);

    for (site const* each : {&at.accounts, &at.orders})
        EXPECT_EQ(modes_at(*each).level, isolation::serializable);

    EXPECT_EQ(tx.commit(), outcome::committed);
    at.expect_clean();
}

TEST(Modes, AReadOnlyTransactionIsNotPreparedAndForcesNothing)
{
    world at;
    at.begin_work().commit();
    auto const forces = at.log().state().forces;
    auto tx = at.begin(begin_options{}.read_only());
    EXPECT_EQ(tx.on(at.accounts)->get("row"), 1);
    EXPECT_EQ(tx.on(at.orders)->get("row"), 1);
    EXPECT_EQ(tx.on(at.orders)->get("row"), 1) << "the same lease again";

    EXPECT_THROW(tx.on(at.orders)->set("row", 2), assent::driver_error);

    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.log().state().forces, forces);
    at.expect_rows(1);
    at.expect_clean();
}

TEST(Modes, ReadWriteThatIsAskedForWinsOverAConnectionThatReadsOnly)
{
    world at;
    auto const lent = at.orders.db.connect();
    lent->read_only(true);
    {
        auto tx = at.begin();
        at.engine->enlist(*tx.tx, at.orders.rm, lent.get(), {}, {});
        EXPECT_THROW(lent->set("row", 1), assent::driver_error);
        tx.rollback();
    }
    auto tx = at.begin(begin_options{}.read_only(false));
    at.engine->enlist(*tx.tx, at.orders.rm, lent.get(), {}, {});
    lent->set("row", 1);

    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.orders.db.value("row"), 1);
}

TEST(Modes, ABranchMayReadOnlyInATransactionThatWrites)
{
    world at;
    auto tx =
        at.begin(begin_options{}.read_only(false).isolation_level(isolation::repeatable_read));
    at.engine->lease(*tx.tx, at.orders.rm, access::read_only);

    EXPECT_EQ(modes_at(at.orders).may, access::read_only);
    EXPECT_EQ(modes_at(at.orders).level, isolation::repeatable_read);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST(Modes, ADatabaseWithoutTheLevelRefusesBeforeAnythingIsSentAndTheTransactionGoesOn)
{
    world at;
    auto chosen = site::options_for(personality::plain, at.clock, false);
    chosen.is_always_serializable = true;
    assent::testing::memory_database const files{chosen};
    assent::testing::memory_resource_manager const rm{"files", files};
    at.engine->add(rm);
    at.step();
    auto const before = files.history().size();
    auto tx = at.begin(begin_options{}.isolation_level(isolation::read_committed));
    tx.on(at.accounts)->set("row", 1);

    auto const refused = thrown_by<assent::error>([&] { at.engine->lease(*tx.tx, rm); });

    EXPECT_EQ(refused.code(), errc::invalid_state);
    EXPECT_THAT(refused.what(), HasSubstr("\"files\""));
    EXPECT_THAT(refused.what(), HasSubstr("READ COMMITTED"));
    EXPECT_EQ(files.history().size(), before);
    EXPECT_EQ(tx.commit(), outcome::committed);

    auto strict = at.begin(begin_options{}.isolation_level(isolation::serializable));
    at.engine->lease(*strict.tx, rm);
    EXPECT_EQ(strict.commit(), outcome::committed);
}

TEST(Modes, AReadOnlyTransactionHasNoCommitRow)
{
    row_world at;
    auto const how = at.by_row().read_only();

    auto const refused = thrown_by<assent::error>([&] { at.begin(how); });

    EXPECT_EQ(refused.code(), errc::bad_argument);
    EXPECT_THAT(refused.what(), HasSubstr("\"orders\""));
}

TEST(Modes, AConnectionThatReadsOnlyIsRefusedForTheCommitRowWhenItIsEnlisted)
{
    row_world at;
    auto const lent = at.orders.db.connect();
    lent->read_only(true);
    auto tx = at.begin(at.by_row());

    auto const refused = thrown_by<assent::error>(
        [&] { at.engine->enlist(*tx.tx, at.orders.rm, lent.get(), {}, {}); });

    EXPECT_EQ(refused.code(), errc::rollback_only);
    EXPECT_THAT(refused.what(), HasSubstr("commit row"));
    EXPECT_THAT(refused.what(), HasSubstr("read only"));
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);

    auto writing = at.begin(at.by_row().read_only(false));
    at.engine->enlist(*writing.tx, at.orders.rm, lent.get(), {}, {});
    lent->set("row", 1);
    writing.on(at.accounts)->set("row", 1);
    EXPECT_EQ(writing.commit(), outcome::committed);
    at.expect_rows(1);
    EXPECT_THAT(at.orders.db.violations(), IsEmpty());
}

TEST(Modes, RunCarriesThem)
{
    auto const how = assent::run_options{}
                         .isolation_level(isolation::repeatable_read)
                         .read_only()
                         .given()
                         .begin.given()
                         .modes;

    EXPECT_EQ(how.level, isolation::repeatable_read);
    EXPECT_TRUE(how.is_read_only());
}

}  // namespace
