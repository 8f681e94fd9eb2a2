// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_row_test.cpp -- a decision that lives in a row of the last resource: what it costs, when
// there is none, who may take part, and what a lost reply means while the manager lives.

#include "tests/unit/engine/row_fixture.hpp"

namespace {

using namespace engine_test;
using assent::access;

assent::testing::memory_options of_clock(std::shared_ptr<fake_clock> const& clock)
{
    return site::options_for(personality::plain, clock, false);
}

assent::testing::memory_connection* lease(world& at, transaction& tx,
                                          assent::resource_manager const& rm,
                                          access how = access::read_write)
{
    return static_cast<assent::testing::memory_connection*>(
        at.engine->lease(*tx.tx, rm, how)->handle());
}

/// One more database, known to the engine of `at`.
struct another
{
    another(world& at, std::string const& name, assent::testing::memory_options const& chosen)
        : db(chosen), rm(name, db)
    {
        at.engine->add(rm);
        at.step();
    }
    assent::testing::memory_database db;
    assent::testing::memory_resource_manager rm;
};

/// A database that cannot prepare.
struct unprepared : another
{
    explicit unprepared(world& at) : another(at, "files", without_two_phases(at)) {}

    static assent::testing::memory_options without_two_phases(world& at)
    {
        auto chosen = of_clock(at.clock);
        chosen.is_two_phase = false;
        return chosen;
    }
    /// A transaction that wrote here and into accounts, decided by a row of this one.
    transaction begin_by_row(world& at)
    {
        auto const by_row = assent::begin_options{}.commit_row(rm);
        at.begin(by_row).rollback();  // who wants the table first makes it
        at.step();
        auto tx = at.begin(by_row);
        tx.on(at.accounts)->set("row", 1);
        lease(at, tx, rm)->set("row", 1);
        return tx;
    }
};

template <class Call>
std::string refusal(Call&& call)
{
    auto const e = thrown_by<assent::error>(call);
    EXPECT_EQ(e.code(), assent::errc::invalid_state);
    return e.what();
}

TEST(CommitRow, SavesOnePrepareAndEveryForce)
{
    row_world at;
    auto const forces = at.forces();
    auto tx = at.begin_by_row();

    EXPECT_EQ(tx.commit(), outcome::committed);

    at.expect_rows(1);
    EXPECT_EQ(at.forces(), forces);
    EXPECT_EQ(at.orders.count(verb::prepare), 0);
    EXPECT_EQ(at.orders.count(verb::commit_one_phase), 1);
    EXPECT_EQ(at.orders.count(verb::commit), 0);
    EXPECT_EQ(at.accounts.count(verb::prepare), 1);
    EXPECT_EQ(at.accounts.count(verb::commit), 1);
    at.expect_clean();
}

TEST(CommitRow, IsNamedAfterTheTransactionAndListsAllBranches)
{
    row_world at;
    auto tx = at.begin_by_row();
    auto const branches =
        std::string{tx.branch(0).branch.text()} + std::string{tx.branch(1).branch.text()};
    EXPECT_EQ(tx.commit(), outcome::committed);

    auto const rows = at.rows();

    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].name, tx.id());
    EXPECT_EQ(rows[0].kind, row_kind::commit);
    EXPECT_EQ(rows[0].content, branches);
    EXPECT_EQ(tx.id().parts().place, decision_place::commit_row);
    EXPECT_EQ(tx.id().parts().place_resource_manager, tx.branch(1).branch.parts().resource_manager);
}

TEST(CommitRow, HasItsPlaceFromTheFirstBranchOn)
{
    world at;
    at.engine = std::make_shared<assent::engine::engine>(
        at.bounds, at.seen,
        assent::testing::open_on(std::make_shared<assent::testing::simulated_disk>(), 1),
        *at.clock);  // a log that has never met a database
    at.engine->add(at.accounts.rm);
    at.engine->add(at.orders.rm);
    auto tx = at.begin(assent::begin_options{}.commit_row(at.orders.rm));
    EXPECT_EQ(tx.id().parts().place, decision_place::commit_row);
    auto const sequence = tx.id().parts().sequence;
    at.step();

    tx.on(at.accounts)->set("row", 1);

    EXPECT_NE(tx.id().parts().place_resource_manager, 0);
    EXPECT_EQ(tx.id().parts().sequence, sequence);
    EXPECT_EQ(tx.branch(0).global, tx.id());
    EXPECT_TRUE(at.engine->shared().live.contains(tx.id()));
    tx.on(at.orders)->set("row", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_rows(1);
}

TEST(CommitRow, IsLeftOutWhereNobodyElseHasToBeTold)
{
    row_world at;  // "plain" votes read-only for a branch that wrote nothing
    auto alone = at.begin(at.by_row());
    alone.on(at.orders)->set("alone", 1);
    EXPECT_EQ(alone.commit(), outcome::committed);
    auto beside_a_reader = at.begin(at.by_row());
    lease(at, beside_a_reader, at.accounts.rm, access::read_only)->get("alone");
    beside_a_reader.on(at.orders)->set("beside a reader", 1);
    EXPECT_EQ(beside_a_reader.commit(), outcome::committed);
    auto beside_read_only_votes = at.begin(at.by_row());
    beside_read_only_votes.on(at.accounts)->get("alone");
    beside_read_only_votes.on(at.orders)->set("beside votes", 1);
    EXPECT_EQ(beside_read_only_votes.commit(), outcome::committed);
    auto without_its_place = at.begin(at.by_row());
    without_its_place.on(at.accounts)->set("elsewhere", 1);
    EXPECT_EQ(without_its_place.commit(), outcome::committed);

    EXPECT_EQ(at.rows().size(), 0u);
    EXPECT_EQ(at.orders.db.value("beside votes"), 1);
    EXPECT_EQ(at.accounts.db.value("elsewhere"), 1);
    at.expect_clean();
}

TEST(CommitRow, DecidesWhereItsPlaceWroteNothing)
{
    row_world at;
    auto tx = at.begin(at.by_row());
    tx.on(at.accounts)->set("row", 1);
    tx.on(at.orders)->get("row");

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
    at.expect_clean();
}

TEST(CommitRow, DecidesWhereItsPlaceWasNeverEnlisted)
{
    row_world at;
    another third{at, "third", of_clock(at.clock)};
    auto tx = at.begin(at.by_row());
    tx.on(at.accounts)->set("row", 1);
    lease(at, tx, third.rm)->set("row", 1);

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit);
    EXPECT_EQ(third.db.value("row"), 1);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
    at.expect_clean();
}

TEST(CommitRow, IsNotWrittenWhenItsPlaceCannotBeLeasedAtTheEnd)
{
    row_world at;
    another third{at, "third", of_clock(at.clock)};
    auto tx = at.begin(at.by_row());
    tx.on(at.accounts)->set("row", 1);
    lease(at, tx, third.rm)->set("row", 1);
    at.orders.db.crash_server();

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("no commit row can be written"));
    EXPECT_EQ(third.db.value("row"), std::nullopt);
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
}

TEST(CommitRow, ANoVoteLeavesNoRow)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.accounts.db.script().on(verb::prepare).reply(xa_code::rbdeadlock);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_TRUE(e.is_retryable());
    at.expect_rows(std::nullopt);
    EXPECT_TRUE(at.rows().empty());
    EXPECT_EQ(at.orders.count(verb::commit_one_phase), 0);
    at.expect_clean();
}

TEST(CommitRow, ARefusedCommitOfItsPlaceRollsTheOthersBack)
{
    for (bool const is_transient : {true, false}) {
        row_world at;
        auto tx = at.begin_by_row();
        at.orders.db.script()
            .on(verb::commit_one_phase)
            .reply(is_transient ? xa_code::rbdeadlock : xa_code::rbintegrity);

        auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

        EXPECT_EQ(e.is_retryable(), is_transient);
        EXPECT_THAT(e.what(), ::testing::HasSubstr("\"orders\" rolled back"));
        EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::rolled_back);
        at.expect_rows(std::nullopt);
        EXPECT_TRUE(at.rows().empty());
        at.expect_clean();
    }
}

TEST(CommitRow, WhatLeftTheBranchBehindOurBackIsNoDecision)
{
    row_world at;
    auto tx = at.begin_by_row();
    tx.on(at.orders)->commit();  // the application's own

    EXPECT_THROW(tx.commit(), assent::heuristic_error);

    EXPECT_TRUE(at.rows().empty());
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
    EXPECT_EQ(at.orders.db.value("row"), 1) << "that is why it is heuristic";
}

TEST(CommitRow, CanBeVetoedUntilItIsSent)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(driver_call::heartbeat).fail();
    at.orders.db.script().on(driver_call::guard).times(1000).fail("held by a copy");
    at.run_for(3s);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_THAT(e.what(), ::testing::HasSubstr("guardian of \"orders\""));
    EXPECT_TRUE(at.rows().empty());
    at.expect_rows(std::nullopt);
}

TEST(CommitRow, NeedsNoLogThatWorks)
{
    row_world at;
    auto tx = at.begin_by_row();
    auto other = at.begin_work("other");
    at.disk->fail_call(2, {EIO, assent::testing::disk_fault::effect::none});
    EXPECT_THROW(other.commit(), assent::in_doubt_error) << "it poisons the log";

    EXPECT_EQ(tx.commit(), outcome::committed);

    at.expect_rows(1);
}

TEST(CommitRow, IsRefusedWhereItCannotBe)
{
    row_world at;
    auto tx = at.begin(at.by_row());

    EXPECT_THAT(refusal([&] { lease(at, tx, at.orders.rm, access::read_only); }),
                ::testing::HasSubstr("ask for read_write"));
    tx.on(at.orders);
    auto const second = at.orders.db.connect();
    EXPECT_THAT(refusal([&] {
                    at.engine->enlist(*tx.tx, at.orders.rm, second.get(), {},
                                      assent::branch_choice::another);
                }),
                ::testing::HasSubstr("in one branch only"));
    assent::testing::memory_options chosen = of_clock(at.clock);
    chosen.holds_commit_rows = false;
    assent::testing::memory_database plain_db{chosen};
    assent::testing::memory_resource_manager plain{"plain", plain_db};
    at.engine->add(plain);
    auto const e =
        thrown_by<assent::error>([&] { at.begin(assent::begin_options{}.commit_row(plain)); });
    EXPECT_EQ(e.code(), assent::errc::bad_argument);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("\"plain\" cannot hold commit rows"));
    assent::testing::memory_resource_manager stranger{"stranger", plain_db};
    EXPECT_THROW(at.begin(assent::begin_options{}.commit_row(stranger)), assent::error);
    EXPECT_EQ(tx.commit(), outcome::committed) << "a refusal spoils nothing";
}

TEST(CommitRow, LetsADatabaseThatCannotPrepareTakePart)
{
    world at;
    unprepared files{at};
    auto tx = files.begin_by_row(at);

    EXPECT_EQ(tx.commit(), outcome::committed);

    EXPECT_EQ(files.db.value("row"), 1);
    EXPECT_EQ(at.accounts.db.value("row"), 1);
    EXPECT_TRUE(files.db.violations().empty()) << files.db.violations().front();
}

TEST(CommitRow, OfADatabaseThatCannotPrepareStaysWhenItWasFenced)
{
    world at;
    unprepared files{at};
    auto tx = files.begin_by_row(at);
    files.db.script().on(verb::commit_one_phase).lose_before_effect();
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);

    // Nothing there tells when its session is gone, with a commit that may still be under way.
    at.run_for(10 * at.bounds.scan_interval);

    auto const rows = files.db.decisions();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].name, tx.id());
    EXPECT_EQ(rows[0].kind, row_kind::abort);
    EXPECT_EQ(files.db.value("row"), std::nullopt);
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
    EXPECT_TRUE(at.engine->close(at.clock->now() + 10s).is_drained);
}

TEST(CommitRow, WithoutItADatabaseThatCannotPrepareTakesPartAlone)
{
    world at;
    unprepared files{at};
    auto alone = at.begin();
    lease(at, alone, files.rm)->set("alone", 1);
    lease(at, alone, at.accounts.rm, access::read_only);
    EXPECT_THAT(refusal([&] { alone.on(at.orders); }),
                ::testing::HasSubstr("begin_options{}.commit_row(files)"));
    EXPECT_EQ(alone.commit(), outcome::committed);
    EXPECT_EQ(files.db.value("alone"), 1);

    auto beside = at.begin();
    beside.on(at.accounts)->set("row", 1);
    EXPECT_THAT(refusal([&] { lease(at, beside, files.rm); }),
                ::testing::HasSubstr("begin_options{}.commit_row(files)"));
    EXPECT_NO_THROW(lease(at, beside, files.rm, access::read_only));
    EXPECT_EQ(beside.commit(), outcome::committed);
    EXPECT_TRUE(files.db.violations().empty());
}

TEST(CommitRow, HasOneLastResource)
{
    row_world at;
    unprepared files{at};
    auto tx = at.begin(at.by_row());

    auto const why = refusal([&] { lease(at, tx, files.rm); });

    EXPECT_THAT(why, ::testing::HasSubstr("\"files\" cannot prepare"));
    EXPECT_THAT(why, ::testing::HasSubstr("\"orders\" is the last resource"));
}

TEST(CommitRow, SaysWhyItsTableIsNotThere)
{
    world at;
    at.orders.db.script()
        .on(driver_call::ensure_decisions)
        .times(1000)
        .fail("CREATE TABLE denied; run: CREATE TABLE assent_decision");
    auto const by_row = assent::begin_options{}.commit_row(at.orders.rm);
    at.begin(by_row).rollback();
    at.step();
    auto tx = at.begin(by_row);

    auto const e = thrown_by<assent::error>([&] { tx.on(at.accounts); });

    EXPECT_EQ(e.code(), assent::errc::unavailable);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("commit row of \"orders\""));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("CREATE TABLE denied"));
    at.step();
    EXPECT_TRUE(at.state_of(at.orders).is_serving) << "everything else goes on";
    EXPECT_EQ(at.begin_work().commit(), outcome::committed);
    EXPECT_GE(at.seen->count("commit_row.unreadable"), 1);
}

// ---- a lost reply, while the manager lives -----------------------------------------------------

TEST(CommitRow, ALostReplyIsFoundOutFromTheRow)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(verb::commit_one_phase).lose_after_effect();

    EXPECT_EQ(tx.commit(), outcome::committed);

    at.expect_rows(1);
    EXPECT_EQ(at.row_of(tx.id()), row_kind::commit);
    at.expect_clean();
}

TEST(CommitRow, ALostRequestIsFencedBeforeTheOthersAreRolledBack)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(verb::commit_one_phase).lose_before_effect();

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    EXPECT_FALSE(e.is_retryable()) << "until the session that lost it is gone";
    EXPECT_EQ(at.row_of(tx.id()), row_kind::abort);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::rolled_back);
    at.run_for(1s);
    at.expect_rows(std::nullopt);
    at.expect_clean();
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
}

TEST(CommitRow, ACommitThatArrivesAfterTheFenceFails)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(verb::commit_one_phase).hang();
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.run_for(1s);
    EXPECT_EQ(at.accounts.db.value("row"), std::nullopt);
    EXPECT_EQ(at.engine->state().live_transactions, 1u) << "its session may still commit";

    at.orders.db.script().release();
    at.run_for(1s);

    at.expect_rows(std::nullopt);
    EXPECT_EQ(at.row_of(tx.id()), row_kind::abort);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(CommitRow, ACommitThatWaitsUnseenKeepsEverybodyInDoubt)
{
    row_world at;
    auto tx = at.begin_by_row();
    at.orders.db.script().on(verb::commit_one_phase).hang_in_commit();

    auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

    EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::pending);
    at.run_for(30s);
    EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared) << "absence says nothing";
    EXPECT_THAT(at.state_of(at.orders).undrained, ::testing::HasSubstr("locked"));
    EXPECT_FALSE(at.state_of(at.orders).is_drained);
    at.orders.db.script().release();  // the standby has answered
    at.run_for(1s);
    at.expect_rows(1);
    EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::committed);
    EXPECT_EQ(at.engine->state().live_transactions, 0u);
    at.expect_clean();
}

TEST(CommitRow, InDoubtIsResolvedInTheBackgroundAsSoonAsTheRowAnswers)
{
    for (bool const is_after_effect : {false, true}) {
        for (auto const acts_as :
             {personality::plain, personality::mariadb, personality::postgresql}) {
            row_world at{acts_as};
            auto tx = at.begin_by_row();

            at.lose_the_row(tx, is_after_effect);
            EXPECT_EQ(at.engine->outcome(tx.id()), known_outcome::pending);
            EXPECT_EQ(at.accounts.db.fate(tx.branch(0)), branch_fate::prepared);
            at.run_for(2s);

            at.expect_rows(is_after_effect ? std::optional<std::int64_t>{1} : std::nullopt);
            EXPECT_EQ(at.engine->outcome(tx.id()),
                      is_after_effect ? known_outcome::committed : known_outcome::rolled_back);
            EXPECT_EQ(at.engine->state().live_transactions, 0u);
            EXPECT_EQ(at.row_of(tx.id()), is_after_effect ? row_kind::commit : row_kind::abort);
            at.expect_clean();
        }
    }
}

TEST(CommitRow, TheDeadlineActsUntilItIsSentAndNotLater)
{
    row_world at;
    auto const how = at.by_row().timeout(1s);
    auto late = at.begin_work("late", how);
    at.accounts.db.script().on(verb::prepare).delay(999ms);
    at.clock->pass(at.clock->now() + 1ms);
    EXPECT_THROW(late.commit(), assent::rolled_back_error);
    auto in_time = at.begin_work("in time", how);
    at.orders.db.script().on(verb::commit_one_phase).delay(3s);

    EXPECT_EQ(in_time.commit(), outcome::committed);

    at.expect_rows(std::nullopt, "late");
    at.expect_rows(1, "in time");
}

}  // namespace
