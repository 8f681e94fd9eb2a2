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

namespace assent::pg {

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
            row_.clear();
            for (int i = 0; PQntuples(result) > 0 && i < PQnfields(result); ++i)
                row_.emplace_back(PQgetvalue(result, 0, i));
            return;
        case PGRES_COMMAND_OK:
            tag_ = PQcmdStatus(const_cast<PGresult*>(result));
            return;
        case PGRES_PIPELINE_SYNC:
            ++synchronizations_;
            return;
        case PGRES_PIPELINE_ABORTED:
            return;  // follows an error that was seen
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
            if (synchronizations_ == 2) on_begun();  // else a null between two results
            return;
        case talk::preparing:
            return on_prepared();
        case talk::asking_witness:
            return on_witness();
        case talk::committing:
            return on_committed();
        case talk::committing_row:
            return on_committed_row();
        case talk::rolling_back:
            return on_rolled_back();
        case talk::asking_portal:
            // 25P02: the portal is there, in a transaction that failed.  34000: it is not.
            if (failure_ && failure_->sqlstate == "25P02") return undo(std::move(planned_));
            return undo(statements::left_behind());
        case talk::undoing:
            return on_undone();
        case talk::finishing:
            return on_finished();
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

void session::on_begun()
{
    wire_.settle();  // leaves pipeline mode
    bool const is_open = wire_.transaction_status() != PQTRANS_IDLE;
    bool const is_number =
        row_.size() == 3 && row_[0].find_first_not_of("0123456789") == std::string::npos;
    reply refused;
    if (failure_) {
        refused = std::move(*failure_);
    } else if (!is_number || wire_.transaction_status() != PQTRANS_INTRANS) {
        refused = not_understood(tag_);
    } else if (row_[1] != who_.user || row_[2] != who_.database) {
        // A role that was left behind in the connection: the manager's could not finish it.
        is_tainted_ = true;
        refused = statements::other_role();
        refused.code = xa_code::rmerr;
    } else {
        branch_ = target_;
        mark_ = row_[0];
        return answer({}, stage::active);
    }
    if (is_open) return undo(std::move(refused));
    answer(std::move(refused), stage::idle);
}

void session::on_prepared()
{
    auto const status = wire_.transaction_status();
    if (!failure_ && status == PQTRANS_IDLE && tag_ == "PREPARE TRANSACTION") {
        return answer({}, stage::prepared);
    }
    if (!failure_ && status == PQTRANS_IDLE && tag_ == "ROLLBACK") {
        return answer({xa_code::rbrollback, {}, 0, {}, "the server rolled back instead", {}},
                      stage::idle);
    }
    if (!failure_) return answer(not_understood(tag_), stage::in_doubt);
    if (status == PQTRANS_IDLE) {  // PREPARE itself failed, which ends the transaction
        stage const then = is_rolled_back(*failure_) ? stage::idle : stage::in_doubt;
        return answer(std::move(*failure_), then);
    }
    on_guard_failed();
}

/// What the message was for was not run, and the transaction is still to be undone.
void session::on_guard_failed()
{
    if (failure_->text.find(statements::left_behind_token) != std::string::npos) {
        return undo(statements::left_behind());
    }
    if (failure_->text.find(statements::other_role_token) != std::string::npos) {
        return undo(statements::other_role());
    }
    ask_portal(as_rolled_back(std::move(*failure_)));
}

void session::on_witness()
{
    if (failure_) return ask_portal(as_rolled_back(std::move(*failure_)));
    if (!is_mark_intact() || row_.size() != 3) return undo(statements::left_behind());
    if (!row_[1].empty()) witness_ = row_[1] + '@' + who_.life;
    send(talk::committing, "COMMIT");
}

void session::on_committed()
{
    bool const is_over = wire_.transaction_status() == PQTRANS_IDLE;
    if (!failure_ && is_over && tag_ == "COMMIT") return answer({}, stage::idle);
    if (!failure_ && is_over && tag_ == "ROLLBACK") {
        return answer({xa_code::rbrollback, {}, 0, {}, "the server rolled back instead", {}},
                      stage::idle);
    }
    if (failure_ && is_over) return answer(std::move(*failure_), stage::idle);
    is_tainted_ = true;
    answer(not_understood(tag_), stage::idle);
}

void session::on_committed_row()
{
    // In a transaction that failed before its end, the last statement, COMMIT, was not run.
    bool const is_open = wire_.transaction_status() != PQTRANS_IDLE;
    if (failure_ && is_open) return on_guard_failed();
    on_committed();
}

void session::on_rolled_back()
{
    // Cancelled or timed out while the mark was read: the transaction failed, and still stands.
    if (failure_) return ask_portal({});
    planned_ = is_mark_intact() ? reply{} : statements::left_behind();
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
    stage const then = (is_ok || is_unknown) && branch_ == target_ ? stage::idle : stage_;
    if (is_ok) return answer({}, then);
    answer(failure_ ? std::move(*failure_) : not_understood(tag_), then);
}

/// The connection is gone.  What that means depends on what had been sent.
void session::on_broken(reply lost)
{
    is_tainted_ = true;
    bool const was_active = stage_ == stage::active && branch_ == target_;
    bool const may_have_committed = talk_ == talk::committing || talk_ == talk::committing_row;
    if (verb_ == verb::commit_one_phase && was_active && !may_have_committed) {
        // COMMIT never left, so no server can have obeyed it.
        lost.code = xa_code::rbcommfail;
        lost.detail = reply_detail::none;
        return answer(std::move(lost), stage::idle);
    }
    bool const is_known = planned_.detail == reply_detail::left_behind || is_rolled_back(planned_);
    if (talk_ == talk::undoing && is_known) return answer(std::move(planned_), stage::idle);
    stage const then = was_active && verb_ == verb::prepare ? stage::in_doubt : stage_;
    answer(std::move(lost), then);
}

}  // namespace assent::pg
