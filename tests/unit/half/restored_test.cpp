// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// restored_test.cpp -- a broker that asks about what is long over, or what a copy of this log has
// made; and one that asks while the manager closes.

#include <future>
#include <thread>

#include "tests/unit/half/asking_fixture.hpp"

namespace half_test {

class Restored : public Asked
{
protected:
    ~Restored() override { tm.reset(); }  // before its databases

    /// Sent, released, and below the horizon.
    std::string finish(std::string const& body, assent::begin_options const& how)
    {
        auto tx = begin_work(body, how);
        auto name = half();
        EXPECT_EQ(tx.commit(), outcome::committed);
        EXPECT_TRUE(becomes_true([&] { return ask(name) == known_outcome::unknown; }));
        return name;
    }
    /// A second database, and a second broker, that this run is the first to bind.
    void add_later_ones()
    {
        stock.emplace(tm->add(memory_resource_manager{"stock", depot}));
        mail.emplace(tm->add(half::resource_manager{"mail", post, stated}));
    }
    /// A half of both.
    xid half_of_later_ones()
    {
        auto tx = tm->begin(assent::begin_options{}.commit_row(*stock));
        tx.lease(*stock)->set("part 1", 1);
        half::send(tx, *mail, {"parts", "part 1"});
        auto const name = *xid::parse(post->halves().at(0));
        EXPECT_EQ(tx.commit(), outcome::committed);
        return name;
    }
    bool is_row_wanted() const
    {
        auto const all = tm->state().resource_managers;
        return std::any_of(all.begin(), all.end(), [](auto const& each) {
            return each.undrained.find("decided by commit rows there") != std::string::npos;
        });
    }
    /// Asks about a row that nobody reads, and meanwhile does that.
    known_outcome ask_during(std::function<void()> const& end)
    {
        auto const name = leave_without_a_row();
        open_manager();
        auto answer = std::async(std::launch::async,
                                 [&] { return tm->ask(name, soon() + std::chrono::minutes{5}); });
        EXPECT_TRUE(becomes_true([&] { return is_row_wanted(); }));
        end();
        EXPECT_EQ(answer.wait_for(60s), std::future_status::ready);
        return answer.get();
    }

    memory_database depot = database(personality::plain);
    std::shared_ptr<fake_broker> post = std::make_shared<fake_broker>("another-broker");
    std::optional<memory_resource_manager> stock;
    std::optional<half::resource_manager> mail;
};

/// Every branch up to there is finished: what is there all the same came out of a backup.
TEST_F(Restored, AFinishedHalfThatIsHeldStillIsNotShownAgain)
{
    for (std::string const body : {"by the log", "by a row"}) {
        auto const name = finish(body, body == "by a row" ? by_row() : assent::begin_options{});
        auto const known = tm->state().quarantined.size();
        broker->store(name, body);
        EXPECT_EQ(ask(name), known_outcome::unknown);
        ask_back();
        EXPECT_TRUE(becomes_true([&] { return tm->state().quarantined.size() == known + 1; }));
        EXPECT_EQ(rows_of(row_kind::abort), 0u) << "it had committed";
        expect_order(true, body);
        broker->lose(name);
    }
}

/// Its row was deleted, in this very run.
TEST_F(Restored, WhatWasPrunedInThisRunIsNotFenced)
{
    auto const name = finish("order 1", by_row());
    EXPECT_TRUE(becomes_true([this] { return rows_of(row_kind::commit) == 0; }));
    EXPECT_EQ(ask(name), known_outcome::unknown);
    EXPECT_EQ(rows_of(row_kind::abort), 0u);
    // Another one of the same transaction, by name: it is below the horizon as well.
    auto other = *xid::parse(name);
    auto parts = other.branch.parts();
    parts.branch += 7;
    other.branch = assent::bqual::make(parts);
    EXPECT_EQ(tm->ask(other, soon()), known_outcome::unknown);
    EXPECT_EQ(rows_of(row_kind::abort), 0u);
}

/// A backup of the log was opened, and has given ids to others: those of the original know them by
/// the same numbers.
TEST_F(Restored, WhatCountsOnSomethingThatWasBoundLaterIsACopysAndNotFenced)
{
    auto const first = *xid::parse(leave_without_a_row());
    open();
    add_later_ones();
    auto const later = half_of_later_ones();

    auto parts = first.global.parts();
    parts.place_resource_manager = later.global.parts().place_resource_manager;
    xid const by_place{assent::gtrid::make(parts), first.branch};
    auto keeper = first.branch.parts();
    keeper.resource_manager = later.branch.parts().resource_manager;
    xid const by_asker{first.global, assent::bqual::make(keeper)};

    EXPECT_EQ(tm->ask(by_place, soon()), known_outcome::unknown);
    EXPECT_EQ(tm->ask(by_asker, soon()), known_outcome::unknown);
    EXPECT_EQ(rows_of(row_kind::abort), 0u);
    for (auto const& row : depot.decisions())
        EXPECT_NE(row.kind, row_kind::abort);
    EXPECT_EQ(tm->ask(first, soon()), known_outcome::rolled_back) << "that one is ours";
    broker->come_up();
    EXPECT_TRUE(becomes_drained());
}

TEST_F(Restored, OnceACopyOfThisLogWasFoundNothingIsAnswered)
{
    auto tx = begin_work();
    auto const name = half();
    broker->script(request::release, fate::refused, 1000);
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_EQ(ask(name), known_outcome::committed);

    broker->store(changed(name, [](auto& parts) { ++parts.nonce; }).text(), "a copy's");
    EXPECT_TRUE(becomes_true([this] { return !tm->state().is_accepting; }));
    EXPECT_EQ(ask(name), known_outcome::unknown);
    broker->clear();
}

TEST_F(Restored, ClosingLetsGoOfWhoeverAsks)
{
    auto const said = ask_during([this] { tm->close(std::chrono::steady_clock::now() + 100ms); });
    EXPECT_EQ(said, known_outcome::pending);
}

TEST_F(Restored, ItIsAnsweredWhileTheManagerIsDestroyed)
{
    EXPECT_EQ(ask_during([this] { tm.reset(); }), known_outcome::pending);
}

}  // namespace half_test
