// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_contract_test.cpp -- half messages held to the contract of every adapter, over a broker in
// the process.  Work is a half, and what it does shows when it is released.
//
// What does not apply: a broker has neither statements, sockets nor a lock of the node's, so that
// no call of it can be cancelled or cut from outside, or guarded, and nobody is lent a handle; no
// branch is begun in a mode, or committed in one phase; a half outlives its session, and may be
// ended from any other.  The vote is known when the half was answered, so that nothing is left to
// be waited for; and a session connects to nobody, so that a broker which is stopped in its tracks
// is found by what is asked of it: unit/half has those tests.

#include "adapters/half_messages/driver.hpp"
#include "tests/contract/contract_suite.hpp"
#include "tests/unit/half/fake_broker.hpp"

namespace assent::contract {

namespace {

class half_target : public contract_target
{
public:
    bool has(feature what) const override
    {
        return what == feature::two_phase || what == feature::foreign_branches ||
               what == feature::session_ids || what == feature::several_writers;
    }

    void reset() override
    {
        if (broker_) {
            EXPECT_TRUE(broker_->violations().empty()) << broker_->violations().front();
        }
        broker_ = std::make_shared<half_test::fake_broker>();
    }

    std::shared_ptr<resource_manager_driver> driver() override
    {
        auto const stated =
            half::options{}.unguarded().halves_arrive_within(std::chrono::milliseconds{0});
        return half::resource_manager{"half", broker_, stated}.driver();
    }

    void write_row(driver_session& session, int key) override
    {
        static_cast<half_messages::session&>(session).send({"rows", std::to_string(key)},
                                                           in_seconds(10));
    }
    int count_rows(int key) override { return broker_->shown_of(std::to_string(key)); }
    bool runs_at(driver_session&, isolation level) override { return level == default_level(); }
    isolation default_level() const override { return isolation::read_committed; }
    void make_read_only(driver_session&) override {}

    void prepare_foreign(int key) override { broker_->store(foreign, std::to_string(key)); }
    void commit_foreign() override { broker_->release_by_hand(foreign); }

private:
    static constexpr char foreign[] = "somebody else's";

    std::shared_ptr<half_test::fake_broker> broker_;
};

std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<half_target>();
    return target;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(half, contract, ::testing::Values(&make_target));

}  // namespace assent::contract
