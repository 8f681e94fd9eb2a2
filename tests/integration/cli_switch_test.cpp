// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_switch_test.cpp -- the operator's program at X/Open switches: a vendor's library that it
// loads, with what an application left there when it was killed.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <assent/transaction_manager.hpp>
#include <assent/xopen.hpp>

#include "tests/crash/processes.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace std::chrono_literals;
using namespace assent::testing;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char module[] = ASSENT_SWITCH_MODULE;

/// What the vendor's library has besides its switch.
template <class Function>
Function* in_module(char const* name)
{
    void* const loaded = ::dlopen(module, RTLD_NOW | RTLD_LOCAL);
    void* const found = loaded == nullptr ? nullptr : ::dlsym(loaded, name);
    if (found == nullptr) throw std::runtime_error{name};
    return reinterpret_cast<Function*>(found);
}

/// Kills the process at a step of the bills.
class killer final : public assent::observer
{
public:
    explicit killer(std::string event) : event_(std::move(event)) {}
    void on(assent::event const& what) override
    {
        if (what.name == event_ && what.resource_manager == "bills") ::kill(::getpid(), SIGKILL);
    }

private:
    std::string const event_;
};

std::string read_file(std::string const& path)
{
    std::ifstream from{path};
    return {std::istreambuf_iterator<char>{from}, {}};
}

class CliSwitch : public ::testing::Test
{
protected:
    std::string home(std::string const& name) const { return desk_.path(name); }
    std::string identity(std::string const& name) const { return home(name) + ".identity"; }

    assent::xopen::resource_manager switch_of(std::string const& name) const
    {
        return {name, assent::xopen::library{module, "module_switch"}, home(name),
                assent::xopen::options{}
                    .identity_file(identity(name))
                    .unguarded()
                    .sessions_end_within(0ms)};
    }

    /// Moves a bolt, in a process that is killed at that step of the bills.
    void be_killed_at(std::string const& event) const
    {
        int const ended = in_a_process([&] {
            auto* const add = in_module<void(char const*, char const*, long)>("module_add");
            assent::transaction_manager tm{assent::options{}
                                               .log_directory(desk_.path("log"))
                                               .node_label("switched")
                                               .observe(std::make_shared<killer>(event))
                                               .allow_file_system("tmpfs")};
            auto const stocks = tm.add(switch_of("stock"));
            auto const billing = tm.add(switch_of("bills"));
            auto tx = tm.begin();
            tx.lease(stocks);
            add(home("stock").c_str(), "bolts", -1);
            tx.lease(billing);
            add(home("bills").c_str(), "alice", 1);
            tx.commit();
            return 1;
        });
        ASSERT_EQ(ended, -SIGKILL);
    }

    /// In a process of its own, since one at a time has the file.
    void expect_rows(int bolts, int alice) const
    {
        auto const is_so = in_a_process([&] {
            auto* const value = in_module<long(char const*, char const*)>("module_value");
            bool const is_as_told = value(home("stock").c_str(), "bolts") == bolts &&
                                    value(home("bills").c_str(), "alice") == alice;
            return is_as_told ? 0 : 1;
        });
        EXPECT_EQ(is_so, 0) << bolts << ' ' << alice;
    }

    std::string one(std::string const& name, std::string const& symbol = "module_switch") const
    {
        return "[[resource_manager]]\nname = '" + name + "'\nkind = 'xopen'\nlibrary = '" +
               std::string{module} + "'\nsymbol = '" + symbol + "'\nconnect = '" + home(name) +
               "'\nidentity_file = '" + identity(name) +
               "'\nsessions_end_within_ms = 0\nunguarded = true\n";
    }
    std::string head() const
    {
        return "log_directory = '" + desk_.path("log") +
               "'\nnode_label = 'switched'\nallow_file_system = 'tmpfs'\n";
    }
    answer run(std::string const& config, std::vector<std::string> words) const
    {
        auto const path = desk_.file("assent.toml", config);
        words.insert(words.begin(), {"--config", path});
        return run_assent(words);
    }
    answer run(std::vector<std::string> words) const
    {
        return run(head() + one("stock") + one("bills"), std::move(words));
    }
    answer recover(std::string const& timeout = "30") const
    {
        return run({"recover", "--presumed-abort-delay", "0", "--timeout", timeout});
    }

    desk desk_;
};

TEST_F(CliSwitch, WhatWasDecidedIsCommitted)
{
    be_killed_at("branch.commit");
    EXPECT_EQ(run({"status"}).status, 4) << "it asks no switch";

    auto const seen = run({"scan"});
    EXPECT_EQ(seen.status, 4) << seen.out << seen.err;
    EXPECT_THAT(seen.out, AllOf(HasSubstr("bills"), HasSubstr("commit")));
    auto const done = recover();
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    EXPECT_EQ(run({"scan"}).status, 0);
    EXPECT_EQ(run({"status"}).status, 0);
    expect_rows(-1, 1);
}

TEST_F(CliSwitch, WhatWasNotIsRolledBack)
{
    be_killed_at("branch.prepare.reply");
    auto const seen = run({"scan"});
    EXPECT_EQ(seen.status, 4) << seen.out << seen.err;
    EXPECT_THAT(seen.out, HasSubstr("roll back"));
    auto const done = recover();
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    expect_rows(0, 0);
}

TEST_F(CliSwitch, TheDoctorSaysWhatWasDeclared)
{
    be_killed_at("branch.commit");
    auto const told = run({"doctor"});
    EXPECT_EQ(told.status, 0) << told.out << told.err;
    EXPECT_THAT(told.out, AllOf(HasSubstr("stock (xopen"), HasSubstr("declared unguarded")));
    EXPECT_THAT(run({"--json", "doctor"}).out, HasSubstr("strict switch, with TMNOMIGRATE"));

    ::unlink(identity("stock").c_str());
    auto const lost = run({"doctor"});
    EXPECT_THAT(lost.out, HasSubstr("is not there"));
    EXPECT_NE(::access(identity("stock").c_str(), F_OK), 0) << "it leaves nothing behind";
}

TEST_F(CliSwitch, WithoutItsIdentityNothingIsDecided)
{
    be_killed_at("branch.commit");
    auto const own = read_file(identity("stock"));
    ::unlink(identity("stock").c_str());
    for (auto const* const command : {"scan", "recover"}) {
        auto const told = run({command});
        EXPECT_EQ(told.status, 2) << told.out;
        EXPECT_THAT(told.err, AllOf(HasSubstr("\"stock\""), HasSubstr("is not there")));
    }
    EXPECT_NE(::access(identity("stock").c_str(), F_OK), 0) << "none was made in its place";

    desk_.file("stock.identity", "another one\n");
    auto const other = recover("2");
    EXPECT_EQ(other.status, 4) << other.out << other.err;
    desk_.file("stock.identity", own);
    EXPECT_EQ(recover().status, 0) << "its own has come back";
    expect_rows(-1, 1);
}

TEST_F(CliSwitch, ALibraryThatRegistersFindsUs)
{
    be_killed_at("branch.commit");
    auto const told = run(head() + one("stock", "module_registering"), {"--json", "doctor"});
    EXPECT_THAT(told.out, HasSubstr("TMREGISTER")) << told.err;
}

TEST_F(CliSwitch, WhatCannotBeLoadedIsNamed)
{
    be_killed_at("branch.commit");
    auto config = head() + one("stock", "no_such_switch");
    auto const told = run(config, {"scan"});
    EXPECT_EQ(told.status, 2) << told.out;
    EXPECT_THAT(told.err, AllOf(HasSubstr("\"stock\""), HasSubstr("no_such_switch")));
}

}  // namespace
