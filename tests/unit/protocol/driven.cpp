// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/unit/protocol/driven.hpp"

#include <stdexcept>

#include "ports/decision_port.hpp"

namespace protocol_test {

namespace {

class forgetful_port : public assent::ports::decision_port
{
public:
    assent::ports::force_result force(assent::ports::decision const& what,
                                      assent::deadline) noexcept override
    {
        return attest(what.global);
    }
};

/// After these a branch is at its end: the specification of xa_prepare, xa_commit, xa_rollback.
bool is_end(verb what, reply_class on)
{
    switch (on) {
        case reply_class::rolled_back:
        case reply_class::left_behind:
            return true;
        case reply_class::ok:
            return what != verb::prepare;
        case reply_class::rdonly:
            return what == verb::prepare;
        case reply_class::rmerr:
            return what == verb::commit || what == verb::commit_one_phase;
        case reply_class::heuristic_commit:
        case reply_class::heuristic_rollback:
        case reply_class::heuristic_mixed:
        case reply_class::heuristic_hazard:
            return what != verb::prepare;
        default:
            return false;
    }
}

}  // namespace

assent::protocol::durable_decision proof()
{
    forgetful_port port;
    auto const forced = port.force({}, {});
    return std::get<assent::protocol::durable_decision>(forced);
}

driven::driven(std::vector<bool> const& is_reader)
{
    for (bool const reader : is_reader)
        add(reader ? branch_role::reader : branch_role::voter);
}

driven::driven(std::initializer_list<branch_role> roles)
{
    for (branch_role const role : roles)
        add(role);
}

driven driven::with(std::vector<branch_role> const& roles)
{
    driven made;
    for (branch_role const role : roles)
        made.add(role);
    return made;
}

void driven::add(branch_role role)
{
    coordinator_.add_branch(role);
    branches_.emplace_back().role = role;
}

std::optional<std::size_t> driven::last_resource() const
{
    for (std::size_t i = 0; i < branches_.size(); ++i) {
        if (branches_[i].role == branch_role::last) return i;
    }
    return std::nullopt;
}

stage driven::advance()
{
    stage const before = coordinator_.now();
    stage const after = coordinator_.advance();
    if (after != before) {
        for (auto& b : branches_)
            b.sends_in_stage = 0;
    }
    return after;
}

void driven::commit(bool is_rollback_only)
{
    coordinator_.commit(is_rollback_only);
    advance();
}

void driven::rollback()
{
    coordinator_.rollback();
    advance();
}

void driven::decide()
{
    auto const last = last_resource();
    if (last && state(*last) == branch_state::row_in_doubt) {
        coordinator_.decision_unknown();
        return;
    }
    if (last && state(*last) != branch_state::committed) {
        coordinator_.decision_refused();
    } else {
        coordinator_.decided(proof());
        is_decided_ = true;
    }
    for (auto& b : branches_)
        b.sends_in_stage = 0;
}

void driven::veto()
{
    coordinator_.veto();
    for (auto& b : branches_)
        b.sends_in_stage = 0;
    advance();
}

void driven::send_all(bool is_first_commit)
{
    for (std::size_t i = 0; i < branches_.size(); ++i) {
        branch& b = branches_[i];
        verb what = verb::start;
        if (!coordinator_.send(i, what, is_first_commit)) continue;

        EXPECT_EQ(++b.sends_in_stage, 1) << "two verbs for branch " << i << " in one stage";
        EXPECT_FALSE(b.sent) << "a verb for branch " << i << ", which has not answered";
        EXPECT_NE(what, verb::start);
        EXPECT_FALSE(b.last_verb != verb::start && is_end(b.last_verb, b.last))
            << "a verb for branch " << i << " after its end";
        EXPECT_TRUE(what != verb::commit || is_decided_) << "a commit before the decision";
        EXPECT_TRUE(what != verb::rollback || !is_decided_) << "a rollback after the decision";
        if (what == verb::prepare || (what == verb::commit_one_phase && !b.is_voted_read)) {
            EXPECT_EQ(b.last_verb, verb::start) << "a second beginning of the end";
        }
        if (b.is_voted_read && what == verb::commit_one_phase) {
            EXPECT_TRUE(is_committed()) << "a read-only branch took effect before the whole did";
        }
        if (what == verb::commit) {
            EXPECT_TRUE(b.last_verb == verb::prepare && b.last == reply_class::ok)
                << "a commit without a yes";
        }
        b.had_commit |= what == verb::commit || (what == verb::commit_one_phase &&
                                                 !b.is_voted_read && b.role != branch_role::reader);
        b.is_repeat = what == verb::commit && !is_first_commit;
        b.has_row = now() == stage::deciding;
        b.sent = what;
    }
}

/// Whoever wrote has committed, or nobody did write, or the decision is durable.
bool driven::is_committed() const
{
    for (auto const& b : branches_) {
        bool const is_read =
            b.role == branch_role::reader || b.is_voted_read || b.last == reply_class::rdonly;
        bool const is_done = b.last_verb == verb::commit_one_phase &&
                             (b.last == reply_class::ok || b.last == reply_class::heuristic_commit);
        if (!is_decided_ && !is_read && !is_done) return false;
    }
    return true;
}

follow_up driven::answer(std::size_t i, reply_class what)
{
    branch& b = branches_[i];
    if (!b.sent) throw std::logic_error("nothing to answer");
    b.last_verb = *b.sent;
    b.last = what;
    b.is_voted_read |= b.last_verb == verb::prepare && what == reply_class::still_open;
    b.sent.reset();
    follow_up const then = coordinator_.on_reply(i, what);
    advance();
    return then;
}

void driven::answer_all(std::vector<reply_class> const& replies,
                        std::vector<std::size_t> const& order)
{
    for (std::size_t const i : order) {
        if (branches_[i].sent) answer(i, replies[i]);
    }
}

void driven::run_to_end(std::function<reply_class(std::size_t, verb)> const& reply)
{
    for (int rounds = 0; now() != stage::ended && now() != stage::undecided; ++rounds) {
        ASSERT_LT(rounds, 8) << "the coordinator does not come to an end";
        // A last resource is sent its commit first; what it answered is then the decision.
        auto const last = last_resource();
        bool const is_asked = !last || state(*last) != branch_state::active;
        if (now() == stage::deciding && is_asked) decide();
        send_all();
        for (std::size_t i = 0; i < branches_.size(); ++i) {
            if (branches_[i].sent) answer(i, reply(i, *branches_[i].sent));
        }
        // Where nothing was due, nothing was answered either, and the stage is over.
        if (now() != stage::deciding && now() != stage::ended) advance();
    }
}

}  // namespace protocol_test
