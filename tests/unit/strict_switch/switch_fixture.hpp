// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// switch_fixture.hpp -- a strict switch in a directory of its own, and a caller that drives it.

#ifndef ASSENT_TESTS_UNIT_STRICT_SWITCH_SWITCH_FIXTURE_HPP
#define ASSENT_TESTS_UNIT_STRICT_SWITCH_SWITCH_FIXTURE_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <xopen/xa.h>
#include <assent/error.hpp>
#include <assent/testing_switch.hpp>

namespace switch_test {

using assent::xa_code;
using assent::testing::strict_switch;
using assent::testing::switch_call;
using assent::testing::switch_options;

inline XID name(std::string const& gtrid, std::string const& bqual = "b")
{
    XID made{};
    made.formatID = 7;
    made.gtrid_length = static_cast<long>(gtrid.size());
    made.bqual_length = static_cast<long>(bqual.size());
    std::memcpy(made.data, gtrid.data(), gtrid.size());
    std::memcpy(made.data + gtrid.size(), bqual.data(), bqual.size());
    return made;
}

class switches : public ::testing::Test
{
protected:
    switches()
    {
        std::string made = (std::filesystem::temp_directory_path() / "switch.XXXXXX").string();
        directory_ = ::mkdtemp(made.data());
    }
    ~switches() override
    {
        is_.reset();
        std::filesystem::remove_all(directory_);
    }

    /// Made with the first use.
    strict_switch& bank()
    {
        if (!is_) make({});
        return *is_;
    }
    void make(switch_options chosen)
    {
        chosen.file = directory_ + "/bank";
        is_ = std::make_unique<strict_switch>(chosen);
    }

    int open(long flags = TMNOFLAGS) { return sw().xa_open_entry(info().data(), rmid_, flags); }
    int close(long flags = TMNOFLAGS) { return sw().xa_close_entry(info().data(), rmid_, flags); }
    int start(XID x, long flags = TMNOFLAGS) { return sw().xa_start_entry(&x, rmid_, flags); }
    int end(XID x, long flags = TMSUCCESS) { return sw().xa_end_entry(&x, rmid_, flags); }
    int prepare(XID x, long flags = TMNOFLAGS) { return sw().xa_prepare_entry(&x, rmid_, flags); }
    int commit(XID x, long flags = TMNOFLAGS) { return sw().xa_commit_entry(&x, rmid_, flags); }
    int rollback(XID x, long flags = TMNOFLAGS) { return sw().xa_rollback_entry(&x, rmid_, flags); }
    int forget(XID x, long flags = TMNOFLAGS) { return sw().xa_forget_entry(&x, rmid_, flags); }

    /// A branch that wrote, by its state in table 6-4.
    void make_active(XID x)
    {
        ASSERT_EQ(start(x), XA_OK);
        bank().add("alice", 1);
    }
    void make_idle(XID x)
    {
        make_active(x);
        ASSERT_EQ(end(x), XA_OK);
    }
    void make_prepared(XID x)
    {
        make_idle(x);
        ASSERT_EQ(prepare(x), XA_OK);
    }
    void make_rollback_only(XID x)
    {
        make_active(x);
        ASSERT_EQ(end(x, TMFAIL), XA_OK);
    }
    void make_heuristic(XID x, xa_code code)
    {
        make_prepared(x);
        bank().on(switch_call::commit).answer(code);
        ASSERT_EQ(commit(x), static_cast<int>(code));
    }

    /// On another thread of control, which has opened the switch, and closes it.
    template <class Action>
    void elsewhere(Action const& action)
    {
        std::thread{[&] {
            EXPECT_EQ(open(), XA_OK);
            action();
            EXPECT_EQ(close(), XA_OK);
        }}.join();
    }

    std::size_t count_of_violations() { return bank().violations().size(); }

    std::string const& directory() const { return directory_; }
    void forget_object() { is_.reset(); }

private:
    xa_switch_t const& sw() { return bank().entries(); }
    std::string info() { return bank().info(); }

    std::string directory_;
    std::unique_ptr<strict_switch> is_;
    int const rmid_ = next_rmid();

    static int next_rmid()
    {
        static int last = 0;
        return ++last;
    }
};

class opened : public switches
{
protected:
    void SetUp() override { ASSERT_EQ(open(), XA_OK); }
    void TearDown() override { close(); }
};

}  // namespace switch_test

#endif  // ASSENT_TESTS_UNIT_STRICT_SWITCH_SWITCH_FIXTURE_HPP
