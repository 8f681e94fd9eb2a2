// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transition_table.hpp -- what a reply means, in the only place where that is decided.
//
//   active --prepare--> preparing --ok--> prepared --commit--> committing --ok--> committed
//                          |                 |                     +--lost--> commit_due --+
//                          |                 +--rollback--> rolling_back_prepared          |
//                          +--no--> rolled_back        recommitting <--commit, by queue ---+
//
// A branch state that ends in -ing waits for the reply to one verb, so (state, reply class) names
// (stage, verb, reply) exactly.  A pair without a row is impossible by XA's tables and is treated
// as `unknown` in that state.  Presumed abort: nothing here ever turns silence, NOTA or an
// unknown code into "committed" or "rolled back".

#ifndef ASSENT_PROTOCOL_TRANSITION_TABLE_HPP
#define ASSENT_PROTOCOL_TRANSITION_TABLE_HPP

#include <array>
#include <cstdint>
#include <string_view>

#include "protocol/reply_class.hpp"

namespace assent::protocol {

enum class branch_state : std::uint8_t {
    // Nothing is outstanding.
    active = 0,
    prepared = 1,          // voted yes
    asked = 2,             // PREPARE was sent and not answered yes: it may be prepared
    read_only = 3,         // final: it has nothing to commit
    committed = 4,         // final
    rolled_back = 5,       // final, confirmed
    commit_due = 6,        // decided commit: must be sent, again and again
    commit_verify = 7,     // a repeated commit was answered NOTA: the next scan tells
    hazard_verify = 8,     // the very first commit was answered NOTA: the next scan tells
    rollback_due = 9,      // must be rolled back, again and again
    rollback_verify = 10,  // rolled back as far as we know: session gone and a scan confirm it
    in_doubt = 11,         // one-phase, reply lost: the server's witness or nobody knows
    // Final, against the decision or unknowable; recorded before anything is forgotten.
    heuristic_commit = 12,
    heuristic_rollback = 13,
    heuristic_mixed = 14,
    heuristic_hazard = 15,
    left_behind = 16,  // work may be permanent: the session left the branch behind our back
    // Nothing is outstanding, again.
    row_in_doubt = 17,  // its commit carried the decision, and the reply was lost: the row knows
    row_awaited = 18,   // voted yes, and the decision is in doubt: the row knows
    reads_voted = 19,   // declared read-only, voted yes, and open: it ends with the outcome
    // One verb is outstanding.
    preparing = 20,
    ending_read_only = 21,   // the only branch: its end is the outcome
    ending_voted_read = 22,  // the outcome is commit
    one_phase = 23,
    committing_row = 24,  // the one commit that carries the decision in a row
    committing = 25,      // the first commit ever sent for this branch, on a usable connection
    recommitting = 26,    // any other commit
    rolling_back = 27,    // not prepared
    rolling_back_prepared = 28,  // prepared, or perhaps
};

inline constexpr int branch_state_count = 29;

/// What must follow a reply.
enum class follow_up : std::uint8_t {
    none = 0,
    again = 1,        // send the verb again, later, from the completion queue
    verify = 2,       // a later valid scan decides
    record = 3,       // force a heuristic record, then forget the branch at the server
    ask_witness = 4,  // ask the server what became of the one-phase commit
    ask_row = 5,      // ask the row in which the decision lives, and fence it
};

struct transition
{
    branch_state from;
    reply_class on;
    branch_state to;
    follow_up then;
};

namespace table {

using s = branch_state;
using c = reply_class;
using f = follow_up;

// clang-format off
inline constexpr std::array rows = {
    // Phase 1.  XA C193, xa_prepare.  After XA_RB* the branch is gone and gets no more calls;
    // after RMERR, RMFAIL or silence it may be prepared, so a rollback is due.
    transition{s::preparing, c::ok,                 s::prepared,           f::none},
    transition{s::preparing, c::rdonly,             s::read_only,          f::none},
    transition{s::preparing, c::still_open,         s::reads_voted,        f::none},
    transition{s::preparing, c::rolled_back,        s::rolled_back,        f::none},
    transition{s::preparing, c::rmerr,              s::asked,              f::again},
    transition{s::preparing, c::rmfail,             s::asked,              f::again},
    transition{s::preparing, c::nota,               s::asked,              f::again},
    transition{s::preparing, c::silent,             s::asked,              f::again},
    transition{s::preparing, c::left_behind,        s::left_behind,        f::record},
    transition{s::preparing, c::unknown,            s::asked,              f::again},

    // A branch declared read-only is not prepared, and it wrote nothing that lasts.  Alone, its end
    // is its vote.
    transition{s::ending_read_only, c::ok,          s::read_only,          f::none},
    transition{s::ending_read_only, c::rolled_back, s::rolled_back,        f::none},
    transition{s::ending_read_only, c::left_behind, s::left_behind,        f::record},
    transition{s::ending_read_only, c::unknown,     s::rollback_verify,    f::verify},

    // Beside others it has voted, and is ended because the whole committed: what it answers to
    // that changes nothing, but for work behind our back.
    transition{s::ending_voted_read, c::left_behind, s::left_behind,       f::record},
    transition{s::ending_voted_read, c::unknown,    s::read_only,          f::none},

    // One phase.  In no log and in no scan: a lost reply is in doubt, never "rolled back".
    transition{s::one_phase, c::ok,                 s::committed,          f::none},
    transition{s::one_phase, c::rolled_back,        s::rolled_back,        f::none},
    transition{s::one_phase, c::rmerr,              s::rolled_back,        f::none},
    transition{s::one_phase, c::rmfail,             s::in_doubt,           f::ask_witness},
    transition{s::one_phase, c::silent,             s::in_doubt,           f::ask_witness},
    transition{s::one_phase, c::heuristic_commit,   s::heuristic_commit,   f::record},
    transition{s::one_phase, c::heuristic_rollback, s::heuristic_rollback, f::record},
    transition{s::one_phase, c::heuristic_mixed,    s::heuristic_mixed,    f::record},
    transition{s::one_phase, c::heuristic_hazard,   s::heuristic_hazard,   f::record},
    transition{s::one_phase, c::left_behind,        s::left_behind,        f::record},
    transition{s::one_phase, c::unknown,            s::in_doubt,           f::ask_witness},
    transition{s::in_doubt, c::witness_committed,   s::committed,          f::none},
    transition{s::in_doubt, c::witness_rolled_back, s::rolled_back,        f::none},
    transition{s::in_doubt, c::unknown,             s::in_doubt,           f::none},

    // The commit row: work, and the row that decides, become permanent together or not at all.
    // What is not certain is asked of the row: the asking inserts an abort row in its place, so
    // that a commit which arrives later fails.  Its session may still be there to try, so until it
    // is gone the abort row stays.
    transition{s::committing_row, c::ok,            s::committed,          f::none},
    transition{s::committing_row, c::rolled_back,   s::rolled_back,        f::none},
    transition{s::committing_row, c::left_behind,   s::left_behind,        f::record},
    transition{s::committing_row, c::unknown,       s::row_in_doubt,       f::ask_row},
    transition{s::row_in_doubt, c::row_commits,     s::committed,          f::none},
    transition{s::row_in_doubt, c::row_aborts,      s::rollback_verify,    f::verify},
    transition{s::row_in_doubt, c::unknown,         s::row_in_doubt,       f::ask_row},

    // The others voted yes, and wait for what the row will be found to say.
    transition{s::row_awaited, c::row_commits,      s::commit_due,         f::again},
    transition{s::row_awaited, c::row_aborts,       s::rollback_due,       f::again},
    transition{s::row_awaited, c::unknown,          s::row_awaited,        f::ask_row},

    // Phase 2, commit.  XA C193, xa_commit.  RMERR here means rolled back and forgotten.  NOTA does
    // not say that the branch is gone: MariaDB answers it while another session keeps the branch,
    // which is then still prepared.  So only a later list settles it.
    transition{s::committing, c::ok,                 s::committed,          f::none},
    transition{s::committing, c::retry,              s::commit_due,         f::again},
    transition{s::committing, c::rmfail,             s::commit_due,         f::again},
    transition{s::committing, c::silent,             s::commit_due,         f::again},
    transition{s::committing, c::nota,               s::hazard_verify,      f::verify},
    transition{s::committing, c::rolled_back,        s::heuristic_rollback, f::record},
    transition{s::committing, c::rmerr,              s::heuristic_rollback, f::record},
    transition{s::committing, c::heuristic_commit,   s::heuristic_commit,   f::record},
    transition{s::committing, c::heuristic_rollback, s::heuristic_rollback, f::record},
    transition{s::committing, c::heuristic_mixed,    s::heuristic_mixed,    f::record},
    transition{s::committing, c::heuristic_hazard,   s::heuristic_hazard,   f::record},
    transition{s::committing, c::read_only_left,     s::heuristic_hazard,   f::record},
    transition{s::committing, c::unknown,            s::commit_due,         f::again},

    // Phase 2, commit, repeated: an earlier one may have been carried out.
    transition{s::recommitting, c::ok,                 s::committed,          f::none},
    transition{s::recommitting, c::retry,              s::commit_due,         f::again},
    transition{s::recommitting, c::rmfail,             s::commit_due,         f::again},
    transition{s::recommitting, c::silent,             s::commit_due,         f::again},
    transition{s::recommitting, c::nota,               s::commit_verify,      f::verify},
    transition{s::recommitting, c::rolled_back,        s::heuristic_rollback, f::record},
    transition{s::recommitting, c::rmerr,              s::heuristic_rollback, f::record},
    transition{s::recommitting, c::heuristic_commit,   s::heuristic_commit,   f::record},
    transition{s::recommitting, c::heuristic_rollback, s::heuristic_rollback, f::record},
    transition{s::recommitting, c::heuristic_mixed,    s::heuristic_mixed,    f::record},
    transition{s::recommitting, c::heuristic_hazard,   s::heuristic_hazard,   f::record},
    transition{s::recommitting, c::read_only_left,     s::read_only,          f::none},
    transition{s::recommitting, c::unknown,            s::commit_due,         f::again},

    // Rollback of a branch that is not prepared: it can never commit, but until the server has said
    // so, or the session is gone, that is not confirmed.
    transition{s::rolling_back, c::ok,                 s::rolled_back,        f::none},
    transition{s::rolling_back, c::rolled_back,        s::rolled_back,        f::none},
    transition{s::rolling_back, c::rmerr,              s::rollback_verify,    f::verify},
    transition{s::rolling_back, c::rmfail,             s::rollback_verify,    f::verify},
    transition{s::rolling_back, c::silent,             s::rollback_verify,    f::verify},
    transition{s::rolling_back, c::nota,               s::rollback_verify,    f::verify},
    transition{s::rolling_back, c::heuristic_commit,   s::heuristic_commit,   f::record},
    transition{s::rolling_back, c::heuristic_rollback, s::heuristic_rollback, f::record},
    transition{s::rolling_back, c::heuristic_mixed,    s::heuristic_mixed,    f::record},
    transition{s::rolling_back, c::heuristic_hazard,   s::heuristic_hazard,   f::record},
    transition{s::rolling_back, c::left_behind,        s::left_behind,        f::record},
    transition{s::rolling_back, c::unknown,            s::rollback_verify,    f::verify},

    // Rollback of a branch that is, or may be, prepared.
    transition{s::rolling_back_prepared, c::ok,                 s::rolled_back,        f::none},
    transition{s::rolling_back_prepared, c::rolled_back,        s::rolled_back,        f::none},
    transition{s::rolling_back_prepared, c::read_only_left,     s::rolled_back,        f::none},
    transition{s::rolling_back_prepared, c::retry,              s::rollback_due,       f::again},
    transition{s::rolling_back_prepared, c::rmfail,             s::rollback_due,       f::again},
    transition{s::rolling_back_prepared, c::silent,             s::rollback_due,       f::again},
    transition{s::rolling_back_prepared, c::rmerr,              s::rollback_verify,    f::verify},
    transition{s::rolling_back_prepared, c::nota,               s::rollback_verify,    f::verify},
    transition{s::rolling_back_prepared, c::heuristic_commit,   s::heuristic_commit,   f::record},
    transition{s::rolling_back_prepared, c::heuristic_rollback, s::heuristic_rollback, f::record},
    transition{s::rolling_back_prepared, c::heuristic_mixed,    s::heuristic_mixed,    f::record},
    transition{s::rolling_back_prepared, c::heuristic_hazard,   s::heuristic_hazard,   f::record},
    transition{s::rolling_back_prepared, c::left_behind,        s::left_behind,        f::record},
    transition{s::rolling_back_prepared, c::unknown,            s::rollback_due,       f::again},

    // What a later valid scan of that server says.  NOTA alone never got a branch this far.
    transition{s::commit_verify,   c::listed,  s::commit_due,       f::again},
    transition{s::commit_verify,   c::absent,  s::committed,        f::none},
    transition{s::commit_verify,   c::vanished, s::heuristic_hazard, f::record},
    transition{s::commit_verify,   c::unknown, s::commit_verify,    f::verify},
    transition{s::hazard_verify,   c::listed,  s::commit_due,       f::again},
    transition{s::hazard_verify,   c::absent,  s::heuristic_hazard, f::record},
    transition{s::hazard_verify,   c::unknown, s::hazard_verify,    f::verify},
    transition{s::rollback_verify, c::listed,  s::rollback_due,     f::again},
    transition{s::rollback_verify, c::absent,  s::rolled_back,      f::none},
    transition{s::rollback_verify, c::unknown, s::rollback_verify,  f::verify},
};
// clang-format on

}  // namespace table

/// The row for a reply; for a pair without one, the state's `unknown` row.
/// @return nullptr when `from` waits for nothing: a reply there is a bug of ours.
constexpr transition const* find_transition(branch_state from, reply_class on) noexcept
{
    transition const* fallback = nullptr;
    for (auto const& row : table::rows) {
        if (row.from != from) continue;
        if (row.on == on) return &row;
        if (row.on == reply_class::unknown) fallback = &row;
    }
    return fallback;
}

std::string_view name_of(branch_state what) noexcept;

constexpr bool is_final(branch_state what) noexcept
{
    switch (what) {
        case branch_state::read_only:
        case branch_state::committed:
        case branch_state::rolled_back:
        case branch_state::heuristic_commit:
        case branch_state::heuristic_rollback:
        case branch_state::heuristic_mixed:
        case branch_state::heuristic_hazard:
        case branch_state::left_behind:
            return true;
        default:
            return false;
    }
}

/// Waiting for the reply to one verb.
constexpr bool is_outstanding(branch_state what) noexcept
{
    return what >= branch_state::preparing;
}

}  // namespace assent::protocol

#endif  // ASSENT_PROTOCOL_TRANSITION_TABLE_HPP
