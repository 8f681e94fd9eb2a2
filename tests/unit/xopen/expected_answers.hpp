// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// expected_answers.hpp -- what each answer of each routine must lead to, by C193's tables and by
// the rules of this library, and not by what its code does: to be reviewed as a table.
//
//   11 calls x 28 answers x 3 positions x {run, recovery} = 1,848 cells
//
// Calls: XA's ten routines, and xa_commit twice, since in one phase its answers mean something
// else.  Answers: the 24 of xa.h, and four that have no name, each beside a bound of what has.
// Position: which of three branches it is; in one phase, where a transaction has one, which of
// three transactions of the thread; of xa_recover, which call of a list of more than one page.
// Recovery: a manager that is opened on what a crash left behind.  Where recovery itself makes the
// call, what it finishes is judged; xa_start, xa_end, xa_prepare and one phase it never calls, and
// there a new transaction beside it is.
//
// Where the answer leaves open what was done, two rules hold: `committed` is told only of a durable
// decision, and `rolled back` only of what can never commit.

#ifndef ASSENT_TESTS_UNIT_XOPEN_EXPECTED_ANSWERS_HPP
#define ASSENT_TESTS_UNIT_XOPEN_EXPECTED_ANSWERS_HPP

#include <array>
#include <cstdint>

namespace xopen_test {

enum class call : std::uint8_t {
    open,
    close,
    start,
    end,
    prepare,
    commit,
    one_phase,
    rollback,
    recover,
    forget,
    complete
};

/// In which cells a row holds.
enum class when : std::uint8_t { ever, run, recovery };

/// What the application hears.
enum class told : std::uint8_t {
    committed,    // by every branch
    pending,      // the decision is durable, and a branch has yet to confirm it
    rolled_back,  // by commit() or rollback()
    heur_com,  // a heuristic_error, by what a branch has come to
    heur_rb,
    heur_mix,
    heur_haz,
    in_doubt,
    refused,  // lease() failed, and rollback() returned
    nobody,   // who began it died
};

/// What the resource manager's own rows show in the end.
enum class effect : std::uint8_t { none, part, whole };

/// What the branch that was answered for is sent after that, for as long as there is anything.
enum class next : std::uint8_t {
    nothing,
    commit,        // and nothing else, until it is carried out
    rollback,      // at least once, and nothing else
    at_most_undo,  // xa_end or xa_rollback, if anything: it may be gone
    take_back,     // xa_end, and then xa_rollback
    forget,        // once
    forget_again,  // until it is forgotten; xa_commit, which repeats the heuristic, may come
                   // between
    as_usual,      // whatever its transaction needs
};

/// Sets of answers.
namespace on {
constexpr std::uint32_t ok = 1u << 0, rdonly = 1u << 1, retry = 1u << 2, heurmix = 1u << 3,
                        heurrb = 1u << 4, heurcom = 1u << 5, heurhaz = 1u << 6, nomigrate = 1u << 7,
                        rb = 1u << 8, async = 1u << 9, rmerr = 1u << 10, nota = 1u << 11,
                        inval = 1u << 12, proto = 1u << 13, rmfail = 1u << 14, dupid = 1u << 15,
                        outside = 1u << 16, nameless = 1u << 17;
constexpr std::uint32_t all = (1u << 18) - 1;
}  // namespace on

struct expected
{
    call what;
    std::uint32_t answers;
    when in;
    told to_caller;
    effect here, elsewhere;  // in this branch, and in the others of its transaction
    bool is_recorded;        // a heuristic, for the operator
    next then;
};

/// The first row that fits holds.
namespace table {

using row = expected;
using c = call;
using w = when;
using t = told;
using e = effect;
using n = next;
using namespace on;

// clang-format off
inline constexpr std::array rows = {
    // 6-1.  A thread that cannot open has begun nothing there.  The manager's own tries again.
    row{c::open,      all,                     w::recovery, t::nobody,      e::whole, e::whole, false, n::as_usual},
    row{c::open,      ok,                      w::run,      t::committed,   e::whole, e::whole, false, n::as_usual},
    row{c::open,      all,                     w::run,      t::refused,     e::none,  e::none,  false, n::nothing},

    // 6-1.  Closing changes no outcome: at a thread's end; in recovery between XAER_RMFAIL and the
    // next xa_open, where whatever is not XA_OK is closed again before anything is done.
    row{c::close,     all,                     w::run,      t::committed,   e::whole, e::whole, false, n::as_usual},
    row{c::close,     all,                     w::recovery, t::nobody,      e::whole, e::whole, false, n::commit},

    // 6-2.  After XAER_RMFAIL nothing was begun: it is opened and asked once more.  XA_RB*: the
    // thread is free, and the branch is to be rolled back.  Other errors of xa_start say that there
    // is no branch of ours, and XAER_DUPID one of somebody else's: nothing may be sent by its
    // name.  What XA has no meaning for may have come after the effect: it is ended and rolled back.
    row{c::start,     ok | rmfail,             w::ever,     t::committed,   e::whole, e::whole, false, n::as_usual},
    row{c::start,     rb,                      w::ever,     t::refused,     e::none,  e::none,  false, n::rollback},
    row{c::start,     dupid | outside | proto, w::ever,     t::refused,     e::none,  e::none,  false, n::nothing},
    row{c::start,     nota | inval | rmerr,    w::ever,     t::refused,     e::none,  e::none,  false, n::nothing},
    row{c::start,     all,                     w::ever,     t::refused,     e::none,  e::none,  false, n::take_back},

    // 6-2.  Whatever is not XA_OK: no vote is asked for there, and nothing commits anywhere.  After
    // XA_RB* it is dissociated, and xa_rollback is due; after XAER_RMFAIL and XAER_NOTA it may be
    // gone.
    row{c::end,       ok,                      w::ever,     t::committed,   e::whole, e::whole, false, n::as_usual},
    row{c::end,       rb,                      w::ever,     t::rolled_back, e::none,  e::none,  false, n::rollback},
    row{c::end,       all,                     w::ever,     t::rolled_back, e::none,  e::none,  false, n::at_most_undo},

    // Phase 1.  XA_RDONLY and XA_RB* end the branch: no more calls.  Whatever else is not XA_OK may
    // have prepared it.
    row{c::prepare,   ok,                      w::ever,     t::committed,   e::whole, e::whole, false, n::commit},
    row{c::prepare,   rdonly,                  w::ever,     t::committed,   e::whole, e::whole, false, n::nothing},
    row{c::prepare,   rb,                      w::ever,     t::rolled_back, e::none,  e::none,  false, n::nothing},
    row{c::prepare,   all,                     w::ever,     t::rolled_back, e::none,  e::none,  false, n::rollback},

    // Phase 2, decided.  XAER_RMERR and, by a few, XA_RB*: it was rolled back and forgotten.
    // XAER_NOTA finishes nothing by itself: a list shows that the branch is there.
    row{c::commit,    ok,                      w::run,      t::committed,   e::whole, e::whole, false, n::nothing},
    row{c::commit,    heurcom,                 w::run,      t::committed,   e::whole, e::whole, true,  n::forget},
    row{c::commit,    heurrb,                  w::run,      t::heur_rb,     e::none,  e::whole, true,  n::forget},
    row{c::commit,    heurmix,                 w::run,      t::heur_mix,    e::part,  e::whole, true,  n::forget},
    row{c::commit,    heurhaz,                 w::run,      t::heur_haz,    e::none,  e::whole, true,  n::forget},
    row{c::commit,    rb | rmerr,              w::run,      t::heur_rb,     e::none,  e::whole, true,  n::nothing},
    row{c::commit,    all,                     w::run,      t::pending,     e::whole, e::whole, false, n::commit},
    // The same when it was decided before the crash.
    row{c::commit,    ok,                      w::recovery, t::nobody,      e::whole, e::whole, false, n::nothing},
    row{c::commit,    heurcom,                 w::recovery, t::nobody,      e::whole, e::whole, true,  n::forget},
    row{c::commit,    heurmix,                 w::recovery, t::nobody,      e::part,  e::whole, true,  n::forget},
    row{c::commit,    heurrb | heurhaz,        w::recovery, t::nobody,      e::none,  e::whole, true,  n::forget},
    row{c::commit,    rb | rmerr,              w::recovery, t::nobody,      e::none,  e::whole, true,  n::nothing},
    row{c::commit,    all,                     w::recovery, t::nobody,      e::whole, e::whole, false, n::commit},

    // One phase: in no log and on no list, so that what is not said is in doubt (rule 1).  C193
    // would let XAER_NOTA pass for a rollback; here it says nothing by itself (rule 17).  A branch
    // that is there still must not stay: it is rolled back, which changes nothing of what is told,
    // as an answer that XA has no meaning for may have come after the effect.
    row{c::one_phase, ok,                      w::ever,     t::committed,   e::whole, e::whole, false, n::nothing},
    row{c::one_phase, rb | rmerr,              w::ever,     t::rolled_back, e::none,  e::whole, false, n::nothing},
    row{c::one_phase, heurcom,                 w::ever,     t::committed,   e::whole, e::whole, true,  n::forget},
    row{c::one_phase, heurmix,                 w::ever,     t::heur_mix,    e::part,  e::whole, true,  n::forget},
    row{c::one_phase, heurrb,                  w::ever,     t::heur_rb,     e::none,  e::whole, true,  n::forget},
    row{c::one_phase, heurhaz,                 w::ever,     t::heur_haz,    e::none,  e::whole, true,  n::forget},
    row{c::one_phase, rmfail | nota,           w::ever,     t::in_doubt,    e::none,  e::whole, false, n::at_most_undo},
    row{c::one_phase, all,                     w::ever,     t::in_doubt,    e::none,  e::whole, false, n::rollback},

    // Rollback.  XA_RB* is success.  Nobody ever commits what was to be rolled back, so that the
    // caller need not wait for the rest; but it is tried until nothing stays there.
    row{c::rollback,  ok | rb | rmerr | nota,  w::run,      t::rolled_back, e::none,  e::none,  false, n::nothing},
    row{c::rollback,  rmfail,                  w::run,      t::rolled_back, e::none,  e::none,  false, n::at_most_undo},
    row{c::rollback,  heurcom,                 w::run,      t::heur_com,    e::whole, e::none,  true,  n::forget},
    row{c::rollback,  heurrb,                  w::run,      t::rolled_back, e::none,  e::none,  true,  n::forget},
    row{c::rollback,  heurmix,                 w::run,      t::heur_mix,    e::part,  e::none,  true,  n::forget},
    row{c::rollback,  heurhaz,                 w::run,      t::heur_haz,    e::none,  e::none,  true,  n::forget},
    row{c::rollback,  all,                     w::run,      t::rolled_back, e::none,  e::none,  false, n::rollback},
    // The same of what was prepared, and not decided, before the crash.  There XAER_NOTA finishes
    // nothing: a list shows that the branch is there.
    row{c::rollback,  ok | rb | rmerr,         w::recovery, t::nobody,      e::none,  e::none,  false, n::nothing},
    row{c::rollback,  heurcom,                 w::recovery, t::nobody,      e::whole, e::none,  true,  n::forget},
    row{c::rollback,  heurmix,                 w::recovery, t::nobody,      e::part,  e::none,  true,  n::forget},
    row{c::rollback,  heurrb | heurhaz,        w::recovery, t::nobody,      e::none,  e::none,  true,  n::forget},
    row{c::rollback,  all,                     w::recovery, t::nobody,      e::none,  e::none,  false, n::rollback},

    // Lists.  A negative answer is no list, and another one is made.  A positive one is a number:
    // names that nobody has are strangers'; more than there is room for is no list.
    row{c::recover,   all,                     w::run,      t::committed,   e::whole, e::whole, false, n::as_usual},
    row{c::recover,   all,                     w::recovery, t::nobody,      e::whole, e::whole, false, n::as_usual},

    // After XA_HEURCOM to xa_commit.  Only XA_OK has forgotten it, and XAER_NOTA knows of nothing
    // to forget.
    row{c::forget,    ok | nota,               w::run,      t::committed,   e::whole, e::whole, true,  n::nothing},
    row{c::forget,    all,                     w::run,      t::committed,   e::whole, e::whole, true,  n::forget_again},
    row{c::forget,    ok | nota,               w::recovery, t::nobody,      e::whole, e::whole, true,  n::nothing},
    row{c::forget,    all,                     w::recovery, t::nobody,      e::whole, e::whole, true,  n::forget_again},

    // 6-5.  The call that it completes is a vote; in recovery, a commit.  XA_RETRY is asked again;
    // after anything else the answer is lost.
    row{c::complete,  ok | retry,              w::run,      t::committed,   e::whole, e::whole, false, n::commit},
    row{c::complete,  all,                     w::run,      t::rolled_back, e::none,  e::none,  false, n::rollback},
    row{c::complete,  ok | retry,              w::recovery, t::nobody,      e::whole, e::whole, false, n::nothing},
    row{c::complete,  all,                     w::recovery, t::nobody,      e::whole, e::whole, false, n::commit},
};
// clang-format on

}  // namespace table

}  // namespace xopen_test

#endif  // ASSENT_TESTS_UNIT_XOPEN_EXPECTED_ANSWERS_HPP
