// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// hearing.cpp -- one exchange with all branches: the stage's verb is sent to each, then each is
// heard, so that they overlap.
//
// Invariant: a reply is read, or it is lost; none is made up.

#include <string_view>
#include <utility>

#include "engine/termination.hpp"

namespace assent::engine {

using protocol::reply_class;

/// Sends the stage's verb to every branch, then collects every reply.
void termination::exchange(deadline until)
{
    send_all();
    hear_rest(until);
}

void termination::send_all()
{
    auto& coordinator = tx_.coordinator;
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        branch& b = *tx_.branches[i];
        verb next{};
        if (!coordinator.send(i, next)) continue;
        b.last_verb = next;
        if (!b.is_connected) continue;
        tell_step(b, step::before);
        // Before PREPARE leaves: a term that begins while it is under way would hide a gap in which
        // a copy of this log may have rolled the branch back.
        if (next == verb::prepare) b.asked_in_term = b.rm->guard_term();
        b.session->submit(next, b.id);
        tell_step(b, step::sent);
    }
}

void termination::hear_rest(deadline until)
{
    for (std::size_t i = 0; i < tx_.branches.size(); ++i) {
        if (protocol::is_outstanding(tx_.coordinator.state(i))) hear(i, until);
    }
}

/// Collects the reply of branch `i`, whose verb is out.
void termination::hear(std::size_t i, deadline until)
{
    if (!listen(i, until)) lose_reply(i, until);
}

/// @return whether it has answered.
bool termination::listen(std::size_t i, deadline until)
{
    branch& b = *tx_.branches[i];
    if (!b.is_connected) {
        apply(i, reply_class::rmfail);
        return true;
    }
    auto answer = b.session->collect(until);
    if (!answer) return false;
    b.last_reply = std::move(*answer);
    tell_step(b, step::reply);
    bool const is_lost = b.last_reply.detail == reply_detail::reply_lost;
    if (is_lost) lose(b);
    apply(i, protocol::classify(b.last_reply));
    return true;
}

/// Nobody waits for it any more.
void termination::lose_reply(std::size_t i, deadline until)
{
    branch& b = *tx_.branches[i];
    b.last_reply = {};
    b.last_reply.code = xa_code::rmfail;
    b.last_reply.detail = reply_detail::reply_lost;
    b.last_reply.text = "no reply in time";
    lose(b);
    // Once cut, the session says what it had learned: that COMMIT never left, or whom to
    // ask about it.
    auto cut = b.session->collect(until);
    if (cut && cut->detail != reply_detail::reply_lost) {
        b.last_reply = std::move(*cut);
        apply(i, protocol::classify(b.last_reply));
        return;
    }
    if (cut) b.last_reply.witness = std::move(cut->witness);
    apply(i, reply_class::silent);
}

/// The steps of an ending, as events; a crash test kills the process in them.
std::string_view termination::step_name(branch const& b, step at) noexcept
{
    verb const what = b.last_verb;
    struct names
    {
        std::string_view before, sent, reply;
    };
    constexpr names prepare{"branch.prepare", "branch.prepare.sent", "branch.prepare.reply"};
    constexpr names commit{"branch.commit", "branch.commit.sent", "branch.commit.reply"};
    constexpr names one_phase{"branch.one_phase", "branch.one_phase.sent",
                              "branch.one_phase.reply"};
    constexpr names row{"branch.commit_row", "branch.commit_row.sent", "branch.commit_row.reply"};
    constexpr names rollback{"branch.rollback", "branch.rollback.sent", "branch.rollback.reply"};
    constexpr names other{"branch.other", "branch.other.sent", "branch.other.reply"};

    names const& of = b.carries_row                    ? row
                      : what == verb::prepare          ? prepare
                      : what == verb::commit           ? commit
                      : what == verb::commit_one_phase ? one_phase
                      : what == verb::rollback         ? rollback
                                                       : other;
    return at == step::before ? of.before : at == step::sent ? of.sent : of.reply;
}

void termination::tell_step(branch const& b, step at) const
{
    if (!shared_.is_observed()) return;
    shared_.tell(severity::debug, step_name(b, at), b.rm->name(), b.id.text(),
                 at == step::reply ? std::string_view{b.last_reply.text} : std::string_view{});
}

}  // namespace assent::engine
