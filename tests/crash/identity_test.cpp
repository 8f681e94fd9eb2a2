// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// identity_test.cpp -- the same server, wherever it listens; another server, wherever it listens;
// and the same server with older data.
//
// A resource manager is bound to what a server is, never to where it is.  What was decided for one
// server is never carried out on another.

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/crash/scene.hpp"
#include "tests/servers/spawn.hpp"

namespace {

using namespace assent::testing;

enum class database { accounts, orders };

class Identity : public ::testing::TestWithParam<database>
{
protected:
    scene scene_;

    bool is_orders() const { return GetParam() == database::orders; }
    std::string name() const { return is_orders() ? "orders" : "accounts"; }
    std::string other_name() const { return is_orders() ? "accounts" : "orders"; }

    private_server& server()
    {
        return is_orders() ? scene_.money().mariadb() : scene_.money().postgresql();
    }

    std::set<std::string> prepared()
    {
        return is_orders() ? scene_.prepared_in_orders() : scene_.prepared_in_accounts();
    }

    std::set<std::string> prepared_elsewhere()
    {
        return is_orders() ? scene_.prepared_in_accounts() : scene_.prepared_in_orders();
    }

    /// A transfer that is decided to commit, prepared in both databases, by a process that is gone.
    plan decided_transfer()
    {
        plan const what = scene_.new_plan("work", handles::leased);
        plan struck = what;
        struck.set("strike", "decision.durable").set("occurrence", 1);
        EXPECT_EQ(scene_.run(struck), fate::killed);
        EXPECT_EQ(prepared().size(), 1u);
        EXPECT_EQ(prepared_elsewhere().size(), 1u);
        scene_.money().stop_looking();
        return what;
    }

    /// The plan, with this test's database at `where` instead.
    plan redirected(plan what, private_server const& where) const
    {
        if (!is_orders()) return what.set("accounts", where.conninfo("accounts"));
        return what.set("orders", "host=127.0.0.1 port=" + std::to_string(where.port()) + " user=" +
                                      where.account() + " password_file=" + where.directory() +
                                      "/password database=orders");
    }

    static assent::resource_manager_state state_of(assent::transaction_manager const& tm,
                                                   std::string const& name)
    {
        for (auto const& each : tm.state().resource_managers) {
            if (each.name == name) return each;
        }
        return {};
    }
};

TEST_P(Identity, IsKeptWhenTheServerMovesToAnotherPort)
{
    plan const what = decided_transfer();
    int const old_port = server().port();
    server().stop();
    // Below the range of outgoing connections, like the old one; some other test may have it.
    for (int port = old_port + 1; !server().is_running(); ++port) {
        ASSERT_LT(port, old_port + 20) << "no free port";
        try {
            server().start_on_port(port);
        } catch (std::runtime_error const& taken) {
            std::cerr << taken.what() << '\n';
        }
    }
    ASSERT_NE(server().port(), old_port);

    plan const moved = redirected(what, server());
    scene_.recover(moved);

    EXPECT_EQ(scene_.money().transfers_in_accounts().count(what.text("prefix") + "-t1"), 1u);
    scene_.expect_whole(moved);
}

TEST_P(Identity, OfAnotherServerOnTheSamePortIsRefusedByName)
{
    plan const what = decided_transfer();
    int const port = server().port();
    auto other = is_orders() ? private_server::mariadb() : private_server::postgresql();
    server().stop();
    other->stop();
    other->start_on_port(port);

    {
        auto const watch = std::make_shared<point_watch>();
        assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
        auto const databases = add_both(tm, redirected(what, *other));
        ASSERT_TRUE(watch->wait_for("resource_manager.drained@" + other_name(), 1, in_seconds(20)));
        ASSERT_TRUE(watch->wait_for("resource_manager.unreachable@" + name(), 2, in_seconds(20)));

        auto const state = state_of(tm, name());
        EXPECT_FALSE(state.is_serving);
        EXPECT_NE(state.why.find("not the server it was bound to"), std::string::npos) << state.why;
        EXPECT_NE(state.why.find(name()), std::string::npos) << state.why;
        auto tx = tm.begin(assent::begin_options{}.timeout(std::chrono::seconds{1}));
        try {
            if (is_orders()) tx.lease(databases.orders);
            if (!is_orders()) tx.lease(databases.accounts);
            FAIL() << "a lease on another server";
        } catch (assent::error const& e) {
            EXPECT_EQ(e.code(), assent::errc::unavailable);
            EXPECT_NE(std::string{e.what()}.find("not the server it was bound to"),
                      std::string::npos)
                << e.what();
        }
        EXPECT_EQ(watch->count("recovery.commit@" + name()), 0);
    }
    other->stop();
    server().start();

    // Nothing was decided without it: its branch is committed when it is back.
    EXPECT_EQ(prepared().size(), 1u);
    scene_.recover(what);
    EXPECT_EQ(scene_.money().transfers_in_accounts().count(what.text("prefix") + "-t1"), 1u);
    scene_.expect_whole(what);
}

TEST_P(Identity, OfOlderDataIsTheSameAndItsFinishedBranchIsQuarantined)
{
    plan const what = decided_transfer();
    auto const data = server().directory() + "/data";
    auto const backup = scene_.new_directory() + "/backup";
    server().stop();
    ASSERT_EQ(run_process({"/bin/cp", "-a", data, backup}).status, 0);
    server().start();

    auto const watch = std::make_shared<point_watch>();
    assent::transaction_manager tm{crash_options(what.text("log")).observe(watch)};
    add_both(tm, what);
    for (char const* each : {"accounts", "orders"}) {
        ASSERT_TRUE(
            watch->wait_for(std::string{"resource_manager.drained@"} + each, 1, in_seconds(20)))
            << each;
    }
    scene_.expect_whole(what);
    server().stop();
    ASSERT_EQ(run_process({"/bin/rm", "-rf", data}).status, 0);
    ASSERT_EQ(run_process({"/bin/mv", backup, data}).status, 0);
    server().start();

    ASSERT_TRUE(watch->wait_for("branch.quarantined@" + name(), 1, in_seconds(20)));
    int const seen = watch->count("recovery.scanned@" + name());
    ASSERT_TRUE(watch->wait_for("recovery.scanned@" + name(), seen + 2, in_seconds(20)));
    EXPECT_EQ(prepared().size(), 1u) << "somebody decided it again";
    EXPECT_EQ(tm.state().quarantined.size(), 1u);
    tm.close(in_seconds(5));

    // What was finished stays known: another opening does not decide it either.
    auto const again = std::make_shared<point_watch>();
    assent::transaction_manager later{crash_options(what.text("log")).observe(again)};
    add_both(later, what);
    ASSERT_TRUE(again->wait_for("recovery.scanned@" + name(), 3, in_seconds(20)));
    EXPECT_EQ(prepared().size(), 1u) << "the next opening decided it";
    EXPECT_EQ(later.state().quarantined.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Databases, Identity,
                         ::testing::Values(database::accounts, database::orders),
                         [](auto const& with) {
                             return with.param == database::accounts ? "PostgreSQL" : "MariaDB";
                         });

}  // namespace
