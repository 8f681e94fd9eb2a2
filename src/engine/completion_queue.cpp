// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/completion_queue.hpp"

#include <algorithm>
#include <utility>

#include "engine/heuristics.hpp"
#include "protocol/assert.hpp"

namespace assent::engine {

using protocol::branch_state;
using protocol::reply_class;

namespace {

bool awaits_row(due_branch const& item) noexcept
{
    return item.state == branch_state::row_awaited || item.state == branch_state::row_in_doubt;
}

std::string_view step_name(verb what, std::string_view commit, std::string_view rollback) noexcept
{
    return what == verb::commit ? commit : what == verb::rollback ? rollback : "recovery.forget";
}

}  // namespace

void completion_queue::add(due_branch&& what)
{
    // xa_rollback is due now, not xa_prepare's answer.
    if (what.state == branch_state::asked) what.state = branch_state::rollback_due;
    items_.emplace(what.id, std::move(what));
}

bool completion_queue::needs_scan() const noexcept
{
    for (auto const& [id, item] : items_) {
        if (item.state == branch_state::commit_verify ||
            item.state == branch_state::hazard_verify ||
            item.state == branch_state::rollback_verify) {
            return true;
        }
    }
    return false;
}

bool completion_queue::needs_more_than_rows() const noexcept
{
    return std::any_of(items_.begin(), items_.end(),
                       [](auto const& each) { return !awaits_row(each.second); });
}

void completion_queue::send(driver_session& manage, bool may_presume_abort)
{
    for (auto at = items_.begin(); at != items_.end();) {
        bool const is_presumed =
            !at->second.owner && at->second.state == branch_state::rollback_due;
        bool const must_wait = is_presumed && !may_presume_abort;
        if (!must_wait && send_one(manage, at->second) == fate::finished) {
            finished(at->second);
            at = items_.erase(at);
        } else {
            ++at;
        }
    }
}

completion_queue::fate completion_queue::send_one(driver_session& manage, due_branch& item)
{
    verb what = verb::forget;
    branch_state from = item.state;
    if (item.is_forget_due) {
        // The heuristic is on record; only the server's memory of it is left.
    } else if (item.state == branch_state::commit_due) {
        what = verb::commit;
        from = branch_state::recommitting;
    } else if (item.state == branch_state::rollback_due) {
        what = verb::rollback;
        from = branch_state::rolling_back_prepared;
    } else if (awaits_row(item)) {
        auto const says = shared_.rows.find(item.id.global);
        if (!says) return fate::keep;
        auto const known = *says ? reply_class::row_commits : reply_class::row_aborts;
        auto const told = apply(item, item.state, known, item.last_reply);
        return told == fate::keep ? send_one(manage, item) : told;
    } else if (protocol::is_final(item.state)) {
        // A heuristic whose record could not be forced yet.
        return apply(item, item.state, reply_class::ok, item.last_reply);
    } else {
        return fate::keep;  // waits for a scan
    }

    auto const& name = resource_manager_;
    shared_.tell(severity::debug, step_name(what, "recovery.commit", "recovery.rollback"), name,
                 item.id.text(), {});
    manage.submit(what, item.id);
    shared_.tell(severity::debug, step_name(what, "recovery.commit.sent", "recovery.rollback.sent"),
                 name, item.id.text(), {});
    auto const answer = manage.collect(shared_.time.now() + shared_.bounds.server_call);
    if (answer) {
        shared_.tell(severity::debug,
                     step_name(what, "recovery.commit.reply", "recovery.rollback.reply"), name,
                     item.id.text(), answer->text);
    }
    if (!answer) {
        manage.sever();
        throw driver_error{"no reply within limits::server_call"};
    }
    if (item.is_forget_due) {
        return answer->is_ok() || answer->code == xa_code::nota ? fate::finished : fate::keep;
    }
    auto const told = apply(item, from, protocol::classify(*answer), *answer);
    if (answer->detail == reply_detail::reply_lost) {
        throw driver_error{answer->text.empty() ? "the connection was lost" : answer->text};
    }
    return told;
}

void completion_queue::on_scan(std::set<xid> const& listed)
{
    for (auto at = items_.begin(); at != items_.end();) {
        due_branch& item = at->second;
        reply_class seen = listed.count(item.id) != 0 ? reply_class::listed : reply_class::absent;
        reply missing;  // what a hazard is recorded with
        missing.code = xa_code::nota;
        missing.text = "its first commit was answered NOTA, and a later scan lacks it";
        bool const has_vanished = seen == reply_class::absent && item.has_other_past &&
                                  item.state == branch_state::commit_verify;
        if (has_vanished) {
            seen = reply_class::vanished;
            missing.text =
                "it was to be committed, the server failed over or was restored since, "
                "and a later scan lacks it";
        }
        auto told = fate::keep;
        switch (item.state) {
            case branch_state::rollback_verify:
                // A PREPARE may still sit in the socket of a session that is there.
                if (seen == reply_class::absent && !item.is_session_gone) {
                    seen = reply_class::unknown;
                }
                [[fallthrough]];
            case branch_state::commit_verify:
            case branch_state::hazard_verify:
                if (seen == reply_class::listed) ++item.refusals;
                told = apply(item, item.state, seen, missing);
                break;
            default:
                break;
        }
        if (told == fate::finished) {
            finished(item);
            at = items_.erase(at);
        } else {
            ++at;
        }
    }
}

completion_queue::fate completion_queue::apply(due_branch& item, branch_state from, reply_class on,
                                               reply const& what)
{
    auto then = protocol::follow_up::record;
    if (!protocol::is_final(from)) {
        auto const* const row = protocol::find_transition(from, on);
        ASSENT_ASSERT(row != nullptr);
        item.state = row->to;
        then = row->then;
    }
    if (then != protocol::follow_up::record) {
        return protocol::is_final(item.state) ? fate::finished : fate::keep;
    }
    item.last_reply = what;
    if (!record_heuristic(shared_, resource_manager_, item.id, item.state, what)) {
        return fate::keep;
    }
    item.is_forget_due = is_forget_due(what);
    return item.is_forget_due ? fate::keep : fate::finished;
}

void completion_queue::finished(due_branch const& item)
{
    shared_.tell(severity::info, "branch.finished", resource_manager_, item.id.text(),
                 protocol::name_of(item.state));
    shared_.note_finished(item.id);
    if (!item.owner) {
        if (item.state == branch_state::rolled_back) shared_.log->note_rolled_back(item.id.global);
        return;
    }
    if (item.owner->branches_left.fetch_sub(1) == 1 && !item.owner->is_undecided) {
        shared_.live.leave(*item.owner);
    }
}

}  // namespace assent::engine
