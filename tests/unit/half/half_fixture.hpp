// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_fixture.hpp -- news by half messages, and orders that take part by XA, under one manager,
// which may be opened again as by the next process.

#ifndef ASSENT_TESTS_UNIT_HALF_HALF_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_HALF_HALF_FIXTURE_HPP

#include <assent/half_message.hpp>

#include "tests/unit/api/api_fixture.hpp"
#include "tests/unit/half/fake_broker.hpp"

namespace half_test {

using namespace api_test;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

inline deadline soon()
{
    return std::chrono::steady_clock::now() + 10s;
}

class sending : public ::testing::Test
{
protected:
    explicit sending(assent::limits const& chosen = bounds())
        : limits(chosen), shop(database(personality::plain))
    {
        open();
    }
    ~sending() override
    {
        tm.reset();
        EXPECT_THAT(broker->violations(), IsEmpty());
        EXPECT_EQ(broker->pending(), 0u) << "a fault of the broker was never met";
        EXPECT_THAT(shop.violations(), IsEmpty());
        EXPECT_EQ(shop.script().pending(), 0u) << "a fault was never met";
    }

    static assent::limits bounds()
    {
        auto all = quick();
        all.phase2_wait = all.rollback_wait = 2s;
        all.scan_interval = 50ms;
        return all;
    }

    void open()
    {
        open_manager();
        orders.emplace(tm->add(memory_resource_manager{"orders", shop}));
        news.emplace(tm->add(half::resource_manager{"news", broker, stated}));
    }
    void open_manager()
    {
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log.path())
                                                               .node_label("half")
                                                               .observe(seen)
                                                               .limits(limits)
                                                               .allow_file_system("tmpfs"));
    }
    void reopen()
    {
        tm.reset();
        open();
    }

    /// An order, and the news of it.
    assent::transaction begin_work(std::string const& body = "order 1",
                                   assent::begin_options const& how = {})
    {
        auto tx = tm->begin(how);
        tx.lease(*orders)->set(body, 1);
        half::send(tx, *news, {"orders", body});
        return tx;
    }
    assent::begin_options by_row() const
    {
        assent::begin_options how;
        how.commit_row(*orders);
        return how;
    }

    /// What recovery will be told of: a decision, whose half nobody could release.
    std::string leave_decided(assent::begin_options const& how = {})
    {
        auto tx = begin_work("order 1", how);
        auto name = broker->halves().at(0);
        broker->go_down();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
        return name;
    }

    void expect_order(bool is_there, std::string const& body = "order 1") const
    {
        EXPECT_EQ(shop.value(body).has_value(), is_there);
        EXPECT_EQ(broker->shown_of(body), is_there ? 1 : 0);
    }
    std::size_t due() const
    {
        for (auto const& each : tm->state().resource_managers) {
            if (each.name == "news") return each.branches_due;
        }
        return 0;
    }
    /// Several lists lack it, and it is kept in mind all the same.
    void expect_due_after_lists() const
    {
        auto const lists = broker->calls_of(request::list);
        EXPECT_TRUE(becomes_true([&] { return broker->calls_of(request::list) > lists + 3; }));
        EXPECT_EQ(due(), 1u);
    }
    /// In words, for whoever reads why a test failed.
    std::string what_is_left() const
    {
        auto const now = tm->state();
        std::string text = std::to_string(broker->halves().size()) + " halves";
        for (auto const& rm : now.resource_managers) {
            text += "; " + rm.name + ": " + rm.why + ", " + std::to_string(rm.branches_due) +
                    " due, " + rm.undrained;
        }
        for (auto const& each : now.quarantined)
            text += "; quarantined: " + each;
        return text;
    }
    bool becomes_settled() const
    {
        return becomes_true([this] { return broker->halves().empty(); });
    }
    bool becomes_drained() const
    {
        return becomes_true([this] {
            auto const now = tm->state().resource_managers;
            return broker->halves().empty() &&
                   std::all_of(now.begin(), now.end(), [](auto const& rm) {
                       return rm.is_drained && rm.branches_due == 0;
                   });
        });
    }

    assent::limits limits;
    half::options stated = half::options{}.unguarded().halves_arrive_within(0ms);
    temporary_directory log;
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    std::shared_ptr<fake_broker> broker = std::make_shared<fake_broker>();
    memory_database shop;
    std::optional<memory_resource_manager> orders;
    std::optional<half::resource_manager> news;
    std::unique_ptr<assent::transaction_manager> tm;
};

}  // namespace half_test

#endif  // ASSENT_TESTS_UNIT_HALF_HALF_FIXTURE_HPP
