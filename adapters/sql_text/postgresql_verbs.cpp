// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_verbs.cpp -- XA's verbs in PostgreSQL's words (see postgresql.hpp).

#include <algorithm>
#include <string_view>
#include <utility>

#include "adapters/dialects/postgresql/error.hpp"
#include "adapters/dialects/postgresql/gid.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/sql_text/postgresql.hpp"

namespace assent::sql_text {

namespace {

namespace say = pg::statements;

constexpr char no_transaction[] = "25P01";
constexpr char name_in_use[] = "42710";
constexpr char back_to_mark[] = "ROLLBACK TO SAVEPOINT assent_mark";

/// A text of the first table's first row.
std::string value_of(execution const& from, std::size_t column)
{
    if (from.tables.empty() || from.tables.front().empty()) return {};
    row const& first = from.tables.front().front();
    return column < first.size() ? first[column].value_or(std::string{}) : std::string{};
}

reply lost(execution const& said)
{
    reply answer = pg::lost_reply(said.text);
    answer.sqlstate = said.sqlstate;
    return answer;
}

/// The branch's name as a literal; it has no byte that would need quoting, or there is none.
std::string literal(dialects::branch_name const& x)
{
    std::string const text = pg::gid_of(x);
    if (!x.is_ours()) return "'" + text + "'";
    bool const is_plain = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.';
    });
    return is_plain ? "'" + text + "'" : std::string{};
}

/// Errors that a look at the list cannot have: the name is taken; or what PREPARE runs in front of
/// asking for the name, deferred constraints, failed.
bool comes_from_prepare(std::string_view sqlstate)
{
    std::string_view const group = sqlstate.substr(0, 2);
    return sqlstate == name_in_use || group == "23" || group == "27" || group == "44";
}

reply not_possible(xa_code code, char const* why)
{
    reply answer;
    answer.code = code;
    answer.text = why;
    return answer;
}

}  // namespace

reply postgresql_speaker::run(request const& asked)
{
    auto const& [v, x, modes, insertion] = asked;
    if (literal(x).empty()) {
        return not_possible(xa_code::inval, "the xid holds a byte that no xid of a manager has");
    }
    bool const is_ours = stage_ == stage::active && branch_ == x;
    switch (v) {
        case verb::start:
            return start(x, modes, !insertion.empty());
        case verb::prepare:
            if (is_ours) return is_read_only_ ? read_vote() : prepare();
            break;
        case verb::commit_one_phase:
            if (is_ours) return insertion.empty() ? one_phase() : one_phase_with(insertion);
            break;
        case verb::rollback:
            if (is_ours) return roll_back_active();
            return finish_prepared("ROLLBACK PREPARED ", x);
        case verb::commit:
            return finish_prepared("COMMIT PREPARED ", x);
        case verb::forget:
            // The server takes no heuristic decisions, so there is none to forget.
            return not_possible(xa_code::nota, "nothing to forget");
    }
    return not_possible(xa_code::proto, "no such branch is active here");
}

reply postgresql_speaker::end(reply given, stage then)
{
    stage_ = then;
    return given;
}

reply postgresql_speaker::left_behind()
{
    is_tainted_ = true;
    return undo(say::left_behind());
}

/// Rolls back whatever is open, and then says `planned`, which is true either way.
reply postgresql_speaker::undo(reply planned)
{
    execution const undone = link_.execute("ROLLBACK");
    is_tainted_ = is_tainted_ || !undone.is_ok;
    bool const is_certain =
        undone.is_ok || planned.detail == reply_detail::left_behind || pg::is_rolled_back(planned);
    if (is_certain) return end(std::move(planned), stage::idle);
    if (undone.is_lost) return end(lost(undone), stage_);
    return end(pg::map_error(pg::phase::ending, undone.sqlstate, undone.text), stage::idle);
}

bool postgresql_speaker::is_mark(execution const& said, std::size_t at) const
{
    return at < said.tables.size() && said.tables[at].size() == 1 &&
           !said.tables[at].front().empty() && said.tables[at].front().front() == mark_;
}

std::string postgresql_speaker::guard() const
{
    return say::only_where(std::string{say::begun_at} + " OPERATOR(pg_catalog.=) " + mark_ +
                           " AND NOT (" + is_other_role + role_ + "' OR " + is_other_database +
                           database_ + "')");
}

reply postgresql_speaker::start(dialects::branch_name const& x, branch_modes const& modes,
                                bool carries_row)
{
    if (stage_ != stage::idle) {
        return not_possible(xa_code::outside, "the connection is not idle");
    }
    if (link_.has_autocommit() == false) {
        return not_possible(xa_code::outside,
                            "the connection has autocommit off, so that its client begins "
                            "transactions itself: switch it on");
    }
    execution const begun = link_.execute(say::begin(modes));
    if (begun.is_lost) return lost(begun);
    if (!begun.is_ok) return pg::map_error(pg::phase::beginning, begun.sqlstate, begun.text);
    if (begun.sqlstate == "25001") {  // a warning: there is one already
        is_tainted_ = true;
        return not_possible(xa_code::outside, "the connection is in a transaction");
    }
    execution const marked =
        link_.execute_each({std::string{"SELECT "} + say::begun_at + ", " + role_and_database +
                                ", pg_catalog.pg_backend_pid()" + say::is_read_only_column,
                            "SAVEPOINT assent_mark"});
    if (marked.is_lost) return lost(marked);
    if (!marked.is_ok) {
        return undo(pg::map_error(pg::phase::beginning, marked.sqlstate, marked.text));
    }
    std::string const mark = value_of(marked, 0);
    if (mark.empty() || mark.find_first_not_of("0123456789") != std::string::npos) {
        return undo(not_possible(xa_code::proto, "the server's answer to BEGIN is not understood"));
    }
    if (value_of(marked, 1) != role_ || value_of(marked, 2) != database_) {
        // A role that was left behind in the connection: the manager's could not finish it.
        is_tainted_ = true;
        reply refused = say::other_role();
        refused.code = xa_code::rmerr;
        return undo(std::move(refused));
    }
    if (value_of(marked, 3) != std::to_string(who_.process)) {
        is_tainted_ = true;
        return undo(not_possible(xa_code::rmerr,
                                 "a proxy gave this connection another session at the server"));
    }
    if (carries_row && value_of(marked, 4) != "off") return undo(say::no_row_here());
    branch_ = x;
    is_read_only_ = modes.is_read_only();
    mark_ = mark;
    return end({}, stage::active);
}

reply postgresql_speaker::prepare()
{
    execution const guarded = link_.execute("SELECT " + guard());
    if (guarded.is_lost) return end(lost(guarded), stage::in_doubt);
    if (!guarded.is_ok) return after_failed_guard(guarded);

    // The guard was answered, so the transaction is ours, stands, and has not failed.
    execution const prepared =
        link_.execute_each({"PREPARE TRANSACTION " + literal(branch_), listed_query()});
    if (prepared.is_lost) return end(lost(prepared), stage::in_doubt);
    if (!prepared.is_ok) return after_failed_prepare(prepared);
    if (value_of(prepared, 0) == "1") return end({}, stage::prepared);
    is_tainted_ = true;
    return end(not_possible(xa_code::rbrollback, "the server rolled back instead"), stage::idle);
}

/// The branch can be committed as it is; what the application has made a writer is prepared.
reply postgresql_speaker::read_vote()
{
    execution const guarded = link_.execute_each(
        {"SET CONSTRAINTS ALL IMMEDIATE", "SELECT " + guard() + say::is_read_only_column});
    if (guarded.is_lost) return end(lost(guarded), stage::idle);
    if (!guarded.is_ok) return after_failed_guard(guarded);
    if (value_of(guarded, 1) != "on") return prepare();
    return end(say::still_open(), stage::active);
}

/// Either PREPARE TRANSACTION failed, which ends the transaction, or the look behind it did.
reply postgresql_speaker::after_failed_prepare(execution const& failed)
{
    reply said = pg::map_error(pg::phase::ending, failed.sqlstate, failed.text);
    // The list would show whose name it is too, and that is another session: these come from
    // PREPARE alone, which has rolled back.
    if (comes_from_prepare(failed.sqlstate)) {
        return end(pg::as_rolled_back(std::move(said)), stage::idle);
    }
    auto const listed = is_listed();
    if (listed && *listed) return end({}, stage::prepared);
    is_tainted_ = true;
    if (!listed) {
        // Nobody knows; the manager rolls the name back.
        said.code = xa_code::proto;
        return end(std::move(said), stage::in_doubt);
    }
    is_tainted_ = false;
    stage const then = pg::is_rolled_back(said) ? stage::idle : stage::in_doubt;
    return end(std::move(said), then);
}

std::string postgresql_speaker::listed_query() const
{
    return "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts p WHERE p.gid"
           " OPERATOR(pg_catalog.=) " +
           literal(branch_);
}

std::optional<bool> postgresql_speaker::is_listed()
{
    execution const seen = link_.execute(listed_query());
    if (!seen.is_ok || value_of(seen, 0).empty()) return std::nullopt;
    return value_of(seen, 0) != "0";
}

/// A failed transaction refuses queries, but not the way back to its beginning.
execution postgresql_speaker::back_to_beginning()
{
    return link_.execute_each({back_to_mark, std::string{"SELECT "} + say::begun_at});
}

/// A query within the branch failed, so nothing that stood behind it was run.  Is the transaction
/// still the one that start began?
reply postgresql_speaker::after_failed_guard(execution const& failed)
{
    // 3B001: the driver put a savepoint before the branch's last statement, and it is gone.
    if (failed.sqlstate == "3B001") return left_behind();
    execution const back = back_to_beginning();
    if (back.is_lost) return end(lost(back), stage::idle);
    if (!back.is_ok || !is_mark(back, 0)) return left_behind();
    // The guard's own answer is missing, and the mark is there: so it was the role.
    bool const is_guard = failed.tables.empty() && failed.sqlstate == say::guard_failed;
    if (is_guard) return undo(say::other_role());
    reply vote = pg::as_rolled_back(pg::map_error(pg::phase::ending, failed.sqlstate, failed.text));
    bool const is_row = !failed.tables.empty() && failed.sqlstate == say::is_read_only;
    if (is_row) vote.text = say::row_is_read_only;
    if (failed.sqlstate == "25P02") vote.code = xa_code::rbrollback;
    return undo(std::move(vote));
}

reply postgresql_speaker::one_phase()
{
    execution const seen = link_.execute(say::read_witness);
    if (seen.is_lost) return end(pg::never_committed(lost(seen)), stage::idle);
    if (!seen.is_ok) return after_failed_guard(seen);
    if (!is_mark(seen, 0)) return left_behind();
    std::string const number = value_of(seen, 1);
    return commit(number.empty() ? std::string{} : number + '@' + who_.life);
}

/// COMMIT is a message of its own: an error of it ends the transaction, one of the row does not,
/// and the driver does not show which it was.
reply postgresql_speaker::one_phase_with(std::string const& insertion)
{
    execution const inserted =
        link_.execute_each({"SELECT " + guard() + pg::decisions::synchronous_column, insertion});
    if (inserted.is_lost) return end(pg::never_committed(lost(inserted)), stage::idle);
    if (!inserted.is_ok) return after_failed_guard(inserted);
    return commit({});  // the row is the witness
}

/// A query was answered just before, so the transaction had not failed, and COMMIT's success is no
/// ROLLBACK in disguise.
reply postgresql_speaker::commit(std::string const& witness)
{
    link_.note_witness(witness);
    bool const is_chained = link_.may_reconnect();
    execution const done = link_.execute_commit(is_chained ? "COMMIT AND CHAIN" : "COMMIT");
    reply said = done.is_lost ? lost(done)
                 : is_chained ? after_chained(done)
                 : done.is_ok ? reply{}
                              : pg::map_error(pg::phase::ending, done.sqlstate, done.text);
    said.witness = witness;
    is_tainted_ = is_tainted_ || done.is_lost;
    return end(std::move(said), stage::idle);
}

reply postgresql_speaker::after_chained(execution const& done)
{
    if (done.is_ok) {
        is_tainted_ = is_tainted_ || !link_.execute("ROLLBACK").is_ok;  // of the empty one
        return {};
    }
    if (done.sqlstate != no_transaction) {
        return pg::map_error(pg::phase::ending, done.sqlstate, done.text);
    }
    // The transaction was there a moment ago.  Whether an earlier attempt committed it, in a
    // session that is gone now, this one cannot tell.
    is_tainted_ = true;
    return lost(done);
}

reply postgresql_speaker::roll_back_active()
{
    execution const undone =
        link_.execute_each({std::string{"SELECT "} + say::begun_at, "ROLLBACK"});
    if (undone.is_lost) return end(lost(undone), stage::idle);
    if (undone.is_ok && is_mark(undone, 0)) return end({}, stage::idle);
    if (undone.is_ok || undone.sqlstate == "3B001") return left_behind();
    execution const back = back_to_beginning();
    if (back.is_lost) return end(lost(back), stage::idle);
    if (!back.is_ok || !is_mark(back, 0)) return left_behind();
    return undo({});
}

reply postgresql_speaker::finish_prepared(char const* words, dialects::branch_name const& x)
{
    // Within a transaction the server would refuse, and fail that transaction.
    if (stage_ == stage::active) {
        return not_possible(xa_code::proto, "the connection is inside a transaction");
    }
    execution const done = link_.execute(words + literal(x));
    bool const is_here = branch_ == x;
    if (done.is_ok) return end({}, is_here ? stage::idle : stage_);
    if (done.is_lost) return end(lost(done), stage_);
    reply said = pg::map_error(pg::phase::finishing, done.sqlstate, done.text);
    bool const is_unknown = said.code == xa_code::nota;
    return end(std::move(said), is_unknown && is_here ? stage::idle : stage_);
}

}  // namespace assent::sql_text
