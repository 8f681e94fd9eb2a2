// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/prepared_branch.hpp"

#include <string_view>

#include "recovery/cli/lone_session.hpp"

namespace assent::cli {

std::string what_it_does(bool is_commit)
{
    return is_commit ? "committed" : "rolled back";
}

void require_own_account(xid const& which, scan_result const& seen)
{
    for (auto const& [branch, account] : seen.of_strangers) {
        if (branch != which) continue;
        throw failure{exit_code::attention, "the branch was prepared by the account \"" + account +
                                                "\", which alone can end it: log in as that"};
    }
}

void say(act_report& told, recovery::resolved const& what)
{
    if (what.status == recovery::act_status::done) {
        told.done = what.text;
    } else {
        told.raise(code_of(what.status), what.text);
    }
}

void wait_until_let_go(resource_manager const& rm, known_database const& where, xid const& which,
                       std::string const& noted_start, act_options const& how)
{
    lone_session on{rm, where};
    recovery::branch_end{rm.name(), *rm.driver(), on, limits{}, how.patience}.wait_until_let_go(
        which, noted_start);
}

recovery::step_function steps_of(act_report& told, act_options const& how)
{
    return [&told, &how](char const* name) {
        how.step(name);
        told.has_acted = told.has_acted || std::string_view{name} == "send";
    };
}

void require_unchanged(bool is_same)
{
    if (is_same) return;
    throw failure{exit_code::attention,
                  "what is known of the branch changed meanwhile; nothing was done: look again"};
}

}  // namespace assent::cli
