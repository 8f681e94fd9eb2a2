// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xopen_fixture.hpp -- two strict switches as resource managers, and a manager over them.

#ifndef ASSENT_TESTS_UNIT_XOPEN_XOPEN_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_XOPEN_XOPEN_FIXTURE_HPP

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/testing_switch.hpp>
#include <assent/user_transaction.hpp>
#include <assent/xopen.hpp>

#include "tests/unit/api/api_fixture.hpp"

namespace xopen_test {

using namespace std::chrono_literals;
using api_test::becomes_true;
using api_test::code_of;
using api_test::recorder;
using assent::errc;
using assent::outcome;
using assent::verb;
using assent::xa_code;
using assent::testing::strict_switch;
using assent::testing::switch_call;
using assent::testing::thrown_by;

inline assent::xopen::options declared(std::string const& identity)
{
    return assent::xopen::options{}.identity(identity).unguarded().sessions_end_within(0ms);
}

inline int count(strict_switch const& of, switch_call what)
{
    auto const all = of.history();
    return static_cast<int>(std::count_if(all.begin(), all.end(),
                                          [what](auto const& each) { return each.what == what; }));
}

/// With which it was called, in order.
inline std::vector<long> flags_of(strict_switch const& of, switch_call what)
{
    std::vector<long> all;
    for (auto const& each : of.history())
        if (each.what == what) all.push_back(each.flags);
    return all;
}

/// Two switches and a manager, which may be opened again as by the next process.
class switched : public ::testing::Test
{
protected:
    explicit switched(assent::limits const& chosen = bounds())
        : limits(chosen), stock(made("stock")), bills(made("bills"))
    {
        open();
    }
    ~switched() override
    {
        tm.reset();
        for (strict_switch const* each : {&stock, &bills}) {
            EXPECT_THAT(each->violations(), ::testing::IsEmpty());
            EXPECT_EQ(each->pending(), 0u) << "a fault was never met";
        }
    }

    assent::testing::switch_options made(char const* name)
    {
        return {home.path() + "/" + name, false, false, false};
    }

    void open()
    {
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log.path())
                                                               .node_label("switched")
                                                               .observe(seen)
                                                               .limits(limits)
                                                               .allow_file_system("tmpfs"));
        using assent::xopen::resource_manager;
        stocks.emplace(tm->add(
            resource_manager{"stock", stock.entries(), stock.info(), declared("the stock")}));
        billing.emplace(tm->add(
            resource_manager{"bills", bills.entries(), bills.info(), declared("the bills")}));
    }
    /// Ends the manager, and opens another one on its log.
    void reopen()
    {
        tm.reset();
        open();
    }
    static assent::limits bounds()
    {
        auto all = api_test::quick();
        all.scan_interval = 50ms;
        return all;
    }

    /// A transaction that worked on both.
    assent::transaction begin_work()
    {
        auto tx = tm->begin();
        tx.lease(*stocks);
        stock.add("bolts", -1);
        tx.lease(*billing);
        bills.add("alice", 1);
        return tx;
    }

    void expect_work(int times) const
    {
        EXPECT_EQ(stock.value("bolts"), -times);
        EXPECT_EQ(bills.value("alice"), times);
    }
    /// Waits until nothing is prepared, and nobody waits for anything.
    bool becomes_drained() const
    {
        return becomes_true([this] { return is_drained(); });
    }
    bool is_drained() const
    {
        auto const now = tm->state().resource_managers;
        bool const is_idle = stock.unfinished() == 0 && bills.unfinished() == 0;
        return is_idle &&
               std::all_of(now.begin(), now.end(), [](auto const& rm) { return rm.is_drained; });
    }

    assent::limits limits;
    api_test::temporary_directory home, log;
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    strict_switch stock, bills;
    std::optional<assent::xopen::resource_manager> stocks, billing;
    std::unique_ptr<assent::transaction_manager> tm;
};

}  // namespace xopen_test

#endif  // ASSENT_TESTS_UNIT_XOPEN_XOPEN_FIXTURE_HPP
