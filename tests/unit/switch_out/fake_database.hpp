// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// fake_database.hpp -- a driver whose servers say what a test wants, and where its connect string
// leads.

#ifndef ASSENT_TESTS_UNIT_SWITCH_OUT_FAKE_DATABASE_HPP
#define ASSENT_TESTS_UNIT_SWITCH_OUT_FAKE_DATABASE_HPP

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/switch_out/settings.hpp"

namespace assent::switch_out {

struct fake_server
{
    std::string identity = "one";
    server_life life{"instance", "start"};
    std::string history = "1";
    std::string one_phase_hazard;
    std::vector<dialects::branch_name> prepared;
    bool is_list_there = true;
    session_presence presence = session_presence::present;
    std::vector<std::uint64_t> others;  ///< the other sessions of the account
    std::deque<reply> replies;          ///< to what ends a branch; else ok
    std::vector<verb> heard;
};

/// What the tests change.
struct fake_world
{
    fake_server* reached = nullptr;
    bool keeps_prepared = false;
    std::uint64_t last_number = 0;
};

inline fake_world& world()
{
    static fake_world one;
    return one;
}

class fake_session final : public driver_session, public dialects::any_branch_session
{
public:
    fake_server& at = *world().reached;

    std::uint64_t id() const noexcept override { return id_; }
    server_life life() const override { return life_; }
    void* native_handle() noexcept override { return this; }
    int descriptor() const noexcept override { return -1; }
    void declare(branch_modes const&) noexcept override {}
    void submit(verb, xid const&) noexcept override {}
    void submit_any(verb v, dialects::branch_name const&) noexcept override
    {
        at.heard.push_back(v);
        said_ = reply{};
        if (v == verb::start || at.replies.empty()) return;
        said_ = at.replies.front();
        at.replies.pop_front();
    }
    void let_go() noexcept override {}
    std::optional<reply> collect(deadline) noexcept override { return std::exchange(said_, {}); }
    bool is_reusable() const noexcept override { return true; }
    void sever() noexcept override {}
    void abandon() noexcept override {}

private:
    std::uint64_t const id_ = ++world().last_number;
    server_life const life_ = at.life;
    std::optional<reply> said_;
};

class fake_driver final : public resource_manager_driver, public dialects::any_branch_driver
{
public:
    std::string const& name() const noexcept override { return name_; }
    driver_capabilities capabilities() const noexcept override
    {
        driver_capabilities can;
        can.stays_attached_after_prepare = world().keeps_prepared;
        return can;
    }
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline) override
    {
        auto opened = std::make_unique<fake_session>();
        bool const is_stranger = held_to_ && *held_to_ != opened->at.identity;
        if (purpose == session_purpose::work && is_stranger) throw driver_error("another server");
        return opened;
    }
    server_facts preflight(driver_session& manage, deadline until) override
    {
        auto facts = facts_of(manage, until);
        hold_to(manage, facts);
        return facts;
    }
    server_facts facts_of(driver_session& manage, deadline) override
    {
        server_facts facts;
        facts.identity = at(manage).identity;
        facts.history = at(manage).history;
        facts.one_phase_hazard = at(manage).one_phase_hazard;
        return facts;
    }
    void hold_to(driver_session&, server_facts const& seen) override { held_to_ = seen.identity; }
    dialects::any_branch_list list_any(driver_session& manage, deadline) override
    {
        auto const& from = at(manage);
        if (!from.is_list_there) throw driver_error("no list");
        return {from.prepared, from.identity, from.life, from.history, true};
    }
    std::vector<std::uint64_t> other_sessions(driver_session& manage, deadline) override
    {
        return at(manage).others;
    }
    session_presence presence(driver_session& manage, std::uint64_t, deadline) override
    {
        return at(manage).presence;
    }

    // No switch calls these.
    std::unique_ptr<driver_session> borrow(void*, server_facts const&, deadline) override
    {
        return nullptr;
    }
    scan_result scan(driver_session&, deadline) override { return {}; }
    bool try_guard(driver_session&, std::uint64_t, deadline) override { return false; }
    void heartbeat(driver_session&, deadline) override {}
    session_presence sessions_before(driver_session&, std::uint64_t, deadline) override
    {
        return session_presence::unknown;
    }
    void cancel_statement(driver_session&, std::uint64_t, deadline) override {}
    void end_session(driver_session&, std::uint64_t, deadline) override {}
    witness_state ask_witness(driver_session&, std::string const&, deadline) override
    {
        return witness_state::unknown;
    }

private:
    static fake_server& at(driver_session& any) { return dynamic_cast<fake_session&>(any).at; }

    std::string const name_ = "fake";
    std::optional<std::string> held_to_;
};

inline std::shared_ptr<resource_manager_driver> make_fake(std::string const&, settings const&)
{
    return std::make_shared<fake_driver>();
}

}  // namespace assent::switch_out

#endif  // ASSENT_TESTS_UNIT_SWITCH_OUT_FAKE_DATABASE_HPP
