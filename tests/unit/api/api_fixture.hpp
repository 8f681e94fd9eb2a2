// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// api_fixture.hpp -- a transaction manager as a user has it, over two databases in memory and a
// log in a directory of its own.

#ifndef ASSENT_TESTS_UNIT_API_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_API_FIXTURE_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

#include "tests/thrown_by.hpp"

namespace api_test {

using namespace std::chrono_literals;
using assent::errc;
using assent::known_outcome;
using assent::outcome;
using assent::status;
using assent::verb;
using assent::xa_code;
using assent::testing::branch_fate;
using assent::testing::driver_call;
using assent::testing::memory_connection;
using assent::testing::memory_database;
using assent::testing::memory_resource_manager;
using assent::testing::personality;
using assent::testing::thrown_by;

/// A directory that goes with its object.
class temporary_directory
{
public:
    temporary_directory()
    {
        char const* const base = ::getenv("TMPDIR");
        path_ = std::string{base != nullptr ? base : "/tmp"} + "/assent-api-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error{"mkdtemp " + path_};
    }
    ~temporary_directory() { std::filesystem::remove_all(path_); }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;

    std::string const& path() const noexcept { return path_; }

private:
    std::string path_;
};

class recorder final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        std::lock_guard const held{mutex_};
        names_.emplace_back(what.name);
    }
    int count(std::string const& name) const
    {
        std::lock_guard const held{mutex_};
        return static_cast<int>(std::count(names_.begin(), names_.end(), name));
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> names_;
};

inline assent::limits quick()
{
    assent::limits all;
    all.phase2_wait = 50ms;
    all.rollback_wait = 50ms;
    all.destructor_wait = 50ms;
    all.close = 200ms;
    all.presumed_abort_delay = 0ms;
    return all;
}

inline memory_database database(personality acts_as)
{
    assent::testing::memory_options chosen;
    chosen.acts_as = acts_as;
    return memory_database{chosen};
}

/// Looks again and again, for at most a minute, until `is_so`.
inline bool becomes_true(std::function<bool()> const& is_so)
{
    auto const end = std::chrono::steady_clock::now() + 60s;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

/// Two databases and the manager over them.
struct doors
{
    explicit doors(personality acts_as = personality::plain,
                   std::shared_ptr<assent::observer> also = nullptr,
                   assent::limits const& chosen = quick())
        : watching(std::move(also)),
          bounds(chosen),
          bank(database(acts_as)),
          shop(database(acts_as))
    {
        open();
    }

    void open()
    {
        tm = std::make_unique<assent::transaction_manager>(assent::options{}
                                                               .log_directory(log.path())
                                                               .node_label("api")
                                                               .observe(watching ? watching : seen)
                                                               .limits(bounds)
                                                               .allow_file_system("tmpfs"));
        accounts.emplace(tm->add(memory_resource_manager{"accounts", bank}));
        orders.emplace(tm->add(memory_resource_manager{"orders", shop}));
    }

    /// A transaction that wrote into both databases.
    assent::transaction begin_work(std::string const& key = "row")
    {
        auto tx = tm->begin();
        tx.lease(*accounts)->set(key, 1);
        tx.lease(*orders)->set(key, 1);
        return tx;
    }

    void expect_serving() const
    {
        EXPECT_TRUE(becomes_true([this] {
            auto const now = tm->state().resource_managers;
            return std::all_of(now.begin(), now.end(),
                               [](auto const& rm) { return rm.is_serving; });
        }));
    }
    void expect_rows(std::optional<std::int64_t> value, std::string const& key = "row") const
    {
        EXPECT_EQ(bank.value(key), value);
        EXPECT_EQ(shop.value(key), value);
    }
    void expect_clean() const
    {
        for (memory_database const* each : {&bank, &shop}) {
            EXPECT_TRUE(each->prepared().empty());
            EXPECT_THAT(each->violations(), ::testing::IsEmpty());
            EXPECT_EQ(each->script().pending(), 0u) << "a fault was never met";
        }
    }

    temporary_directory log;
    std::shared_ptr<recorder> seen = std::make_shared<recorder>();
    std::shared_ptr<assent::observer> watching;  // in its place, if any
    assent::limits bounds;
    memory_database bank;
    memory_database shop;
    std::unique_ptr<assent::transaction_manager> tm;
    std::optional<memory_resource_manager> accounts;
    std::optional<memory_resource_manager> orders;
};

/// How often `what` was sent.
inline int count(memory_database const& where, verb what)
{
    auto const all = where.history();
    return static_cast<int>(std::count_if(all.begin(), all.end(),
                                          [what](auto const& each) { return each.what == what; }));
}

template <class Call>
errc code_of(Call&& call)
{
    return thrown_by<assent::error>(std::forward<Call>(call)).why();
}

}  // namespace api_test

#endif  // ASSENT_TESTS_UNIT_API_FIXTURE_HPP
