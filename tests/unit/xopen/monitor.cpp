// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/unit/xopen/monitor.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include <xopen/xa.h>

namespace xopen_test {

namespace {

namespace fs = std::filesystem;

constexpr auto patience = 20s;

/// Quick, as a cell waits for what comes later.
assent::limits bounds()
{
    auto all = api_test::quick();
    all.phase2_wait = 200ms;
    all.rollback_wait = 200ms;
    all.scan_interval = 20ms;
    all.retry_min = 2ms;
    all.retry_max = 20ms;
    all.completion_retry_max = 20ms;
    all.segment_bytes = 256u << 10;
    return all;
}

bool becomes(std::function<bool()> const& is_so)
{
    auto const end = std::chrono::steady_clock::now() + patience;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace

monitor::monitor(std::string const& home, assent::testing::switch_options like) : home_(home)
{
    for (char const* name : bank_names) {
        like.file = home + "/" + name;
        banks_.push_back(std::make_unique<strict_switch>(like));
    }
}

void monitor::open()
{
    fs::create_directory(home_ + "/log");
    tm_ = std::make_unique<assent::transaction_manager>(assent::options{}
                                                            .log_directory(home_ + "/log")
                                                            .node_label("matrix")
                                                            .limits(bounds())
                                                            .allow_file_system("tmpfs"));
    for (int i = 0; i < banks; ++i) {
        rms_.push_back(tm_->add(assent::xopen::resource_manager{
            bank_names.at(i), bank(i).entries(), bank(i).info(), declared(bank_names.at(i))}));
    }
}

bool monitor::becomes_serving() const
{
    return becomes([this] {
        auto const now = tm_->state().resource_managers;
        return std::all_of(now.begin(), now.end(), [](auto const& rm) { return rm.is_serving; });
    });
}

bool monitor::becomes_finished(int of_strangers, int struck) const
{
    return becomes([&] {
        if (bank(struck).pending() != 0) return false;
        std::size_t left = 0;
        for (auto const& each : banks_)
            left += each->unfinished();
        auto const now = tm_->state().resource_managers;
        return left == static_cast<std::size_t>(of_strangers) &&
               std::all_of(now.begin(), now.end(), [](auto const& rm) { return rm.is_drained; });
    });
}

void monitor::work(assent::transaction& tx, std::string const& what,
                   std::vector<int> const& at) const
{
    for (int const i : at) {
        tx.lease(rms_.at(i));
        bank(i).add(what + " one", 1);
        bank(i).add(what + " two", 1);
    }
}

effect monitor::effect_of(std::string const& what, int i) const
{
    auto const sum = bank(i).value(what + " one") + bank(i).value(what + " two");
    return sum == 2 ? effect::whole : sum == 1 ? effect::part : effect::none;
}

void take_picture(std::string const& of, std::string const& into)
{
    fs::create_directory(into);
    for (auto const& each : fs::directory_iterator{of}) {
        if (each.path().extension() == ".lock") continue;
        fs::copy(each.path(), into + "/" + each.path().filename().string(),
                 fs::copy_options::recursive);
    }
}

void add_strangers(strict_switch& at)
{
    // A number is one resource manager's, and several cells are played at once.
    static std::atomic<int> last_rmid{1'000'000};
    std::thread{[&at, rmid = ++last_rmid] {
        std::string info = at.info();
        // Theirs does not register.
        strict_switch const theirs{{info, false, false, false}};
        auto const& is = theirs.entries();
        is.xa_open_entry(info.data(), rmid, TMNOFLAGS);
        for (int i = 0; i < strangers; ++i) {
            XID name{};
            name.formatID = 12;
            name.gtrid_length = 2;
            name.bqual_length = 1;
            name.data[0] = 's';
            name.data[1] = static_cast<char>('0' + i);
            name.data[2] = 'b';
            is.xa_start_entry(&name, rmid, TMNOFLAGS);
            at.add("of strangers", 1);
            is.xa_end_entry(&name, rmid, TMSUCCESS);
            is.xa_prepare_entry(&name, rmid, TMNOFLAGS);
        }
        is.xa_close_entry(info.data(), rmid, TMNOFLAGS);
    }}.join();
}

wreckage::wreckage()
{
    // One's calls are the thread's, in the order of the branches: after the last vote nothing is
    // decided, and before the first commit everything is.
    std::thread{[this] {
        api_test::temporary_directory const alive;
        monitor at{alive.path()};
        at.open();
        at.bank(banks - 1).on(switch_call::prepare).after([&] {
            take_picture(alive.path(), undecided());
        });
        at.bank(0).on(switch_call::commit).before([&] { take_picture(alive.path(), decided()); });
        auto tx = at.tm().begin();
        at.work(tx, "old", {0, 1, 2});
        id_ = tx.id();
        tx.commit();
    }}.join();
}

}  // namespace xopen_test
