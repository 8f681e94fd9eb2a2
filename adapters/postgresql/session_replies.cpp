// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session_replies.cpp -- what the server's answers mean, message by message.
//
// Two facts decide: the tag of the last command (the server answers PREPARE TRANSACTION and COMMIT
// of a failed transaction with success and the tag ROLLBACK), and the transaction status that
// follows it.  An error alone does not say whether a transaction is still open.

#include <string_view>
#include <utility>

#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/postgresql/error.hpp"
#include "adapters/postgresql/session.hpp"

namespace assent::postgresql_adapter {

namespace {

reply not_understood(std::string const& tag)
{
    reply answer;
    answer.code = xa_code::proto;
    answer.text = "the server answered with the tag '" + tag + "'";
    return answer;
}

}  // namespace

void session::answer(reply given, stage then)
{
    answer_ = std::move(given);
    answer_.witness = witness_;
    stage_ = then;
    talk_ = talk::answered;
}

void session::on_result(PGresult const* result)
{
    switch (PQresultStatus(result)) {
        case PGRES_TUPLES_OK:
            if (talk_ == talk::draining) return;  // the application's
            for (int i = 0; PQntuples(result) > 0 && i < PQnfields(result); ++i)
                row_.emplace_back(PQgetvalue(result, 0, i));
            return;
        case PGRES_COMMAND_OK:
            tag_ = PQcmdStatus(const_cast<PGresult*>(result));
            return;
        default:
            break;
    }
    if (PQresultStatus(result) == PGRES_FATAL_ERROR && !is_fatal(result)) {
        phase const when = talk_ == talk::beginning   ? phase::beginning
                           : talk_ == talk::finishing ? phase::finishing
                                                      : phase::ending;
        if (!failure_) failure_ = map_error(when, result);
        return;
    }
    // The server ended the session, or speaks of something that was not asked.
    reply lost = lost_reply(text_of(result));
    lost.sqlstate = sqlstate_of(result);
    wire_.poison();
    on_broken(std::move(lost));
}

void session::on_end()
{
    switch (talk_) {
        case talk::draining:
            wire_.settle();
            return end_branch();
        case talk::beginning:
            return on_begun();
        case talk::preparing:
            return on_prepared();
        case talk::settling:
            return on_settled();
        case talk::taking_back:
            return on_taken_back();
        case talk::asking_modes:
            return on_modes();
        case talk::asking_witness:
            return on_witness();
        case talk::committing:
            return on_committed();
        case talk::committing_guarded:
            return on_committed_guarded();
        case talk::rolling_back:
            return on_rolled_back();
        case talk::undoing:
            return on_undone();
        case talk::finishing:
            return on_finished();
        case talk::asking_role:
            return on_role();
        case talk::becoming_login:
            if (!failure_) return finish_prepared();
            role_.clear();
            return answer(std::move(planned_), stage_);
        case talk::resuming_role:
            role_.clear();
            is_tainted_ = is_tainted_ || failure_.has_value();
            return answer(std::move(planned_), stage_);
        case talk::resetting:
            is_tainted_ = failure_ || tag_ != "DISCARD ALL";
            return answer(failure_      ? std::move(*failure_)
                          : is_tainted_ ? not_understood(tag_)
                                        : reply{},
                          stage::idle);
        case talk::none:
        case talk::answered:
            return;
    }
}

/// By what the message's first answer, the mark, said.
verdict session::judge() const
{
    bool const is_missing = failure_ && failure_->sqlstate == statements::no_such_setting;
    if (row_.empty() && !is_missing) return watched_->judge(mark_answer::unasked);
    bool const is_there = !row_.empty() && row_[0] == mark_;
    return watched_->judge(is_there ? mark_answer::there : mark_answer::gone);
}

void session::on_begun()
{
    auto const status = wire_.transaction_status();
    if (!failure_ && status == PQTRANS_INTRANS && tag_ == expected_) {
        bool const is_writable = row_.size() == 1 && row_[0] == "off";
        if (is_row_due_ && !is_writable) return undo(statements::no_row_here());
        led_ = std::move(row_);
        branch_ = target_;
        watched_->begin();
        return answer({}, stage::active);
    }
    reply refused = failure_ ? std::move(*failure_) : not_understood(tag_);
    if (status != PQTRANS_IDLE) return undo(std::move(refused));
    answer(std::move(refused), stage::idle);
}

void session::on_prepared()
{
    if (failure_) return on_prepare_failed();
    verdict const seen = judge();
    bool const is_over = wire_.transaction_status() == PQTRANS_IDLE;
    if (is_over && tag_ == "PREPARE TRANSACTION") {
        if (seen == verdict::intact) return answer({}, stage::prepared);
        return take_back(talk::taking_back, seen == verdict::left_behind
                                                ? statements::left_behind()
                                                : statements::rolled_back_within());
    }
    if (seen == verdict::left_behind) return undo(statements::left_behind());
    if (is_over && tag_ == "ROLLBACK") {
        return answer({xa_code::rbrollback, {}, 0, {}, "the server rolled back instead", {}},
                      stage::idle);
    }
    answer(not_understood(tag_), stage::in_doubt);
}

void session::on_prepare_failed()
{
    verdict const seen = judge();
    reply failed = std::move(*failure_);
    if (wire_.transaction_status() != PQTRANS_IDLE) {
        // PREPARE was not run: the mark could not be read, or a deferred constraint or trigger of
        // the application's failed.
        return undo(seen == verdict::left_behind ? statements::left_behind()
                                                 : as_rolled_back(std::move(failed)));
    }
    // PREPARE itself failed, which ends the transaction.
    is_tainted_ = is_tainted_ || seen == verdict::left_behind;
    if (seen == verdict::left_behind) return answer(statements::left_behind(), stage::idle);
    if (!may_stay_prepared(failed)) return answer(as_rolled_back(std::move(failed)), stage::idle);
    take_back(talk::settling, std::move(failed));
}

/// PREPARE failed, and now nothing is prepared under its name: there never will be.
void session::on_settled()
{
    bool const is_undone = !failure_ && tag_ == "ROLLBACK PREPARED";
    bool const is_none = failure_ && failure_->code == xa_code::nota;
    if (is_undone || is_none) return answer(as_rolled_back(std::move(planned_)), stage::idle);
    answer(std::move(planned_), stage::in_doubt);
}

void session::on_taken_back()
{
    is_tainted_ = true;
    bool const is_undone = !failure_ && tag_ == "ROLLBACK PREPARED";
    // What stays prepared was never decided, and recovery rolls it back.
    bool const is_left = planned_.detail == reply_detail::left_behind;
    if (is_undone || is_left) return answer(std::move(planned_), stage::idle);
    answer(failure_ ? std::move(*failure_) : not_understood(tag_), stage::in_doubt);
}

/// Before the end is asked for: a branch that is not the one which start began, or has failed.
bool session::is_undone_by_mark()
{
    verdict const seen = judge();
    if (seen == verdict::left_behind) {
        undo(statements::left_behind());
    } else if (failure_) {
        undo(as_rolled_back(std::move(*failure_)));
    } else if (seen == verdict::rolled_back) {
        undo(statements::rolled_back_within());
    } else {
        return false;
    }
    return true;
}

/// What is read only has written nothing that anybody could have to be asked about.
void session::on_modes()
{
    if (is_undone_by_mark()) return;
    bool const would_wait = row_.size() == 3 && row_[1] == "on" && row_[2] == "on";
    if (!would_wait) return ask_witness();
    if (verb_ == verb::commit_one_phase) return send(talk::committing, "COMMIT");
    has_voted_ = is_unasked_ = true;
    answer(statements::still_open(), stage::active);
}

void session::on_witness()
{
    if (is_undone_by_mark()) return;
    if (row_.size() < 3) return undo(as_rolled_back(not_understood(tag_)));
    if (verb_ == verb::prepare) return on_read_vote();
    if (!row_[1].empty()) witness_ = row_[1] + '@' + who_.life;
    send(talk::committing, "COMMIT");
}

/// The branch can be committed as it is.  What the application has made a writer is prepared.
void session::on_read_vote()
{
    has_voted_ = row_.size() == 4 && row_[3] == "on";
    if (!has_voted_) return send_prepare();
    answer(statements::still_open(), stage::active);
}

void session::on_committed()
{
    bool const is_over = wire_.transaction_status() == PQTRANS_IDLE;
    if (!failure_ && is_over && tag_ == "COMMIT") return answer({}, stage::idle);
    if (!failure_ && is_over && tag_ == "ROLLBACK") {
        return answer({xa_code::rbrollback, {}, 0, {}, "the server rolled back instead", {}},
                      stage::idle);
    }
    // A server that cannot undo what it has committed stops, and does not go on with an error.
    if (failure_ && is_over) return answer(as_rolled_back(std::move(*failure_)), stage::idle);
    is_tainted_ = true;
    answer(not_understood(tag_), stage::idle);
}

void session::on_committed_guarded()
{
    bool const is_open = wire_.transaction_status() != PQTRANS_IDLE;
    if (!failure_ || !is_open) return on_committed();
    // In a transaction that failed before its end, the last statement, COMMIT, was not run.
    bool const is_guard = row_.empty() && failure_->sqlstate == statements::guard_failed;
    if (is_guard) {
        bool const is_left = watched_->judge(mark_answer::gone) == verdict::left_behind;
        return undo(is_left ? statements::left_behind() : statements::rolled_back_within());
    }
    if (!row_.empty() && failure_->sqlstate == statements::is_read_only) {
        failure_->text = statements::row_is_read_only;
    }
    undo_failed(as_rolled_back(std::move(*failure_)));
}

void session::on_rolled_back()
{
    bool const is_left = judge() == verdict::left_behind;
    // Cancelled or timed out while the mark was read: the transaction failed, and still stands.
    if (failure_) return undo(is_left ? statements::left_behind() : reply{});
    planned_ = is_left ? statements::left_behind() : reply{};
    on_undone();
}

void session::on_undone()
{
    bool const is_undone =
        !failure_ && tag_ == "ROLLBACK" && wire_.transaction_status() == PQTRANS_IDLE;
    bool const is_left_behind = planned_.detail == reply_detail::left_behind;
    is_tainted_ = is_tainted_ || is_left_behind || !is_undone;
    if (is_undone || is_left_behind) return answer(std::move(planned_), stage::idle);
    answer(failure_ ? std::move(*failure_) : not_understood(tag_), stage::idle);
}

void session::on_finished()
{
    char const* const expected = verb_ == verb::commit ? "COMMIT PREPARED" : "ROLLBACK PREPARED";
    bool const is_ok = !failure_ && tag_ == expected;
    bool const is_unknown = failure_ && failure_->code == xa_code::nota;
    bool const is_here = branch_ == target_;
    stage const then = (is_ok || is_unknown) && is_here ? stage::idle : stage_;
    reply said = is_ok ? reply{} : failure_ ? std::move(*failure_) : not_understood(tag_);
    if (!role_.empty()) {
        planned_ = std::move(said);
        stage_ = then;
        return send(talk::resuming_role, role_);
    }
    if (said.sqlstate == statements::not_permitted && is_here && stage_ == stage::prepared) {
        planned_ = std::move(said);
        return send(talk::asking_role,
                    std::string{statements::without_waiting} + statements::read_role);
    }
    answer(std::move(said), then);
}

/// The application took another role within the branch and kept it; the branch is the login's.
void session::on_role()
{
    if (failure_ || row_.size() != 2) return answer(std::move(planned_), stage_);
    role_ = "SET SESSION AUTHORIZATION " + literal(row_[1]) + "; SET ROLE " + literal(row_[0]);
    send(talk::becoming_login, statements::become_login);
}

/// The connection is gone.  What that means depends on what had been sent.
void session::on_broken(reply lost)
{
    is_tainted_ = true;
    bool const was_active = stage_ == stage::active && branch_ == target_;
    bool const is_sent = talk_ == talk::committing || talk_ == talk::committing_guarded ||
                         talk_ == talk::preparing || talk_ == talk::settling;
    bool const is_known = planned_.detail == reply_detail::left_behind || is_rolled_back(planned_);
    if (talk_ == talk::undoing && is_known) return answer(std::move(planned_), stage::idle);
    if (talk_ == talk::taking_back && planned_.detail == reply_detail::left_behind) {
        return answer(std::move(planned_), stage::idle);
    }
    if (was_active && !is_sent && talk_ != talk::taking_back && watched_->has_left_before_loss()) {
        return answer(statements::left_behind(), stage::idle);
    }
    if (verb_ == verb::commit_one_phase && was_active && !is_sent) {
        if (failure_ && ends_session(failure_->sqlstate)) lost.sqlstate = failure_->sqlstate;
        return answer(never_committed(std::move(lost)), stage::idle);
    }
    stage const then = was_active && verb_ == verb::prepare ? stage::in_doubt : stage_;
    answer(std::move(lost), then);
}

}  // namespace assent::postgresql_adapter
