// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// saying.cpp -- how the public API tells a caller the verdict of the coordinator: by a return value
// or an exception.  docs/reference/outcomes.md is this table.

#include <new>
#include <string>
#include <vector>

#include "api/doors.hpp"
#include "protocol/assert.hpp"

namespace assent::api {

using protocol::verdict;

namespace {

std::string sentence(engine::ending const& told)
{
    std::string text;
    switch (told.verdict) {
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            text = "rolled back";
            break;
        case verdict::heuristic:
            text = "heuristic outcome: the databases may differ, a person must look";
            break;
        default:
            text = "in doubt: do not run it again";
            break;
    }
    if (!told.what.empty()) text += ": " + told.what;
    if (told.verdict == verdict::rolled_back_unconfirmed) {
        text += "; a branch has yet to confirm it, so it is not safe to run it again at once";
    }
    if (told.verdict == verdict::heuristic) {
        for (auto const& each : told.branches) {
            text += "; \"" + each.resource_manager + "\" " + each.state;
            if (!each.text.empty()) text += " (" + each.text + ")";
        }
    }
    return text;
}

/// Words are worth less than the answer: without memory for them they are left out.
template <class Error, class... More>
[[noreturn]] void raise(engine::ending const& told, gtrid const& id, More... more)
{
    try {
        throw Error{sentence(told), id, told.branches, more...};
    } catch (std::bad_alloc const&) {
        throw Error{std::string{}, id, std::vector<branch_report>{}, more...};
    }
}

}  // namespace

outcome say(engine::ending const& told, gtrid const& id, bool is_commit)
{
    switch (told.verdict) {
        case verdict::committed:
            return outcome::committed;
        case verdict::committed_pending:
            return outcome::committed_pending;
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            if (!is_commit) return outcome::rolled_back;
            raise<rolled_back_error>(told, id, told.is_retryable);
        case verdict::heuristic:
            raise<heuristic_error>(told, id);
        case verdict::in_doubt:
            raise<in_doubt_error>(told, id, told.who);
        case verdict::open:
            break;
    }
    ASSENT_ASSERT(told.verdict != verdict::open);
    std::abort();
}

outcome say(engine::ending const& told, gtrid const& id, bool is_commit, std::error_code& ec,
            diagnostics& diag)
{
    ec.clear();
    try {
        diag = {sentence(told), id, told.branches, told.is_retryable, told.who};
    } catch (std::bad_alloc const&) {
        diag = {{}, id, {}, told.is_retryable, told.who};
    }
    switch (told.verdict) {
        case verdict::committed:
            diag.what.clear();
            return outcome::committed;
        case verdict::committed_pending:
            diag.what.clear();
            return outcome::committed_pending;
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            if (is_commit) ec = errc::rolled_back;
            return outcome::rolled_back;
        case verdict::heuristic:
            ec = errc::heuristic;
            break;
        default:
            ec = errc::in_doubt;
            break;
    }
    return outcome::unknown;
}

}  // namespace assent::api
