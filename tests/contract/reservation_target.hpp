// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reservation_target.hpp -- reservations held to the contract: over another target, whose database
// holds the table.  Work is an attempt, and what it does shows when it is confirmed.
//
// What does not apply: no handle is lent, and no branch is begun in a mode; nothing of another
// layout is in the table; and a row, unlike a branch that is not prepared, outlives its session.

#ifndef ASSENT_TESTS_CONTRACT_RESERVATION_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_RESERVATION_TARGET_HPP

#include <memory>
#include <string>
#include <utility>

#include "adapters/reservations/driver.hpp"
#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

class reservation_target : public contract_target
{
public:
    explicit reservation_target(std::shared_ptr<contract_target> in) : in_(std::move(in)) {}

    bool has(feature what) const override
    {
        switch (what) {
            case feature::foreign_branches:
            case feature::borrowed_handles:
            case feature::busy_handles:
            case feature::modes:
            case feature::one_phase:
            case feature::session_work:
            case feature::session_ends:
            case feature::polled_votes:
                return false;
            default:
                return in_->has(what);
        }
    }
    std::string why_missing() const override { return in_->why_missing(); }
    void reset() override
    {
        in_->reset();
        auto const at = driver();
        auto const manage = at->connect(session_purpose::manage, in_seconds(10));
        for (xid const& left : at->scan(*manage, in_seconds(10)).ours) {
            manage->submit(verb::rollback, left);
            manage->collect(in_seconds(10));
        }
    }

    std::shared_ptr<resource_manager_driver> driver() override
    {
        tcc::handlers how;
        how.attempt = [](tcc::call&) {};
        how.confirm = [this](tcc::call& of) {
            shown_handle on{of.handle()};
            in_->write_row(on, std::stoi(of.payload()));
        };
        how.cancel = [](tcc::call&) {};
        assent::resource_manager const where{in_->driver()};
        auto made = tcc::resource_manager{"reserved", where, how}.driver();
        auto const manage = made->connect(session_purpose::manage, in_seconds(10));
        made->preflight(*manage, in_seconds(10));  // which makes the table
        return made;
    }

    void write_row(driver_session& session, int key) override
    {
        own(session).attempt(std::to_string(key), in_seconds(10));
    }
    int count_rows(int key) override { return in_->count_rows(key); }
    bool runs_at(driver_session& session, isolation level) override
    {
        return in_->runs_at(own(session).database(), level);
    }
    isolation default_level() const override { return in_->default_level(); }
    void make_read_only(driver_session& session) override
    {
        in_->make_read_only(own(session).database());
    }
    void kill_session(std::uint64_t id) override { in_->kill_session(id); }
    void freeze() override { in_->freeze(); }
    void thaw() override { in_->thaw(); }
    void crash() override { in_->crash(); }
    void start() override { in_->start(); }
    void restart() override { in_->restart(); }
    void restart_elsewhere() override { in_->restart_elsewhere(); }
    std::future<bool> run_blocked(driver_session& session) override
    {
        return in_->run_blocked(own(session).database());
    }
    void release_blocker() override { in_->release_blocker(); }

private:
    /// All that a target needs of a session to run a statement on it.
    class shown_handle final : public driver_session
    {
    public:
        explicit shown_handle(void* handle) noexcept : handle_(handle) {}
        std::uint64_t id() const noexcept override { return 0; }
        void* native_handle() noexcept override { return handle_; }
        int descriptor() const noexcept override { return -1; }
        void declare(branch_modes const&) noexcept override {}
        void submit(verb, xid const&) noexcept override {}
        std::optional<reply> collect(deadline) noexcept override { return std::nullopt; }
        bool is_reusable() const noexcept override { return false; }
        void sever() noexcept override {}
        void abandon() noexcept override {}

    private:
        void* const handle_;
    };

    static reservations::session& own(driver_session& any)
    {
        return static_cast<reservations::session&>(any);
    }

    std::shared_ptr<contract_target> const in_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_RESERVATION_TARGET_HPP
