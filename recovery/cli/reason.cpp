// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/reason.hpp"

#include <array>
#include <cstddef>

#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

struct words
{
    reason what;
    std::string_view name;
    std::string_view why;           // {} is what was seen
    std::string_view by_itself;     // {recovery} is who recovers
    std::string_view for_a_person;  // {start} has somebody recover
};

constexpr std::string_view again = "{recovery} goes on as soon as that is over";

constexpr std::array table_of_reasons{
    words{reason::none, "none", "", "", ""},
    words{reason::due, "due", "it is decided, and not known to be finished",
          "{recovery} commits it, once its database answers",
          "{start}; assent scan says whether the database answers"},
    words{reason::decided, "decided", "its decision is in the log", "{recovery} commits it",
          "{start}"},
    words{reason::decided_in_row, "decided_in_row", "its commit row is in {}",
          "{recovery} commits it", "{start}"},
    words{reason::undecided, "undecided", "no decision is in the log, so abort is presumed",
          "{recovery} rolls it back, once it has held this node's lock there for some seconds",
          "{start}"},
    words{reason::aborted_in_row, "aborted_in_row", "an abort row is in {}",
          "{recovery} rolls it back", "{start}"},
    words{reason::row_missing, "row_missing",
          "its decision lives in a commit row of {}, and none is there: recovery inserts an abort "
          "row in its place, and then rolls back",
          "{recovery} asks for the row by inserting an abort row, and does what is there then; it "
          "waits if the table of rows itself is missing",
          "{start}"},
    words{reason::of_live_process, "of_live_process", "{} ends it", "{} ends it",
          "nothing, unless that process reports decision.split or a failed log: then stop it, and "
          "resolve"},
    words{reason::lost_with_past, "lost_with_past",
          "it was decided, and is gone from a database that failed over or was restored since: "
          "nobody can know whether it was committed there",
          "{recovery} records a hazard, a heuristic outcome, and waits for it no longer",
          "compare that database with the others, repair it, and forget the hazard"},
    words{reason::past_unknown, "past_unknown",
          "it was decided and is no longer listed, but what the database keeps of its past could "
          "not be read, and a restore would look the same: {}",
          "{recovery} reads it again, and concludes once it was read",
          "see to the right to read the table assent_past, or to whoever holds a lock on it"},
    words{reason::lock_elsewhere, "lock_elsewhere",
          "another process holds this node's lock in {}: is a copy of this log at work?",
          "once that process is gone its server frees the lock, and {recovery} goes on",
          "find out which process that is; if it has a copy of this log, stop it"},
    words{reason::twin_at_work, "twin_at_work",
          "abort may not be presumed while a twin of this log is, or was, at work", "nothing",
          "find the twin and stop it, end its branches, and open the log again"},
    words{
        reason::row_unread, "row_unread", "its decision lives in a commit row of {}",
        "once that database answers, {recovery} reads the row, and does what it says",
        "bring that database back, or configure it; if it is gone for good, retire it and resolve "
        "this branch"},
    words{reason::row_unreadable, "row_unreadable",
          "its decision lives in a commit row of {}, and that row cannot be read: somebody changed "
          "it",
          "nothing", "find out what the row said, and resolve each branch of the transaction"},
    words{reason::row_given_up, "row_given_up", "its decision lives in a commit row of {}",
          "nothing", "see what the other databases hold, and resolve each branch of it"},
    words{reason::row_unknown, "row_unknown", "its decision lives in a commit row of {}", "nothing",
          "find the log that knows that resource manager, or resolve each branch of it"},
    words{reason::decided_elsewhere, "decided_elsewhere",
          "its decision lives in an external store, which was not read", "nothing",
          "use the version of assent that keeps decisions there"},
    words{reason::of_other_account, "of_other_account",
          "it was prepared by the account \"{}\", which alone can end it: log in as that",
          "nothing, as long as this account may not end it",
          "let assent and the application log in as that account, or end it by hand as that one"},
    words{reason::session_stays, "session_stays", "{}",
          "it is finished once that session has ended; one that does nothing {recovery} ends by "
          "itself",
          "find out what the session waits for; if it is no longer needed, end it"},
    words{reason::older_sessions, "older_sessions", "{}",
          "it is called drained once these sessions have ended",
          "end the sessions of processes that are gone; behind a proxy that pools, restart that"},
    words{reason::server_refused, "server_refused", "{}",
          "{recovery} tries again, with growing pauses", "see to what the server complains of"},
    words{reason::not_confirmed, "not_confirmed", "{}", "{recovery} tries again", "{start}"},
    words{reason::of_twin, "of_twin",
          "no opening of this log made it: a twin (a copied or restored log) is, or was, at work",
          "nothing", "find the twin and stop it; its log alone knows what to do with the branch"},
    words{reason::reappeared, "reappeared",
          "it was finished long ago and is listed again: was this database restored, or did a "
          "replica take over that lags?",
          "nothing",
          "see what the other databases hold, and resolve it to agree with them; other work of "
          "that time is probably missing as well"},
    words{reason::salvaged, "salvaged",
          "this log was salvaged from a damaged one, which may have decided it: see what the other "
          "databases hold, and end it to agree with them",
          "nothing", "see what the other databases hold, and resolve it to agree with them"},
    words{reason::not_voted, "not_voted",
          "its transaction was decided without it, and yet it is prepared", "nothing",
          "see what the other branches did, resolve it to agree with them, and report this"},
    words{reason::unbound, "unbound",
          "the log does not know the resource manager of that id, or lost it, or a person gave it "
          "up: see what the other databases hold, and end it to agree with them",
          "nothing", "see what the other databases hold, and resolve it to agree with them"},
    words{reason::misplaced, "misplaced",
          "it names {}, another database of this log, which is on another server", "nothing",
          "find out how it came there, and end it by hand"},
    words{reason::heuristic, "heuristic",
          "a database ended a branch by itself, or by hand, or nobody knows how it ended it: {}",
          "nothing", "compare the databases, repair the data, then run assent forget"},
    words{reason::not_answering, "not_answering", "it could not be asked: {}",
          "{recovery} tries again without end, and goes on once it answers",
          "bring the database, or the network to it, back"},
    words{reason::login_refused, "login_refused", "it could not be asked: {}",
          "{recovery} tries again, less and less often, and goes on once it is let in",
          "correct the account or its password, in the configuration or at the server"},
    words{reason::right_missing, "right_missing", "it could not be asked: {}",
          "{recovery} tries again, and goes on once the account has the right",
          "give the account the right that the text names; assent doctor says which it needs"},
    words{
        reason::table_missing, "table_missing", "it could not be asked: {}",
        "{recovery} tries again, and goes on once the table is there as it was",
        "the table that the text names is missing: give it back as it was; what it held is waited "
        "for, so do not make an empty one"},
    words{reason::standby, "standby",
          "it is read-only, or a standby, and its list proves nothing; connect to the primary",
          again, "connect to the primary, promote this one, or make it writable"},
    words{reason::other_database, "other_database",
          "it is not the database that it was ({}), and nothing is decided there; connect to the "
          "old one, or give the new one another name; or, if it took the old one's place, see "
          "assent rebind",
          again,
          "connect to the old one; or rebind the name; or retire it, if it is gone for good"},
    words{reason::bound_twice, "bound_twice",
          "it is the database that the log knows as \"{}\"; use that name", "nothing",
          "use that name: two names for one database are refused"},
    words{reason::not_configured, "not_configured", "it is not in {}", "nothing",
          "add it to the configuration, and to the application; or retire it, if it is gone for "
          "good"},
    words{reason::only_application, "only_application",
          "its broker is reached by the application only, so nobody here knows what is held there",
          "the application finishes its branches while it runs",
          "start the application, unless it runs: only it can finish what is there"},
    words{reason::binding_lost, "binding_lost", "a damaged log lost the binding of it", "nothing",
          "look into every database of this node for branches that nobody finishes"},
    words{reason::given_up, "given_up",
          "it was given up, and its branches are not on record as hazards yet", "nothing",
          "run assent retire again"},
};

constexpr bool is_in_order()
{
    for (std::size_t i = 0; i < table_of_reasons.size(); ++i) {
        if (static_cast<std::size_t>(table_of_reasons[i].what) != i) return false;
    }
    return table_of_reasons.size() == static_cast<std::size_t>(last_reason) + 1;
}
static_assert(is_in_order(), "each reason has its row");

words const& words_of(reason what) noexcept
{
    return table_of_reasons[static_cast<std::size_t>(what)];
}

void replace(std::string& in, std::string_view place, std::string_view with)
{
    for (auto at = in.find(place); at != std::string::npos; at = in.find(place, at + with.size()))
        in.replace(at, place.size(), with);
}

}  // namespace

std::string_view name_of(reason what) noexcept
{
    return words_of(what).name;
}

explanation explain(reason what, std::string const& owner, std::string const& seen)
{
    auto const& from = words_of(what);
    explanation told;
    told.what = what;
    told.why = from.why;
    told.by_itself = from.by_itself;
    told.for_a_person = from.for_a_person;
    bool const is_owned = !owner.empty();
    auto const recovery =
        is_owned ? owner : "whoever owns the log next (the application, or assent recover)";
    // What was seen may hold anything, and comes last.
    for (auto* const text : {&told.why, &told.by_itself, &told.for_a_person}) {
        replace(*text, "{recovery}", recovery);
        replace(*text, "{start}",
                is_owned ? "nothing" : "start the application, or run assent recover");
        replace(*text, "{}", seen);
    }
    return told;
}

std::string since_in_words(explanation const& what)
{
    if (what.since_ms == 0) return "-";
    return (what.is_since_exact ? "" : "after ") + utc(what.since_ms);
}

}  // namespace assent::cli
