// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/session.hpp"

#include <new>
#include <utility>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/mysql/connection.hpp"

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

session::session(std::unique_ptr<wire> connection, std::shared_ptr<cancelled_sessions> cancelled,
                 bool keeps_prepared)
    : wire_(std::move(connection)),
      cancelled_(std::move(cancelled)),
      keeps_prepared_(keeps_prepared),
      opened_as_(wire_->thread_id())
{
}

session::~session()
{
    // A forked child must not even take the lock: another thread may have held it at the fork.
    if (wire_->handle() != nullptr) cancelled_->forget(opened_as_);
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
    ready_ = refuse(v, x);
    if (!ready_) ready_ = talk_.begin(v, x);
    if (!ready_) send_next();
}

// What is answered without asking the server.
std::optional<reply> session::refuse(verb v, xid const& x)
{
    if (is_cut_ || wire_->handle() == nullptr) return lost("the connection was cut");
    if (v == verb::forget) return std::nullopt;
    // A reconnect during this very call could not be told from one before it.
    forbid_reconnecting(wire_->handle());
    bool const is_other_session = wire_->thread_id() != opened_as_;
    if (v == verb::start && is_other_session) {
        reply said;
        said.code = xa_code::proto;
        said.text = "the client library reconnected since the session was opened";
        return said;
    }
    if (is_other_session && talk_.is_of_session(x)) {
        if (talk_.has_prepared(x)) {
            sever();
            return lost("the session that prepared the branch was replaced; finish it elsewhere");
        }
        return talk_.settle(
            conversation::left_behind({}, "the client library reconnected behind our back"));
    }
    if (talk_.has_prepared(x) && keeps_prepared_ &&
        ((wire_->server_status() & SERVER_STATUS_IN_TRANS) == 0 || wire_->was_reset())) {
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

void session::send_next()
{
    wire_->send(talk_.message(wire_->can_fuse()));
}

std::optional<reply> session::converse(deadline until)
{
    while (!ready_) {
        if (is_cut_) return talk_.settle(lost("the connection was cut"));
        auto const said = wire_->receive(until);
        if (!said) return std::nullopt;
        if (is_connection_lost(said->code)) {
            ready_ = talk_.settle(talk_.lost(*said));
            is_cut_ = true;
            break;
        }
        ready_ = talk_.advance(*said);
        if (!ready_ && talk_.must_send()) send_next();
    }
    if (talk_.must_cut() && !is_cut_) sever();
    return std::exchange(ready_, std::nullopt);
}

bool session::is_reusable() const noexcept
{
    unsigned const status = wire_->server_status();
    return talk_.is_clear() && !is_cut_ && !ready_ && wire_->is_in_step() &&
           wire_->descriptor() >= 0 && wire_->thread_id() == opened_as_ &&
           (status & SERVER_STATUS_IN_TRANS) == 0 && (status & SERVER_STATUS_AUTOCOMMIT) != 0 &&
           !is_worn_ && !cancelled_->contains(opened_as_);
}

void session::allow_reset(std::vector<std::string> told)
{
    if (!wire_->can_fuse()) return;  // a reset could not be sent without waiting for it
    told_ = std::move(told);
    character_set_ = mysql_character_set_name(wire_->handle());
}

void session::submit_reset() noexcept
{
    if (told_.empty()) return;
    try {
        // A prepared branch is never reset: MariaDB would let go of it, and then answer OK to a
        // commit that commits nothing.  And a client that was made to quote by another character
        // set than the session will have is not safe to give to anybody.
        if (!is_reusable() || character_set_ != mysql_character_set_name(wire_->handle())) {
            is_worn_ = true;
            return;
        }
        wire_->send_reset();
        is_resetting_ = true;
    } catch (std::bad_alloc const&) {
        is_worn_ = true;
    }
}

bool session::collect_reset(deadline until) noexcept
{
    if (!std::exchange(is_resetting_, false)) return !is_worn_;
    try {
        auto const said = wire_->receive(until);
        if (said && said->code == 0) {
            talk_.precede(told_);
            return true;
        }
    } catch (std::bad_alloc const&) {
        // As a reset that was refused.
    }
    is_worn_ = true;
    return false;
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
