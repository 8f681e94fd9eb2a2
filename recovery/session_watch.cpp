// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/session_watch.hpp"

#include <algorithm>
#include <utility>

#include "ports/coordinator_log.hpp"
#include "protocol/mutation.hpp"

namespace assent::recovery {

using protocol::mutated;
using protocol::mutation;

namespace {

constexpr std::uint32_t first_epoch = 1;

std::vector<std::shared_ptr<branch>> branches_of(global_transaction& tx, std::uint16_t id)
{
    std::lock_guard const held{tx.mutex};
    std::vector<std::shared_ptr<branch>> found;
    for (auto const& each : tx.branches) {
        if (each->id.branch.parts().resource_manager == id) found.push_back(each);
    }
    return found;
}

/// Of those that were begun there, or are about to be.
std::size_t count_of_places(global_transaction& tx, std::uint16_t id)
{
    std::lock_guard const held{tx.mutex};
    return static_cast<std::size_t>(std::count(tx.places.begin(), tx.places.end(), id));
}

}  // namespace

session_watch::session_watch(context& shared, bound_database& at, completion_queue& queue,
                             server_past const& past, own_session& manage,
                             std::function<void()> on_older_gone)
    : shared_(shared),
      at_(at),
      queue_(queue),
      past_(past),
      manage_(manage),
      on_older_gone_(std::move(on_older_gone))
{
}

void session_watch::look()
{
    if (!older_gone_since_) {
        auto const first = shared_.first_session(at_.life(), (*manage_).id());
        // Before a log's first opening there was no branch that a session could still prepare.
        bool const are_gone =
            shared_.log->current().epoch == first_epoch || mutated(mutation::presence_ignored) ||
            at_.driver().sessions_before(*manage_, first, at_.call_end()) == session_presence::gone;
        if (are_gone) {
            older_gone_since_ = shared_.time.now();
            at_.note_older_gone();
            on_older_gone_();
        }
        first_session_ = are_gone ? first : 0;
        first_start_ = at_.life().start;
    }
    for (xid const& id : queue_.waiting_for_list()) {
        if (auto one = queue_.take_from_list(id)) look_for(*one);
    }
    for (auto const& tx : shared_.live.barred_at(at_.id())) {
        for (auto const& each : branches_of(*tx, at_.id()))
            look_for(*each);
    }
}

void session_watch::note_session(due_branch& item) const
{
    if (!at_.driver().capabilities().stays_attached_after_prepare) return;
    auto const epoch = item.id.global.parts().epoch;
    auto const session = item.id.branch.parts().session;
    bool const is_counted_on = at_.life().start == first_start_ && session != 0;
    if (!past_.is_same_start(epoch)) {
        item.gone_since = deadline{};
    } else if (is_counted_on && session < first_session_) {
        item.gone_since = older_gone_since_;
    }
}

void session_watch::look_for(due_branch& item)
{
    auto const session = item.id.branch.parts().session;
    // Another start of the server ended every session of the starts before it.
    bool const is_noted = item.server_start.empty();
    bool const is_over = is_noted && !past_.is_same_start(item.id.global.parts().epoch);
    // What cannot prepare has no request under way that a branch could still come of.
    if (is_over || !at_.driver().capabilities().is_two_phase ||
        mutated(mutation::presence_ignored)) {
        item.gone_since = deadline{};
    }
    // Which of two starts is the later one the list will tell: what is known of the server may be
    // older than the session.
    if (!is_noted && item.server_start != at_.facts().server_start) return;
    if (item.gone_since) return;
    // The number of this very session was given again: the server was restarted since.
    if ((session != 0 && session == (*manage_).id()) || is_gone(session)) {
        item.gone_since = shared_.time.now();
        return;
    }
    bool const is_kept =
        at_.driver().capabilities().stays_attached_after_prepare && item.refusals >= refusals_max;
    if (is_kept && at_.can_see(session)) end_session_of(item);
}

/// A session that keeps a prepared branch runs nothing, or COMMIT, or ROLLBACK.  It may do so for a
/// copy of the log that is at work, so neither of them is cut short.
void session_watch::end_session_of(due_branch& item)
{
    item.refusals = 0;
    auto const session = item.id.branch.parts().session;
    auto const until = at_.call_end();
    if (mutated(mutation::kill_decided_session)) {
        at_.driver().end_session(*manage_, session, until);
    } else {
        bool const may_be_turned = item.may_be_turned;
        item.may_be_turned = true;  // should the answer be lost
        bool const is_ended = at_.driver().end_idle_session(*manage_, session, until);
        item.may_be_turned = may_be_turned || is_ended;
        if (!is_ended) {
            shared_.tell(severity::warning, "branch.kept", at_.name(), item.id.text(),
                         "session " + std::to_string(session) +
                             ", which prepared it, keeps it and runs something, which may be the "
                             "COMMIT: it is not ended");
            return;
        }
    }
    shared_.tell(severity::warning, "session.ended", at_.name(), item.id.text(),
                 "it kept a branch that must be finished");
}

bool session_watch::is_gone(std::uint64_t session)
{
    if (!at_.can_see(session)) return false;
    return at_.driver().presence(*manage_, session, at_.call_end()) == session_presence::gone;
}

// ---- transactions that are barred, and their owners at large -----------------------------------

/// The canceller ends it; until then there is nothing to ask.
void session_watch::look_for(branch& barred)
{
    if (barred.is_session_gone) return;
    {
        std::lock_guard const held{barred.lock};
        if (!barred.is_session_ended) return;
    }
    barred.is_session_gone = is_gone(barred.id.branch.parts().session);
}

bool session_watch::awaits_end() const
{
    auto const is_ending = [this](branch& one) {
        if (one.is_session_gone || !at_.can_see(one.id.branch.parts().session)) return false;
        std::lock_guard const held{one.lock};
        return one.is_session_ended;
    };
    for (auto const& tx : shared_.live.barred_at(at_.id())) {
        for (auto const& each : branches_of(*tx, at_.id())) {
            if (is_ending(*each)) return true;
        }
    }
    return false;
}

std::vector<std::shared_ptr<global_transaction>> session_watch::barred() const
{
    auto found = shared_.live.barred_at(at_.id());
    auto const is_beginning = [this](auto const& tx) {
        return count_of_places(*tx, at_.id()) != branches_of(*tx, at_.id()).size();
    };
    found.erase(std::remove_if(found.begin(), found.end(), is_beginning), found.end());
    return found;
}

std::set<gtrid> session_watch::without_session(
    std::vector<std::shared_ptr<global_transaction>> const& barred, server_life const& seen) const
{
    std::set<gtrid> found;
    for (auto const& tx : barred) {
        auto const here = branches_of(*tx, at_.id());
        bool const are_over = std::all_of(here.begin(), here.end(), [&seen](auto const& each) {
            return each->is_session_gone || !each->is_life_of(seen);
        });
        if (are_over) found.insert(tx->id);
    }
    return found;
}

void session_watch::let_go_of(std::set<gtrid> const& over, std::set<xid> const& listed) noexcept
{
    for (auto const& id : over) {
        auto const at = listed.lower_bound({id, {}});
        bool const is_listed = at != listed.end() && at->global == id;
        if (!is_listed) shared_.live.finished_at(at_.id(), id);
    }
}

}  // namespace assent::recovery
