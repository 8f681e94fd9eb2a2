// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// conversation.cpp -- what each statement's answer means, and what is sent next.
//
// Each after_ function takes the answer to one statement, and gives the verb's reply, or nothing
// when the conversation goes on with what stands in steps_.

#include "adapters/dialects/mysql/conversation.hpp"

#include <utility>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect {

namespace {

constexpr char left_text[] =
    "the session left the branch behind our back: work done since is permanent or gone";

// What a session says to one phase, or to rollback, of a branch that is not the one it has ended.
// An ended branch is IDLE, and MySQL would obey for its own: so with this word it means another.
bool is_of_another_branch(answer const& said)
{
    return said.code == code::xaer_nota || said.code == code::xaer_outside ||
           state_in(said) == session_state::idle;
}

}  // namespace

conversation::conversation()
{
    steps_.reserve(8);
    asked_text_.reserve(128);
}

bool conversation::owns(attachment how) const noexcept
{
    return attachment_ == how && branch_ == asked_;
}

bool conversation::is_of_session(xid const& x) const noexcept
{
    return attachment_ != attachment::none && branch_ == x;
}

bool conversation::has_prepared(xid const& x) const noexcept
{
    return attachment_ == attachment::prepared && branch_ == x;
}

bool conversation::is_clear() const noexcept
{
    return is_sound_ && !is_spoiled_ && attachment_ == attachment::none && steps_.empty();
}

std::optional<reply> conversation::begin(verb v, xid const& x)
{
    verb_ = v;
    asked_ = x;
    steps_.clear();
    sent_ = 0;
    is_proven_ = false;
    has_row_ = false;
    cause_.reset();
    reply said;
    if (v == verb::forget) {
        said.code = xa_code::nota;
        said.text = "this server keeps no branches that it completed by itself";
        return said;
    }
    auto text = render(x);
    if (!text) {
        said.code = xa_code::inval;
        said.text = "the xid holds a byte that ours never have";
        return said;
    }
    asked_text_ = std::move(*text);
    if (v == verb::start) {
        branch_ = x;
        attachment_ = attachment::unsure;
    }
    steps_ = plan_for(v);
    if (v == verb::start) {
        is_read_only_next_ = false;
        carried_.clear();
    }
    return std::nullopt;
}

std::vector<conversation::step> conversation::plan_for(verb v) const
{
    bool const must_end = owns(attachment::active) || owns(attachment::unsure);
    switch (v) {
        case verb::start: {
            std::vector<step> steps(preamble_.size(), step::preamble);
            if (is_read_only_next_) steps.push_back(step::read_only);
            steps.push_back(step::start);
            return steps;
        }
        case verb::prepare:
            return {step::end, step::prepare};
        case verb::commit_one_phase:
            if (!carried_.empty()) {
                return {step::savepoint, step::release, step::insertion, step::end,
                        step::one_phase};
            }
            return {step::end, step::one_phase};
        case verb::commit:
            return {step::commit};
        default:
            if (must_end) return {step::end, step::rollback};
            return {step::rollback};
    }
}

/// `told`: how many statements of the preamble stand before it.
std::string conversation::statement(step what, std::size_t told) const
{
    switch (what) {
        case step::preamble:
            return preamble_[told];
        case step::read_only:
            return "SET TRANSACTION READ ONLY";  // of the next transaction only
        case step::start:
            return "XA START " + asked_text_;
        case step::savepoint:
            return "SAVEPOINT assent_row";
        case step::release:
            return "RELEASE SAVEPOINT assent_row";
        case step::insertion:
            return carried_;
        case step::end:
            return "XA END " + asked_text_;
        case step::prepare:
            return "XA PREPARE " + asked_text_;
        case step::commit:
            return "XA COMMIT " + asked_text_;
        case step::one_phase:
            return "XA COMMIT " + asked_text_ + " ONE PHASE";
        case step::rollback:
            break;
    }
    return "XA ROLLBACK " + asked_text_;
}

// The server runs the statements of one message until the first that fails.
std::string conversation::message(bool all)
{
    sent_ = all ? steps_.size() : 1;
    std::string text = statement(steps_.front(), 0);
    for (std::size_t i = 1; i < sent_; ++i)
        text.append("; ").append(statement(steps_[i], i));
    return text;
}

std::optional<reply> conversation::advance(answer const& said)
{
    step const done = steps_.front();
    steps_.erase(steps_.begin());
    sent_ = said.code == 0 ? sent_ - 1 : 0;
    std::optional<reply> final;
    switch (done) {
        case step::preamble:
            if (said.code == 0) preamble_.erase(preamble_.begin());
            final = before_start(said);
            break;
        case step::read_only:
            final = before_start(said);
            break;
        case step::start:
            final = after_start(said);
            break;
        case step::savepoint:
        case step::release:
            final = before_row(said);
            break;
        case step::insertion:
            final = after_row(said);
            break;
        case step::end:
            final = after_end(said);
            break;
        case step::prepare:
            final = after_prepare(said);
            break;
        case step::one_phase:
            final = after_one_phase(said);
            break;
        case step::commit:
            final = after_commit(said);
            break;
        case step::rollback:
            final = after_rollback(said);
            break;
    }
    if (final) return settle(std::move(*final));
    return std::nullopt;
}

reply conversation::settle(reply said)
{
    steps_.clear();
    // Of these answers the state of the session is known; of every other one it is not, because an
    // error carries no status.
    bool const is_rolled_back =
        said.code >= xa_code::rbrollback && said.code <= xa_code::rbtransient;
    is_sound_ = said.code == xa_code::ok || said.code == xa_code::nota ||
                said.code == xa_code::dupid || is_rolled_back;
    // A row that was inserted, and not with the branch, may yet be committed by whatever it is in.
    must_cut_ = must_cut_ || (has_row_ && !is_proven_);
    if (verb_ == verb::commit_one_phase) carried_.clear();
    if (said.detail == reply_detail::left_behind ||
        is_interrupted(static_cast<unsigned>(said.native_code))) {
        is_spoiled_ = true;
    }
    return said;
}

reply conversation::lost(answer const& said)
{
    return settle(to_reply(said, verb_, false));
}

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
        if (said.is_in_transaction.value_or(true)) return reply{};
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

/// Anything but OK: the row is not inserted, and the branch, if it is still there, undone.
std::optional<reply> conversation::before_row(answer const& said)
{
    if (said.code == 0) return std::nullopt;
    return turn_to_end(said);
}

std::optional<reply> conversation::after_row(answer const& said)
{
    if (said.code != 0) return turn_to_end(said);
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
