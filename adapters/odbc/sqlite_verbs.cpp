// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_verbs.cpp -- a branch, from BEGIN IMMEDIATE to its end.
//
// Invariant: XA_RB* is said only after nothing of the branch is open any more, and COMMIT
// was not sent, or left the transaction open.

#include <exception>
#include <utility>

#include "adapters/odbc/sqlite.hpp"
#include "adapters/odbc/sqlite_rows.hpp"

namespace assent::odbc_adapter {

namespace {

constexpr char set_mark[] = "SAVEPOINT assent_mark";
constexpr char take_mark[] = "RELEASE assent_mark";
constexpr char back_to_mark[] = "ROLLBACK TO assent_mark";
constexpr char ask_journal[] = "PRAGMA main.journal_mode";

reply to_reply(execution const& said, xa_code code)
{
    reply answer;
    answer.code = code;
    answer.native_code = said.native_code;
    answer.sqlstate = said.sqlstate;
    answer.text = said.text;
    if (said.is_lost) {  // not sent: the session was cut
        answer.code = xa_code::rmfail;
        answer.detail = reply_detail::reply_lost;
    }
    return answer;
}

reply not_possible(xa_code code, char const* why, reply_detail detail = reply_detail::none)
{
    reply answer;
    answer.code = code;
    answer.detail = detail;
    answer.text = why;
    return answer;
}

std::string value_of(execution const& said)
{
    if (!said.is_ok || said.tables.empty() || said.tables[0].empty()) return {};
    row const& first = said.tables[0].front();
    return first.empty() ? std::string{} : first.front().value_or(std::string{});
}

/// Only the row can tell.
reply unknown(execution const& said)
{
    reply answer = to_reply(said, xa_code::rmfail);
    answer.detail = reply_detail::reply_lost;
    return answer;
}

}  // namespace

reply sqlite_speaker::run(request const& asked)
{
    bool const is_ours = is_active_ && branch_ == asked.branch;
    if (is_ours && asked.what != verb::start) {
        std::string const weaker = weaker_journal();
        if (!weaker.empty()) return unsafe_journal(weaker, asked.what);
    }
    switch (asked.what) {
        case verb::start:
            return start(asked.branch, asked.modes, !asked.insertion.empty());
        case verb::prepare:
            if (!is_ours) break;
            if (is_reader_) {
                // Nothing was written, so that nothing can keep it from being ended.
                return not_possible(xa_code::rdonly,
                                    "the branch is read-only: it ends with the outcome",
                                    reply_detail::still_open);
            }
            return roll_back(not_possible(xa_code::rbproto,
                                          "SQLite has no two-phase commit: it can be the only "
                                          "database of a transaction, or its last resource, and "
                                          "no other"));
        case verb::commit_one_phase:
            if (is_ours) return commit(asked.insertion);
            break;
        case verb::rollback:
            if (is_ours) return roll_back({});
            [[fallthrough]];
        case verb::commit:
        case verb::forget:
            return not_possible(xa_code::nota,
                                "SQLite prepares no branches, so there is none of that name");
    }
    return not_possible(xa_code::proto, "no such branch is active here");
}

/// Tells the connection what it must be told before the branch begins, and finds out whether the
/// branch only reads.
reply sqlite_speaker::choose(branch_modes const& modes, bool carries_row)
{
    if (modes.level && modes.level != isolation::serializable) {
        return not_possible(xa_code::inval, "SQLite has no isolation level but SERIALIZABLE");
    }
    if (modes.level) {
        // Connections that share a cache may read what others have not committed.
        execution const dirty = link_.execute("PRAGMA read_uncommitted");
        if (!dirty.is_ok) return to_reply(dirty, xa_code::rmerr);
        if (value_of(dirty) != "0") {
            return not_possible(xa_code::inval,
                                "PRAGMA read_uncommitted is on, and SERIALIZABLE was asked for");
        }
    }
    execution const before = link_.execute("PRAGMA query_only");
    if (!before.is_ok) return to_reply(before, xa_code::rmerr);
    bool const was_reading = value_of(before) == "1";
    is_reading_ = modes.may ? modes.is_read_only() : was_reading;
    if (is_reading_ && carries_row) {
        return not_possible(xa_code::rmerr,
                            "the connection is read only (PRAGMA query_only), and a commit row "
                            "cannot be written by it: begin without one, or with "
                            "begin_options{}.read_only(false)");
    }
    if (is_reading_ == was_reading) return {};
    // A lent connection is afterwards as its owner wants it.
    execution const chosen =
        link_.execute(is_reading_ ? "PRAGMA query_only = 1" : "PRAGMA query_only = 0");
    if (!chosen.is_ok) return to_reply(chosen, xa_code::rmerr);
    restoring_ = is_reading_ ? "PRAGMA query_only = 0" : "PRAGMA query_only = 1";
    return {};
}

reply sqlite_speaker::start(dialects::branch_name const& x, branch_modes const& modes,
                            bool carries_row)
{
    if (is_active_) return not_possible(xa_code::outside, "the connection is not idle");
    if (link_.has_autocommit() == false) {
        return not_possible(xa_code::outside,
                            "the connection has autocommit off: set SQL_ATTR_AUTOCOMMIT on");
    }
    if (!question_.is_in_place()) {
        is_tainted_ = true;
        return not_possible(xa_code::rmerr, "the database's file was moved, replaced or removed");
    }
    if (reply refused = choose(modes, carries_row); !refused.is_ok()) return refused;
    execution const begun = link_.execute(is_reading_ ? "BEGIN" : "BEGIN IMMEDIATE");
    if (!begun.is_ok) {
        restore();
        // Others write for longer than the driver's Timeout; nothing has begun.
        if (is_busy(begun)) return to_reply(begun, xa_code::retry);
        is_tainted_ = true;
        return to_reply(begun, xa_code::outside);
    }
    is_active_ = true;
    is_reader_ = modes.is_read_only();
    branch_ = x;
    execution marked = link_.execute(ask_journal);
    journal_ = value_of(marked);
    if (marked.is_ok) marked = link_.execute(set_mark);
    if (marked.is_ok) return {};
    undo();
    return to_reply(marked, xa_code::rmerr);
}

/// The mode to which the branch has switched its journal, where a crash would leave half of it.
std::string sqlite_speaker::weaker_journal()
{
    std::string const now = value_of(link_.execute(ask_journal));
    return now != journal_ && (now == "memory" || now == "off") ? now : std::string{};
}

/// Nothing is committed, here or by a later lease of the session.  Without any journal SQLite
/// cannot roll back either.
reply sqlite_speaker::unsafe_journal(std::string const& mode, verb ends)
{
    is_tainted_ = true;
    std::string const why = "the branch has set journal_mode to " + mode +
                            ", with which a crash leaves half of a transaction";
    if (mode != "off") {
        return roll_back(ends == verb::rollback ? reply{}
                                                : not_possible(xa_code::rbother, why.c_str()));
    }
    undo();
    reply hazard = not_possible(xa_code::proto, why.c_str());
    hazard.text += ", and nothing can be rolled back";
    hazard.detail = reply_detail::left_behind;
    return hazard;
}

void sqlite_speaker::restore()
{
    if (restoring_.empty()) return;
    is_tainted_ = is_tainted_ || !link_.execute(restoring_).is_ok;
    restoring_.clear();
}

/// Ends whatever is open, also when nothing else may be sent any more: a file that stays locked
/// stops everybody.  @return whether nothing of the branch is left, for certain.
bool sqlite_speaker::undo()
{
    bool const is_gone = question_.undo();
    is_active_ = false;
    is_tainted_ = is_tainted_ || !is_gone;
    restore();
    return is_gone;
}

void sqlite_speaker::undo_severed() noexcept
{
    lock_.release();
    if (!is_active_) return;
    try {
        undo();
    } catch (std::exception const&) {
        is_tainted_ = true;  // without memory the file stays locked until it is closed
    }
}

reply sqlite_speaker::left_behind()
{
    undo();
    is_tainted_ = true;
    reply gone = not_possible(
        xa_code::proto,
        "the branch's transaction was ended behind the manager's back (COMMIT, SQLEndTran, or "
        "SQLite itself): what was written since is permanent");
    gone.detail = reply_detail::left_behind;
    return gone;
}

reply sqlite_speaker::commit(std::string const& insertion)
{
    if (!question_.is_in_place()) {
        // In a file that nobody finds again the commit would be for nothing, and its row unseen.
        return roll_back(not_possible(
            xa_code::rbother, "the database's file was moved, replaced or removed meanwhile"));
    }
    execution const taken = link_.execute(take_mark);
    if (taken.is_lost) return to_reply(taken, xa_code::rmfail);
    if (!taken.is_ok) return left_behind();
    if (!insertion.empty()) {
        execution const inserted = sqlite_rows::insert_unseen(link_, insertion);
        if (!inserted.is_ok) return after_failed_row(inserted);
    }
    execution const done = link_.execute_commit("COMMIT");
    if (!done.is_ok) return after_failed_commit(done);
    is_active_ = false;
    restore();
    return {};
}

/// Another row of that name is there, or none can be written: COMMIT is not sent.
reply sqlite_speaker::after_failed_row(execution const& failed)
{
    if (failed.is_lost) return to_reply(failed, xa_code::rmfail);
    if (!undo()) return unknown(failed);
    return to_reply(failed, is_busy(failed)         ? xa_code::rbtransient
                            : is_constraint(failed) ? xa_code::rbintegrity
                                                    : xa_code::rbother);
}

reply sqlite_speaker::after_failed_commit(execution const& failed)
{
    if (failed.is_lost) return to_reply(failed, xa_code::rmfail);
    // Others read or write, or a deferred constraint does not hold: nothing was written yet, and
    // the transaction is still open.  Of an I/O error nobody knows on which side of the commit it
    // came.
    bool const is_before = is_busy(failed) || is_constraint(failed);
    if (!undo() || !is_before) return unknown(failed);
    return to_reply(failed, is_busy(failed) ? xa_code::rbtransient : xa_code::rbintegrity);
}

/// Gives `planned` once nothing of the branch is left.
reply sqlite_speaker::roll_back(reply planned)
{
    execution const back = link_.execute(back_to_mark);
    if (back.is_lost) return to_reply(back, xa_code::rmfail);
    if (!back.is_ok) return left_behind();
    execution const undone = link_.execute("ROLLBACK");
    if (undone.is_lost) return to_reply(undone, xa_code::rmfail);
    is_active_ = false;
    restore();
    if (undone.is_ok) return planned;
    is_tainted_ = true;
    return to_reply(undone, xa_code::proto);
}

}  // namespace assent::odbc_adapter
