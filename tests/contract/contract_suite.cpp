// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// contract_suite.cpp -- the fixture that every contract test shares.

#include "tests/contract/contract_suite.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "tests/contract/matrix.hpp"

namespace assent::contract {

using namespace std::chrono_literals;

namespace {

std::uint64_t node_of_this_run()
{
    static std::uint64_t const node = [] {
        std::random_device random;
        return std::uint64_t{random()} << 32 | random();
    }();
    return node;
}

}  // namespace

deadline in_seconds(int count)
{
    return std::chrono::steady_clock::now() + std::chrono::seconds(count);
}

bool eventually(std::function<bool()> const& condition)
{
    deadline const until = in_seconds(10);
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= until) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

void contract::SetUp()
{
    target_ = GetParam()();
    if (auto const client = target_->client_version(); !client.empty()) {
        count_for(client, target_->server_version());
    }
    if (auto const why = target_->why_missing(); !why.empty()) GTEST_SKIP() << why;
    target_->reset();
    driver_ = target_->driver();
}

void contract::TearDown()
{
    driver_.reset();
}

contract::session_ptr contract::open(session_purpose purpose)
{
    return driver_->connect(purpose, in_seconds(10));
}

server_facts contract::facts()
{
    auto const manage = open(session_purpose::manage);
    return driver_->preflight(*manage, in_seconds(10));
}

xid contract::next_xid(driver_session const& session)
{
    static std::uint64_t sequence = 0;
    return {gtrid::make({decision_place::log, 0, node_of_this_run(), 1, 0x5a5a5a, ++sequence}),
            bqual::make({1, 1, session.id()})};
}

reply contract::run(driver_session& session, verb v, xid const& x)
{
    session.submit(v, x);
    auto answer = session.collect(in_seconds(10));
    if (!answer) throw std::runtime_error("no answer within ten seconds");
    return *answer;
}

contract::started contract::start_branch(int key, branch_modes const& begun)
{
    return start_on(*driver_, key, begun);
}

contract::started contract::start_on(resource_manager_driver& from, int key,
                                     branch_modes const& modes)
{
    started branch{from.connect(session_purpose::work, in_seconds(10)), {}};
    branch.session->declare(modes);
    branch.id = next_xid(*branch.session);
    reply const begun = run(*branch.session, verb::start, branch.id);
    if (!begun.is_ok()) throw std::runtime_error("start failed: " + begun.text);
    target_->write_row(*branch.session, key);
    return branch;
}

std::string contract::refusal_of(void* handle)
{
    try {
        driver_->borrow(handle, facts(), in_seconds(10));
    } catch (driver_error const& error) {
        return error.what();
    }
    return "it was not refused";
}

contract::started contract::prepare_branch(int key)
{
    started branch = start_branch(key);
    reply const vote = run(*branch.session, verb::prepare, branch.id);
    if (!vote.is_ok()) throw std::runtime_error("prepare failed: " + vote.text);
    return branch;
}

bool contract::is_listed(xid const& x)
{
    auto const manage = open(session_purpose::manage);
    auto const seen = driver_->scan(*manage, in_seconds(10));
    return std::find(seen.ours.begin(), seen.ours.end(), x) != seen.ours.end();
}

void contract::finish_elsewhere(verb v, xid const& x)
{
    // An owner that has just gone may keep its branch for some milliseconds (MariaDB answers NOTA
    // meanwhile), and a busy server says so: both mean "ask again", bounded by the deadline.
    auto const manage = open(session_purpose::manage);
    deadline const until = in_seconds(10);
    reply last;
    while (std::chrono::steady_clock::now() < until) {
        last = run(*manage, v, x);
        if (last.is_ok()) return;
        if (last.code != xa_code::retry && last.code != xa_code::nota &&
            last.detail != reply_detail::read_only_owner_left) {
            break;
        }
        if (!is_listed(x)) return;
        std::this_thread::sleep_for(5ms);
    }
    throw std::runtime_error("the branch could not be finished: " + last.text);
}

void contract::roll_back_lost(std::uint64_t session, xid const& x)
{
    auto const manage = open(session_purpose::manage);
    bool const is_over = eventually([&] {
        bool const is_gone =
            driver_->presence(*manage, session, in_seconds(10)) == session_presence::gone;
        run(*manage, verb::rollback, x);
        return is_gone && !is_listed(x);
    });
    if (!is_over) throw std::runtime_error("the branch of a lost session could not be ended");
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(contract);

}  // namespace assent::contract
