// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/session.hpp"

#include <new>
#include <utility>

#include "adapters/mysql/connection.hpp"
#include "adapters/mysql/xid_text.hpp"

namespace assent::mysql_adapter {

namespace {

reply lost(std::string text)
{
    reply said;
    said.code = xa_code::rmfail;
    said.detail = reply_detail::reply_lost;
    said.text = std::move(text);
    return said;
}

}  // namespace

void cancelled_sessions::add(std::uint64_t id)
{
    std::lock_guard const hold(mutex_);
    ids_.insert(id);
}

void cancelled_sessions::forget(std::uint64_t id) noexcept
{
    std::lock_guard const hold(mutex_);
    ids_.erase(id);
}

bool cancelled_sessions::contains(std::uint64_t id) const noexcept
{
    std::lock_guard const hold(mutex_);
    return ids_.count(id) != 0;
}

session::session(std::unique_ptr<wire> connection, std::shared_ptr<cancelled_sessions> cancelled,
                 bool keeps_prepared)
    : wire_(std::move(connection)),
      cancelled_(std::move(cancelled)),
      keeps_prepared_(keeps_prepared),
      opened_as_(wire_->thread_id())
{
    steps_.reserve(4);
    branch_text_.reserve(128);
    asked_text_.reserve(128);
}

session::~session()
{
    // A forked child must not even take the lock: another thread may have held it at the fork.
    if (wire_->handle() != nullptr) cancelled_->forget(opened_as_);
}

bool session::owns(attachment how) const noexcept
{
    return attachment_ == how && branch_ == asked_;
}

// The replies hold text, and text needs memory: without any, the connection is cut, and what the
// server did meanwhile is not known.
void session::submit(verb v, xid const& x) noexcept
{
    try {
        begin_verb(v, x);
    } catch (std::bad_alloc const&) {
        sever();
        ready_ = lost({});
    }
}

std::optional<reply> session::collect(deadline until) noexcept
{
    try {
        return converse(until);
    } catch (std::bad_alloc const&) {
        sever();
        return lost({});
    }
}

void session::begin_verb(verb v, xid const& x)
{
    verb_ = v;
    asked_ = x;
    steps_.clear();
    sent_ = 0;
    is_proven_ = false;
    cause_.reset();
    ready_ = refuse(v);
    if (ready_) return;
    auto text = render(x);
    if (!text) {
        ready_.emplace();
        ready_->code = xa_code::inval;
        ready_->text = "the xid holds a byte that ours never have";
        return;
    }
    asked_text_ = std::move(*text);
    if (v == verb::start) {
        branch_ = x;
        attachment_ = attachment::unsure;
    }
    steps_ = plan_for(v);
    if (v == verb::start) is_read_only_next_ = false;
    send_steps();
}

// What is answered without asking the server.
std::optional<reply> session::refuse(verb v)
{
    if (is_cut_ || wire_->handle() == nullptr) return lost("the connection was cut");
    if (v == verb::forget) {
        reply said;
        said.code = xa_code::nota;
        said.text = "this server keeps no branches that it completed by itself";
        return said;
    }
    // A reconnect during this very call could not be told from one before it.
    forbid_reconnecting(wire_->handle());
    bool const is_other_session = wire_->thread_id() != opened_as_;
    if (v == verb::start && is_other_session) {
        reply said;
        said.code = xa_code::proto;
        said.text = "the client library reconnected since the session was opened";
        return said;
    }
    if (is_other_session && attachment_ != attachment::none && branch_ == asked_) {
        if (owns(attachment::prepared)) {
            sever();
            return lost("the session that prepared the branch was replaced; finish it elsewhere");
        }
        return settle(left_behind({}, "the client library reconnected behind our back"));
    }
    if (owns(attachment::prepared) && keeps_prepared_ &&
        (wire_->server_status() & SERVER_STATUS_IN_TRANS) == 0) {
        // The session was reset while it kept a prepared branch.  MariaDB would now answer OK to a
        // commit that commits nothing; once the session is gone, any other can commit it.
        sever();
        return lost("the session was reset while its branch was prepared; finish it elsewhere");
    }
    if (!wire_->is_in_step()) {
        // Nothing can be sent, and the session is of no use: its end rolls an active branch back.
        sever();
        return lost("an earlier statement's result was not read to its end");
    }
    return std::nullopt;
}

std::vector<session::step> session::plan_for(verb v) const
{
    bool const must_end = owns(attachment::active) || owns(attachment::unsure);
    switch (v) {
        case verb::start:
            if (is_read_only_next_) return {step::read_only, step::start};
            return {step::start};
        case verb::prepare:
            return {step::end, step::prepare};
        case verb::commit_one_phase:
            return {step::end, step::one_phase};
        case verb::commit:
            return {step::commit};
        default:
            if (must_end) return {step::end, step::rollback};
            return {step::rollback};
    }
}

std::string session::statement(step what) const
{
    switch (what) {
        case step::read_only:
            return "SET TRANSACTION READ ONLY";  // of the next transaction only
        case step::start:
            return "XA START " + asked_text_;
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

// Sends what stands in steps_: all of it where a message may hold several statements, which the
// server runs until the first that fails.
void session::send_steps()
{
    sent_ = wire_->can_fuse() ? steps_.size() : 1;
    std::string message = statement(steps_.front());
    for (std::size_t i = 1; i < sent_; ++i)
        message.append("; ").append(statement(steps_[i]));
    wire_->send(message);
}

std::optional<reply> session::converse(deadline until)
{
    while (!ready_) {
        if (is_cut_) return settle(lost("the connection was cut"));
        auto const said = wire_->receive(until);
        if (!said) return std::nullopt;
        if (is_connection_lost(said->code)) {
            ready_ = settle(to_reply(*said, verb_, false));
            is_cut_ = true;
            break;
        }
        ready_ = advance(*said);
    }
    return std::exchange(ready_, std::nullopt);
}

// One answer: the first step is done.  @return the reply when the conversation is over.
std::optional<reply> session::advance(answer const& said)
{
    step const done = steps_.front();
    steps_.erase(steps_.begin());
    sent_ = said.code == 0 ? sent_ - 1 : 0;
    std::optional<reply> final;
    switch (done) {
        case step::read_only:
            final = after_read_only(said);
            break;
        case step::start:
            final = after_start(said);
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
    if (sent_ == 0) send_steps();
    return std::nullopt;
}

reply session::settle(reply said)
{
    steps_.clear();
    // Of these answers the state of the session is known; of every other one it is not, because an
    // error carries no status.
    bool const is_rolled_back =
        said.code >= xa_code::rbrollback && said.code <= xa_code::rbtransient;
    bool const is_clear = said.code == xa_code::ok || said.code == xa_code::nota ||
                          said.code == xa_code::dupid || is_rolled_back;
    is_sound_ = is_clear;
    if (said.detail == reply_detail::left_behind ||
        is_interrupted(static_cast<unsigned>(said.native_code))) {
        is_spoiled_ = true;
    }
    return said;
}

bool session::is_reusable() const noexcept
{
    unsigned const status = wire_->server_status();
    return is_sound_ && !is_spoiled_ && !is_cut_ && attachment_ == attachment::none && !ready_ &&
           wire_->is_in_step() && wire_->descriptor() >= 0 && wire_->thread_id() == opened_as_ &&
           (status & SERVER_STATUS_IN_TRANS) == 0 && (status & SERVER_STATUS_AUTOCOMMIT) != 0 &&
           !cancelled_->contains(opened_as_);
}

void session::sever() noexcept
{
    is_cut_ = true;
    wire_->sever();
}

void session::abandon() noexcept
{
    is_cut_ = true;
    wire_->abandon();
}

}  // namespace assent::mysql_adapter
