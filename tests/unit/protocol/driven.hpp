// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// driven.hpp -- a coordinator, driven by hand: every verb that it sends is noted and checked.
//
// The checks are those that hold for every sequence of replies, so each test makes them all: one
// verb a branch and stage, no commit before the decision, no verb after the branch's end.

#ifndef ASSENT_TESTS_UNIT_PROTOCOL_DRIVEN_HPP
#define ASSENT_TESTS_UNIT_PROTOCOL_DRIVEN_HPP

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "protocol/coordinator.hpp"

namespace assent::protocol {

// For messages of failed tests.
inline std::ostream& operator<<(std::ostream& out, branch_state what)
{
    return out << name_of(what);
}
inline std::ostream& operator<<(std::ostream& out, reply_class what)
{
    return out << name_of(what);
}

}  // namespace assent::protocol

namespace protocol_test {

using assent::verb;
using assent::protocol::branch_role;
using assent::protocol::branch_state;
using assent::protocol::follow_up;
using assent::protocol::reply_class;
using assent::protocol::stage;
using assent::protocol::verdict;

/// A proof that a decision is durable, from a port that keeps none.
assent::protocol::durable_decision proof();

class driven
{
public:
    /// What one branch was sent and told; `last` is meaningless until it was answered.
    struct branch
    {
        branch_role role = branch_role::voter;
        std::optional<verb> sent;  // and not answered
        verb last_verb = verb::start;
        reply_class last = reply_class::unknown;
        bool had_commit = false;     // either kind
        bool is_repeat = false;      // its commit was not the first
        bool has_row = false;        // its commit carried the decision
        bool is_voted_read = false;  // it voted yes, and is to be ended with the outcome
        int sends_in_stage = 0;
    };

    /// One branch for each flag: true for a branch declared read-only.
    explicit driven(std::vector<bool> const& is_reader);
    explicit driven(std::initializer_list<branch_role> roles);
    static driven with(std::vector<branch_role> const& roles);

    void commit(bool is_rollback_only = false);
    void rollback();
    /// The decision, as its place gives it: the log always can; a last resource is sent its commit,
    /// and what it answered decides.
    void decide();
    void veto();

    /// Lets the coordinator send whatever is due now; commits count as repeats when told so.
    void send_all(bool is_first_commit = true);
    follow_up answer(std::size_t i, reply_class what);
    /// Answers every outstanding verb in this order of branches.
    void answer_all(std::vector<reply_class> const& replies, std::vector<std::size_t> const& order);

    /// A later word on branch `i`: a scan, a witness.
    follow_up hear(std::size_t i, reply_class what) { return coordinator_.on_reply(i, what); }

    std::optional<verb> outstanding(std::size_t i) const { return branches_[i].sent; }
    branch_state state(std::size_t i) const { return coordinator_.state(i); }
    stage now() const { return coordinator_.now(); }
    verdict outcome() const { return coordinator_.outcome(); }
    branch const& seen(std::size_t i) const { return branches_[i]; }
    std::size_t size() const { return branches_.size(); }
    assent::protocol::coordinator& raw() { return coordinator_; }
    std::optional<std::size_t> last_resource() const;

    /// All answer as `reply` says (branch, verb) until the end, or until nobody knows the decision.
    void run_to_end(std::function<reply_class(std::size_t, verb)> const& reply);

private:
    driven() = default;
    void add(branch_role role);
    bool is_committed() const;
    stage advance();

    assent::protocol::coordinator coordinator_;
    std::vector<branch> branches_;
    bool is_decided_ = false;
};

}  // namespace protocol_test

#endif  // ASSENT_TESTS_UNIT_PROTOCOL_DRIVEN_HPP
