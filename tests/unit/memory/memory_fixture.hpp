// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_fixture.hpp -- a database whose clock moves only when somebody waits.

#ifndef ASSENT_TESTS_UNIT_MEMORY_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_MEMORY_FIXTURE_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <assent/driver.hpp>
#include <assent/testing.hpp>

namespace memory_test {

using namespace std::chrono_literals;
namespace at = assent::testing;
using assent::reply_detail;
using assent::verb;
using assent::xa_code;
using at::branch_fate;
using at::personality;

inline assent::xid name(std::uint64_t sequence)
{
    return {assent::gtrid::make({assent::decision_place::log, 0, 7, 1, 9, sequence}),
            assent::bqual::make({1, 1, 0})};
}

/// A driver on a database of some personality, in virtual time.
class world
{
public:
    explicit world(personality acts_as = personality::plain)
        : world(acts_as, [](at::memory_options&) {})
    {
    }

    /// With whatever else `choose` sets.
    template <class Choose>
    world(personality acts_as, Choose choose)
        : clock(std::make_shared<assent::deadline>()),
          db(options_for(acts_as, clock, choose)),
          manager("accounts", db)
    {
    }

    template <class Choose>
    static at::memory_options options_for(personality acts_as,
                                          std::shared_ptr<assent::deadline> const& clock,
                                          Choose choose)
    {
        at::memory_options chosen;
        chosen.acts_as = acts_as;
        chosen.time.now = [clock] { return *clock; };
        chosen.time.wait_until = [clock](assent::deadline when) { *clock = when; };
        choose(chosen);
        return chosen;
    }

    assent::deadline in(std::chrono::milliseconds later) const { return *clock + later; }
    assent::resource_manager_driver& driver() const { return *manager.driver(); }

    std::unique_ptr<assent::driver_session> open(
        assent::session_purpose purpose = assent::session_purpose::work) const
    {
        return driver().connect(purpose, in(1s));
    }

    /// Opens a session, starts branch `x` there and writes.
    std::unique_ptr<assent::driver_session> start(assent::xid const& x,
                                                  std::string const& key = "a") const
    {
        auto session = open();
        EXPECT_TRUE(run(*session, verb::start, x).is_ok());
        if (!key.empty()) connection(*session).set(key, 1);
        return session;
    }

    std::unique_ptr<assent::driver_session> prepare(assent::xid const& x,
                                                    std::string const& key = "a") const
    {
        auto session = start(x, key);
        EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
        return session;
    }

    static at::memory_connection& connection(assent::driver_session& session)
    {
        return *static_cast<at::memory_connection*>(session.native_handle());
    }

    assent::reply run(assent::driver_session& session, verb v, assent::xid const& x) const
    {
        session.submit(v, x);
        auto const answer = session.collect(in(1s));
        if (!answer) throw std::runtime_error("no answer within a second");
        return *answer;
    }

    xa_code code(assent::driver_session& session, verb v, assent::xid const& x) const
    {
        return run(session, v, x).code;
    }

    std::shared_ptr<assent::deadline> clock;
    at::memory_database db;
    at::memory_resource_manager manager;
};

}  // namespace memory_test

#endif  // ASSENT_TESTS_UNIT_MEMORY_FIXTURE_HPP
