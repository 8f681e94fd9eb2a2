// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// loading_test.cpp -- a switch is looked at before anything of it is called, and what cannot be
// used is refused in words.

#include <dlfcn.h>

#include <xopen/xa.h>

#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {
namespace {

using assent::driver_error;
using assent::xopen::library;
using assent::xopen::options;
using assent::xopen::resource_manager;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char module[] = ASSENT_SWITCH_MODULE;

/// Why a switch of a library is refused.
std::string refusal_of(library const& from, std::string const& info = "home",
                       options const& chosen = declared("x"))
{
    auto const e = thrown_by<driver_error>([&] { resource_manager("stock", from, info, chosen); });
    EXPECT_EQ(e.code(), errc::bad_argument);
    EXPECT_THAT(e.what(), HasSubstr("\"stock\""));
    return e.what();
}

TEST(XopenLoading, WhatIsNotThereIsNamed)
{
    EXPECT_THAT(refusal_of({"/no/such/library.so", "x"}),
                AllOf(HasSubstr("/no/such/library.so"), HasSubstr("cannot be loaded")));
    EXPECT_THAT(refusal_of({"", "x"}), HasSubstr("no path is given"));
    EXPECT_THAT(refusal_of({module, "no_such_symbol"}),
                AllOf(HasSubstr("no symbol"), HasSubstr("no_such_symbol")));
}

TEST(XopenLoading, WhatIsNoSwitchIsRefused)
{
    EXPECT_THAT(refusal_of({module, "module_function"}), HasSubstr("no xa_switch_t"));
    EXPECT_THAT(refusal_of({module, "module_small"}), HasSubstr("no xa_switch_t"));
    EXPECT_THAT(refusal_of({module, "module_of_version_1"}), HasSubstr("version 1"));
    EXPECT_THAT(refusal_of({module, "module_without_commit"}), HasSubstr("no xa_commit"));
    EXPECT_THAT(refusal_of({module, "module_without_end_of_name"}), HasSubstr("no end"));
}

TEST(XopenLoading, EachMissingRoutineIsNamed)
{
    api_test::temporary_directory const home;
    assent::testing::strict_switch const bank{{home.path() + "/loading", false, false, false}};
    xa_switch_t const whole = bank.entries();
    auto const without = [&](char const* name, auto member, long flags = TMNOMIGRATE) {
        xa_switch_t holed = whole;
        holed.*member = nullptr;
        holed.flags = flags;
        auto const e = thrown_by<driver_error>(
            [&] { resource_manager("stock", holed, "home", declared("x")); });
        EXPECT_THAT(e.what(), HasSubstr(std::string{"no "} + name));
    };
    without("xa_open", &xa_switch_t::xa_open_entry);
    without("xa_close", &xa_switch_t::xa_close_entry);
    without("xa_start", &xa_switch_t::xa_start_entry);
    without("xa_end", &xa_switch_t::xa_end_entry);
    without("xa_rollback", &xa_switch_t::xa_rollback_entry);
    without("xa_prepare", &xa_switch_t::xa_prepare_entry);
    without("xa_commit", &xa_switch_t::xa_commit_entry);
    without("xa_recover", &xa_switch_t::xa_recover_entry);
    without("xa_forget", &xa_switch_t::xa_forget_entry);
    without("xa_complete", &xa_switch_t::xa_complete_entry, TMUSEASYNC);

    static xa_switch_t needs_no_complete = whole;
    needs_no_complete.xa_complete_entry = nullptr;
    EXPECT_NO_THROW(resource_manager("stock", needs_no_complete, "home", declared("x")));
    EXPECT_TRUE(bank.history().empty()) << "nothing was called";
}

TEST(XopenLoading, AnInfoStringFitsAndIsNeverTold)
{
    std::string const secret = "PASSWORD=hush";
    auto const said = refusal_of({module, "module_switch"}, secret + std::string(MAXINFOSIZE, '.'));
    EXPECT_THAT(said, AllOf(HasSubstr("269 bytes"), HasSubstr("255"), Not(HasSubstr("hush"))));
    EXPECT_THAT(refusal_of({module, "module_switch"}, secret + '\0' + "x"),
                AllOf(HasSubstr("NUL"), Not(HasSubstr("hush"))));
    EXPECT_NO_THROW(resource_manager("stock", library{module, "module_switch"},
                                     std::string(255, 'x'), declared("x")));
}

TEST(XopenLoading, WhatASwitchDoesNotTellIsDeclared)
{
    library const from{module, "module_switch"};
    EXPECT_THAT(refusal_of(from, "home", options{}.identity("x")), HasSubstr("unguarded()"));
    EXPECT_THAT(refusal_of(from, "home", options{}.unguarded()), HasSubstr("identity"));
    EXPECT_THAT(refusal_of(from, "home", declared("x").identity_file("f")), HasSubstr("either"));
    EXPECT_THAT(refusal_of(from, "home", declared(std::string(101, 'x'))), HasSubstr("1 to 100"));
    EXPECT_THAT(refusal_of(from, "home", declared("two\nlines")), HasSubstr("1 to 100"));
    EXPECT_THAT(refusal_of(from, "home", declared("x").sessions_end_within(-1ms)),
                HasSubstr("not negative"));
    EXPECT_THROW(resource_manager("a name", from, "home", declared("x")), driver_error);
}

class loaded : public ::testing::TestWithParam<char const*>
{
};

TEST_P(loaded, ALibrarysSwitchTakesPart)
{
    api_test::temporary_directory const home, log;
    std::string const file = home.path() + "/bank";
    void* const handle = ::dlopen(module, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr);
    auto const add =
        reinterpret_cast<void (*)(char const*, char const*, long)>(::dlsym(handle, "module_add"));
    auto const value =
        reinterpret_cast<long (*)(char const*, char const*)>(::dlsym(handle, "module_value"));
    assent::transaction_manager tm{assent::options{}
                                       .log_directory(log.path())
                                       .node_label("loading")
                                       .limits(api_test::quick())
                                       .allow_file_system("tmpfs")};
    auto db = api_test::database(api_test::personality::plain);
    auto const stock =
        tm.add(resource_manager{"stock", library{module, GetParam()}, file, declared("the stock")});
    auto const shop = tm.add(assent::testing::memory_resource_manager{"shop", db});

    auto tx = tm.begin();
    tx.lease(stock);
    add(file.c_str(), "bolts", -1);
    tx.lease(shop)->add("sold", 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(value(file.c_str(), "bolts"), -1);
    EXPECT_EQ(db.value("sold"), 1);
}

// The second finds ax_reg in this program.
INSTANTIATE_TEST_SUITE_P(each, loaded, ::testing::Values("module_switch", "module_registering"));

}  // namespace
}  // namespace xopen_test
