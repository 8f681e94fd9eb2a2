// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// binding.cpp -- which transaction is bound to this thread, for each manager.

#include <algorithm>
#include <utility>
#include <vector>

#include "api/doors.hpp"
#include "protocol/assert.hpp"

namespace assent::api {

namespace {

struct bound
{
    engine::engine const* under;
    std::unique_ptr<transaction> tx;  // null: the place of one that is suspended
};

// A thread that exits with a transaction rolls it back: ~transaction does.
thread_local std::vector<bound> here;

auto find(engine::engine const* under) noexcept
{
    return std::find_if(here.begin(), here.end(),
                        [under](bound const& each) { return each.under == under && each.tx; });
}

}  // namespace

transaction* bound_here(engine::engine const* under) noexcept
{
    auto const at = find(under);
    if (at == here.end()) return nullptr;
    if (at->tx->status() != status::no_transaction) return at->tx.get();
    here.erase(at);  // whoever moved it out has it now
    return nullptr;
}

void bind_here(engine::engine const* under, std::unique_ptr<transaction> tx)
{
    here.push_back({under, std::move(tx)});
}

std::unique_ptr<transaction> unbind_here(engine::engine const* under) noexcept
{
    auto const at = find(under);
    if (at == here.end()) return nullptr;
    auto tx = std::move(at->tx);
    here.erase(at);
    return tx;
}

std::unique_ptr<transaction> suspend_here(engine::engine const* under) noexcept
{
    auto const at = find(under);
    return at == here.end() ? nullptr : std::move(at->tx);
}

void resume_here(engine::engine const* under, std::unique_ptr<transaction> tx) noexcept
{
    // Which of several places does not matter: there are as many as are suspended.
    auto const place = std::find_if(here.begin(), here.end(), [under](bound const& each) {
        return each.under == under && !each.tx;
    });
    ASSENT_ASSERT(place != here.end());
    place->tx = std::move(tx);
}

}  // namespace assent::api
