// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/reservations/session.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "ports/forks.hpp"

namespace assent::reservations {

namespace {

using clock = deadline::clock;

/// A finisher has other branches to serve.
constexpr std::chrono::milliseconds finisher_patience{500};
/// What is rolled back is rolled back also when there is no time left.
constexpr std::chrono::seconds undo_time{2};

reply left_behind()
{
    return make_reply(xa_code::proto,
                      "the handler attempt ended its transaction itself: what it did is permanent",
                      reply_detail::left_behind);
}

reply settled_by_others()
{
    return make_reply(xa_code::proto,
                      "its reservation was deleted, or settled, by somebody else: what attempt did "
                      "may be there",
                      reply_detail::left_behind);
}

}  // namespace

session::session(std::shared_ptr<service> of, std::shared_ptr<settler> by,
                 std::unique_ptr<driver_session> on, session_purpose purpose) noexcept
    : of_(std::move(of)), settler_(std::move(by)), on_(std::move(on)), purpose_(purpose)
{
}

bool session::is_reusable() const noexcept
{
    return on_->is_reusable() && stage_ == stage::idle && !asked_ && !is_severed_;
}

void session::sever() noexcept
{
    is_severed_ = true;
    asked_.reset();  // it goes on, and whoever asks again gets its answer
    on_->sever();
}

void session::declare(branch_modes const& next) noexcept
{
    auto modes = next;
    modes.has_witness = false;  // the row is one
    on_->declare(modes);
}

/// In the child there are neither the connection nor the workers.
void session::abandon() noexcept
{
    is_severed_ = true;
    asked_.reset();
    on_->abandon();
}

void session::submit(verb v, xid const& x) noexcept
try {
    answer_.reset();
    asked_.reset();
    is_vote_due_ = is_vote_asked_ = is_passed_on_ = false;
    if (is_severed_) return answer(lost("the session was cut"));
    begin_verb(v, x);
} catch (std::exception const& e) {
    answer(again(e.what()));
}

void session::begin_verb(verb v, xid const& x)
{
    bool const is_here = stage_ != stage::idle && branch_ == x;
    auto const refuse = [this](char const* why) { answer(make_reply(xa_code::proto, why)); };
    switch (v) {
        case verb::start:
            if (stage_ != stage::idle) return refuse("another branch is open here");
            return start(x);
        case verb::prepare:
            is_vote_due_ = is_here && stage_ != stage::voted;
            if (!is_vote_due_) return refuse("no such branch is open here");
            return ask_vote();
        case verb::commit:
            if (is_here && stage_ != stage::voted) return refuse("the branch has not voted yes");
            if (is_here) stage_ = stage::idle;
            asked_ = settler_->ask(x, end::confirm, life());
            return;
        case verb::rollback:
            return roll_back(x);
        case verb::commit_one_phase:
            // A confirm may fail, and be repeated, which needs a decision.
            return refuse("a reservation is not committed in one phase");
        case verb::forget:
            return answer(make_reply(xa_code::nota, "nothing to forget"));
    }
    answer(make_reply(xa_code::inval, "no such verb"));
}

void session::start(xid const& x)
{
    auto const payload = std::exchange(payload_, std::nullopt);
    is_entered_ = payload && of_->table.insert_at_start(*on_, {x, of_->name, *payload});
    branch_ = x;
    stage_ = stage::open;
    pass_on(verb::start, x);
}

void session::ask_vote()
{
    if (stage_ != stage::kept) return;
    try {
        is_vote_asked_ = of_->table.ask_contains(*on_, branch_);
    } catch (driver_error const& e) {
        answer(lost(e.what()));
    }
}

void session::roll_back(xid const& x)
{
    bool const is_here = stage_ != stage::idle && branch_ == x;
    switch (is_here ? std::exchange(stage_, stage::idle) : stage::idle) {
        case stage::nothing:
            return answer({});
        case stage::left:
            return answer(left_behind());
        case stage::gone:
            is_doubtful_ = true;  // its own session may not see what is there
            break;
        case stage::open:
            return pass_on(verb::rollback, x);
        case stage::unknown:
            on_->sever();  // it may still carry out what was not answered
            break;
        default:
            break;
    }
    asked_ = settler_->ask(x, end::cancel, life());
}

void session::pass_on(verb v, xid const& x)
{
    is_passed_on_ = true;
    on_->submit(v, x);
}

std::optional<reply> session::collect(deadline until) noexcept
try {
    if (answer_) return std::exchange(answer_, std::nullopt);
    if (is_passed_on_) {
        auto heard = on_->collect(until);
        if (heard && stage_ == stage::open && !heard->is_ok()) stage_ = stage::idle;
        return heard;
    }
    if (asked_) return settled(until);
    if (std::exchange(is_vote_due_, false)) return vote(until);
    return lost("the session was cut");
} catch (std::exception const& e) {
    return lost(e.what());
}

std::optional<reply> session::settled(deadline until)
{
    auto const patience = purpose_ == session_purpose::work
                              ? until
                              : std::min(until, clock::now() + finisher_patience);
    auto const asked = std::exchange(asked_, nullptr);
    auto told = settler_->wait(*asked, patience);
    if (std::exchange(is_doubtful_, false) && !told.is_ok()) return settled_by_others();
    return told;
}

reply session::vote(deadline until)
{
    switch (stage_) {
        case stage::kept:
            break;
        case stage::left:
            return left_behind();
        case stage::nothing:
            return make_reply(xa_code::rbrollback, "the attempt took no effect");
        case stage::open:
            undo(until);
            return make_reply(xa_code::rbrollback, "nothing was attempted");
        default:
            return lost("it is not known whether the attempt took effect");
    }
    try {
        bool const is_there = std::exchange(is_vote_asked_, false)
                                  ? of_->table.hear_contains(*on_, until)
                                  : of_->table.contains(*on_, branch_, until);
        if (is_there) {
            stage_ = stage::voted;
            return reply{};
        }
    } catch (driver_error const& e) {
        // A refusal that was heard leaves the connection as it was.
        return on_->is_reusable() ? make_reply(xa_code::rmerr, e.what()) : lost(e.what());
    }
    stage_ = stage::gone;
    return make_reply(xa_code::rmerr, "its reservation is gone: somebody else has settled it");
}

// ---- attempt -----------------------------------------------------------------------------------

void session::attempt(std::string const& payload, deadline until)
{
    if (stage_ != stage::open) throw driver_error(errc::invalid_state, "nothing was begun here");
    auto const generation = ports::fork_generation();
    try {
        if (!std::exchange(is_entered_, false)) {
            of_->table.insert(*on_, {branch_, of_->name, payload}, until);
        }
        tcc::call now{branch_, payload, on_->native_handle(), until};
        of_->how.attempt(now);
        require_same_process(generation);
        if (clock::now() >= until)
            throw driver_error("the attempt took longer than there was time");
    } catch (...) {
        if (generation != ports::fork_generation()) throw;
        undo(until);
        throw;
    }
    commit(until);
}

/// The handler may have forked: the connection is the parent's.
void session::require_same_process(std::uint64_t generation)
{
    if (generation == ports::fork_generation()) return;
    abandon();
    throw driver_error(errc::forked, "this process was forked by the handler");
}

/// No COMMIT of ours was sent.
void session::undo(deadline until)
{
    auto const answer =
        run(*on_, verb::rollback, branch_, std::max(until, clock::now() + undo_time));
    bool const is_undone = answer.is_ok() || is_rolled_back(answer);
    stage_ = is_undone                                    ? stage::nothing
             : answer.detail == reply_detail::left_behind ? stage::left
                                                          : stage::unknown;
}

void session::commit(deadline until)
{
    reply answer;
    {
        attempt_gate::commit const passed{of_->gate, id()};
        stage_ = stage::unknown;
        answer = run(*on_, verb::commit_one_phase, branch_, until);
    }
    std::string const words = answer.text.empty() ? "an answer without words" : answer.text;
    if (answer.is_ok()) {
        stage_ = stage::kept;
        return;
    }
    if (answer.detail == reply_detail::left_behind) {
        stage_ = stage::left;
        throw driver_error(left_behind().text);
    }
    // A handler that prepared the branch by its name, where that is a command: nobody would end it.
    if (!is_rolled_back(answer) && answer.detail != reply_detail::reply_lost) undo(until);
    if (is_rolled_back(answer) || stage_ == stage::nothing) {
        stage_ = stage::nothing;
        throw driver_error("the attempt was rolled back: " + words, answer.sqlstate,
                           answer.native_code);
    }
    throw driver_error("it is not known whether the attempt took effect (" + words +
                           "); if it did, it is cancelled",
                       answer.sqlstate, answer.native_code);
}

}  // namespace assent::reservations
