// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/strict_switch/resource.hpp"

#include <algorithm>

namespace assent::inline v0::testing::strict {

namespace {

constexpr int polls_before_done = 2;  // answers XA_RETRY to xa_complete(TMNOWAIT) so often

char const* name_of(switch_call what)
{
    switch (what) {
        case switch_call::open:
            return "xa_open";
        case switch_call::close:
            return "xa_close";
        case switch_call::start:
            return "xa_start";
        case switch_call::end:
            return "xa_end";
        case switch_call::prepare:
            return "xa_prepare";
        case switch_call::commit:
            return "xa_commit";
        case switch_call::rollback:
            return "xa_rollback";
        case switch_call::forget:
            return "xa_forget";
        case switch_call::recover:
            return "xa_recover";
        case switch_call::complete:
            break;
    }
    return "xa_complete";
}

bool has_name(asked const& a)
{
    return a.branch != nullptr && a.branch->formatID >= 0 && a.branch->gtrid_length >= 0 &&
           a.branch->gtrid_length <= MAXGTRIDSIZE && a.branch->bqual_length >= 0 &&
           a.branch->bqual_length <= MAXBQUALSIZE;
}

}  // namespace

resource::resource(std::string const& file) : store_(file)
{
    kept const before = store_.read();
    rows_ = before.rows;
    for (auto const& [key, one] : before.branches) {
        branch& b = branches_[key];
        b.is_prepared = one.heuristic == 0;
        b.heuristic = one.heuristic;
        b.adds = one.adds;
    }
}

void resource::save() const
{
    kept now;
    now.rows = rows_;
    for (auto const& [key, b] : branches_) {
        if (b.is_prepared || b.heuristic != 0) now.branches[key] = {b.heuristic, b.adds};
    }
    store_.write(now);
}

void resource::set_flags(long flags)
{
    std::lock_guard const held{mutex_};
    flags_ = flags;
}

int resource::call(asked const& a)
{
    std::shared_ptr<rule const> scripted;
    {
        std::lock_guard const held{mutex_};
        scripted = script_.match(a.what);
    }
    if (scripted && scripted->before) scripted->before();
    int answer = 0;
    {
        std::lock_guard const held{mutex_};
        answer = decide(a, scripted.get());
        history_.push_back({a.what, a.rmid, a.flags,
                            has_name(a) ? text_of(key_of(*a.branch)) : std::string{}, answer});
    }
    if (scripted && scripted->after) scripted->after();
    return answer;
}

/// @pre  the mutex is held.
int resource::decide(asked const& a, rule const* scripted)
{
    caller const who{a.rmid, std::this_thread::get_id()};
    bool const is_opening = a.what == switch_call::open || a.what == switch_call::close;
    if (controls_[who].is_open && controls_[who].life != life_) {
        lose(who);
        if (!is_opening) return XAER_RMFAIL;
    }
    if (is_dead_ && a.what == switch_call::open) return XAER_RMERR;
    objection const against = object(a, who);
    if (against.code != XA_OK) {
        if (!against.why.empty()) note(a, against.why);
        return against.code;
    }
    int code = XA_OK;
    if (scripted == nullptr || scripted->kind == fault::call) {
        code = carry_out(a, who);
    } else {
        code = scripted->code;
        if (scripted->kind == fault::answer_after) carry_out(a, who);
        if (scripted->kind == fault::answer) take_effect(a, who, code);
    }
    // An asynchronous call has failed when its answer is heard.
    bool const is_begun = (a.flags & TMASYNC) != 0;
    bool const is_heard = a.what == switch_call::complete && code == XA_OK;
    if ((is_heard ? *a.retval : code) == XAER_RMFAIL && !is_begun) lose(who);
    if (!is_begun) return code;
    controls_[who].pending = outstanding{++last_handle_, code, polls_before_done};
    return last_handle_;
}

void resource::note(asked const& a, std::string const& why)
{
    std::string const on = has_name(a) ? " " + text_of(key_of(*a.branch)) : std::string{};
    violations_.push_back(std::string{name_of(a.what)} + on + ": " + why);
}

void resource::put(std::shared_ptr<rule> one)
{
    std::lock_guard const held{mutex_};
    script_.add(std::move(one));
}

std::size_t resource::pending() const
{
    std::lock_guard const held{mutex_};
    return script_.pending();
}

amounts resource::rows() const
{
    std::lock_guard const held{mutex_};
    return rows_;
}

std::vector<std::string> resource::prepared() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::string> found;
    for (auto const& [key, b] : branches_) {
        if (b.is_prepared) found.push_back(text_of(key));
    }
    return found;
}

std::vector<std::string> resource::heuristics() const
{
    std::lock_guard const held{mutex_};
    std::vector<std::string> found;
    for (auto const& [key, b] : branches_) {
        if (b.heuristic != 0) found.push_back(text_of(key));
    }
    return found;
}

std::size_t resource::unfinished() const
{
    std::lock_guard const held{mutex_};
    return branches_.size();
}

std::size_t resource::openings() const
{
    std::lock_guard const held{mutex_};
    return static_cast<std::size_t>(std::count_if(
        controls_.begin(), controls_.end(),
        [this](auto const& each) { return each.second.is_open && each.second.life == life_; }));
}

bool resource::is_open_as(int rmid) const
{
    std::lock_guard const held{mutex_};
    return std::any_of(controls_.begin(), controls_.end(), [&](auto const& each) {
        return each.first.first == rmid && each.second.is_open && each.second.life == life_;
    });
}

std::vector<switch_event> resource::history() const
{
    std::lock_guard const held{mutex_};
    return history_;
}

std::vector<std::string> resource::violations() const
{
    std::lock_guard const held{mutex_};
    return violations_;
}

}  // namespace assent::inline v0::testing::strict
