// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/half_messages/session.hpp"

#include <chrono>
#include <exception>
#include <new>
#include <utility>

#include "adapters/dialects/replies.hpp"

namespace assent::half_messages {

using dialects::lost;
using dialects::make_reply;

namespace {

/// For a release or a drop; whoever waits for it gives up when it likes to.
constexpr std::chrono::seconds call_time{10};

/// Where memory has run out there are no words.
reply in_words(xa_code code, reply_detail detail, char const* why, char const* before = "") noexcept
{
    reply made;
    made.code = code;
    made.detail = detail;
    try {
        made.text = before;
        made.text += why;
    } catch (std::bad_alloc const&) {
        made.text.clear();
    }
    return made;
}

reply lost_in_words(char const* why) noexcept
{
    return in_words(xa_code::rmfail, reply_detail::reply_lost, why);
}

}  // namespace

session::session(std::shared_ptr<service> of, std::shared_ptr<seat> on)
    : of_(std::move(of)), on_(std::move(on)), call_(of_, on_)
{
}

bool session::is_reusable() const noexcept
{
    return stage_ == stage::idle && !call_.is_under_way() && !answer_ && !is_cut() && !is_spent_;
}

void session::abandon() noexcept
{
    is_severed_ = true;
    call_.abandon();
}

// ---- XA's verbs -------------------------------------------------------------------------------

void session::submit(verb v, xid const& x) noexcept
try {
    answer_.reset();
    if (call_.is_under_way()) sever();  // whoever asked has given it up
    if (is_cut()) return answer(lost("the session was cut"));
    begin_verb(v, x);
} catch (std::exception const& e) {
    // Nothing was asked: there was no thread for it, or no memory.
    answer(in_words(xa_code::retry, reply_detail::busy, e.what()));
}

void session::begin_verb(verb v, xid const& x)
{
    bool const is_here = stage_ != stage::idle && branch_ == x;
    auto const refuse = [this](char const* why) { answer(make_reply(xa_code::proto, why)); };
    switch (v) {
        case verb::start:
            if (stage_ != stage::idle) return refuse("another branch is open here");
            branch_ = x;
            stage_ = stage::open;
            return answer({});
        case verb::prepare:
            if (!is_here || stage_ == stage::voted) return refuse("no such branch is open here");
            return vote();
        case verb::commit:
            if (is_here && stage_ != stage::voted) return refuse("the branch has not voted yes");
            is_absence_good_ = false;
            end(v, x);
            if (is_here) stage_ = stage::idle;
            return;
        case verb::rollback:
            return roll_back(x);
        case verb::commit_one_phase:
            // A release may fail, and be repeated, which needs a decision.
            return refuse("a half message is not committed in one phase");
        case verb::forget:
            return answer(make_reply(xa_code::nota, "nothing to forget"));
    }
    answer(make_reply(xa_code::inval, "no such verb"));
}

/// What was stored is durable, so that its answer is the vote.
void session::vote()
{
    switch (stage_) {
        case stage::kept:
            stage_ = stage::voted;
            return answer({});
        case stage::nothing:
            stage_ = stage::idle;
            return answer(make_reply(xa_code::rbrollback, "the broker refused the half"));
        case stage::open:
            stage_ = stage::idle;
            return answer(make_reply(xa_code::rbrollback, "nothing was sent"));
        default:
            return answer(lost("it is not known whether the half is there"));
    }
}

void session::roll_back(xid const& x)
{
    auto const was = stage_ != stage::idle && branch_ == x ? stage_ : stage::idle;
    if (was == stage::open || was == stage::nothing) {
        stage_ = stage::idle;
        return answer({});
    }
    is_absence_good_ = was == stage::kept || was == stage::voted;
    end(verb::rollback, x);
    if (was != stage::idle) stage_ = stage::idle;
}

void session::end(verb v, xid const& x)
{
    asked_ = v;
    asked_here_ = stage_ != stage::idle && branch_ == x;
    asked_of_ = x;
    call_.ask([v, x](half::broker& of) {
        auto const until = deadline::clock::now() + call_time;
        return v == verb::commit ? of.release(x, until) : of.drop(x, until);
    });
}

std::optional<reply> session::collect(deadline until) noexcept
try {
    if (answer_) return std::exchange(answer_, std::nullopt);
    if (is_cut() || !call_.is_under_way()) return lost("the session was cut");
    auto const heard = call_.hear(until);
    if (!heard) return std::nullopt;
    return ended(*heard);
} catch (half::refused const& e) {
    // Whoever asks for it again looks for this session: it is to be seen that it has ended.
    is_spent_ = asked_here_;
    return in_words(xa_code::retry, reply_detail::busy, e.what(), "the broker refused: ");
} catch (std::exception const& e) {
    sever();
    return lost_in_words(e.what());
} catch (...) {
    sever();
    return lost_in_words("the broker threw no std::exception");
}

reply session::ended(bool was_there)
{
    bool const was_told = asked_ == verb::commit && of_->told.take(asked_of_);
    if (was_there || is_absence_good_) return {};
    // It may have released it on our word: perhaps done, and a later list decides.
    // By a code that is no failure's, for nobody need be alarmed.
    if (was_told) return make_reply(xa_code::proto, "the broker had asked, and has none any more");
    return make_reply(xa_code::nota, "the broker has no half of that name");
}

// ---- work -------------------------------------------------------------------------------------

void session::send(half::message const& what, deadline until)
{
    if (stage_ != stage::open) throw driver_error(errc::invalid_state, "nothing was begun here");
    std::string why;
    try {
        call_.ask(
            [what, until, name = branch_](half::broker& of) {
                of.half(name, what, until);
                return true;
            },
            caller::about::half);
        stage_ = stage::unknown;
        if (call_.hear(until)) {
            stage_ = stage::kept;
            return;
        }
        why = "no answer in time";
    } catch (half::refused const&) {
        stage_ = stage::nothing;
        throw;
    } catch (std::exception const& e) {
        if (stage_ == stage::open) throw driver_error(e.what());  // there was no thread to ask on
        why = e.what();
    } catch (...) {
        why = "the broker threw no std::exception";
    }
    sever();
    throw driver_error("it is not known whether the half is there (" + why +
                       "); if it is, it is dropped");
}

half::listing session::list(deadline until)
{
    if (is_cut() || call_.is_under_way()) throw driver_error("the session was cut");
    auto seen = std::make_shared<half::listing>();
    std::string why = "the broker did not answer in time";
    try {
        call_.ask([seen, until](half::broker& of) {
            *seen = of.list(until);
            return true;
        });
        if (call_.hear(until)) return std::move(*seen);
    } catch (std::exception const& e) {
        why = e.what();
    } catch (...) {
        why = "the broker threw no std::exception";
    }
    sever();
    throw driver_error(why);
}

}  // namespace assent::half_messages
