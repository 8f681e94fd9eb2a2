// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tx/thread_of_control.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <type_traits>

#include <assent/user_transaction.hpp>

namespace assent::tx {

namespace {

// A manager takes a life of ten years or more for one without an end.
constexpr std::chrono::seconds for_ever = std::chrono::hours{24 * 365 * 10};

static_assert(std::is_trivially_destructible_v<thread_of_control>);

commit_return in_cpp(COMMIT_RETURN when) noexcept
{
    return when == TX_COMMIT_DECISION_LOGGED ? commit_return::decision_logged
                                             : commit_return::completed;
}

/// A transaction that C++ has ended, and left bound to its thread.
bool is_over(status what) noexcept
{
    return what == status::committed || what == status::rolled_back || what == status::unknown;
}

void write_xid(XID& into, gtrid const& id) noexcept
{
    auto const global = id.text();
    auto const no_branch = bqual{};
    auto const branch = no_branch.text();
    into.formatID = assent_format_id;
    into.gtrid_length = static_cast<long>(global.size());
    into.bqual_length = static_cast<long>(branch.size());
    std::copy(branch.begin(), branch.end(),
              std::copy(global.begin(), global.end(), static_cast<char*>(into.data)));
}

}  // namespace

thread_of_control& here() noexcept
{
    thread_local thread_of_control own;
    return own;
}

void thread_of_control::say(std::string_view why) noexcept
{
    auto used = std::strlen(message_.data());
    auto const room = [&] { return message_.size() - 1 - used; };
    if (used != 0 && room() > 2) {
        message_[used++] = ';';
        message_[used++] = ' ';
    }
    auto const length = std::min(why.size(), room());
    std::copy_n(why.begin(), length, message_.data() + used);
    message_[used + length] = '\0';
}

int thread_of_control::answer_to_exception() noexcept
{
    try {
        throw;
    } catch (refusal const& e) {
        say(e.why);
        return e.answer;
    } catch (error const& e) {
        say(e.what());
        return answer_to(e.why());
    } catch (std::exception const& e) {
        say(e.what());
    } catch (...) {
        say("something was thrown that is no std::exception");
    }
    return TX_ERROR;
}

/// Callbacks around the end of a transaction may look, and work before it; not begin or end, or say
/// when the end returns.
void thread_of_control::require_between_calls() const
{
    if (is_ending_) {
        throw refusal{TX_PROTOCOL_ERROR, "the thread's transaction is just being ended"};
    }
}

service const& thread_of_control::opened() const
{
    if (opened_ == 0) throw refusal{TX_PROTOCOL_ERROR, "this thread has not called tx_open()"};
    auto const* const now = present();
    if (now == nullptr || now->serial != opened_) {
        throw refusal{TX_FAIL,
                      "the tx_service that this thread had opened has been destroyed, or is of "
                      "the process that forked this one; tx_open() opens the present one"};
    }
    return *now;
}

transaction* thread_of_control::current(service const& at) const noexcept
{
    auto* const tx = at.manager.current();
    return tx == nullptr || is_over(tx->status()) ? nullptr : tx;
}

bool thread_of_control::has_begun(transaction const& tx) const noexcept
{
    auto const id = tx.id().text();
    return std::equal(id.begin(), id.end(), begun_.begin(), begun_.end());
}

/// One begins only where each database answers: it is asked for a branch, which is rolled back.
int thread_of_control::open()
{
    require_between_calls();
    auto const* const now = present();
    if (now == nullptr) {
        throw refusal{TX_ERROR, "this process has no tx_service (assent/tx.hpp) now"};
    }
    if (opened_ == now->serial) return TX_OK;
    try {
        for (auto const& [name, database] : now->databases) {
            auto probe = now->manager.begin();
            probe.lease_any(database);
            probe.rollback();
        }
    } catch (...) {
        int const answer = answer_to_exception();
        return answer == TX_ERROR || answer == TX_OUTSIDE ? TX_ERROR : TX_FAIL;
    }
    when_return_ = TX_COMMIT_COMPLETED;
    control_ = TX_UNCHAINED;
    timeout_ = 0;
    opened_ = now->serial;
    return TX_OK;
}

int thread_of_control::close()
{
    if (opened_ == 0) return TX_OK;
    require_between_calls();
    if (current(opened()) != nullptr) {
        throw refusal{TX_PROTOCOL_ERROR, "this thread is in a transaction"};
    }
    opened_ = 0;
    return TX_OK;
}

int thread_of_control::begin()
{
    auto const& at = opened();
    require_between_calls();
    if (current(at) != nullptr) {
        throw refusal{TX_PROTOCOL_ERROR, "this thread is in a transaction already"};
    }
    try {
        start(at);
    } catch (...) {
        int const answer = answer_to_exception();
        return answer == TX_ERROR || answer == TX_OUTSIDE ? answer : TX_FAIL;
    }
    return TX_OK;
}

void thread_of_control::start(service const& at)
{
    at.manager.suspend();  // and forget one that is over
    std::chrono::seconds const chosen{timeout_};
    auto const life = timeout_ == 0 ? for_ever : std::min(chosen, for_ever);
    user_transaction{at.manager}.begin(
        begin_options{}.timeout(life).commit_return(in_cpp(when_return_)));
    until_ = std::chrono::steady_clock::now() + life;
    auto const id = at.manager.current()->id().text();
    std::copy(id.begin(), id.end(), begun_.begin());
}

int thread_of_control::end(ending how)
{
    auto const& at = opened();
    require_between_calls();
    auto const* const tx = current(at);
    if (tx == nullptr) throw refusal{TX_PROTOCOL_ERROR, "this thread is in no transaction"};
    if (!has_begun(*tx)) {
        throw refusal{TX_PROTOCOL_ERROR,
                      "this thread has not begun its transaction by tx_begin(): who began it ends "
                      "it"};
    }
    is_ending_ = true;
    int const answer = end_one(at, how);
    is_ending_ = false;
    bool const is_ended = answer != TX_PROTOCOL_ERROR && answer != TX_FAIL;
    if (!is_ended || control_ != TX_CHAINED) return answer;
    try {
        start(at);
    } catch (...) {
        answer_to_exception();
        return answer + TX_NO_BEGIN;
    }
    return answer;
}

/// Answers every end, and throws nothing: what is no outcome is a failure without one.
int thread_of_control::end_one(service const& at, ending how)
{
    user_transaction ut{at.manager};
    try {
        auto const told = how == ending::commit ? ut.commit() : ut.rollback();
        int const answer = answer_to(told, when_return_);
        if (answer != TX_OK) say("the decision to commit is durable, a branch has yet to confirm");
        return answer;
    } catch (rolled_back_error const& e) {
        say(e.what());
        return TX_ROLLBACK;
    } catch (heuristic_error const& e) {
        say(e.what());
        return answer_to(e.branches(), how);
    } catch (in_doubt_error const& e) {
        say(e.what());
        return TX_HAZARD;
    } catch (...) {
        return answer_to_exception() == TX_PROTOCOL_ERROR ? TX_PROTOCOL_ERROR : TX_FAIL;
    }
}

int thread_of_control::info(TXINFO* into) const
{
    auto const& at = opened();
    auto const* const tx = current(at);
    if (into != nullptr) {
        *into = {};
        into->xid.formatID = -1;
        into->when_return = when_return_;
        into->transaction_control = control_;
        into->transaction_timeout = timeout_;
        into->transaction_state = TX_ACTIVE;
        if (tx != nullptr) {
            write_xid(into->xid, tx->id());
            into->transaction_state = state_of(*tx);
        }
    }
    return tx == nullptr ? 0 : 1;
}

/// The manager says whether it is rollback-only.  That its time is over is seen here: its clock is
/// the same, and `until_` not earlier.
TRANSACTION_STATE thread_of_control::state_of(transaction const& tx) const noexcept
{
    if (has_begun(tx) && std::chrono::steady_clock::now() >= until_) {
        return TX_TIMEOUT_ROLLBACK_ONLY;
    }
    auto const now = tx.status();
    bool const is_doomed = now == status::marked_rollback || now == status::rolling_back;
    return is_doomed ? TX_ROLLBACK_ONLY : TX_ACTIVE;
}

/// Not in callbacks: what is said there would not change how long the commit waits, but what its
/// answer is taken for.
int thread_of_control::set_commit_return(COMMIT_RETURN when)
{
    auto const& at = opened();
    require_between_calls();
    if (when != TX_COMMIT_COMPLETED && when != TX_COMMIT_DECISION_LOGGED) {
        throw refusal{TX_EINVAL, "there is no such commit return"};
    }
    auto* const tx = current(at);
    try {
        if (tx != nullptr && has_begun(*tx)) tx->set_commit_return(in_cpp(when));
    } catch (error const& e) {
        if (e.why() != errc::no_thread) throw;
        throw refusal{TX_NOT_SUPPORTED, "no thread could be started that waits in its stead"};
    }
    when_return_ = when;
    return TX_OK;
}

int thread_of_control::set_transaction_control(TRANSACTION_CONTROL control)
{
    opened();
    if (control != TX_UNCHAINED && control != TX_CHAINED) {
        throw refusal{TX_EINVAL, "there is no such transaction control"};
    }
    control_ = control;
    return TX_OK;
}

int thread_of_control::set_transaction_timeout(TRANSACTION_TIMEOUT seconds)
{
    opened();
    if (seconds < 0) throw refusal{TX_EINVAL, "the timeout is negative"};
    timeout_ = seconds;
    return TX_OK;
}

}  // namespace assent::tx
