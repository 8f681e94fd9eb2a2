// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/unit/xopen/matrix_calls.hpp"

#include <algorithm>
#include <array>

#include <xopen/xa.h>

namespace xopen_test {

using assent::testing::switch_call;
using assent::testing::switch_event;

std::optional<calls> sent_after(calls const& all, switch_call routine, int nth)
{
    std::string branch;  // xa_complete has none of its own
    auto at = all.begin();
    for (int met = 0; at != all.end(); ++at) {
        if (!at->branch.empty()) branch = at->branch;
        if (at->what == routine && ++met == nth) break;
    }
    if (at == all.end()) return std::nullopt;
    calls sent;
    std::copy_if(std::next(at), all.end(), std::back_inserter(sent),
                 [&](auto const& each) { return !branch.empty() && each.branch == branch; });
    return sent;
}

bool fits(next then, calls const& sent)
{
    auto const only = [&](std::initializer_list<switch_call> allowed) {
        return std::all_of(sent.begin(), sent.end(), [&](auto const& each) {
            return std::find(allowed.begin(), allowed.end(), each.what) != allowed.end();
        });
    };
    bool const is_forgotten = std::any_of(sent.begin(), sent.end(), [](auto const& each) {
        return each.what == switch_call::forget;
    });
    switch (then) {
        case next::nothing:
            return sent.empty();
        case next::commit:
            return !sent.empty() && only({switch_call::commit});
        case next::rollback:
            return !sent.empty() && only({switch_call::rollback});
        case next::at_most_undo:
            return only({switch_call::end, switch_call::rollback});
        case next::take_back:
            return sent.size() == 2 && sent[0].what == switch_call::end &&
                   sent[1].what == switch_call::rollback;
        case next::forget:
            return sent.size() == 1 && is_forgotten;
        case next::forget_again:
            return is_forgotten && only({switch_call::forget, switch_call::commit});
        case next::as_usual:
            break;
    }
    return true;
}

bool has_flags_of_ours(switch_event const& one, bool is_asynchronous)
{
    long const flags = is_asynchronous ? one.flags & ~TMASYNC : one.flags;
    switch (one.what) {
        case switch_call::end:
            return flags == TMSUCCESS || flags == TMFAIL;
        case switch_call::commit:
            return flags == TMNOFLAGS || flags == TMONEPHASE;
        case switch_call::recover:
            return flags == TMNOFLAGS || flags == TMSTARTRSCAN || flags == TMENDRSCAN;
        case switch_call::complete:
            return flags == TMNOWAIT;
        default:
            return flags == TMNOFLAGS;
    }
}

bool is_listed_before_it_is_finished(calls const& all)
{
    auto const whole = std::find_if(all.begin(), all.end(), [](auto const& each) {
        return each.what == switch_call::recover && each.flags == TMENDRSCAN && each.answer >= 0;
    });
    return std::none_of(all.begin(), whole, [](auto const& each) {
        return each.what == switch_call::commit || each.what == switch_call::rollback;
    });
}

std::string words_of(switch_event const& one)
{
    static constexpr std::array names = {"xa_open",    "xa_close",   "xa_start",    "xa_end",
                                         "xa_prepare", "xa_commit",  "xa_rollback", "xa_forget",
                                         "xa_recover", "xa_complete"};
    return names.at(static_cast<std::size_t>(one.what) - 1) + std::string{"("} +
           std::to_string(one.flags) + ") = " + std::to_string(one.answer);
}

std::string words_of(calls const& all)
{
    std::string text;
    for (auto const& each : all)
        text += " " + words_of(each);
    return all.empty() ? " nothing" : text;
}

}  // namespace xopen_test
