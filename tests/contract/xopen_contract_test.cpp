// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xopen_contract_test.cpp -- the contract, on the strict switch.
//
// What does not apply: a switch has no statements, sockets or handles, so nothing of it can be
// frozen, cancelled, lent or killed from outside; its routines return when they are done, so that
// requests do not overlap; and it cannot be told how a branch is begun.

#include <stdlib.h>

#include <cstring>
#include <filesystem>

#include <xopen/xa.h>
#include <assent/testing_switch.hpp>
#include <assent/xopen.hpp>

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

namespace {

using assent::testing::strict_switch;

class switch_target : public contract_target
{
public:
    switch_target()
    {
        std::string made = (std::filesystem::temp_directory_path() / "switch.XXXXXX").string();
        directory_ = ::mkdtemp(made.data());
    }
    ~switch_target() override
    {
        bank_.reset();
        std::filesystem::remove_all(directory_);
    }

    bool has(feature what) const override
    {
        switch (what) {
            case feature::crash:
            case feature::foreign_branches:
            case feature::two_phase:
            case feature::session_ids:
            case feature::several_writers:
            case feature::one_phase:
            case feature::session_work:
            case feature::session_ends:
            case feature::polled_votes:
                return true;
            default:
                return false;
        }
    }

    void reset() override
    {
        if (bank_) {
            EXPECT_TRUE(bank_->violations().empty()) << bank_->violations().front();
        }
        bank_ = std::make_unique<strict_switch>(
            testing::switch_options{directory_ + "/bank" + std::to_string(++made_)});
    }

    std::shared_ptr<resource_manager_driver> driver() override
    {
        using namespace std::chrono_literals;
        return xopen::resource_manager{
            "switch", bank_->entries(), bank_->info(),
            xopen::options{}.identity("strict").unguarded().sessions_end_within(0ms)}
            .driver();
    }

    void write_row(driver_session&, int key) override { bank_->add(std::to_string(key), 1); }
    int count_rows(int key) override { return static_cast<int>(bank_->value(std::to_string(key))); }
    bool runs_at(driver_session&, isolation level) override { return level == default_level(); }
    isolation default_level() const override { return isolation::serializable; }
    void make_read_only(driver_session&) override {}

    void prepare_foreign(int key) override
    {
        auto const& sw = bank_->entries();
        int const rmid = 1'000'000 + made_;
        std::string info = bank_->info();
        auto name = foreign();
        auto const require = [](int answer) {
            if (answer != XA_OK) throw std::runtime_error("the foreign branch was refused");
        };
        require(sw.xa_open_entry(info.data(), rmid, TMNOFLAGS));
        require(sw.xa_start_entry(&name, rmid, TMNOFLAGS));
        bank_->add(std::to_string(key), 1);
        require(sw.xa_end_entry(&name, rmid, TMSUCCESS));
        require(sw.xa_prepare_entry(&name, rmid, TMNOFLAGS));
        require(sw.xa_close_entry(info.data(), rmid, TMNOFLAGS));
    }
    void commit_foreign() override { bank_->settle("foreign.branch", true); }

    void crash() override { bank_->stay_dead(); }
    void start() override { bank_->revive(); }
    void restart() override { bank_->die(); }

private:
    static XID foreign()
    {
        XID name{};
        name.formatID = 0x41534e31;  // even with ours it is not of our layout
        name.gtrid_length = 7;
        name.bqual_length = 6;
        std::memcpy(name.data, "foreignbranch", 13);
        return name;
    }

    std::string directory_;
    int made_ = 0;
    std::unique_ptr<strict_switch> bank_;
};

std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<switch_target>();
    return target;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(xopen, contract, ::testing::Values(&make_target));

}  // namespace assent::contract
