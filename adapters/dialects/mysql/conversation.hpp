// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// conversation.hpp -- one session's branches: each verb as a few statements and their answers.
//
//   start              XA START x
//     after a reset    what the session was told when it was opened; XA START x
//     with modes       SET TRANSACTION ...; XA START x
//     before a row     XA START x; DELETE ... of no row, which READ ONLY refuses
//     with a lead      XA START x; SAVEPOINT s; RELEASE SAVEPOINT s; statements of ours
//   prepare            XA END x; XA PREPARE x
//     read-only        XA END x: the vote; it is not prepared, and ends with the outcome
//   commit_one_phase   XA END x; XA COMMIT x ONE PHASE
//     with a row       SAVEPOINT s; RELEASE SAVEPOINT s; INSERT ...; XA END x;
//                      XA COMMIT x ONE PHASE
//   rollback, active   XA END x; XA ROLLBACK x
//   commit, rollback   XA COMMIT x | XA ROLLBACK x        of a prepared branch, on any session
//
// Pure: it says what to send and what the answers mean, and knows neither a client library nor
// time.  Every adapter that speaks to these servers drives it so:
//
//   done = talk.begin(v, x);
//   while (!done) { send(talk.message(...)); done = talk.advance(its answers, one by one); }
//
// What XA END says on the session that began the branch is the mark, checked at every end:
//
//   OK                       the branch is attached; so must the status flag say, where it is seen
//   1399 ROLLBACK ONLY,      attached, and lost against others: XA ROLLBACK, then a no vote
//   1402, 1613, 1614
//   1399 IDLE                the application has sent XA END itself: go on
//   1399 NON-EXISTING, 1397  left behind: mysql_reset_connection, a silent reconnect, or the
//                            application's own XA COMMIT; later statements were permanent at once
//
// A row must not be inserted where the branch is gone already: it would be permanent at once.  But
// after XA END nothing can be inserted.  So a savepoint asks first whether the session is in any
// transaction: outside of one it is forgotten as soon as it was set, and releasing it is an error.
// It asks before a lead, too, which is under way before the flag of XA START's answer is seen.
//
// Invariant: a no vote (XA_RB*) is given only after XA ROLLBACK was answered here, so the
// branch is gone and no rollback will be sent.  Every other negative answer to prepare leaves the
// branch as it may be, and the engine sends rollback.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_CONVERSATION_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_CONVERSATION_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/branch_name.hpp"
#include "adapters/dialects/mysql/answer.hpp"

namespace assent::mysql_dialect {

/// Thread safety: one thread at a time.
class conversation
{
public:
    enum class attachment : std::uint8_t {
        none,
        unsure,    ///< the reply to XA START was lost or cut short
        active,    ///< begun here
        ended,     ///< XA END said that it was attached; what followed gave no final answer
        prepared,  ///< prepared here
    };

    conversation();

    /// How the next branch is begun.
    void declare(branch_modes const& next) noexcept { next_ = next; }
    /// The branch of this session.
    dialects::branch_name const& branch() const noexcept { return branch_; }
    /// At which level the last start was asked for; nothing where the session's own holds.
    std::optional<isolation> level() const noexcept { return level_; }

    /// The next branch will carry a row: its start tries this statement, which changes none.
    void announce(std::string statement) { trial_ = std::move(statement); }

    /// The next branch begins with these statements, within it, or does not begin.
    void lead(std::vector<std::string> statements) { lead_ = std::move(statements); }
    /// The rows of the first of them; once, for they may be large.
    table led() noexcept { return std::exchange(led_, {}); }
    /// Whether the message that is being answered may be answered with rows.
    bool expects_rows() const noexcept { return !lead_.empty(); }

    /// The next start runs these statements first.
    void precede(std::vector<std::string> const& statements) { preamble_ = statements; }

    /// The next one-phase commit runs this statement too, within the branch.
    void carry(std::string statement) { carried_ = std::move(statement); }
    /// Whether a row may have been inserted into something else than the branch: the session must
    /// be cut, so that it goes with whatever that is.
    bool must_cut() const noexcept { return must_cut_; }

    /// Begins a verb.  What must be known before a statement is planned (is this still the session
    /// that began the branch?) the caller asks first, by owns() and is_of_session().
    /// @return a reply when there is nothing to send.
    std::optional<reply> begin(verb v, dialects::branch_name const& x);

    /// The next message.  @param all  it may hold several statements, parted by "; "; where the
    /// application has switched that off the server refuses such a message whole, and each
    /// statement is then sent by itself.
    std::string message(bool all);

    /// Whether all statements of the last message were answered, and the next one is due.
    bool must_send() const noexcept { return sent_ == 0; }

    /// Whether `said` can be the answer to the statement whose answer is due.  If not, it is an
    /// answer to something else, or of a server that does what none of these servers does.
    bool fits(answer const& said) const;

    /// Whether `said` refuses a message for its several statements: they are sent one by one.
    bool must_split(answer const& said) const noexcept;

    /// Takes the answer to one statement.  @return the reply when the conversation is over.
    std::optional<reply> advance(answer const& said);

    /// Ends the conversation with `said`, which came from elsewhere: a connection that broke, or
    /// was replaced.
    reply settle(reply said);
    /// The same, with an answer that says that the connection is lost.  Where the statement that
    /// could make the branch permanent was not sent, it never will be: a no vote.  It is worth
    /// repeating at once only where the server said that it ends the session; one that is there,
    /// unreachable, keeps its locks.
    reply lost(answer const& said);
    reply lost(answer const& said, bool is_ended_by_server);

    /// The same, where the server refused a statement for a reason that has nothing to do with the
    /// branch, and therefore ran neither it nor anything behind it: the session must be cut.
    reply refused(answer const& said);

    /// The branch of the verb in progress, as XA statements have it.
    std::string const& name() const noexcept { return asked_text_; }

    /// Whether the verb in progress may yet end in a no vote, since nothing was sent that could
    /// make the branch permanent.
    bool can_vote_no() const noexcept;
    /// ... although the server refused a statement in front of it, in the same message.
    bool is_decisive_sent() const noexcept { return is_decisive_sent_; }

    /// Whether the verb in progress is for the branch that this session holds in this way.
    bool owns(attachment state) const noexcept;
    /// Whether `x` is the branch that this session holds, in whatever way.
    bool is_of_session(dialects::branch_name const& x) const noexcept;
    /// Whether `x` is prepared, and attached here.
    bool has_prepared(dialects::branch_name const& x) const noexcept;

    /// What is prepared here may be ended anywhere.  @pre  the server does not keep it.
    void let_go() noexcept
    {
        if (attachment_ == attachment::prepared) attachment_ = attachment::none;
    }

    /// Whether the last reply left the session outside any branch, in a state that is known.
    bool is_clear() const noexcept;

    static reply left_behind(answer const& said, std::string text);

private:
    enum class step : std::uint8_t {
        preamble,
        modes,
        start,
        lead,
        trial,
        savepoint,
        release,
        insertion,
        end,
        prepare,
        commit,
        one_phase,
        rollback,
    };

    std::vector<step> plan_for(verb v) const;
    void say(std::string& text, step next, std::size_t told) const;
    bool is_vote_of_ours() const noexcept;
    std::optional<reply> before_start(answer const& said);
    std::optional<reply> after_start(answer const& said);
    std::optional<reply> after_lead(answer const& said);
    std::optional<reply> after_trial(answer const& said);
    std::optional<reply> before_row(answer const& said);
    std::optional<reply> after_row(answer const& said);
    std::optional<reply> after_end(answer const& said);
    reply still_open() const;
    std::optional<reply> after_prepare(answer const& said);
    std::optional<reply> after_one_phase(answer const& said);
    std::optional<reply> after_commit(answer const& said);
    std::optional<reply> after_rollback(answer const& said);
    std::optional<reply> turn_to_rollback(answer const& cause);
    std::optional<reply> turn_to_end(answer const& cause);

    dialects::branch_name branch_;
    attachment attachment_ = attachment::none;

    // The verb that is being answered.
    branch_modes next_;
    std::optional<isolation> level_;     ///< of the last start
    std::string trial_;                  ///< of the next start
    std::vector<std::string> lead_;      ///< of the next start; what was answered is gone
    table led_;                          ///< what the first of it found
    bool has_led_ = false;               ///< that was answered
    bool is_read_only_ = false;          ///< the branch was declared so
    std::vector<std::string> preamble_;  ///< of the next start
    verb verb_ = verb::start;
    dialects::branch_name asked_;
    std::string asked_text_;
    std::vector<step> steps_;        ///< to be answered, first one first
    std::size_t sent_ = 0;           ///< how many of them are in the message that was sent
    bool is_first_ = false;          ///< of its answers is the next one
    bool is_split_ = false;          ///< the session takes one statement in a message
    bool is_decisive_sent_ = false;  ///< XA PREPARE, or XA COMMIT ... ONE PHASE
    bool is_proven_ = false;         ///< XA END said that the branch is attached
    std::string carried_;            ///< by the next one-phase commit
    bool has_row_ = false;           ///< it was inserted, into whatever the session is in
    bool must_cut_ = false;
    std::optional<answer> cause_;  ///< why a rollback replaced what was asked

    bool is_sound_ = true;     ///< the last reply left the session in a state that is known
    bool is_spoiled_ = false;  ///< left behind, or interrupted: never to be used again
};

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_CONVERSATION_HPP
