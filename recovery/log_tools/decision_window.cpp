// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_window.cpp -- see decision_window.hpp.

#include "recovery/log_tools/decision_window.hpp"

#include <variant>

namespace assent::log {

bool decision_window::note(scanned_record const& what)
{
    if (!what.what) return true;
    if (auto const* one = std::get_if<decision_record>(&*what.what)) return note(*one, what.lsn);
    if (auto const* one = std::get_if<end_record>(&*what.what)) return note(*one);
    if (auto const* one = std::get_if<ports::binding>(&*what.what)) return note(*one);
    return true;
}

bool decision_window::note(decision_record const& what, std::uint64_t lsn)
{
    if (lsn < from_) return true;
    auto const& global = what.what.global;
    if (next_ != 0 || fates_.size() >= capacity_) {
        if (next_ == 0) next_ = lsn;
        return fates_.count(global) == 0;
    }
    auto const branches = static_cast<std::uint8_t>(what.what.branches.size());
    return fates_.emplace(global, fate{branches, what.finished}).second;
}

bool decision_window::note(end_record const& what)
{
    auto const at = fates_.find(what.global);
    if (at == fates_.end()) return true;
    auto& entry = at->second;
    bool const is_of_it = entry.branches >= 64 || (what.finished >> entry.branches) == 0;
    if (is_of_it) entry.finished |= what.finished;
    return is_of_it;
}

bool decision_window::note(ports::binding const& what)
{
    auto const [at, is_new] = bindings_.emplace(what.id, what);
    auto const& seen = at->second;
    return is_new ||
           (seen.name == what.name && seen.kind == what.kind && seen.identity == what.identity);
}

decision_window::fate const* decision_window::find(gtrid const& global) const noexcept
{
    auto const at = fates_.find(global);
    return at == fates_.end() ? nullptr : &at->second;
}

}  // namespace assent::log
