// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// conversation.cpp -- which statements a verb takes, and how their answers are taken in turn.  What
// each answer means is in conversation_replies.cpp.

#include "adapters/dialects/mysql/conversation.hpp"

#include <algorithm>
#include <utility>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect {

namespace {

constexpr unsigned not_understood = 1064;

/// Of the next transaction only.  Whatever it does not name stays as the application chose it.
std::string set_transaction(branch_modes const& modes)
{
    std::string sql = "SET TRANSACTION";
    if (modes.level) sql.append(" ISOLATION LEVEL ").append(name_of(*modes.level));
    if (modes.level && modes.may) sql += ',';
    if (modes.may) sql += modes.is_read_only() ? " READ ONLY" : " READ WRITE";
    return sql;
}

}  // namespace

conversation::conversation()
{
    steps_.reserve(8);
}

bool conversation::owns(attachment state) const noexcept
{
    return attachment_ == state && branch_ == asked_;
}

bool conversation::is_of_session(dialects::branch_name const& x) const noexcept
{
    return attachment_ != attachment::none && branch_ == x;
}

bool conversation::has_prepared(dialects::branch_name const& x) const noexcept
{
    return attachment_ == attachment::prepared && branch_ == x;
}

bool conversation::is_clear() const noexcept
{
    return is_sound_ && !is_spoiled_ && attachment_ == attachment::none && steps_.empty();
}

std::optional<reply> conversation::begin(verb v, dialects::branch_name const& x)
{
    verb_ = v;
    if (asked_ != x) asked_text_.clear();
    asked_ = x;
    steps_.clear();
    sent_ = 0;
    is_proven_ = false;
    is_decisive_sent_ = false;
    has_row_ = false;
    cause_.reset();
    reply said;
    if (v == verb::forget) {
        said.code = xa_code::nota;
        said.text = "this server keeps no branches that it completed by itself";
        return said;
    }
    if (asked_text_.empty()) asked_text_ = render(x).value_or("");
    if (asked_text_.empty()) {
        said.code = xa_code::inval;
        said.text =
            "no branch may have this name here: it has a byte that no name of the manager's has, "
            "or "
            "is made like one";
        return said;
    }
    if (v == verb::start) {
        branch_ = x;
        attachment_ = attachment::unsure;
        led_.clear();
        has_led_ = false;
    }
    steps_ = plan_for(v);
    if (v == verb::start) {
        is_read_only_ = next_.is_read_only();
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
            if (next_.level || next_.may) steps.push_back(step::modes);
            steps.push_back(step::start);
            if (!lead_.empty()) {
                steps.push_back(step::savepoint);
                steps.push_back(step::release);
                steps.insert(steps.end(), lead_.size(), step::lead);
            }
            if (!trial_.empty()) steps.push_back(step::trial);
            return steps;
        }
        case verb::prepare:
            if (is_read_only_ && is_of_session(asked_)) return {step::end};
            return {step::end, step::prepare};
        case verb::commit_one_phase:
            if (is_read_only_ && owns(attachment::ended)) return {step::one_phase};
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

/// `told`: how many statements of its kind stand before it.
void conversation::say(std::string& text, step next, std::size_t told) const
{
    switch (next) {
        case step::preamble:
            text += preamble_[told];
            return;
        case step::modes:
            text += set_transaction(next_);
            return;
        case step::start:
            text += "XA START ";
            break;
        case step::lead:
            text += lead_[told];
            return;
        case step::trial:
            text += trial_;
            return;
        case step::savepoint:
            text += "SAVEPOINT assent_row";
            return;
        case step::release:
            text += "RELEASE SAVEPOINT assent_row";
            return;
        case step::insertion:
            text += carried_;
            return;
        case step::end:
            text += "XA END ";
            break;
        case step::prepare:
            text += "XA PREPARE ";
            break;
        case step::commit:
        case step::one_phase:
            text += "XA COMMIT ";
            break;
        case step::rollback:
            text += "XA ROLLBACK ";
            break;
    }
    text += asked_text_;
    if (next == step::one_phase) text += " ONE PHASE";
}

// The server runs the statements of one message until the first that fails.
std::string conversation::message(bool all)
{
    sent_ = all && !is_split_ ? steps_.size() : 1;
    is_first_ = true;
    std::string text;
    text.reserve(2 * asked_text_.size() + 128);
    for (std::size_t i = 0; i < sent_; ++i) {
        if (i > 0) text.append("; ");
        auto const at = steps_.begin() + static_cast<std::ptrdiff_t>(i);
        say(text, *at, static_cast<std::size_t>(std::count(steps_.begin(), at, *at)));
        if (steps_[i] == step::prepare || steps_[i] == step::one_phase) is_decisive_sent_ = true;
    }
    return text;
}

// The application has switched several statements in one message off; none of them was run.
bool conversation::must_split(answer const& said) const noexcept
{
    return is_first_ && sent_ > 1 && said.code == not_understood;
}

bool conversation::fits(answer const& said) const
{
    // Behind it the message may yet be run, if this is the answer to something else.
    if (must_split(said)) return !is_decisive_sent_;
    step const due = steps_.front();
    if (said.code != 0) return due != step::end || is_of_branches(said);
    if (said.has_more != (sent_ > 1)) return false;
    if (due == step::lead) return true;
    if (said.has_rows) return false;
    if (due != step::insertion && said.affected.value_or(0) != 0) return false;
    bool const is_last = due == step::commit || due == step::one_phase || due == step::rollback;
    return !is_last || !said.is_in_transaction.value_or(false);
}

bool conversation::is_vote_of_ours() const noexcept
{
    bool const is_vote = verb_ == verb::prepare || verb_ == verb::commit_one_phase;
    return is_vote && attachment_ != attachment::none && branch_ == asked_;
}

bool conversation::can_vote_no() const noexcept
{
    return is_vote_of_ours() && !is_decisive_sent_ && carried_.empty();
}

std::optional<reply> conversation::advance(answer const& said)
{
    bool const is_split_due = must_split(said);
    is_first_ = false;
    if (is_split_due) {
        is_split_ = true;
        is_decisive_sent_ = false;
        sent_ = 0;
        return std::nullopt;
    }
    bool const is_vote = verb_ == verb::prepare || verb_ == verb::commit_one_phase;
    if (said.code == not_understood && is_vote) return refused(said);
    step const done = steps_.front();
    steps_.erase(steps_.begin());
    sent_ = said.code == 0 ? sent_ - 1 : 0;
    // The server stops at the first statement that fails.
    if (said.code != 0 && done != step::prepare && done != step::one_phase) {
        is_decisive_sent_ = false;
    }
    std::optional<reply> final;
    switch (done) {
        case step::preamble:
            if (said.code == 0) preamble_.erase(preamble_.begin());
            final = before_start(said);
            break;
        case step::modes:
            final = before_start(said);
            break;
        case step::start:
            final = after_start(said);
            break;
        case step::lead:
            final = after_lead(said);
            break;
        case step::trial:
            final = after_trial(said);
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
            if (!final && steps_.empty()) final = still_open();
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
    if (verb_ == verb::start) {
        level_ = next_.level;
        next_ = {};
        trial_.clear();
        lead_.clear();
    }
    // Of these answers the state of the session is known; of every other one it is not, because an
    // error carries no status.
    bool const is_rolled_back =
        said.code >= xa_code::rbrollback && said.code <= xa_code::rbtransient;
    is_sound_ = said.code == xa_code::ok || said.code == xa_code::nota ||
                said.code == xa_code::dupid || said.code == xa_code::rdonly || is_rolled_back;
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
    return lost(said, ends_session(said.code));
}

reply conversation::lost(answer const& said, bool is_ended_by_server)
{
    reply gone = to_reply(said, verb_, false);
    if (can_vote_no()) {
        gone.code = is_ended_by_server ? xa_code::rbcommfail : xa_code::rbother;
        gone.detail = reply_detail::none;
    }
    return settle(std::move(gone));
}

reply conversation::refused(answer const& said)
{
    is_decisive_sent_ = false;
    must_cut_ = true;
    reply gone = to_reply(said, verb_, false);
    // A row that was inserted may be in something else than the branch.
    if (is_vote_of_ours() && (!has_row_ || is_proven_)) {
        gone.code = xa_code::rbother;
        gone.detail = reply_detail::none;
    }
    return settle(std::move(gone));
}

}  // namespace assent::mysql_dialect
