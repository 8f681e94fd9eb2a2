// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.cpp -- what is sent for each verb.  What the answers mean is in session_replies.cpp.
//
// Every name in these queries is qualified: the search path is the application's, and a function
// or operator of its own that is called like ours must not answer for the server's.

#include "adapters/postgresql/session.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/postgresql/error.hpp"

namespace assent::pg {

session::session(PGconn* connection, bool is_owned, session_identity who,
                 std::shared_ptr<cancelled_sessions> cancelled)
    : wire_(connection, is_owned), who_(std::move(who)), cancelled_(std::move(cancelled))
{
}

std::uint64_t session::id() const noexcept
{
    PGconn const* connection = wire_.get();
    // A proxy's number is not the server's, which may have given it to somebody else.
    bool const is_known = connection != nullptr && !who_.is_proxied;
    return is_known ? static_cast<std::uint64_t>(PQbackendPID(connection)) : 0;
}

bool session::is_reusable() const noexcept
{
    try {
        return !is_tainted_ && talk_ == talk::none && stage_ == stage::idle &&
               wire_.transaction_status() == PQTRANS_IDLE && !cancelled_->contains(id());
    } catch (std::exception const&) {
        return false;  // a mutex that fails: better to lose a connection than to trust it
    }
}

void session::submit(verb v, xid const& x) noexcept
{
    verb_ = v;
    target_ = x;
    witness_.clear();
    try {
        begin_verb(v, x);
    } catch (std::exception const& error) {
        wire_.poison();
        on_broken(lost_reply(error.what()));
    }
}

void session::begin_verb(verb v, xid const& x)
{
    bool const is_ours = stage_ == stage::active && branch_ == x;
    switch (v) {
        case verb::start:
            return start();
        case verb::prepare:
        case verb::commit_one_phase:
            if (is_ours) return end_branch();
            return answer({xa_code::proto, {}, 0, {}, "no such branch is active here", {}}, stage_);
        case verb::rollback:
            if (is_ours) return end_branch();
            return finish_prepared();
        case verb::commit:
            return finish_prepared();
        case verb::forget:
            // The server takes no heuristic decisions, so there is none to forget.
            return answer({xa_code::nota, {}, 0, {}, "nothing to forget", {}}, stage_);
    }
    answer({xa_code::inval, {}, 0, {}, "no such verb", {}}, stage_);
}

void session::send(talk next, std::string const& sql)
{
    failure_.reset();
    tag_.clear();
    row_.clear();
    talk_ = next;
    if (!wire_.send(sql)) on_broken(lost_reply(wire_.why()));
}

std::string session::literal(std::string const& text)
{
    struct free_memory
    {
        void operator()(char* memory) const noexcept { PQfreemem(memory); }
    };
    std::unique_ptr<char, free_memory> const quoted{
        PQescapeLiteral(wire_.get(), text.data(), text.size())};
    if (quoted == nullptr) throw std::runtime_error("a name cannot be quoted: " + wire_.why());
    return quoted.get();
}

void session::start()
{
    if (wire_.is_broken()) return on_broken(lost_reply(wire_.why()));
    if (stage_ != stage::idle || wire_.transaction_status() != PQTRANS_IDLE) {
        return answer({xa_code::outside, {}, 0, {}, "the connection is not idle", {}}, stage_);
    }
    failure_.reset();
    row_.clear();
    carried_.clear();
    synchronizations_ = 0;
    talk_ = talk::beginning;
    char const* const begin =
        std::exchange(is_read_only_next_, false) ? "BEGIN READ ONLY" : "BEGIN";
    if (!wire_.send_begin_and(begin, {statements::declare_mark, statements::fetch_mark})) {
        on_broken(lost_reply(wire_.why()));
    }
}

std::string session::guard()
{
    return statements::guard(mark_,
                             "current_user OPERATOR(pg_catalog.<>) " + literal(who_.user) +
                                 " OR pg_catalog.current_database() OPERATOR(pg_catalog.<>) " +
                                 literal(who_.database));
}

void session::end_branch()
{
    if (wire_.is_broken()) return on_broken(lost_reply(wire_.why()));
    if (PQpipelineStatus(wire_.get()) != PQ_PIPELINE_OFF) {
        talk_ = talk::draining;
        if (!wire_.begin_drain()) on_broken(lost_reply(wire_.why()));
        return;
    }
    switch (wire_.transaction_status()) {
        case PQTRANS_INTRANS:
            break;
        case PQTRANS_INERROR:
            if (verb_ == verb::rollback) return ask_portal({});
            return ask_portal({xa_code::rbrollback,
                               {},
                               0,
                               "25P02",
                               "a statement failed and aborted the transaction",
                               {}});
        case PQTRANS_IDLE:
            // The application ended the transaction itself, so what it did since is permanent.
            is_tainted_ = true;
            return answer(statements::left_behind(), stage::idle);
        case PQTRANS_ACTIVE:
            // The application left results unread.  They are read, because only then does the
            // server say whether the transaction still stands.
            talk_ = talk::draining;
            if (!wire_.begin_drain()) on_broken(lost_reply(wire_.why()));
            return;
        case PQTRANS_UNKNOWN:
            return on_broken(lost_reply(wire_.why()));
    }
    if (verb_ == verb::prepare) {
        // The guard fails in the server, so that PREPARE is not run when it does not hold: in the
        // application's second transaction it would succeed, and the first is permanent.
        send(talk::preparing, "SELECT CAST(" + guard() + " AS pg_catalog.int4); " +
                                  "PREPARE TRANSACTION " + literal(branch_.text()));
    } else if (verb_ == verb::commit_one_phase && !carried_.empty()) {
        // One message: where its reply is lost, the row can be asked.
        send(talk::committing_row, "SELECT CAST(" + guard() + " AS pg_catalog.int4)" +
                                       decisions::synchronous_column + "; " +
                                       std::exchange(carried_, {}) + "; COMMIT");
    } else if (verb_ == verb::commit_one_phase) {
        send(talk::asking_witness, statements::read_witness);
    } else {
        send(talk::rolling_back, std::string{"SELECT "} + statements::begun_at + "; ROLLBACK");
    }
}

void session::finish_prepared()
{
    if (wire_.is_broken()) return on_broken(lost_reply(wire_.why()));
    if (wire_.transaction_status() != PQTRANS_IDLE) {
        return answer({xa_code::proto, {}, 0, {}, "the connection is inside a transaction", {}},
                      stage_);
    }
    char const* words = verb_ == verb::commit ? "COMMIT PREPARED " : "ROLLBACK PREPARED ";
    send(talk::finishing, words + literal(target_.text()));
}

void session::ask_portal(reply planned)
{
    planned_ = std::move(planned);
    failure_.reset();
    talk_ = talk::asking_portal;
    if (!wire_.send_describe_portal(statements::mark_portal)) on_broken(lost_reply(wire_.why()));
}

void session::undo(reply planned)
{
    planned_ = std::move(planned);
    send(talk::undoing, "ROLLBACK");
}

void session::allow_reset() noexcept
{
    is_resettable_ = true;
    receiver_ = PQsetNoticeReceiver(wire_.get(), nullptr, nullptr);  // null changes nothing
    processor_ = PQsetNoticeProcessor(wire_.get(), nullptr, nullptr);
}

/// What the lease told libpq.  A notice must not go to a function whose argument went with the
/// transaction.
void session::reset_client() noexcept
{
    PGconn* const connection = wire_.get();
    PQsetNoticeReceiver(connection, receiver_, nullptr);
    PQsetNoticeProcessor(connection, processor_, nullptr);
    PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
    PQsetErrorContextVisibility(connection, PQSHOW_CONTEXT_ERRORS);
    PQuntrace(connection);
}

void session::submit_reset() noexcept
{
    if (!is_resettable_) return;
    if (!is_reusable()) {  // what is prepared here, or active, is never reset
        is_tainted_ = true;
        return;
    }
    reset_client();
    try {
        send(talk::resetting, "DISCARD ALL");
    } catch (std::exception const& error) {
        wire_.poison();
        on_broken(lost_reply(error.what()));
    }
}

bool session::collect_reset(deadline until) noexcept
{
    if (talk_ == talk::none) return !is_tainted_;
    auto const answer = collect(until);
    if (!answer) {
        is_tainted_ = true;
        wire_.poison();
    }
    // What the client library keeps is not the server's to discard.
    return answer && answer->is_ok() && PQsetnonblocking(wire_.get(), 0) == 0;
}

std::optional<reply> session::collect(deadline until) noexcept
{
    try {
        while (talk_ != talk::answered) {
            if (talk_ == talk::none) throw std::logic_error("nothing was submitted");
            result_ptr result;
            switch (wire_.next(until, result)) {
                case wire::event::result:
                    on_result(result.get());
                    break;
                case wire::event::end:
                    on_end();
                    break;
                case wire::event::silence:
                    return std::nullopt;
                case wire::event::broken:
                    on_broken(lost_reply(wire_.why()));
                    break;
            }
        }
    } catch (std::exception const& error) {
        wire_.poison();
        on_broken(lost_reply(error.what()));
    }
    wire_.settle();
    talk_ = talk::none;
    return std::move(answer_);
}

}  // namespace assent::pg
