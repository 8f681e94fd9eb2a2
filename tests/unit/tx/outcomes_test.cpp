// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outcomes_test.cpp -- how a transaction can end, in TX's return codes.  Each row is made to happen
// twice, unchained and chained.

#include <algorithm>
#include <fstream>

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;

struct row
{
    std::string name;
    int expected;
    std::function<void(served&)> before;  // the work, and the fault
    personality acts_as = personality::plain;
    std::size_t lasting_faults = 0;  // that are there afterwards, too
};

void both(served&)
{
    served::work();
}

void one(served&)
{
    served::lease("accounts")->set("row", 1);
}

/// The bank answers `code` to `what`.
std::function<void(served&)> answered(std::function<void(served&)> const& work, verb what,
                                      xa_code code)
{
    return [=](served& at) {
        work(at);
        at.bank.script().on(what).reply(code);
    };
}

std::function<void(served&)> answered_twice(verb what, xa_code code)
{
    return [=](served& at) {
        served::work();
        at.bank.script().on(what).reply(code);
        at.shop.script().on(what).reply(code);
    };
}

std::vector<row> commits()
{
    constexpr verb prepare = verb::prepare;
    constexpr verb commit = verb::commit;
    constexpr verb one_phase = verb::commit_one_phase;
    std::vector<row> all{
        {"nothing was done", TX_OK, [](served&) {}},
        {"two phases", TX_OK, both},
        {"one phase", TX_OK, one},

        {"the vote is lost", TX_ROLLBACK,
         [](served& at) {
             served::work();
             at.bank.script().on(prepare).lose_after_effect();
         }},
        {"rollback-only", TX_ROLLBACK,
         [](served& at) {
             served::work();
             at.tm->current()->set_rollback_only();
         }},

        {"phase 2 unanswered", TX_HAZARD,
         [](served& at) {
             served::work();
             at.bank.script().on(commit).lose_after_effect();
         }},
        {"one of two heuristically committed", TX_OK, answered(both, commit, xa_code::heurcom)},
        {"both heuristically committed", TX_OK, answered_twice(commit, xa_code::heurcom)},
        {"one of two heuristically rolled back", TX_MIXED, answered(both, commit, xa_code::heurrb)},
        {"both heuristically rolled back", TX_ROLLBACK, answered_twice(commit, xa_code::heurrb)},
        {"heuristically mixed", TX_MIXED, answered(both, commit, xa_code::heurmix)},
        {"heuristic hazard", TX_HAZARD, answered(both, commit, xa_code::heurhaz)},

        {"one phase, heuristically committed", TX_OK, answered(one, one_phase, xa_code::heurcom)},
        {"one phase, heuristically rolled back", TX_ROLLBACK,
         answered(one, one_phase, xa_code::heurrb)},
        {"one phase, heuristically mixed", TX_MIXED, answered(one, one_phase, xa_code::heurmix)},
        {"one phase, heuristic hazard", TX_HAZARD, answered(one, one_phase, xa_code::heurhaz)},
        {"one phase, rolled back", TX_ROLLBACK, answered(one, one_phase, xa_code::rmerr)},
        {"one phase, RMFAIL", TX_HAZARD, answered(one, one_phase, xa_code::rmfail)},
        {"one phase, lost", TX_HAZARD,
         [](served& at) {
             one(at);
             at.bank.script().on(one_phase).lose_before_effect();
         }},
        {"one phase, lost, and the server knows that it is committed", TX_OK,
         [](served& at) {
             one(at);
             at.bank.script().on(one_phase).lose_after_effect();
         },
         personality::postgresql},
        {"one phase, lost, and the server knows that it is not", TX_ROLLBACK,
         [](served& at) {
             one(at);
             at.bank.script().on(one_phase).lose_before_effect();
         },
         personality::postgresql},
        {"one phase, lost, and the server cannot be asked", TX_HAZARD,
         [](served& at) {
             one(at);
             at.bank.script().on(one_phase).lose_after_effect();
             at.bank.script().on(driver_call::ask_witness).times(1000).fail();
         },
         personality::postgresql, 1},

        {"the application has committed by itself", TX_HAZARD,
         [](served&) {
             served::work();
             served::lease("accounts")->commit();
         }},
    };
    for (int code = static_cast<int>(xa_code::rbrollback);
         code <= static_cast<int>(xa_code::rbtransient); ++code) {
        auto const rolled_back = static_cast<xa_code>(code);
        auto const says = " answered " + std::to_string(code);
        all.push_back({"prepare" + says, TX_ROLLBACK, answered(both, prepare, rolled_back)});
        all.push_back({"one phase" + says, TX_ROLLBACK, answered(one, one_phase, rolled_back)});
        all.push_back({"commit" + says, TX_MIXED, answered(both, commit, rolled_back)});
    }
    for (auto const code :
         {xa_code::rmerr, xa_code::nota, xa_code::inval, xa_code::proto, xa_code::rmfail}) {
        all.push_back({"prepare answered " + std::to_string(static_cast<int>(code)), TX_ROLLBACK,
                       answered(both, prepare, code)});
    }
    all.push_back({"commit answered -3", TX_MIXED, answered(both, commit, xa_code::rmerr)});
    for (auto const code :
         {xa_code::retry, xa_code::nota, xa_code::inval, xa_code::proto, xa_code::rmfail}) {
        all.push_back({"commit answered " + std::to_string(static_cast<int>(code)), TX_HAZARD,
                       answered(both, commit, code)});
    }
    return all;
}

std::vector<row> rollbacks()
{
    constexpr verb rollback = verb::rollback;
    std::vector<row> all{
        {"nothing was done", TX_OK, [](served&) {}},
        {"both rolled back", TX_OK, both},
        {"a rollback is lost", TX_OK,
         [](served& at) {
             served::work();
             at.bank.script().on(rollback).lose_before_effect();
         }},
        {"both heuristically committed", TX_COMMITTED, answered_twice(rollback, xa_code::heurcom)},
        {"one of two heuristically committed", TX_MIXED,
         answered(both, rollback, xa_code::heurcom)},
        {"both heuristically rolled back", TX_OK, answered_twice(rollback, xa_code::heurrb)},
        {"heuristically mixed", TX_MIXED, answered(both, rollback, xa_code::heurmix)},
        {"heuristic hazard", TX_HAZARD, answered(both, rollback, xa_code::heurhaz)},
        {"the application has committed by itself", TX_HAZARD,
         [](served&) {
             served::work();
             served::lease("accounts")->commit();
         }},
    };
    for (auto const code :
         {xa_code::rbrollback, xa_code::rbtransient, xa_code::nota, xa_code::rmerr}) {
        all.push_back({"rollback answered " + std::to_string(static_cast<int>(code)), TX_OK,
                       answered(both, rollback, code)});
    }
    return all;
}

void expect(std::vector<row> const& all, int (*end)())
{
    for (auto const& each : all) {
        for (auto const control : {TX_UNCHAINED, TX_CHAINED}) {
            SCOPED_TRACE(each.name + (control == TX_CHAINED ? ", chained" : ""));
            served at{each.acts_as};
            on_a_thread([&] {
                ASSERT_EQ(tx_open(), TX_OK) << assent_tx_message();
                ASSERT_EQ(tx_set_transaction_control(control), TX_OK);
                ASSERT_EQ(tx_begin(), TX_OK);
                auto const first = gtrid_of(info());
                each.before(at);

                EXPECT_EQ(end(), each.expected) << assent_tx_message();

                EXPECT_EQ(std::string{assent_tx_message()}.empty(), each.expected == TX_OK)
                    << assent_tx_message();
                EXPECT_EQ(tx_info(nullptr), control == TX_CHAINED ? 1 : 0);
                EXPECT_NE(gtrid_of(info()), first);
                EXPECT_EQ(at.bank.script().pending(), each.lasting_faults) << "never met";
                EXPECT_THAT(at.bank.violations(), ::testing::IsEmpty());
            });
        }
    }
}

TEST(Outcomes, OfEveryCommit)
{
    expect(commits(), tx_commit);
}

TEST(Outcomes, OfEveryRollback)
{
    expect(rollbacks(), tx_rollback);
}

/// The last force is sealed after a pause of 10 ms, and the log would fail then: before anything
/// was decided.
void wait_until_sealed(std::filesystem::path const& log)
{
    auto const is_quiet = [&log] {
        std::filesystem::directory_iterator const files{log};
        auto const long_ago = std::filesystem::file_time_type::clock::now() - 500ms;
        return std::all_of(begin(files), end(files),
                           [&](auto const& each) { return each.last_write_time() < long_ago; });
    };
    ASSERT_TRUE(becomes_true(is_quiet));
}

/// What the log cannot tell is neither committed nor rolled back.
TEST(Outcomes, ADecisionWhoseForceFailedIsAHazard)
{
    for (auto const control : {TX_UNCHAINED, TX_CHAINED}) {
        served at;
        on_a_thread([&] {
            ASSERT_EQ(tx_open(), TX_OK);
            ASSERT_EQ(tx_set_transaction_control(control), TX_OK);
            ASSERT_EQ(tx_begin(), TX_OK);
            served::work();
            wait_until_sealed(at.log.path());
            std::filesystem::rename(at.log.path(), at.log.path() + "-away");

            int const answer = tx_commit();

            EXPECT_EQ(answer, control == TX_CHAINED ? TX_HAZARD_NO_BEGIN : TX_HAZARD);
            EXPECT_THAT(assent_tx_message(), ::testing::HasSubstr("in doubt"));
            EXPECT_EQ(tx_info(nullptr), 0);
            EXPECT_EQ(tx_begin(), TX_FAIL) << "the log is not usable";
            EXPECT_EQ(at.bank.prepared().size(), 1u) << "nothing was sent";
            std::filesystem::rename(at.log.path() + "-away", at.log.path());
        });
    }
}

}  // namespace
