// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// twins_test.cpp -- a copy of a log, at work beside its original or in turns with it.
//
//   beside   the original's guardian holds the node's lock at both servers, so the copy, which
//            does not know what the original decides, presumes nothing
//   in turns each meets branches of openings that only the other one made, and refuses to work

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "tests/crash/scene.hpp"

namespace {

using namespace assent::testing;

class Twins : public ::testing::Test
{
protected:
    static void SetUpTestSuite() { scene_ = new scene; }
    static void TearDownTestSuite()
    {
        delete scene_;
        scene_ = nullptr;
    }

    /// The same plan, on a copy of its log as it is now.
    static plan copy_of(plan const& original)
    {
        plan copy = original;
        auto const directory = scene_->new_directory();
        std::filesystem::copy(original.text("log"), directory,
                              std::filesystem::copy_options::recursive);
        return copy.set("log", directory);
    }

    /// Both branches of a transfer prepared, and nothing decided, by a process that is gone.
    static void leave_prepared(plan const& what)
    {
        plan struck = what;
        struck.set("strike", "branch.prepare.reply").set("occurrence", 2);
        ASSERT_EQ(scene_->run(struck), fate::killed);
        ASSERT_EQ(scene_->prepared_in_accounts().size(), 1u);
        ASSERT_EQ(scene_->prepared_in_orders().size(), 1u);
        scene_->money().stop_looking();
    }

    static void expect_still_prepared()
    {
        EXPECT_EQ(scene_->prepared_in_accounts().size(), 1u);
        EXPECT_EQ(scene_->prepared_in_orders().size(), 1u);
    }

    /// Starts the work of a plan, which stands still once both branches are prepared.
    static pid_t start_frozen(plan what)
    {
        what.set("short", 1).set("strike", "branch.prepare.reply").set("occurrence", 2);
        pid_t const victim = scene_->start(what);
        int status = 0;
        EXPECT_EQ(::waitpid(victim, &status, WUNTRACED), victim);
        EXPECT_TRUE(WIFSTOPPED(status)) << "the victim ended instead";
        return victim;
    }

    static std::string answer_of(plan const& what)
    {
        std::ifstream lines{what.text("answers")};
        std::string said;
        lines >> said;
        return said;
    }

    static scene* scene_;
};

scene* Twins::scene_ = nullptr;

/// A manager on a copy, which has looked at both servers a few times.
struct twin_at_work
{
    explicit twin_at_work(plan const& copy)
        : watch(std::make_shared<point_watch>()),
          tm(crash_options(copy.text("log")).observe(watch)),
          databases(add_both(tm, copy))
    {
        for (char const* name : {"accounts", "orders"}) {
            EXPECT_TRUE(watch->wait_for(std::string{"recovery.scanned@"} + name, 3, in_seconds(20)))
                << name;
        }
    }

    std::shared_ptr<point_watch> watch;
    assent::transaction_manager tm;
    both databases;
};

// ---- beside a living original ----------------------------------------------------------------

class BesideALivingOriginal : public Twins, public ::testing::WithParamInterface<char const*>
{
};

TEST_P(BesideALivingOriginal, ACopyRollsNothingBack)
{
    plan const what = scene_->new_plan("in this process", handles::leased);
    auto const watch = std::make_shared<point_watch>();
    assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
    teller here{tm, add_both(tm, what), what, handles::leased};
    plan copy;
    int looks = 0;

    // The copy is of before the decision, and at work while the original stands at the point.
    watch->strike_at("branch.prepare.reply", 2, [&] { copy = copy_of(what); });
    watch->strike_at(GetParam(), 1, [&] {
        twin_at_work twin{copy};
        EXPECT_EQ(twin.watch->count("guardian.taken"), 0);
        EXPECT_EQ(twin.watch->count("recovery.rollback"), 0);
        expect_still_prepared();
        ++looks;
    });
    auto const said = here.transfer(what.text("prefix"), 7, 1);

    EXPECT_EQ(looks, 1);
    EXPECT_EQ(said, "committed");
    scene_->wait_until_nothing_is_prepared(in_seconds(10));
    EXPECT_EQ(scene_->money().transfers_in_orders().count(what.text("prefix")), 1u);
    scene_->expect_whole(what);
}

INSTANTIATE_TEST_SUITE_P(Points, BesideALivingOriginal,
                         ::testing::Values("decision.force", "decision.durable", "branch.commit"));

TEST_F(Twins, ACopyRollsNothingBackWhileAFrozenOriginalHasItsLease)
{
    plan const what = scene_->new_plan("freeze", handles::leased);
    pid_t const original = start_frozen(what);

    {
        twin_at_work twin{copy_of(what)};
        EXPECT_EQ(twin.watch->count("recovery.rollback"), 0);
    }
    expect_still_prepared();
    scene_->money().stop_looking();
    ::kill(original, SIGCONT);

    EXPECT_EQ(scene::wait(original), fate::ended);
    EXPECT_EQ(answer_of(what), "committed");
    scene_->expect_whole(what);
}

TEST_F(Twins, AnOriginalFrozenBeyondItsLeaseVotesNo)
{
    plan const what = scene_->new_plan("freeze", handles::leased);
    pid_t const original = start_frozen(what);

    {
        // The servers end the frozen guardian's session; then nobody can tell a copy of the log
        // from the log that was moved, and abort is presumed.
        twin_at_work twin{copy_of(what)};
        scene_->wait_until_nothing_is_prepared(in_seconds(40));
        EXPECT_EQ(twin.watch->count("recovery.commit"), 0);
    }
    scene_->money().stop_looking();
    ::kill(original, SIGCONT);

    EXPECT_NE(scene::wait(original), fate::killed);
    EXPECT_EQ(answer_of(what), "rolled_back");
    scene_->expect_whole(what);
}

// ---- in turns --------------------------------------------------------------------------------

/// The manager of `what` meets a branch that only its twin's opening explains.
void expect_refusal(plan const& what)
{
    auto const watch = std::make_shared<point_watch>();
    assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
    add_both(tm, what);
    ASSERT_TRUE(watch->wait_for("log.twin", 1, in_seconds(20)));

    try {
        tm.begin();
        FAIL() << "begin() works beside a twin";
    } catch (assent::error const& e) {
        EXPECT_EQ(e.code(), assent::errc::twin) << e.what();
    }
    EXPECT_FALSE(tm.state().is_accepting);
    EXPECT_FALSE(tm.state().quarantined.empty());
    for (char const* name : {"accounts", "orders"}) {
        EXPECT_TRUE(watch->wait_for(std::string{"recovery.scanned@"} + name, 3, in_seconds(20)));
    }
    EXPECT_EQ(watch->count("recovery.rollback"), 0);
    EXPECT_EQ(watch->count("recovery.commit"), 0);
}

TEST_F(Twins, ACopyRefusesWhenItMeetsABranchOfTheOriginal)
{
    plan const what = scene_->new_plan("work", handles::leased);
    scene_->recover(what);  // makes the log, and binds both servers
    plan const copy = copy_of(what);
    leave_prepared(what);

    expect_refusal(copy);
    expect_still_prepared();

    scene_->recover(what);
    scene_->expect_whole(what);
}

TEST_F(Twins, AnOriginalRefusesWhenItMeetsABranchOfACopy)
{
    plan const what = scene_->new_plan("work", handles::borrowed);
    scene_->recover(what);
    plan const copy = copy_of(what);
    scene_->recover(what);  // and has seen more openings since
    scene_->recover(what);
    leave_prepared(copy);

    expect_refusal(what);
    expect_still_prepared();

    scene_->recover(copy);
    scene_->expect_whole(what);
}

TEST_F(Twins, ACopyIsFoundOutByABranchOfANewerEpoch)
{
    plan const what = scene_->new_plan("work", handles::leased);
    scene_->recover(what);
    plan const copy = copy_of(what);
    for (int i = 0; i < 3; ++i)
        scene_->recover(what);
    leave_prepared(what);

    expect_refusal(copy);
    expect_still_prepared();

    scene_->recover(what);
    scene_->expect_whole(what);
}

}  // namespace
