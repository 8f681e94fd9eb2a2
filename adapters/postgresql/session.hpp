// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- one connection: the verbs as short conversations with the server.
//
//   start              BEGIN; SET LOCAL assent.mark              one message
//     with a lead      ...; a statement of ours                      the same
//   prepare            SHOW assent.mark; SET CONSTRAINTS ALL IMMEDIATE;
//                      SET [LOCAL] SESSION AUTHORIZATION DEFAULT; PREPARE TRANSACTION
//   commit_one_phase   mark, xid8 | COMMIT                       two round trips
//     no witness       guard; COMMIT                             one message
//     with a row       guard; ...; INSERT; COMMIT                one message: the row is witness
//   rollback, active   SHOW assent.mark; ROLLBACK                one message
//   any, failed        ROLLBACK                                  only the watch can tell
//   reset              DISCARD ALL                               alone in its message
//   commit, rollback   COMMIT PREPARED | ROLLBACK PREPARED       alone in its message
//
// The mark tells whether this is still the transaction that start began: a setting, which ends with
// its transaction, and the watch (watch.hpp).  Neither is a query, so no snapshot is taken before
// the application takes one.  SHOW does not keep PREPARE from being run in another transaction; a
// vote is no decision, and what was prepared then is rolled back.
//
// Invariant: no branch ends here without its mark having been checked, or the reply says
// that it was lost.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_SESSION_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_SESSION_HPP

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/any_branch.hpp"
#include "adapters/dialects/cancelled_sessions.hpp"
#include "adapters/dialects/postgresql/server.hpp"
#include "adapters/postgresql/watch.hpp"
#include "adapters/postgresql/wire.hpp"

namespace assent::postgresql_adapter {

using namespace postgresql_dialect;
using dialects::branch_name;
using dialects::cancelled_sessions;

class session final : public driver_session, public dialects::any_branch_session
{
public:
    /// @throws driver_error  there is no memory to watch the connection.
    session(PGconn* connection, bool is_owned, session_identity who,
            std::shared_ptr<cancelled_sessions> cancelled);

    std::uint64_t id() const noexcept override { return id_; }
    server_life life() const override { return who_.life_of_server(); }
    void* native_handle() noexcept override { return wire_.get(); }
    int descriptor() const noexcept override { return wire_.descriptor(); }
    void declare(branch_modes const& next) noexcept override { next_ = next; }
    /// The branch that is started next will carry a row.
    void announce_row() noexcept { is_row_announced_ = true; }
    /// The branch that is started next begins with this statement of ours, in the message of its
    /// start, or does not begin; and its commit in one phase is synchronous.
    /// @param tag  of its answer; that of a query is not looked at.
    void lead(std::string statement, std::string tag = of_query)
    {
        lead_ = std::move(statement);
        lead_tag_ = std::move(tag);
    }
    /// The first row of its answer, once; empty where there was none.
    std::vector<std::string> led() noexcept { return std::exchange(led_, {}); }
    void submit(verb v, xid const& x) noexcept override { submit_any(v, x); }
    void submit_any(verb v, branch_name const& x) noexcept override;
    void let_go() noexcept override
    {
        if (stage_ == stage::prepared) stage_ = stage::idle;
    }
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

    /// An SQL expression that is 1 within the branch's transaction, and fails outside of it.
    std::string guard();
    /// Whose branch it is.
    std::string_view gtrid() const noexcept { return branch_.gtrid(); }

    wire& connection() noexcept { return wire_; }
    session_identity const& who() const noexcept { return who_; }

    /// The lock that this session took, for the heartbeat.
    std::optional<server::guard> held;

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
        settling,      // PREPARE failed, and the server does not say whether it was undone
        taking_back,   // PREPARE was obeyed in another transaction
        asking_modes,  // whether the transaction is deferrable
        asking_witness,
        committing,
        committing_guarded,
        rolling_back,
        undoing,
        finishing,
        asking_role,     // this session's present role may not finish the branch
        becoming_login,  // which may
        resuming_role,
        resetting,
    };

    void reset_client() noexcept;
    void forget_notifications() noexcept;
    void begin_verb(verb v, branch_name const& x);
    void start();
    void end_branch();
    void finish_prepared();
    void drain();
    void send(talk next, std::string const& sql);
    void undo(reply planned);
    void undo_failed(reply planned);
    void take_back(talk next, reply planned);
    void answer(reply given, stage then);
    void on_result(PGresult const* result);
    void on_end();
    void on_begun();
    void on_prepared();
    void on_prepare_failed();
    void on_settled();
    void on_taken_back();
    bool is_undone_by_mark();
    void commit_guarded(std::string const& before);
    void ask_modes();
    void on_modes();
    void ask_witness();
    void on_witness();
    void on_read_vote();
    void send_prepare();
    void on_committed();
    void on_committed_guarded();
    void on_rolled_back();
    void on_undone();
    void on_finished();
    void on_role();
    void on_broken(reply lost);
    std::string literal(std::string const& text);
    std::string owned_by_login() const;
    verdict judge() const;

    std::shared_ptr<watch> const watched_;
    wire wire_;
    bool const is_owned_;
    session_identity const who_;
    std::uint64_t const id_;
    std::string const nonce_;
    std::uint64_t branches_begun_ = 0;
    std::shared_ptr<cancelled_sessions> cancelled_;

    stage stage_ = stage::idle;
    branch_name branch_;  // of the stage
    std::string mark_;    // the branch's
    talk talk_ = talk::none;
    branch_modes next_;
    bool is_row_announced_ = false;
    bool is_row_due_ = false;
    static constexpr char of_query[] = "SET";  // the last one in front of it
    std::string lead_;                         // of the next start
    std::string lead_tag_ = of_query;
    bool is_led_ = false;           // the branch began with one
    std::vector<std::string> led_;  // what it found
    bool is_read_only_ = false;     // the branch was declared so
    bool has_witness_ = true;       // its commit in one phase asks for one
    bool has_voted_ = false;        // ... and nothing else was done in it since its vote
    bool is_unasked_ = false;       // ... by which no query was run in it: one would wait
    std::string carried_;           // by the next one-phase commit
    verb verb_ = verb::start;
    branch_name target_;  // of the verb
    reply planned_;       // given when the undoing is over
    reply answer_;
    std::string witness_;

    // What the current message's results said.
    std::optional<reply> failure_;
    std::string tag_;
    std::string expected_;  // of a start
    std::vector<std::string> row_;
    std::string role_;  // to return to, as statements

    bool is_resettable_ = false;
    PQnoticeReceiver receiver_ = nullptr;  // libpq's own, for a reset
    PQnoticeProcessor processor_ = nullptr;
    bool is_tainted_ = false;  // not to serve another transaction
};

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_SESSION_HPP
