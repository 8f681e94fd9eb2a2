// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// conversation_replies.cpp -- what each statement's answer means, and what is sent next.
//
// Each before_ and after_ function takes the answer to one statement, and gives the verb's reply,
// or nothing when the conversation goes on with what stands in steps_.

#include <utility>

#include "adapters/dialects/mysql/conversation.hpp"
#include "adapters/dialects/mysql/error.hpp"

namespace assent::mysql_dialect {

namespace {

constexpr unsigned read_only_transaction = 1792;

constexpr char row_in_read_only_text[] =
    "the application made the transaction READ ONLY (SET TRANSACTION, or transaction_read_only), "
    "and a commit row cannot be written into it: begin without one, or with "
    "begin_options{}.read_only(false)";

constexpr char left_text[] =
    "the session left the branch without the manager's doing: work done since is permanent or lost";

/// What keeps a row out, in words that say what to do.
answer named(answer said)
{
    if (said.code == read_only_transaction) said.text = row_in_read_only_text;
    return said;
}

// What a session says to one phase, or to rollback, of a branch that is not the one it has ended.
// An ended branch is IDLE, and MySQL would obey for its own: so with this word it means another.
bool is_of_another_branch(answer const& said)
{
    return said.code == code::xaer_nota || said.code == code::xaer_outside ||
           state_in(said) == session_state::idle;
}

}  // namespace

reply conversation::left_behind(answer const& said, std::string text)
{
    reply gone;
    gone.code = xa_code::proto;
    gone.detail = reply_detail::left_behind;
    gone.native_code = static_cast<int>(said.code);
    gone.sqlstate = said.sqlstate;
    gone.text = std::move(text);
    return gone;
}

std::optional<reply> conversation::before_start(answer const& said)
{
    if (said.code == 0) return std::nullopt;
    attachment_ = attachment::none;
    return to_reply(said, verb_, false);
}

std::optional<reply> conversation::after_start(answer const& said)
{
    if (said.code == 0) {
        attachment_ = attachment::active;
        if (said.is_in_transaction.value_or(true)) {
            if (steps_.empty()) return reply{};
            // Where the flag was seen before anything else is sent, nobody need ask.
            if (said.is_in_transaction && must_send() && steps_.front() == step::savepoint) {
                steps_.erase(steps_.begin(), steps_.begin() + 2);
            }
            return std::nullopt;
        }
        // Something between us and the server answers in its place.
        reply strange;
        strange.code = xa_code::proto;
        strange.text = "XA START was answered, but the session is in no transaction";
        return strange;
    }
    // After an interrupt the branch may have begun; after any other error it has not.
    if (!is_interrupted(said.code)) attachment_ = attachment::none;
    return to_reply(said, verb_, false);
}

/// Ours, so whatever they cannot do the branch is not begun for.
std::optional<reply> conversation::after_lead(answer const& said)
{
    if (said.code != 0) return turn_to_end(said);
    lead_.erase(lead_.begin());
    if (!std::exchange(has_led_, true)) led_ = said.rows;
    if (!steps_.empty()) return std::nullopt;
    return reply{};
}

/// A branch whose row could not be written does not begin.
std::optional<reply> conversation::after_trial(answer const& said)
{
    if (said.code == 0) return reply{};
    return turn_to_end(named(said));
}

/// Anything but OK: the row is not inserted, and the branch, if it is still there, undone.
std::optional<reply> conversation::before_row(answer const& said)
{
    if (said.code == 0) return std::nullopt;
    return turn_to_end(said);
}

std::optional<reply> conversation::after_row(answer const& said)
{
    if (said.code != 0) return turn_to_end(named(said));
    has_row_ = true;
    return std::nullopt;
}

std::optional<reply> conversation::after_end(answer const& said)
{
    session_state const state = state_in(said);
    if (said.code == 0) {
        is_proven_ = true;
        attachment_ = attachment::ended;
        if (said.is_in_transaction.value_or(true)) return std::nullopt;
        attachment_ = attachment::none;
        return left_behind(said, left_text);
    }
    if (is_rollback_only(said)) {
        is_proven_ = true;
        attachment_ = attachment::ended;
        return turn_to_rollback(said);
    }
    // The application has ended, or even prepared, the branch itself.  Whether it is *this*
    // branch, the next statement's answer tells.
    if (state == session_state::idle) return std::nullopt;
    if (state == session_state::prepared && verb_ == verb::rollback) return std::nullopt;
    if (said.code == code::xaer_nota || state == session_state::non_existing) {
        bool const never_began = attachment_ == attachment::unsure;
        attachment_ = attachment::none;
        if (never_began && verb_ == verb::rollback) return reply{};
        return left_behind(said, left_text);
    }
    // A 1399 without a word that we know: XA ROLLBACK tells an attached branch from a lost one.
    if (said.code == code::xaer_rmfail && state == session_state::unnamed) {
        return turn_to_rollback(said);
    }
    return to_reply(said, verb_, false);
}

/// The vote of a branch that was declared read-only.  It is attached, and nothing that the server
/// still does for XA COMMIT of what wrote nothing can be refused.
reply conversation::still_open() const
{
    reply said;
    said.code = xa_code::rdonly;
    said.detail = reply_detail::still_open;
    said.text = "the branch is read-only: it ends with the outcome";
    return said;
}

// Replaces whatever was asked by a rollback, and remembers why.
std::optional<reply> conversation::turn_to_rollback(answer const& cause)
{
    if (verb_ != verb::rollback) cause_ = cause;
    steps_.assign(1, step::rollback);
    sent_ = 0;
    return std::nullopt;
}

std::optional<reply> conversation::turn_to_end(answer const& cause)
{
    cause_ = cause;
    steps_ = {step::end, step::rollback};
    sent_ = 0;
    return std::nullopt;
}

std::optional<reply> conversation::after_prepare(answer const& said)
{
    if (said.code == 0) {
        attachment_ = attachment::prepared;
        return reply{};
    }
    if (said.code == code::xaer_nota || state_in(said) == session_state::non_existing) {
        attachment_ = attachment::none;
        return left_behind(said, left_text);
    }
    // Of these the server says, or was seen, to have rolled back; XA ROLLBACK confirms it, with OK
    // where it kept the name and with NOTA where it did not.
    if (is_rollback_only(said) || said.code == code::deadlock ||
        said.code == code::lock_wait_timeout) {
        is_proven_ = true;
        return turn_to_rollback(said);
    }
    return to_reply(said, verb_, false);
}

std::optional<reply> conversation::after_one_phase(answer const& said)
{
    if (said.code == 0) {
        attachment_ = attachment::none;
        return reply{};
    }
    if (is_rollback_only(said) || said.code == code::deadlock ||
        said.code == code::lock_wait_timeout) {
        is_proven_ = true;
        return turn_to_rollback(said);
    }
    // The application had ended some branch itself, and it was not this one.
    if (!is_proven_ && (said.code == code::xaer_inval || is_of_another_branch(said))) {
        attachment_ = attachment::none;
        return left_behind(said, left_text);
    }
    // XA ROLLBACK answered OK proves that it had not committed; anything else proves nothing.
    if (is_interrupted(said.code)) {
        is_proven_ = false;
        return turn_to_rollback(said);
    }
    return to_reply(said, verb_, false);
}

std::optional<reply> conversation::after_commit(answer const& said)
{
    if (said.code == 0) {
        if (owns(attachment::prepared)) attachment_ = attachment::none;
        return reply{};
    }
    return to_reply(said, verb_, owns(attachment::prepared));
}

std::optional<reply> conversation::after_rollback(answer const& said)
{
    // NOTA is the end only where the branch was attached to this very session a moment ago.
    bool const is_gone = said.code == 0 || (said.code == code::xaer_nota && is_proven_);
    if (is_gone) {
        if (branch_ == asked_) attachment_ = attachment::none;
        if (!cause_) return reply{};
        reply vote = to_reply(*cause_, verb_, true);
        vote.code = rollback_code(*cause_);
        vote.detail = reply_detail::none;
        return vote;
    }
    if (cause_ && is_interrupted(cause_->code)) return to_reply(*cause_, verb_, false);
    bool const was_here = owns(attachment::active) || owns(attachment::unsure);
    if (was_here && is_of_another_branch(said)) {
        attachment_ = attachment::none;
        return left_behind(said, left_text);
    }
    return to_reply(said, cause_ ? verb_ : verb::rollback, owns(attachment::prepared));
}

}  // namespace assent::mysql_dialect
