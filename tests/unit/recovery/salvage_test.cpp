// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// salvage_test.cpp -- what recovery does with a log that was salvaged from a damaged one: what is
// decided is carried out, what may have been is left to a person, and nothing is rolled back.

#include <algorithm>
#include <random>
#include <span>

#include "log/format.hpp"
#include "recovery/log_tools/log_inspection.hpp"
#include "recovery/log_tools/log_repair.hpp"
#include "tests/unit/engine/row_fixture.hpp"

namespace {

using namespace engine_test;
using ::testing::HasSubstr;
namespace at_log = assent::log;

/// Where a record of the newest segment lies.
class finder final : public at_log::scan_visitor
{
public:
    explicit finder(std::function<bool(at_log::record const&)> is_it) : is_it_(std::move(is_it)) {}

    void on_page(at_log::scanned_page const&) override {}
    void on_record(at_log::scanned_record const& one) override
    {
        if (one.what && is_it_(*one.what)) page = one.page;
    }

    std::uint32_t page = 0;

private:
    std::function<bool(at_log::record const&)> is_it_;
};

/// Spoils the page that holds it.
void lose(assent::testing::simulated_disk& disk, std::function<bool(at_log::record const&)> is_it)
{
    auto const names = disk.names();
    auto const newest = std::find_if(names.rbegin(), names.rend(),
                                     [](auto const& name) { return name.ends_with(".seg"); });
    ASSERT_NE(newest, names.rend());
    auto const files = disk.attach_layer();
    finder search(std::move(is_it));
    at_log::segment_scan(*files, *at_log::segment_number(*newest), false).read(search);
    ASSERT_NE(search.page, 0U);
    disk.flip_bit(*newest, (search.page * at_log::page_bytes + 500) * 8);
}

auto decision_of(assent::gtrid const& id)
{
    return [id](at_log::record const& one) {
        auto const* const decision = std::get_if<at_log::decision_record>(&one);
        return decision != nullptr && decision->what.global == id;
    };
}

auto binding_of(std::string const& name)
{
    return [name](at_log::record const& one) {
        auto const* const bound = std::get_if<assent::ports::binding>(&one);
        return bound != nullptr && bound->name == name;
    };
}

/// The log is refused, and a new one takes its place.
at_log::salvage_loss salvage(world& at)
{
    EXPECT_THROW(at.open(), at_log::log_error);
    auto const damaged = at.disk->attach_layer();
    auto const plan = at_log::plan_salvage(*damaged, at_log::inspect_log(*damaged, {}));
    at.disk = std::make_shared<assent::testing::simulated_disk>();
    auto const random = std::make_shared<std::mt19937_64>(4711);
    at_log::write_salvage(
        plan, *at.disk->attach_layer(),
        {"uid 1000 (ann)", "a test", [random] { return (*random)(); },
         [] { return std::int64_t{1'767'225'600'000}; }, assent::testing::roomy_segment});
    at.open();
    return plan.loss;
}

/// Decided, and confirmed by no database yet.
transaction decide(world& at, std::string const& key)
{
    auto tx = at.begin_work(key);
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    at.orders.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    return tx;
}

void expect_fate(world const& at, transaction const& of, branch_fate fate)
{
    EXPECT_EQ(at.accounts.db.fate(of.branch(0)), fate);
    EXPECT_EQ(at.orders.db.fate(of.branch(1)), fate);
}

TEST(Salvage, CarriesOutWhatIsLeftAndQuarantinesWhatMayHaveBeenDecided)
{
    world at;
    auto const before = decide(at, "before");
    auto const lost = decide(at, "lost");
    auto const behind = decide(at, "behind");
    at.accounts.db.prepare_foreign("somebody else", "theirs", 1);
    at.crash();
    lose(*at.disk, decision_of(lost.id()));

    auto const loss = salvage(at);
    at.run_for(2s);

    EXPECT_EQ(loss.records.total, 1U);
    expect_fate(at, before, branch_fate::committed);
    expect_fate(at, behind, branch_fate::committed);
    expect_fate(at, lost, branch_fate::prepared);
    EXPECT_EQ(at.seen->count("branch.quarantined"), 2);
    EXPECT_EQ(at.engine->state().quarantined.size(), 2U);
    EXPECT_FALSE(at.state_of(at.accounts).is_drained);
    EXPECT_TRUE(at.log().unfinished().empty());
    at.accounts.db.commit_foreign("somebody else");

    // A person ends what is quarantined; work goes on all the while.
    auto fresh = at.begin_work("fresh");
    EXPECT_EQ(fresh.commit(), outcome::committed);
    at.accounts.db.settle(lost.branch(0), true);
    at.orders.db.settle(lost.branch(1), true);
    at.run_for(2s);
    at.expect_rows(1, "lost");
    at.expect_rows(1, "fresh");
    EXPECT_TRUE(at.state_of(at.accounts).is_drained);
    at.expect_clean();
}

TEST(Salvage, PresumesNothingAbortedOfTheTimeBefore)
{
    world at;
    auto const lost = decide(at, "lost");
    auto const decided = decide(at, "decided");
    // Prepared, and never decided: the log cannot tell it from one whose decision is lost.
    auto undecided = at.begin_work("undecided");
    at.disk->fail_call(1, {EIO, assent::testing::disk_fault::effect::none});
    EXPECT_THROW(undecided.commit(), assent::in_doubt_error);
    at.disk->heal();
    at.crash();
    lose(*at.disk, decision_of(lost.id()));

    salvage(at);
    at.run_for(2s);
    expect_fate(at, decided, branch_fate::committed);
    expect_fate(at, lost, branch_fate::prepared);
    expect_fate(at, undecided, branch_fate::prepared);

    // Not even later, in another epoch.
    at.restart();
    at.run_for(2s);
    expect_fate(at, lost, branch_fate::prepared);
    expect_fate(at, undecided, branch_fate::prepared);
}

TEST(Salvage, PresumesAbortAgainOfItsOwnTime)
{
    world at;
    auto const lost = decide(at, "lost");
    decide(at, "behind");
    at.crash();
    lose(*at.disk, decision_of(lost.id()));
    salvage(at);
    at.run_for(2s);
    auto undecided = at.begin_work("undecided");
    at.disk->fail_call(1, {EIO, assent::testing::disk_fault::effect::none});
    EXPECT_THROW(undecided.commit(), assent::in_doubt_error);
    at.disk->heal();

    at.restart();
    at.run_for(2s);

    expect_fate(at, undecided, branch_fate::rolled_back);
    expect_fate(at, lost, branch_fate::prepared);
}

TEST(Salvage, ALostBindingIsFoundOutInTheDatabaseAndNeverDrained)
{
    world at;
    auto const first = decide(at, "first");
    auto const second = decide(at, "second");
    at.crash();
    lose(*at.disk, binding_of("orders"));

    auto const loss = salvage(at);
    at.run_for(2s);

    // The binding was alone in its page: one record, so one id.
    EXPECT_EQ(loss.records.total, 1U);
    EXPECT_EQ(loss.maybe_from, 2U);
    EXPECT_EQ(loss.maybe_to, 2U);
    for (auto const* tx : {&first, &second}) {
        EXPECT_EQ(at.accounts.db.fate(tx->branch(0)), branch_fate::committed);
        EXPECT_EQ(at.orders.db.fate(tx->branch(1)), branch_fate::prepared)
            << "which database this is, the log cannot say any more";
    }
    EXPECT_EQ(at.seen->count("branch.quarantined"), 2);
    EXPECT_EQ(at.log().unfinished().size(), 2U);
    auto const bindings = at.log().bindings();
    auto const orders = std::find_if(bindings.begin(), bindings.end(),
                                     [](auto const& one) { return one.name == "orders"; });
    ASSERT_NE(orders, bindings.end());
    EXPECT_EQ(orders->id, 3U) << "the lost id is not given again";

    auto fresh = at.begin_work("fresh");
    EXPECT_EQ(fresh.commit(), outcome::committed);
    at.orders.db.settle(first.branch(1), true);
    at.orders.db.settle(second.branch(1), true);
    at.run_for(2s);
    auto const left = at.engine->close(at.clock->now());
    EXPECT_FALSE(left.is_drained);
    EXPECT_THAT(left.notes, ::testing::Contains(HasSubstr("lost 2")));
}

TEST(Salvage, FollowsCommitRowsThatAreBelowTheHorizonItRaised)
{
    row_world at;
    auto const lost = decide(at, "lost");
    decide(at, "next");  // its page proves that the one before was durable
    auto by_row = at.begin_by_row("by row");
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    EXPECT_EQ(by_row.commit(), outcome::committed_pending);
    auto never = at.begin_by_row("never");
    at.lose_the_row(never, false);
    at.crash();
    lose(*at.disk, decision_of(lost.id()));
    at.orders.db.script().on(driver_call::connect).times(1000).fail("the network is down");

    salvage(at);
    at.run_for(2s);
    EXPECT_EQ(at.seen->count("branch.quarantined"), 1) << "no row was looked at yet";
    EXPECT_EQ(at.accounts.db.fate(by_row.branch(0)), branch_fate::prepared);
    at.orders.db.script().clear();
    at.run_for(5s);

    EXPECT_EQ(at.accounts.db.fate(by_row.branch(0)), branch_fate::committed);
    expect_fate(at, lost, branch_fate::prepared);
    // Its row may have been there and gone: nobody asks, and nothing is concluded.
    EXPECT_EQ(at.accounts.db.fate(never.branch(0)), branch_fate::prepared);
    EXPECT_EQ(at.row_of(never.id()), std::nullopt);
    EXPECT_EQ(at.seen->count("branch.quarantined"), 3);
}

}  // namespace
