// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/unit/xopen/matrix_cell.hpp"

#include <algorithm>
#include <stdexcept>

#include <xopen/xa.h>

namespace xopen_test {

namespace {

std::uint32_t set_of(int answer)
{
    if (answer >= XA_RBBASE && answer <= XA_RBEND) return on::rb;
    switch (answer) {
        case XA_OK:
            return on::ok;
        case XA_RDONLY:
            return on::rdonly;
        case XA_RETRY:
            return on::retry;
        case XA_HEURMIX:
            return on::heurmix;
        case XA_HEURRB:
            return on::heurrb;
        case XA_HEURCOM:
            return on::heurcom;
        case XA_HEURHAZ:
            return on::heurhaz;
        case XA_NOMIGRATE:
            return on::nomigrate;
        case XAER_ASYNC:
            return on::async;
        case XAER_RMERR:
            return on::rmerr;
        case XAER_NOTA:
            return on::nota;
        case XAER_INVAL:
            return on::inval;
        case XAER_PROTO:
            return on::proto;
        case XAER_RMFAIL:
            return on::rmfail;
        case XAER_DUPID:
            return on::dupid;
        case XAER_OUTSIDE:
            return on::outside;
        default:
            return on::nameless;
    }
}

/// Whoever is not answered well asks again: recovery always, the others where they finish
/// something.
bool is_made_again(cell const& one)
{
    if (one.what == call::recover) return true;
    auto const then = expectation_of(one).then;
    bool const is_due =
        then == next::commit || then == next::rollback || then == next::forget_again;
    // xa_close that is answered XAER_RMFAIL has closed it.
    if (one.what == call::close && one.answer == XAER_RMFAIL) return false;
    bool const is_of_recovery = one.what == call::close || one.what == call::rollback;
    if (one.what == call::open) return one.in == when::recovery && one.answer != XA_OK;
    if (is_of_recovery) return one.in == when::recovery && is_due && one.answer != XA_OK;
    return is_due && (one.what == call::commit || one.what == call::forget);
}

}  // namespace

std::string cell::text() const
{
    constexpr std::array words = {"", ", and was done", ", three times", ", of one that registers",
                                  ", of an asynchronous one"};
    return std::string{call_names.at(static_cast<std::size_t>(what))} + " answers " +
           std::to_string(answer) + words.at(static_cast<std::size_t>(how)) + ", " +
           position_names.at(position) + (in == when::run ? ", in a run" : ", in recovery");
}

cell cell_of(int number)
{
    auto const next = [&number](int bound) {
        int const is = number % bound;
        number /= bound;
        return is;
    };
    cell one;
    one.in = next(2) == 0 ? when::run : when::recovery;
    one.position = next(positions);
    one.answer = all_answers.at(next(static_cast<int>(all_answers.size())));
    one.what = static_cast<call>(number);
    return one;
}

expected const& expectation_of(cell const& one)
{
    auto const answers = set_of(one.answer);
    auto const* const at =
        std::find_if(table::rows.begin(), table::rows.end(), [&](expected const& row) {
            return row.what == one.what && (row.answers & answers) != 0 &&
                   (row.in == when::ever || row.in == one.in);
        });
    if (at == table::rows.end()) throw std::logic_error{"no row for " + one.text()};
    return *at;
}

bool is_played(cell const& one)
{
    if (one.how == variant::registering)
        return one.what != call::start && one.what != call::complete;
    if (one.how == variant::repeated) return is_made_again(one);
    if (one.how != variant::was_done) return true;
    bool const is_end = one.what == call::prepare || one.what == call::commit ||
                        one.what == call::one_phase || one.what == call::rollback ||
                        one.what == call::forget;
    auto const then = expectation_of(one).then;
    if (one.what == call::start) return then == next::take_back;
    bool const is_open = then == next::rollback || then == next::at_most_undo ||
                         then == next::forget_again ||
                         (then == next::commit && one.what == call::commit);
    bool const is_of_prepared = one.what == call::commit || one.what == call::rollback;
    return is_end && is_open && !(is_of_prepared && one.answer == XAER_NOTA);
}

}  // namespace xopen_test
