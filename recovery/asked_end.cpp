// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/asked_end.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "recovery/facts.hpp"
#include "recovery/forgetting.hpp"
#include "recovery/scan_plan.hpp"
#include "recovery/server_past.hpp"

namespace assent::recovery {

namespace {

/// One of the manager's own, closed at the end: requests are few.
class asked_session final : public end_session
{
public:
    asked_session(own_session& on, std::atomic<bool> const& is_cut) : on_(on), is_cut_(is_cut) {}
    asked_session(asked_session const&) = delete;
    asked_session& operator=(asked_session const&) = delete;
    ~asked_session() override { on_.close(); }

    driver_session& get() override
    {
        require_open();
        auto* const open = on_.get();
        if (open == nullptr) {
            throw driver_error{
                "it was lost, or the server refused the account, a moment ago; it is asked again "
                "after a pause"};
        }
        require_open();  // a cut found no session while this one was made
        return *open;
    }
    server_facts const& facts() const noexcept override { return on_.facts(); }
    void lose() noexcept override { on_.close(); }

private:
    void require_open() const
    {
        if (is_cut_) throw driver_error{"the application closes"};
    }

    own_session& on_;
    std::atomic<bool> const& is_cut_;
};

}  // namespace

struct asked_end::finding
{
    std::optional<xid> listed;
    std::optional<xid> wanted;  // before, and not listed any more
    gtrid global;
};

asked_end::asked_end(context& shared, bound_database& at, completion_queue& queue,
                     guardian const& guard)
    : shared_(shared),
      at_(at),
      queue_(queue),
      guard_(guard),
      session_(shared, at, session_purpose::manage)
{
}

void asked_end::require_not_live(gtrid const& which) const
{
    if (!shared_.live.contains(which)) return;
    throw refusal{act_status::attention,
                  "the application began this transaction in its present run, and ends it by "
                  "itself, unless it reports decision.split or a failed log: then stop it, and "
                  "resolve what it leaves"};
}

/// What this database has prepared, and no other one.
scan_result asked_end::list(branch_end& at) const
{
    auto seen = at.scan();
    at.require_same(seen.life);
    if (seen.identity != at_.facts().identity || !seen.is_writable_primary) {
        throw refusal{act_status::attention, "\"" + at_.name() +
                                                 "\" is another database, or a standby: nothing "
                                                 "is decided there"};
    }
    return seen;
}

asked_end::finding asked_end::find(request const& what, branch_end& at) const
{
    auto const one = xid::parse(what.transaction);
    finding found;
    found.global = one ? one->global : gtrid::parse(what.transaction).value_or(gtrid{});
    require_not_live(found.global);
    auto const seen = list(at);
    auto const live = [this](gtrid const& which) { return shared_.live.contains(which); };
    std::vector<listed_branch> meant;
    for (auto const& each : plan_of(seen, at_.id(), facts_of(shared_), live, false, {}).listed) {
        if (one ? each.id == *one : each.id.global == found.global) meant.push_back(each);
    }
    if (meant.size() > 1) {
        throw refusal{act_status::misused,
                      "\"" + at_.name() + "\" lists " + std::to_string(meant.size()) +
                          " branches of it; name one of them as gtrid.bqual, as scan lists them"};
    }
    for (auto const& [branch, account] : seen.of_strangers) {
        if (meant.empty() || branch != meant.front().id) continue;
        throw refusal{act_status::attention, "the branch was prepared by the account \"" + account +
                                                 "\", which alone can end it: log in as that"};
    }
    if (!meant.empty()) {
        if (meant.front().action == listed_action::quarantine_twin) {
            throw refusal{act_status::misused,
                          "a twin (a copied or restored log) made this branch, and its log knows "
                          "more; find it and stop it"};
        }
        found.listed = meant.front().id;
        require_not_live(found.global);  // it may have begun since
        return found;
    }
    found.wanted =
        wanted_before(one, found.global, at_.id(), what.is_commit, shared_.log->operator_records());
    if (found.wanted) return found;
    throw refusal{act_status::misused, "\"" + at_.name() + "\" lists no such branch"};
}

/// On a session of its own.
template <class Question>
auto asked_end::ask(Question const& question)
{
    if (at_.id() == 0) {
        throw refusal{act_status::failed,
                      "the application has not reached \"" + at_.name() + "\" yet"};
    }
    asked_session on{session_, is_cut_};
    try {
        on.get();
    } catch (driver_error const& e) {
        throw refusal{act_status::failed, "\"" + at_.name() + "\" cannot be asked: " + e.what()};
    }
    branch_end at{at_.name(), at_.driver(), on, shared_.bounds, shared_.bounds.server_call};
    return question(at);
}

answer asked_end::carry_out(request const& what, step_function const& step)
{
    return ask([&](branch_end& at) { return end(what, find(what, at), at, step); });
}

void asked_end::require_unlisted(xid const& which)
{
    ports::binding where;
    where.name = at_.name();
    where.kind = at_.facts().kind;
    bool is_listed = false;
    try {
        auto const all = ask([this](branch_end& at) { return list(at).ours; });
        is_listed = std::find(all.begin(), all.end(), which) != all.end();
    } catch (refusal const& e) {
        throw refusal{e.status(), why_unasked_is_kept(which, where, e.what())};
    }
    if (is_listed) throw refusal{act_status::attention, why_listed_is_kept(which, where)};
}

answer asked_end::end(request const& what, finding const& found, branch_end& at,
                      step_function const& step)
{
    auto const id = found.listed ? *found.listed : *found.wanted;
    resolution wanted{id,
                      at_.name(),
                      what.is_commit,
                      relation_of(id, what.is_commit, facts_of(shared_).find(id.global)),
                      what.who,
                      what.why,
                      shared_.time.unix_ms()};
    if (!found.listed) {
        bool const is_done = is_confirmed(id, what.is_commit, shared_.log->heuristics());
        return say(say_over(wanted, is_done, false), false);
    }
    auto turn = queue_.claim(id);
    // A finisher may have had it since it was listed.
    if (!turn || !at.is_listed(id)) {
        throw refusal{act_status::attention,
                      "recovery is about to end this branch, or has just done so; look again"};
    }
    auto const noted =
        shared_.log->server_start(id.branch.parts().resource_manager, id.global.parts().epoch);
    require_may_send("nothing was done");
    at.wait_until_let_go(id, noted ? start_in(*noted) : std::string{});
    // After the wait: a late decision may have come meanwhile.
    wanted.stands = relation_of(id, what.is_commit, facts_of(shared_).find(id.global));
    if (mark_of(wanted.stands) != what.seen) {
        throw refusal{act_status::attention, "what is known of the branch changed meanwhile (" +
                                                 in_words(wanted.stands) +
                                                 "); nothing was done: look again"};
    }
    require_may_send("nothing was done");
    auto const checked = [&](char const* name) {
        if (step) step(name);
        // Forcing the record may have taken longer than the lock's lease lasts.
        if (std::string_view{name} == "send") {
            require_may_send("it is on record that it was wanted, and nothing was sent");
        }
    };
    auto const how = recovery::carry_out(
        wanted, at, *shared_.log, [this](xid const& which) { shared_.note_finished(which); },
        checked);
    if (how.is_over) {
        turn.forget();
        shared_.settle_quarantined(at_.name() + " " + id.text() + ": ");
    }
    return say(how, true);
}

/// @throws refusal  `done` says what was done until now.
void asked_end::require_may_send(std::string const& done) const
{
    if (is_cut_) {
        throw refusal{act_status::failed,
                      "the application closes; " + done + ": ask whoever owns the log next"};
    }
    if (guard_.is_fresh()) return;
    throw refusal{act_status::attention,
                  "this node's lock in \"" + at_.name() + "\" is not held now; " + done +
                      ": is a copy of this log at work? See what the application says of it"};
}

answer asked_end::say(resolved const& how, bool has_acted) const
{
    return {how.status, has_acted, shared_.log->current().epoch, how.text};
}

}  // namespace assent::recovery
