// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// slot_holder_test.cpp -- a database that cannot say who keeps a key is not asked.

#include <assent/driver.hpp>

#include "tests/contract/forwarding_driver.hpp"
#include "tests/unit/message/message_fixture.hpp"

namespace message_test {

using assent::deadline;
using assent::driver_session;
using assent::task_row;

/// It holds messages, and knows nobody.
class mute_driver final : public assent::contract::forwarding_driver, public assent::task_table
{
public:
    using forwarding_driver::forwarding_driver;

    assent::task_table* tasks() noexcept override { return this; }
    void ensure_tasks(driver_session& manage, deadline until) override
    {
        under().tasks()->ensure_tasks(manage, until);
    }
    void put_tasks(driver_session& session, std::vector<task_row> const& rows,
                   std::vector<std::uint16_t> const& slots, deadline until) override
    {
        under().tasks()->put_tasks(session, rows, slots, until);
    }
    std::optional<task_row> take_task(driver_session& session, std::string_view to,
                                      deadline until) override
    {
        return under().tasks()->take_task(session, to, until);
    }
    bool knows_slot_holders() const noexcept override { return false; }
    std::string slot_holder(driver_session&, std::vector<std::uint16_t> const&, deadline) override
    {
        ADD_FAILURE() << "it was asked";
        return {};
    }
};

using SlotHolder = queues;

TEST_F(SlotHolder, IsNotAskedForWhereNobodyCanBeKnown)
{
    memory_database const db = database(personality::plain);
    assent::resource_manager const mute{
        std::make_shared<mute_driver>(memory_resource_manager{"mute", db}.driver())};
    at.tm->add(mute);
    queue const jobs{mute};
    db.script().on(verb::commit).times(1000).hang();
    auto first = at.tm->begin();
    first.lease(*at.orders)->set("row", 1);
    jobs.put(first, {"jobs", "k", "1"});
    EXPECT_EQ(first.commit(), outcome::committed_pending);

    auto second = at.tm->begin();
    jobs.put(second, {"jobs", "k", "2"});
    auto const said = thrown_by<assent::rolled_back_error>([&] { second.commit(); });
    EXPECT_TRUE(said.is_retryable());
    EXPECT_THAT(said.what(), HasSubstr("keeps the key"));
    db.script().clear();
    db.script().release();
    EXPECT_TRUE(becomes_true([&] { return db.tasks().size() == 1; }));
}

}  // namespace message_test
