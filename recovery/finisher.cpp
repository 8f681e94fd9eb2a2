// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/finisher.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "protocol/mutation.hpp"

namespace assent::recovery {

using protocol::branch_state;
using protocol::mutated;
using protocol::mutation;
using protocol::reply_class;

namespace {

std::string_view step_name(verb what, std::string_view commit, std::string_view rollback) noexcept
{
    return what == verb::commit ? commit : what == verb::rollback ? rollback : "recovery.forget";
}

}  // namespace

finisher::finisher(context& shared, bound_database& at, completion_queue& queue,
                   guardian const& guard, std::size_t rank)
    : worker(shared),
      at_(at),
      queue_(queue),
      guard_(guard),
      rank_(rank),
      session_(shared, at, session_purpose::manage)
{
}

deadline finisher::work()
{
    queue_.settle();
    if (rank_ != 0 && mutated(mutation::starving_queue)) {
        return shared_.time.now() + shared_.bounds.scan_interval;
    }
    // What is due again meanwhile, as where handlers hang, would keep it here for ever.
    while (at_.id() != 0 && !is_asked_to_stop()) {
        auto one = queue_.take(shared_.time.now(), rank_);
        if (!one) break;
        finish(one);
        if (!session_.is_open()) break;  // the others are as well served by somebody else
    }
    session_.tend();
    // The server may know nothing of us yet; the scanner wakes everybody when it does.
    auto const now = shared_.time.now();
    auto const idle = now + shared_.bounds.scan_interval;
    if (at_.id() == 0) return idle;
    // What is due and was not given is left to those before this one: looking again at once, while
    // they are without a connection, would keep a processor busy.
    auto const next = std::max(queue_.next_due(), session_.next_try());
    return next <= now ? now + shared_.bounds.retry_min : std::min(idle, next);
}

void finisher::finish(completion_queue::turn& one)
{
    auto const id = one->id;
    std::string why;
    try {
        driver_session* const on = session_.get();
        if (on == nullptr) return one.postpone(session_.next_try());
        if (send(one, *on)) one.finish();
        session_.note_good();
        told_.forget();
        return;
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& e) {
        why = e.what();
    }
    if (told_.is_news(why)) {
        shared_.tell(severity::warning, "branch.not_finished", at_.name(), id.text(), why);
    }
    session_.lose(shared_.bounds.completion_retry_max);
    one.postpone(session_.next_try());
}

/// Whether nothing has come up since that speaks against presuming abort.  A decision that was
/// found since, in the log or in a row, commits the other branches.
bool finisher::may_roll_back(due_branch const& item) const
{
    if (!item.is_presumed()) return true;
    if (!guard_.may_presume_abort() || !shared_.may_presume_abort()) return false;
    auto const place = item.id.global.parts().place;
    if (place == decision_place::log) return !shared_.log->find(item.id.global);
    auto const says = shared_.rows.find(item.id.global);
    return says && !*says;
}

/// Whether the session that prepared the branch has let go of it.  Until it has, the branch is
/// treated as if the server had refused it, or comes again later.
bool finisher::is_let_go(completion_queue::turn& one, driver_session& on)
{
    auto const session = one->id.branch.parts().session;
    bool const can_be_kept = at_.driver().capabilities().stays_attached_after_prepare;
    bool const is_hasty = mutated(mutation::finish_while_detaching);
    if (!can_be_kept || !at_.can_see(session) || is_hasty) return true;
    // `on` leads to a server that is up, so that another start is an earlier one.
    auto const& start = session_.facts().server_start;
    if (!one->server_start.empty() && one->server_start != start) return true;
    auto const now = shared_.time.now();
    bool const is_over_by_note = one->gone_since == deadline{};
    bool const is_first = one->refusals == 0 && !mutated(mutation::numbers_are_sessions);
    if (!one->gone_since || is_over_by_note) {
        switch (at_.driver().presence(on, session, at_.call_end())) {
            case session_presence::unknown:
                return true;
            case session_presence::gone:
                one->gone_since = now;
                break;
            case session_presence::present:
                // Numbers are given again after a restart: a session with our own number cannot be
                // the one that prepared the branch; and where the log notes another start, it is a
                // stranger's, unless the server has refused us.
                if (session == on.id() || (is_over_by_note && is_first)) return true;
                refuse(one);
                return false;
        }
    }
    auto const free_at = *one->gone_since + shared_.bounds.detach_settle;
    if (now >= free_at) return true;
    one.postpone(free_at);
    return false;
}

/// What the server itself says of a branch that another session keeps: a list is to tell.
void finisher::refuse(completion_queue::turn& one)
{
    reply kept;
    kept.code = xa_code::nota;
    kept.text = "the session that prepared it is still connected";
    auto const from = one->state == branch_state::commit_due ? branch_state::recommitting
                                                             : branch_state::rolling_back_prepared;
    one.apply(from, reply_class::nota, kept);
}

/// Once for each branch: it is tried again until it succeeds, and somebody must know.
void finisher::tell_handler_failed(due_branch& item, reply const& answer)
{
    bool const has_failed = at_.driver().capabilities().runs_handlers &&
                            (answer.code == xa_code::retry || answer.code == xa_code::rmfail);
    if (!has_failed || std::exchange(item.was_failure_told, true)) return;
    shared_.tell(severity::alarm, "branch.handler_failed", at_.name(), item.id.text(), answer.text);
}

/// @return whether the branch is settled.
bool finisher::send(completion_queue::turn& one, driver_session& on)
{
    bool const is_by_name =
        one->state == branch_state::commit_due || one->state == branch_state::rollback_due;
    if (is_by_name && !is_let_go(one, on)) return false;
    switch (one->state) {
        case branch_state::commit_due: {
            // Where no earlier commit can have been carried out, an absent branch is no finished
            // one.
            bool const is_first =
                one->is_undone_for_certain && at_.driver().capabilities().runs_handlers;
            return send_verb(one, on, verb::commit,
                             is_first ? branch_state::committing : branch_state::recommitting);
        }
        case branch_state::rollback_due:
            if (may_roll_back(*one)) {
                return send_verb(one, on, verb::rollback, branch_state::rolling_back_prepared);
            }
            if (one->id.global.parts().place == decision_place::commit_row) {
                // What it said may be forgotten: it is pruned when its own session is over.
                shared_.rows.ask({one->id.global, at_.id()});
            }
            one.postpone(shared_.time.now() + shared_.bounds.completion_retry_max);
            return false;
        case branch_state::row_awaited:
        case branch_state::row_in_doubt: {
            auto const says = shared_.rows.find(one->id.global);
            if (!says) return false;
            auto const known = *says ? reply_class::row_commits : reply_class::row_aborts;
            if (one.apply(one->state, known, one->last_reply)) return true;
            return completion_queue::is_ready(*one) && send(one, on);
        }
        default:
            break;
    }
    if (!protocol::is_final(one->state)) return false;  // waits for a list
    if (one->is_forget_due) {
        // The heuristic is on record; only the server's memory of it is left.
        return send_verb(one, on, verb::forget, one->state);
    }
    // A heuristic whose record could not be forced yet.
    return one.apply(one->state, reply_class::ok, one->last_reply);
}

bool finisher::send_verb(completion_queue::turn& one, driver_session& on, verb what,
                         branch_state from)
{
    auto const& name = at_.name();
    auto const id = one->id;
    auto until = at_.call_end();
    if (one->is_presumed()) until = std::min(until, guard_.fresh_until());
    shared_.tell(severity::debug, step_name(what, "recovery.commit", "recovery.rollback"), name,
                 id.text(), {});
    if (!may_roll_back(*one)) return false;  // whoever was told may have taken long
    on.submit(what, id);
    shared_.tell(severity::debug, step_name(what, "recovery.commit.sent", "recovery.rollback.sent"),
                 name, id.text(), {});
    auto const answer = on.collect(until);
    if (!answer) {
        on.sever();
        throw driver_error{"no reply within limits::server_call"};
    }
    shared_.tell(severity::debug,
                 step_name(what, "recovery.commit.reply", "recovery.rollback.reply"), name,
                 id.text(), answer->text);
    if (what == verb::forget) return answer->is_ok() || answer->code == xa_code::nota;
    auto says = protocol::classify(*answer);
    bool const is_taken_for_done = mutated(mutation::nota_finishes);
    if (is_taken_for_done && says == reply_class::nota) says = reply_class::ok;
    if (answer->detail == reply_detail::may_be_undone) one->may_be_turned = true;
    if (answer->code != xa_code::retry) one->is_undone_for_certain = false;
    tell_handler_failed(*one, *answer);
    bool const is_settled = one.apply(from, says, *answer);
    if (answer->detail == reply_detail::reply_lost) {
        if (is_settled) one.finish();
        throw driver_error{answer->text.empty() ? "the connection was lost" : answer->text};
    }
    return is_settled;
}

}  // namespace assent::recovery
