// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.cpp -- what is sent for each verb.  What the answers mean is in session_replies.cpp.
//
// Every name in these queries is qualified: the search path is the application's, and a function
// or operator of its own that is called like ours must not answer for the server's.

#include "adapters/postgresql/session.hpp"

#include <cstdint>
#include <exception>
#include <random>
#include <stdexcept>
#include <utility>

#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/gid.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/postgresql/error.hpp"

namespace assent::postgresql_adapter {

namespace {

std::shared_ptr<watch> watch_over(PGconn* connection)
{
    auto watched = watch::on(connection);
    if (watched == nullptr) throw driver_error("there is no memory to watch the connection");
    watched->renew();
    return watched;
}

/// So that no other mark, of this session or of another, is taken for this branch's.
std::string make_nonce()
{
    std::random_device source;
    return std::to_string((static_cast<std::uint64_t>(source()) << 32) | source());
}

}  // namespace

session::session(PGconn* connection, bool is_owned, session_identity who,
                 std::shared_ptr<cancelled_sessions> cancelled)
    : watched_(watch_over(connection)),
      wire_(connection, is_owned, watched_),
      is_owned_(is_owned),
      who_(std::move(who)),
      // A proxy's number is not the server's, which may have given it to somebody else.
      id_(who_.is_proxied ? 0 : static_cast<std::uint64_t>(PQbackendPID(connection))),
      nonce_(make_nonce()),
      cancelled_(std::move(cancelled))
{
}

bool session::is_reusable() const noexcept
{
    try {
        return !is_tainted_ && !wire_.was_cancelled() && talk_ == talk::none &&
               stage_ == stage::idle && wire_.transaction_status() == PQTRANS_IDLE &&
               !cancelled_->contains(id());
    } catch (std::exception const&) {
        return false;  // a mutex that fails: better to lose a connection than to trust it
    }
}

void session::submit_any(verb v, branch_name const& x) noexcept
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

void session::begin_verb(verb v, branch_name const& x)
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
    watched_->pause();
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
    if (quoted == nullptr) throw driver_error("a name cannot be quoted: " + wire_.why());
    return quoted.get();
}

void session::start()
{
    if (wire_.is_broken()) return on_broken(lost_reply(wire_.why()));
    auto const lead = std::exchange(lead_, {});
    expected_ = std::exchange(lead_tag_, of_query);
    if (stage_ != stage::idle || wire_.transaction_status() != PQTRANS_IDLE) {
        return answer({xa_code::outside, {}, 0, {}, "the connection is not idle", {}}, stage_);
    }
    carried_.clear();
    auto const modes = std::exchange(next_, {});
    is_read_only_ = modes.is_read_only();
    has_witness_ = modes.has_witness;
    is_row_due_ = std::exchange(is_row_announced_, false);
    has_voted_ = is_unasked_ = false;
    mark_ = std::to_string(++branches_begun_) + '.' + nonce_;
    led_.clear();
    is_led_ = !lead.empty();
    std::string sql = statements::begin_marked(modes, literal(mark_));
    if (is_row_due_) sql += statements::show_access;
    if (is_led_) sql.append("; ").append(lead);
    send(talk::beginning, sql);
}

/// What the application left unread is read, because only then does the server say whether the
/// transaction still stands.
void session::drain()
{
    talk_ = talk::draining;
    auto const how = verb_ == verb::rollback ? drain::given_up : drain::to_the_end;
    if (!wire_.begin_drain(how)) on_broken(lost_reply(wire_.why()));
}

/// The branch is to be the login's, whatever role the application took: the manager's own
/// connections are.  Deferred triggers come first, because they belong to that role.
std::string session::owned_by_login() const
{
    return is_resettable_ ? statements::owned_by_login : statements::owned_by_login_locally;
}

void session::end_branch()
{
    if (wire_.is_broken()) return on_broken(lost_reply(wire_.why()));
    if (PQpipelineStatus(wire_.get()) != PQ_PIPELINE_OFF) return drain();
    switch (wire_.transaction_status()) {
        case PQTRANS_INTRANS:
            break;
        case PQTRANS_INERROR:
            if (verb_ == verb::rollback) return undo_failed({});
            return undo_failed({xa_code::rbrollback,
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
            return drain();
        case PQTRANS_UNKNOWN:
            return on_broken(lost_reply(wire_.why()));
    }
    if (watched_->has_left()) return undo(statements::left_behind());
    bool const is_vote = verb_ == verb::prepare && is_read_only_;
    // What began with a statement of ours has a snapshot, and waits for nobody; its row is witness.
    bool const is_led = verb_ == verb::commit_one_phase && is_led_ && carried_.empty();
    if (is_led) return commit_guarded(decisions::synchronous_column);
    bool const is_commit = verb_ == verb::commit_one_phase && !has_voted_ && carried_.empty();
    if (is_vote || is_commit) {
        bool const may_wait = who_.is_deferrable || watched_->has_set();
        if (may_wait) return ask_modes();
        if (is_vote || has_witness_) return ask_witness();
        return commit_guarded(statements::durable_column);
    }
    if (verb_ == verb::prepare) {
        send_prepare();
    } else if (verb_ == verb::commit_one_phase && is_unasked_) {
        send(talk::committing, "COMMIT");
    } else if (verb_ == verb::commit_one_phase && has_voted_) {
        commit_guarded({});
    } else if (verb_ == verb::commit_one_phase) {
        // One message: where its reply is lost, the row can be asked.
        commit_guarded(std::string{decisions::synchronous_column} + "; " +
                       statements::owned_by_login_locally + std::exchange(carried_, {}));
    } else {
        send(talk::rolling_back, std::string{statements::show_mark} + "; ROLLBACK");
    }
}

/// COMMIT, and what goes before it, are not run where the mark is gone: the work would be of two
/// transactions.
void session::commit_guarded(std::string const& before)
{
    send(talk::committing_guarded, "SELECT " + guard() + before + "; COMMIT");
}

std::string session::guard()
{
    return watched_->excuses_reset() ? "1" : statements::guard(literal(mark_));
}

/// A query in a serializable transaction that is read only and deferrable waits, where nothing was
/// asked in it yet, for the transactions of all others.
void session::ask_modes()
{
    send(talk::asking_modes,
         std::string{verb_ == verb::prepare ? statements::before_read_vote : ""} +
             statements::show_deferrable);
}

void session::ask_witness()
{
    bool const is_vote = verb_ == verb::prepare;
    send(talk::asking_witness, std::string{is_vote ? statements::before_read_vote : ""} +
                                   statements::read_mark_and_witness +
                                   (is_vote ? statements::is_read_only_column : ""));
}

void session::send_prepare()
{
    send(talk::preparing, std::string{statements::show_mark} + "; " + owned_by_login() +
                              "PREPARE TRANSACTION " + literal(gid_of(branch_)));
}

void session::finish_prepared()
{
    if (wire_.is_broken()) return on_broken(lost_reply(wire_.why()));
    if (wire_.transaction_status() != PQTRANS_IDLE) {
        return answer({xa_code::proto, {}, 0, {}, "the connection is inside a transaction", {}},
                      stage_);
    }
    char const* words = verb_ == verb::commit ? "COMMIT PREPARED " : "ROLLBACK PREPARED ";
    send(talk::finishing, words + literal(gid_of(target_)));
}

void session::undo(reply planned)
{
    planned_ = std::move(planned);
    send(talk::undoing, "ROLLBACK");
}

/// The transaction has failed, or nobody can say what its mark is.
void session::undo_failed(reply planned)
{
    bool const is_left = watched_->judge(mark_answer::unasked) == verdict::left_behind;
    undo(is_left ? statements::left_behind() : std::move(planned));
}

void session::take_back(talk next, reply planned)
{
    planned_ = std::move(planned);
    send(next, "ROLLBACK PREPARED " + literal(gid_of(branch_)));
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

/// They came before DISCARD ALL was answered; after it there is nothing to listen to.
void session::forget_notifications() noexcept
{
    while (PGnotify* const one = PQnotifies(wire_.get()))
        PQfreemem(one);
}

void session::submit_reset() noexcept
{
    if (!is_resettable_) {
        // What the application's own function told the session stays, LISTEN too; not what came.
        if (is_owned_ && is_reusable()) forget_notifications();
        return;
    }
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
    if (!answer || !answer->is_ok()) return false;
    forget_notifications();
    return PQsetnonblocking(wire_.get(), 0) == 0;
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

}  // namespace assent::postgresql_adapter
