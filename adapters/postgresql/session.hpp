// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- one connection: the verbs as short conversations with the server.
//
//   start              BEGIN | DECLARE assent_mark, FETCH        one packet, two messages
//   prepare            guard; PREPARE TRANSACTION                one message
//   commit_one_phase   guard, xid8 | COMMIT                      two round trips
//     with a row       guard; INSERT; COMMIT                     one message: the row is the
//     witness
//   rollback, active   mark; ROLLBACK                            one message
//   reset              DISCARD ALL                               alone in its message
//   commit, rollback   COMMIT PREPARED | ROLLBACK PREPARED       alone in its message
//
// The mark tells whether this is still the transaction that start began.  It has two halves,
// because a failed transaction answers no query: the time at which the transaction began, and a
// portal, which ends with its transaction and which can be asked for even in a failed one.
//
// The one invariant: no branch ends here without its mark having been checked, or the reply says
// that it was lost.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_SESSION_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_SESSION_HPP

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/resource_manager.hpp>

#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/dialects/postgresql/server.hpp"
#include "adapters/postgresql/wire.hpp"

namespace assent::pg {

using namespace postgresql_dialect;
using dialects::cancelled_sessions;

class session final : public driver_session
{
public:
    session(PGconn* connection, bool is_owned, session_identity who,
            std::shared_ptr<cancelled_sessions> cancelled);

    std::uint64_t id() const noexcept override;
    void* native_handle() noexcept override { return wire_.get(); }
    int descriptor() const noexcept override { return wire_.descriptor(); }
    void declare_read_only() noexcept override { is_read_only_next_ = true; }
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    bool is_reusable() const noexcept override;
    void submit_reset() noexcept override;
    bool collect_reset(deadline until) noexcept override;
    void sever() noexcept override { wire_.sever(); }
    void abandon() noexcept override { wire_.abandon(); }

    /// The next one-phase commit runs this statement too, in the same message and transaction.
    void carry(std::string statement) { carried_ = std::move(statement); }

    /// What the session was told before it came to us is in its connection string, so that DISCARD
    /// ALL leads back to it; a function of the application's may have told it anything.
    void allow_reset() noexcept;

    wire& connection() noexcept { return wire_; }
    session_identity const& who() const noexcept { return who_; }

    /// The key of the advisory lock that this session took, for the heartbeat.
    std::optional<std::int64_t> guard_key;

private:
    enum class stage : std::uint8_t {
        idle,
        active,    // start succeeded
        prepared,  // PREPARE TRANSACTION succeeded
        in_doubt,  // PREPARE TRANSACTION was not answered, or not understood
    };
    enum class talk : std::uint8_t {
        none,
        answered,
        draining,
        beginning,
        preparing,
        asking_witness,
        committing,
        committing_row,
        rolling_back,
        asking_portal,
        undoing,
        finishing,
        resetting,
    };

    void reset_client() noexcept;
    void begin_verb(verb v, xid const& x);
    void start();
    void end_branch();
    void finish_prepared();
    void send(talk next, std::string const& sql);
    void ask_portal(reply planned);
    void undo(reply planned);
    void answer(reply given, stage then);
    void on_result(PGresult const* result);
    void on_end();
    void on_begun();
    void on_prepared();
    void on_witness();
    void on_committed();
    void on_committed_row();
    void on_guard_failed();
    void on_rolled_back();
    void on_undone();
    void on_finished();
    void on_broken(reply lost);
    std::string literal(std::string const& text);
    std::string guard();
    bool is_mark_intact() const { return !row_.empty() && row_[0] == mark_; }

    wire wire_;
    session_identity const who_;
    std::shared_ptr<cancelled_sessions> cancelled_;

    stage stage_ = stage::idle;
    xid branch_;        // of the stage
    std::string mark_;  // microseconds since the epoch, as the server wrote them
    talk talk_ = talk::none;
    bool is_read_only_next_ = false;
    std::string carried_;  // by the next one-phase commit
    verb verb_ = verb::start;
    xid target_;     // of the verb
    reply planned_;  // given when the undoing is over
    reply answer_;
    std::string witness_;

    // What the current message's results said.
    std::optional<reply> failure_;
    std::string tag_;
    std::vector<std::string> row_;
    int synchronizations_ = 0;

    bool is_resettable_ = false;
    PQnoticeReceiver receiver_ = nullptr;  // libpq's own, for a reset
    PQnoticeProcessor processor_ = nullptr;
    bool is_tainted_ = false;  // not to serve another transaction
};

}  // namespace assent::pg

#endif  // ASSENT_ADAPTERS_POSTGRESQL_SESSION_HPP
