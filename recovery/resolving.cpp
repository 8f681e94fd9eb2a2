// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/resolving.hpp"

#include <algorithm>
#include <vector>

namespace assent::recovery {

namespace {

std::string what_it_does(resolution const& what)
{
    return what.is_commit ? "committed" : "rolled back";
}

/// It is prepared no more.  A decision that was sent and not answered was carried out, as far as
/// anybody can tell: recovery notes that, by a list of its own.
resolved note_over(resolution const& what, ended const& it, ports::coordinator_log& log,
                   std::function<void(xid const&)> const& note_finished)
{
    auto const name = "\"" + what.resource_manager + "\"";
    bool const is_followed = what.stands == relation::follows;
    resolved how;
    how.is_over = true;
    how.text = "branch " + std::string{what.id.branch.text()} + " of " + name + " is " +
               what_it_does(what);
    if (is_followed && !it.was_heard) return how;
    if (it.was_done && !is_followed) {
        log.record(ports::heuristic_record{
            what.id, what.resource_manager, what.is_commit ? xa_code::heurcom : xa_code::heurrb,
            what_it_does(what) + " by a person, and " + name + " has confirmed it", what.unix_ms});
        how.text += "; forget the heuristic outcome once the data agrees";
    }
    if (!it.was_done && is_followed) {
        log.record(ports::heuristic_record{
            what.id, what.resource_manager, xa_code::heurhaz,
            "a person had the decision carried out, and " + name + " answered " + it.answer,
            what.unix_ms});
    }
    note_finished(what.id);
    if (it.was_done) return how;
    how.status = act_status::attention;
    how.text = name + " answered " + it.answer +
               ", and has it prepared no more: how it ended nobody can know; a hazard is on "
               "record: look at the data";
    return how;
}

}  // namespace

relation relation_of(xid const& id, bool is_commit, known_decision const& found)
{
    if (!found.was_read) return relation::undecided;
    if (!found.decision) {
        bool const is_abort_row = id.global.parts().place == decision_place::commit_row;
        return is_abort_row && !is_commit ? relation::follows : relation::undecided;
    }
    auto const& branches = found.decision->what.branches;
    bool const is_named = std::find(branches.begin(), branches.end(), id.branch) != branches.end();
    if (!is_named) return relation::never_voted;
    return is_commit ? relation::follows : relation::against;
}

std::string in_words(relation stands)
{
    switch (stands) {
        case relation::follows:
            return "this is what was decided";
        case relation::against:
            return "against the decision to commit it";
        case relation::never_voted:
            return "its transaction was decided without it";
        case relation::log_is_lost:
            return "it is another node's, whose log is lost";
        case relation::undecided:
            break;
    }
    return "no decision about it is known";
}

std::string mark_of(relation stands)
{
    switch (stands) {
        case relation::follows:
            return "follows";
        case relation::against:
            return "against";
        case relation::never_voted:
            return "never_voted";
        case relation::log_is_lost:
            return "log_is_lost";
        case relation::undecided:
            break;
    }
    return "undecided";
}

ports::heuristic_record hazard_of(resolution const& what)
{
    return {what.id, what.resource_manager, xa_code::heurhaz,
            "to be " + what_it_does(what) + " by " + what.who + ", " + in_words(what.stands) +
                ": " + what.why,
            what.unix_ms};
}

resolved carry_out(resolution const& what, branch_end& at, ports::coordinator_log& log,
                   std::function<void(xid const&)> const& note_finished, step_function const& step)
{
    auto const tell = [&step](char const* name) {
        if (step) step(name);
    };
    tell("audit");
    log.record(ports::operator_record{
        what.id,
        what.is_commit ? ports::operator_verdict::commit : ports::operator_verdict::roll_back,
        what.unix_ms, what.who, what.why});
    if (what.stands != relation::follows) {
        tell("hazard");
        log.record(hazard_of(what));
    }
    tell("send");
    auto const it = at.end(what.id, what.is_commit);
    tell("outcome");
    if (!it.is_listed) return note_over(what, it, log, note_finished);
    if (it.heuristic) {  // to ask again would be to do again what was done
        log.record(ports::heuristic_record{what.id, what.resource_manager, *it.heuristic, it.answer,
                                           what.unix_ms});
        return {act_status::attention,
                "\"" + what.resource_manager + "\" answered " + it.answer +
                    "; that is on record: look at the data",
                false};
    }
    return {act_status::attention,
            "\"" + what.resource_manager + "\" answered " + it.answer +
                ", and still has it prepared; run this again",
            false};
}

std::optional<xid> wanted_before(std::optional<xid> const& one, gtrid const& global,
                                 std::uint16_t id, bool is_commit,
                                 std::vector<ports::operator_record> const& records)
{
    auto const wanted =
        is_commit ? ports::operator_verdict::commit : ports::operator_verdict::roll_back;
    for (auto const& each : records) {
        bool const is_meant =
            one ? each.branch == *one
                : each.branch.global == global && each.branch.branch.parts().resource_manager == id;
        if (is_meant && each.verdict == wanted) return each.branch;
    }
    return std::nullopt;
}

bool is_confirmed(xid const& which, bool is_commit,
                  std::vector<ports::heuristic_record> const& records)
{
    auto const code = is_commit ? xa_code::heurcom : xa_code::heurrb;
    return std::any_of(records.begin(), records.end(),
                       [&](auto const& each) { return each.branch == which && each.code == code; });
}

resolved say_over(resolution const& what, bool is_confirmed, bool is_due)
{
    std::string const lists = "\"" + what.resource_manager + "\" lists it no more";
    if (is_confirmed) {
        return {act_status::done, "a person had it " + what_it_does(what) + " before, and " + lists,
                true};
    }
    if (what.stands == relation::follows) {
        return {act_status::done,
                "it was decided so, and " + lists +
                    (is_due ? "; recovery will note that it is finished" : ""),
                true};
    }
    return {act_status::attention,
            "a person wanted it " + what_it_does(what) + ", " + lists +
                ", and whether it was, nobody can say; assent show has what is known of its "
                "transaction",
            true};
}

}  // namespace assent::recovery
