// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/session.hpp"

#include <new>
#include <utility>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "adapters/dialects/replies.hpp"
#include "adapters/mysql/connection.hpp"

namespace assent::mysql_adapter {

using dialects::lost;

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
void session::submit_any(verb v, branch_name const& x) noexcept
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

void session::begin_verb(verb v, branch_name const& x)
{
    probe_ = probe::none;
    ready_ = refuse(v, x);
    if (ready_) return;
    // A branch that is active here was worked on by the application a moment ago.
    bool const is_ending = v != verb::start && talk_.is_of_session(x) && !talk_.has_prepared(x);
    silence const heard = v == verb::forget ? silence::ours : wire_->listen();
    ready_ = talk_.begin(v, x);
    if (ready_ || (ready_ = turn_away(heard))) return;
    if (is_ending && heard == silence::unproven) return send_probe(probe::before);
    send_next();
}

/// When it is not our turn to speak.  Nothing that could make the branch permanent was sent.
std::optional<reply> session::turn_away(silence heard)
{
    if (heard == silence::ours || heard == silence::unproven) return std::nullopt;
    // Its end rolls back what is active there.
    sever();
    answer said = out_of_step();
    if (heard == silence::over || heard == silence::closed) {
        bool const is_said = heard == silence::over;
        said.code = code::server_lost;
        said.text = is_said ? "the server had ended the session; nothing was sent"
                            : "the connection was closed, by the server or on the way to it; "
                              "nothing was sent";
        return talk_.lost(said, is_said);
    }
    said.text =
        "an answer that the application has not read waits on the connection, which was cut";
    reply gone = talk_.lost(said);
    // The session may yet be at work for the application: it is not safe to do the work again.
    if (gone.code == xa_code::rbother) gone.code = xa_code::rbproto;
    return gone;
}

// What is answered without asking the server.
std::optional<reply> session::refuse(verb v, branch_name const& x)
{
    if (is_cut_ || wire_->handle() == nullptr) return lost("the connection was cut");
    if (v == verb::forget) return std::nullopt;
    keep_connected();
    bool const is_other_session = wire_->thread_id() != opened_as_;
    auto const version = static_cast<unsigned>(mysql_get_server_version(wire_->handle()));
    if (v == verb::start && !is_taken(x, keeps_prepared_, version)) {
        reply said;
        said.code = xa_code::inval;
        said.text = no_nul_in_names;
        return said;
    }
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
        return talk_.settle(conversation::left_behind(
            {}, "the client library reconnected without the manager's doing"));
    }
    if (talk_.has_prepared(x) && keeps_prepared_ &&
        ((wire_->server_status() & SERVER_STATUS_IN_TRANS) == 0 || wire_->was_reset())) {
        // The session was reset while it kept a prepared branch.  MariaDB would now answer OK to a
        // commit that commits nothing; once the session is gone, any other can commit it.
        sever();
        return lost("the session was reset while its branch was prepared; finish it elsewhere");
    }
    return std::nullopt;
}

// A reconnect during this very call could not be told from one before it.
void session::keep_connected()
{
    if (!reconnects(wire_->handle())) return;
    reconnected_ = true;
    forbid_reconnecting(wire_->handle());
}

// What the application switched on inside of its branch is its own again when that is over.
void session::give_back_reconnecting() noexcept
{
    if (!talk_.is_clear() || is_cut_ || !wire_->is_borrowed()) return;
    if (std::exchange(reconnected_, false)) allow_reconnecting(wire_->handle());
}

void session::send_next()
{
    auto const text = talk_.message(wire_->can_fuse());
    wire_->send(text, talk_.expects_rows() ? rows_expected::any : rows_expected::none);
}

void session::send_probe(probe purpose)
{
    probe_ = purpose;
    ask_echo(std::to_string(static_cast<int>(purpose)) + " " + talk_.name());
}

void session::ask_echo(std::string word)
{
    word_ = std::move(word);
    wire_->send("SELECT " + mysql_dialect::hexadecimal(word_) + " AS " + echo_column,
                rows_expected::echo);
}

bool session::is_in_branch() const noexcept
{
    return is_in_step() && !wire_->was_reset() &&
           (wire_->server_status() & SERVER_STATUS_IN_TRANS) != 0;
}

std::string session::why_out_of_turn() const
{
    switch (wire_->listen()) {
        case silence::ours:
        case silence::unproven:
            return {};
        case silence::over:
        case silence::closed:
            return "the server has ended its session; open another one";
        case silence::broken:
            break;
    }
    return "an answer that was not read waits on it; read it, or close the handle";
}

bool session::prove_turn(deadline until)
{
    silence const heard = wire_->listen();
    if (heard != silence::unproven) return heard == silence::ours;
    ask_echo("lent " + std::to_string(opened_as_));
    auto const said = wire_->receive(until);
    return said && is_echo(*said);
}

bool session::is_echo(answer const& said) const
{
    return said.code == 0 && said.rows.size() == 1 && said.rows[0].size() == 1 &&
           said.rows[0][0] == word_ && !said.has_more;
}

reply session::cut_off(answer const& said)
{
    sever();
    return talk_.lost(said);
}

/// What came is not the answer to what was asked.
void session::doubt(answer const& said)
{
    if (said.code == 0) {
        ready_ = cut_off(out_of_step());
    } else if (talk_.is_decisive_sent()) {
        // Ours was refused, and nothing behind it was run; or it is yet to be run.
        doubtful_ = said;
        send_probe(probe::after_error);
    } else {
        ready_ = talk_.refused(said);
    }
}

std::optional<reply> session::converse(deadline until)
{
    while (!ready_) {
        if (is_cut_) {
            answer cut = out_of_step();
            cut.text = "the connection was cut";
            ready_ = talk_.lost(cut);
            break;
        }
        auto const said = wire_->receive(until);
        if (!said) return std::nullopt;
        // An answer that makes no sense may be one that a probe was sent to find.
        bool const is_sought = said->code == code::out_of_sync && probe_ == probe::before;
        if (is_connection_lost(said->code) && !is_sought) {
            ready_ = cut_off(*said);
        } else if (probe_ == probe::before) {
            probe_ = probe::none;
            if (is_echo(*said)) {
                send_next();
            } else {
                ready_ = turn_away(silence::broken);
            }
        } else if (probe_ == probe::after_error) {
            probe_ = probe::none;
            if (!is_echo(*said)) {
                ready_ = cut_off(out_of_step());
            } else if (!talk_.must_split(doubtful_)) {
                ready_ = talk_.refused(doubtful_);
            } else if (!talk_.advance(doubtful_)) {
                send_next();
            }
        } else if (!talk_.fits(*said)) {
            doubt(*said);
        } else {
            ready_ = talk_.advance(*said);
            if (!ready_ && talk_.must_send()) ready_ = turn_away(wire_->listen());
            if (!ready_ && talk_.must_send()) send_next();
        }
    }
    if (talk_.must_cut() && !is_cut_) sever();
    give_back_reconnecting();
    return std::exchange(ready_, std::nullopt);
}

bool session::is_in_step() const noexcept
{
    return !is_cut_ && !ready_ && wire_->is_in_step() && wire_->descriptor() >= 0 &&
           wire_->thread_id() == opened_as_;
}

bool session::is_reusable() const noexcept
{
    unsigned const status = wire_->server_status();
    return talk_.is_clear() && is_in_step() && (status & SERVER_STATUS_IN_TRANS) == 0 &&
           (status & SERVER_STATUS_AUTOCOMMIT) != 0 && !is_worn_ &&
           !cancelled_->contains(opened_as_);
}

void session::allow_reset(std::optional<std::vector<std::string>> told)
{
    may_reset_ = true;
    told_ = std::move(told);
    character_set_ = mysql_character_set_name(wire_->handle());
}

bool session::reset(deadline until)
{
    wire_->send_reset();
    auto const said = wire_->receive(until);
    if (!said) sever();
    return said && said->code == 0;
}

void session::submit_reset() noexcept
{
    if (!may_reset_) return;
    try {
        // A prepared branch is never reset: MariaDB would let go of it, and then answer OK to a
        // commit that commits nothing.  And a client that was made to quote by another character
        // set than the session will have is not safe to give to anybody.
        if (!told_ || !is_reusable() ||
            character_set_ != mysql_character_set_name(wire_->handle())) {
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
            talk_.precede(*told_);
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
