// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// asking_fixture.hpp -- a broker that asks back, and names of halves that were never given.

#ifndef ASSENT_TESTS_UNIT_HALF_ASKING_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_HALF_ASKING_FIXTURE_HPP

#include <algorithm>
#include <functional>
#include <string>

#include <assent/driver.hpp>

#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

using assent::gtrid;
using assent::row_kind;

class Asked : public sending
{
protected:
    Asked() : sending(hasty()) {}

    static assent::limits hasty()
    {
        auto all = bounds();
        all.phase2_wait = all.rollback_wait = 50ms;
        return all;
    }
    known_outcome ask(std::string const& name) const { return tm->ask(name, soon()); }
    void ask_back() const
    {
        broker->ask_back([this](std::string const& name) { return ask(name); });
    }

    /// The same half, of another transaction.
    static xid changed(std::string const& name,
                       std::function<void(gtrid::fields& parts)> const& change)
    {
        auto at = *xid::parse(name);
        auto parts = at.global.parts();
        change(parts);
        at.global = gtrid::make(parts);
        return at;
    }
    /// Of transactions, and not how far they were pruned.
    std::size_t rows_of(row_kind kind) const
    {
        auto const all = shop.decisions();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [kind](auto const& each) { return each.kind == kind; }));
    }
    /// What is finished is not called so for ever by the next list: there is none.
    void scan_rarely()
    {
        limits.scan_interval = 60s;
        reopen();
    }
    /// What the last resource does for a commit with its row.  @return whether it committed.
    bool comes_to_commit(gtrid const& which) const
    {
        auto const at = orders->driver();
        auto const session = at->connect(assent::session_purpose::work, soon());
        xid const branch{
            which, assent::bqual::make({which.parts().place_resource_manager, 1, session->id()})};
        at->decisions()->announce(*session);
        session->submit(verb::start, branch);
        EXPECT_TRUE(session->collect(soon())->is_ok());
        static_cast<memory_connection*>(session->native_handle())->set("late", 1);
        at->decisions()->carry(*session, {which, row_kind::commit, {}});
        session->submit(verb::commit_one_phase, branch);
        return session->collect(soon())->is_ok();
    }
    std::string half() const { return broker->halves().at(0); }

    /// A half of an earlier run that died before its commit row was there: no record names it, and
    /// the broker, which is down, lists it to nobody.
    std::string leave_without_a_row()
    {
        auto tx = begin_work("order 0", by_row());
        auto name = changed(half(), [](auto& parts) { parts.sequence += 1000; }).text();
        tx.commit();
        broker->go_down();
        tm.reset();
        broker->store(name, "order 1");
        return name;
    }
};

}  // namespace half_test

#endif  // ASSENT_TESTS_UNIT_HALF_ASKING_FIXTURE_HPP
