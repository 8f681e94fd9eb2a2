// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// row_fixture.hpp -- the engine's world with transactions whose decision lives in a row of
// "orders".

#ifndef ASSENT_TESTS_UNIT_ENGINE_ROW_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_ENGINE_ROW_FIXTURE_HPP

#include "tests/unit/engine/engine_fixture.hpp"

namespace engine_test {

using assent::decision_place;
using assent::row_kind;

class row_world : public world
{
public:
    explicit row_world(personality acts_as = personality::plain,
                       assent::limits const& chosen = quick(), bool is_proxied = false)
        : world(acts_as, chosen, is_proxied)
    {
        hold_rows();
    }

    assent::begin_options by_row() const { return assent::begin_options{}.commit_row(orders.rm); }

    /// The table is made when the first transaction wants it.
    void hold_rows()
    {
        begin(by_row()).rollback();
        step();
    }
    /// One that wrote into both, decided in a row of orders.
    transaction begin_by_row(std::string const& key = "row") { return begin_work(key, by_row()); }

    /// The rows of transactions, without the horizon.
    std::vector<assent::decision_row> rows() const
    {
        auto all = orders.db.decisions();
        all.erase(std::remove_if(all.begin(), all.end(),
                                 [](auto const& each) { return each.kind == row_kind::horizon; }),
                  all.end());
        return all;
    }
    std::optional<row_kind> row_of(assent::gtrid const& which) const
    {
        for (auto const& each : rows()) {
            if (each.name == which) return each.kind;
        }
        return std::nullopt;
    }
    /// Past the manager, on a session of somebody else's: an abort row under that name ...
    void fence(assent::gtrid const& which)
    {
        auto const session = rows_session();
        orders.rm.driver()->decisions()->fence(*session, which, clock->now() + 5s);
    }
    /// ... and a row written over the one that is there.
    void write_row(assent::decision_row const& row)
    {
        auto const session = rows_session();
        orders.rm.driver()->decisions()->prune(*session, row, {}, clock->now() + 5s);
    }
    /// Every force of the log so far, whatever for.
    std::uint64_t forces()
    {
        auto const now = log().state();
        return now.forces + now.other_forces;
    }

    /// The reply of the row's commit is lost, and the row cannot be asked about in time.
    void lose_the_row(transaction& tx, bool is_after_effect)
    {
        auto lost = orders.db.script().on(verb::commit_one_phase);
        if (is_after_effect) {
            lost.lose_after_effect();
        } else {
            lost.lose_before_effect();
        }
        orders.db.script().on(driver_call::connect).times(1000).fail("the network is down");
        auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });
        EXPECT_EQ(e.resolved_by(), assent::resolver::recovery);
        orders.db.script().clear();
    }
    /// The request of the row's commit is lost, and an abort row takes its place.
    transaction lose_and_fence()
    {
        auto tx = begin_by_row();
        orders.db.script().on(verb::commit_one_phase).lose_before_effect();
        EXPECT_THROW(tx.commit(), assent::rolled_back_error);
        return tx;
    }
    /// Decided by its row, and accounts does not hear of it: its server has crashed.
    transaction commit_without_accounts()
    {
        auto tx = begin_by_row();
        accounts.db.script().on(verb::commit).crash_server_before_effect();
        EXPECT_EQ(tx.commit(), outcome::committed_pending);
        return tx;
    }

private:
    std::unique_ptr<assent::driver_session> rows_session() const
    {
        return orders.rm.driver()->connect(assent::session_purpose::manage, clock->now() + 5s);
    }
};

}  // namespace engine_test

#endif  // ASSENT_TESTS_UNIT_ENGINE_ROW_FIXTURE_HPP
