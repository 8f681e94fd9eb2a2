// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// When a manager may say that nothing of its node is left in doubt, anywhere.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include <assent/assent.hpp>
#include <assent/testing.hpp>

namespace {

using namespace std::chrono_literals;
using assent::testing::memory_database;
using assent::testing::memory_resource_manager;
using ::testing::HasSubstr;

/// A directory for a log, removed at the end.
class scratch_log
{
public:
    scratch_log()
    {
        std::string pattern = std::filesystem::temp_directory_path() / "assent-drain-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
        path_ = pattern;
    }
    ~scratch_log() { std::filesystem::remove_all(path_); }

    assent::options options() const
    {
        assent::limits all;
        all.scan_interval = 50ms;
        return assent::options{}
            .log_directory(path_.string())
            .node_label("drain")
            .limits(all)
            .allow_file_system("tmpfs");
    }

private:
    std::filesystem::path path_;
};

assent::deadline soon()
{
    return std::chrono::steady_clock::now() + 10s;
}

assent::resource_manager_state state_of(assent::transaction_manager const& tm,
                                        std::string const& name)
{
    for (auto const& each : tm.state().resource_managers) {
        if (each.name == name) return each;
    }
    throw std::runtime_error{"no resource manager " + name};
}

bool becomes_drained(assent::transaction_manager const& tm, std::string const& name)
{
    for (auto const end = soon(); std::chrono::steady_clock::now() < end;) {
        if (state_of(tm, name).is_drained) return true;
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

TEST(Drain, IsSaidOnceEveryResourceManagerWasScannedAndNothingIsLeft)
{
    scratch_log const log;
    memory_database const accounts;
    assent::transaction_manager tm{log.options()};
    tm.add(memory_resource_manager{"accounts", accounts});

    ASSERT_TRUE(becomes_drained(tm, "accounts"));
    auto const left = tm.close(soon());

    EXPECT_TRUE(left.is_drained);
    EXPECT_TRUE(left.notes.empty());
}

TEST(Drain, IsNotSaidWhileABoundResourceManagerIsNotConfigured)
{
    scratch_log const log;
    memory_database const accounts;
    memory_database const orders;
    {
        assent::transaction_manager tm{log.options()};
        tm.add(memory_resource_manager{"accounts", accounts});
        tm.add(memory_resource_manager{"orders", orders});
        ASSERT_TRUE(becomes_drained(tm, "accounts"));
        ASSERT_TRUE(becomes_drained(tm, "orders"));
    }

    assent::transaction_manager tm{log.options()};
    tm.add(memory_resource_manager{"accounts", accounts});
    ASSERT_TRUE(becomes_drained(tm, "accounts"));
    auto const orders_now = state_of(tm, "orders");
    auto const left = tm.close(soon());

    EXPECT_FALSE(orders_now.is_drained);
    EXPECT_THAT(orders_now.undrained, HasSubstr("not added"));
    EXPECT_FALSE(left.is_drained);
    ASSERT_EQ(left.notes.size(), 1u);
    EXPECT_THAT(left.notes[0], HasSubstr("orders"));
}

TEST(Drain, IsNotSaidWhileAnOlderSessionOfTheAccountIsConnected)
{
    scratch_log const log;
    memory_database const accounts;
    {
        assent::transaction_manager tm{log.options()};
        tm.add(memory_resource_manager{"accounts", accounts});
        ASSERT_TRUE(becomes_drained(tm, "accounts"));
    }
    auto const older = accounts.connect();

    assent::transaction_manager tm{log.options()};
    auto const again = tm.add(memory_resource_manager{"accounts", accounts});
    {
        auto tx = tm.begin();
        tx.lease(again);  // waits for the first scan
    }

    EXPECT_THAT(state_of(tm, "accounts").undrained, HasSubstr("older"));
    EXPECT_FALSE(tm.close(soon()).is_drained);
}

TEST(Drain, IsSaidInALogsFirstOpeningWhateverSessionIsConnected)
{
    scratch_log const log;
    memory_database const accounts;
    auto const older = accounts.connect();

    assent::transaction_manager tm{log.options()};
    tm.add(memory_resource_manager{"accounts", accounts});

    EXPECT_TRUE(becomes_drained(tm, "accounts"));
}

}  // namespace
