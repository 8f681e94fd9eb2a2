// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tcc_fixture.hpp -- a wallet that reserves, and orders that take part by XA, under one manager,
// which may be opened again as by the next process.

#ifndef ASSENT_TESTS_UNIT_TCC_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_TCC_FIXTURE_HPP

#include <assent/tcc.hpp>
#include <mutex>

#include "tests/unit/api/api_fixture.hpp"

namespace tcc_test {

using namespace api_test;
using assent::tcc::attempt;
using assent::tcc::refused;
namespace tcc = assent::tcc;

/// What handlers do with a wallet: a payload is an amount.  None touches no row.
class wallet
{
public:
    static constexpr std::int64_t filled_with = 100;

    static memory_connection& at(tcc::call const& of)
    {
        return *static_cast<memory_connection*>(of.handle());
    }
    static std::int64_t amount(tcc::call const& of) { return std::stoll(of.payload()); }

    static void reserve(tcc::call& of)
    {
        if (amount(of) == 0) return;
        auto& to = at(of);
        auto const has = to.get("free").value_or(filled_with);
        if (has < amount(of)) throw refused{"not enough"};
        to.set("free", has - amount(of));
        to.add("reserved", amount(of));
    }
    static void take(tcc::call& of)
    {
        if (amount(of) == 0) return;
        at(of).add("reserved", -amount(of));
        at(of).add("taken", amount(of));
    }
    static void give_back(tcc::call& of)
    {
        if (amount(of) == 0) return;
        at(of).add("reserved", -amount(of));
        at(of).add("free", amount(of));
    }
};

/// A handler that may be replaced while workers call it.
class replaceable
{
public:
    explicit replaceable(void (*what)(tcc::call&)) : what_(what) {}

    template <class Handler>
    replaceable& operator=(Handler&& what)
    {
        std::lock_guard const lock(mutex_);
        what_ = std::forward<Handler>(what);
        return *this;
    }
    void operator()(tcc::call& of) const { present()(of); }

private:
    std::function<void(tcc::call&)> present() const
    {
        std::lock_guard const lock(mutex_);
        return what_;
    }

    mutable std::mutex mutex_;
    std::function<void(tcc::call&)> what_;
};

/// Handlers that count, and may be replaced.
struct behaviour
{
    replaceable attempt{&wallet::reserve};
    replaceable confirm{&wallet::take};
    replaceable cancel{&wallet::give_back};
    std::atomic<int> attempts{0}, confirms{0}, cancels{0};

    tcc::handlers handlers()
    {
        return {[this](tcc::call& of) { ++attempts, attempt(of); },
                [this](tcc::call& of) { ++confirms, confirm(of); },
                [this](tcc::call& of) { ++cancels, cancel(of); }};
    }
};

class reserving : public ::testing::Test
{
protected:
    explicit reserving(assent::limits const& chosen = bounds(),
                       assent::testing::memory_options const& wallets_in = {})
        : limits(chosen), bank(wallets_in), shop(database(personality::plain))
    {
        open();
    }
    ~reserving() override
    {
        tm.reset();
        for (memory_database const* each : {&bank, &shop}) {
            EXPECT_THAT(each->violations(), ::testing::IsEmpty());
            EXPECT_EQ(each->script().pending(), 0u) << "a fault was never met";
        }
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
        add_wallets();
        orders.emplace(tm->add(memory_resource_manager{"orders", shop}));
    }
    void open_manager()
    {
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log.path())
                                                               .node_label("tcc")
                                                               .observe(seen)
                                                               .limits(limits)
                                                               .allow_file_system("tmpfs"));
    }
    void add_wallets()
    {
        wallets.emplace(tm->add(tcc::resource_manager{
            "wallets", memory_resource_manager{"bank", bank}, does.handlers(), settling}));
    }
    void reopen()
    {
        tm.reset();
        open();
    }

    /// A reservation, and a row by XA beside it.
    assent::transaction begin_work(std::string const& amount = "30")
    {
        auto tx = tm->begin();
        attempt(tx, *wallets, amount);
        tx.lease(*orders)->set("order", 1);
        return tx;
    }

    /// How much is free, reserved, taken.
    void expect_wallet(std::int64_t free, std::int64_t reserved, std::int64_t taken) const
    {
        EXPECT_EQ(bank.value("free").value_or(wallet::filled_with), free);
        EXPECT_EQ(bank.value("reserved").value_or(0), reserved);
        EXPECT_EQ(bank.value("taken").value_or(0), taken);
    }
    bool becomes_settled() const
    {
        return becomes_true([this] { return bank.reservations().empty(); });
    }
    bool becomes_drained() const
    {
        return becomes_true([this] {
            auto const now = tm->state().resource_managers;
            return bank.reservations().empty() &&
                   std::all_of(now.begin(), now.end(),
                               [](auto const& rm) { return rm.is_drained; });
        });
    }

    assent::limits limits;
    /// Of several workers two may meet at the wallet's rows, which is no `committed` at once.
    tcc::options settling = tcc::options{}.workers(1);
    temporary_directory log;
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    behaviour does;
    memory_database bank, shop;
    std::optional<tcc::resource_manager> wallets;
    std::optional<memory_resource_manager> orders;
    std::unique_ptr<assent::transaction_manager> tm;
};

}  // namespace tcc_test

#endif  // ASSENT_TESTS_UNIT_TCC_FIXTURE_HPP
