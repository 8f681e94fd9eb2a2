// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/completion_queue.hpp"

#include <algorithm>

#include "protocol/assert.hpp"
#include "protocol/mutation.hpp"
#include "recovery/heuristics.hpp"

namespace assent::recovery {

using protocol::branch_state;

void completion_queue::finish_later(std::list<due_branch> one) noexcept
{
    std::lock_guard const held{mutex_};
    if (!is_closed_) incoming_.splice(incoming_.end(), one);
}

void completion_queue::settle()
{
    for (;;) {
        std::list<due_branch> one;
        {
            std::lock_guard const held{mutex_};
            if (incoming_.empty()) return;
            one.splice(one.end(), incoming_, incoming_.begin());
        }
        try {
            add(std::move(one.front()));
        } catch (std::bad_alloc const&) {
            std::lock_guard const held{mutex_};
            incoming_.splice(incoming_.begin(), one);
            throw;
        }
    }
}

void completion_queue::add(due_branch&& what)
{
    // xa_rollback is due now, not xa_prepare's answer.
    if (what.state == branch_state::asked) what.state = branch_state::rollback_due;
    order fresh;
    fresh.emplace(shared_.time.now(), what.id);
    bool is_at_list = false;
    {
        std::lock_guard const held{mutex_};
        // The item is moved from only once its node is there.
        auto const [at, is_new] = items_.try_emplace(what.id, std::move(what));
        if (!is_new) return;
        is_at_list = &place(at->second, fresh.extract(fresh.begin()), false) == &at_list_;
        lists_wanted_ += is_at_list;
    }
    tell_of(is_at_list, !is_at_list);
}

/// Whoever has to do with a branch that changed hands, with no lock held.
void completion_queue::tell_of(bool is_at_list, bool was_at_list) const
{
    if (is_at_list && !was_at_list) on_news_();
    if (!is_at_list && was_at_list) on_ready_();
}

/// Only who is ready waits for a time.  Who waits for a row looks at once, and again after a row
/// was read meanwhile: `has_looked` says that none was.  @return where it is now.
completion_queue::order const& completion_queue::place(due_branch const& what,
                                                       order::node_type&& where,
                                                       bool has_looked) noexcept
{
    auto* into = &order_of(what);
    if (into == &at_row_ && !has_looked) into = &ready_;
    if (into != &ready_) where.value().first = {};
    into->insert(std::move(where));
    return *into;
}

bool completion_queue::is_ready(due_branch const& what) noexcept
{
    switch (what.state) {
        case branch_state::commit_verify:
        case branch_state::hazard_verify:
        case branch_state::rollback_verify:
        case branch_state::row_awaited:
        case branch_state::row_in_doubt:
            return false;
        default:
            return true;
    }
}

completion_queue::order& completion_queue::order_of(due_branch const& what) noexcept
{
    if (is_ready(what)) return ready_;
    bool const is_at_row =
        what.state == branch_state::row_awaited || what.state == branch_state::row_in_doubt;
    return is_at_row ? at_row_ : at_list_;
}

completion_queue::turn completion_queue::take(order& from, order::iterator at)
{
    auto const found = items_.find(at->second);
    ASSENT_ASSERT(found != items_.end());
    ++taken_;
    return {*this, found->second, from.extract(at), &from == &at_list_};
}

completion_queue::turn completion_queue::take(deadline now, std::size_t behind)
{
    std::lock_guard const held{mutex_};
    if (ready_.empty() || ready_.begin()->first > now || ready_.size() + taken_ <= behind)
        return {};
    auto next = ready_.begin();
    if (protocol::mutated(protocol::mutation::starving_queue)) {
        // By name, and not by turns.
        for (auto at = next; at != ready_.end() && at->first <= now; ++at) {
            if (at->second < next->second) next = at;
        }
    }
    return take(ready_, next);
}

completion_queue::turn completion_queue::take_from_list(xid const& which)
{
    std::lock_guard const held{mutex_};
    auto const at = at_list_.find({deadline{}, which});
    if (at == at_list_.end()) return {};
    return take(at_list_, at);
}

limits::duration completion_queue::pause_after(std::uint32_t tries) const noexcept
{
    auto const& bounds = shared_.bounds;
    auto pause = bounds.retry_min;
    for (std::uint32_t i = 1; i < tries && pause < bounds.completion_retry_max; ++i)
        pause *= 2;
    return std::min(pause, bounds.completion_retry_max);
}

void completion_queue::turn::put_back() noexcept
{
    auto* const queue = std::exchange(queue_, nullptr);
    if (queue == nullptr) return;
    bool is_at_list = false;
    {
        std::lock_guard const held{queue->mutex_};
        --queue->taken_;
        auto const next =
            queue->shared_.time.now() + queue->pause_after(item_->tries += !was_at_list_);
        place_.value().first = std::max(next, not_before_);
        bool const has_looked = queue->rows_heard_ == rows_heard_;
        auto const& now = queue->place(*item_, std::move(place_), has_looked);
        is_at_list = &now == &queue->at_list_;
        queue->lists_wanted_ += is_at_list && !was_at_list_;
    }
    queue->tell_of(is_at_list, was_at_list_);
}

void completion_queue::turn::finish() noexcept
{
    auto* const queue = std::exchange(queue_, nullptr);
    auto& shared = queue->shared_;
    shared.tell(severity::info, "branch.finished", queue->resource_manager_, item_->id.text(),
                protocol::name_of(item_->state));
    shared.note_finished(item_->id);
    if (!item_->owner) {
        if (item_->state == branch_state::rolled_back) {
            shared.log->note_rolled_back(item_->id.global);
        }
    } else if (item_->owner->branches_left.fetch_sub(1) == 1 && !item_->owner->is_undecided) {
        shared.live.leave(*item_->owner);
    }
    std::map<xid, due_branch>::node_type gone;  // destroyed outside the lock
    bool is_last = false;
    {
        std::lock_guard const held{queue->mutex_};
        --queue->taken_;
        gone = queue->items_.extract(item_->id);
        is_last = queue->items_.empty() && queue->incoming_.empty();
    }
    if (is_last) queue->on_news_();
}

bool completion_queue::turn::apply(branch_state from, protocol::reply_class on, reply const& what)
{
    auto then = protocol::follow_up::record;
    if (!protocol::is_final(from)) {
        auto const* const row = protocol::find_transition(from, on);
        ASSENT_ASSERT(row != nullptr);
        item_->state = row->to;
        then = row->then;
    }
    if (then != protocol::follow_up::record) return protocol::is_final(item_->state);
    item_->last_reply = what;
    bool const is_recorded =
        record_heuristic(queue_->shared_, queue_->resource_manager_, item_->id, item_->state, what,
                         !std::exchange(item_->was_told, true));
    item_->is_forget_due = is_recorded && is_forget_due(what);
    return is_recorded && !item_->is_forget_due;
}

deadline completion_queue::next_due() const
{
    std::lock_guard const held{mutex_};
    if (!incoming_.empty()) return {};
    return ready_.empty() ? deadline::max() : ready_.begin()->first;
}

void completion_queue::hear_of_row() noexcept
{
    std::lock_guard const held{mutex_};
    ++rows_heard_;
    while (!at_row_.empty()) {
        auto node = at_row_.extract(at_row_.begin());
        node.value().first = {};
        ready_.insert(std::move(node));
    }
}

std::vector<xid> completion_queue::waiting_for_list() const
{
    std::lock_guard const held{mutex_};
    std::vector<xid> all;
    all.reserve(at_list_.size());
    for (auto const& [since, id] : at_list_)
        all.push_back(id);
    return all;
}

std::size_t completion_queue::size() const
{
    std::lock_guard const held{mutex_};
    return items_.size() + incoming_.size();
}

bool completion_queue::needs_list() const
{
    std::lock_guard const held{mutex_};
    return !at_list_.empty();
}

std::uint64_t completion_queue::lists_wanted() const
{
    std::lock_guard const held{mutex_};
    return lists_wanted_;
}

void completion_queue::close() noexcept
{
    std::list<due_branch> incoming;
    std::map<xid, due_branch> items;
    std::lock_guard const held{mutex_};
    is_closed_ = true;
    incoming.swap(incoming_);
    items.swap(items_);
    for (auto* each : {&ready_, &at_list_, &at_row_})
        each->clear();
}

}  // namespace assent::recovery
