// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "shared/commit_rows.hpp"

#include <algorithm>
#include <utility>

namespace assent::shared {

std::optional<commit_rows::answer> commit_rows::find(gtrid const& which) const
{
    std::lock_guard const held{mutex_};
    auto const at = known_.find(which);
    if (at == known_.end()) return std::nullopt;
    return std::optional<answer>{std::in_place, at->second};
}

void commit_rows::ask(question const& what)
{
    std::lock_guard const held{mutex_};
    if (known_.count(what.which) != 0) return;
    auto const [at, is_new] = asked_.emplace(what.which, what.by);
    if (what.by == 0) at->second = 0;
    if (!is_new) return;
    auto const listener = listeners_.find(what.which.parts().place_resource_manager);
    if (listener != listeners_.end()) listener->second(true);
}

std::vector<commit_rows::question> commit_rows::asked_of(std::uint16_t id) const
{
    std::lock_guard const held{mutex_};
    std::vector<question> all;
    for (auto const& [which, by] : asked_) {
        if (which.parts().place_resource_manager == id) all.push_back({which, by});
    }
    return all;
}

void commit_rows::withdraw(gtrid const& which)
{
    std::lock_guard const held{mutex_};
    asked_.erase(which);
    answered_.notify_all();
    for (auto const& [id, wake] : listeners_)
        wake(false);
}

bool commit_rows::await(gtrid const& which, ports::clock& time, deadline until) const
{
    std::unique_lock held{mutex_};
    while (asked_.count(which) != 0 && !is_waiting_over_ && time.now() < until)
        time.wait(held, answered_, until);
    return asked_.count(which) != 0;
}

void commit_rows::end_waiting() noexcept
{
    std::lock_guard const held{mutex_};
    is_waiting_over_ = true;
    answered_.notify_all();
}

void commit_rows::learn(gtrid const& which, answer what)
{
    std::lock_guard const held{mutex_};
    asked_.erase(which);
    answered_.notify_all();
    if (!known_.emplace(which, std::move(what)).second) return;
    for (auto const& [id, wake] : listeners_)
        wake(false);
}

std::vector<ports::logged_decision> commit_rows::unfinished() const
{
    std::lock_guard const held{mutex_};
    std::vector<ports::logged_decision> all;
    for (auto const& [name, says] : known_) {
        if (says && !says->is_complete()) all.push_back(*says);
    }
    return all;
}

bool commit_rows::is_unfinished(gtrid const& which) const
{
    std::lock_guard const held{mutex_};
    auto const at = known_.find(which);
    return at != known_.end() && at->second && !at->second->is_complete();
}

void commit_rows::note_finished(xid const& branch) noexcept
{
    std::lock_guard const held{mutex_};
    auto const at = known_.find(branch.global);
    if (at == known_.end() || !at->second) return;
    auto const& branches = at->second->what.branches;
    auto const found = std::find(branches.begin(), branches.end(), branch.branch);
    if (found == branches.end()) return;
    at->second->is_finished[static_cast<std::size_t>(found - branches.begin())] = true;
}

void commit_rows::forget(gtrid const& which)
{
    std::lock_guard const held{mutex_};
    known_.erase(which);
}

void commit_rows::note_listed(std::uint16_t id, bool is_settled)
{
    std::lock_guard const held{mutex_};
    listed_[id] = listed_[id] || is_settled;
}

bool commit_rows::are_listed(std::uint16_t id) const
{
    std::lock_guard const held{mutex_};
    return listed_.count(id) != 0;
}

bool commit_rows::are_settled(std::uint16_t id) const
{
    std::lock_guard const held{mutex_};
    auto const found = listed_.find(id);
    return found != listed_.end() && found->second;
}

void commit_rows::listen(std::uint16_t id, std::function<void(bool)> wake)
{
    std::lock_guard const held{mutex_};
    listeners_[id] = std::move(wake);
}

void commit_rows::stop_listening(std::uint16_t id)
{
    std::lock_guard const held{mutex_};
    listeners_.erase(id);
}

}  // namespace assent::shared
