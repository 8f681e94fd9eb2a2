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
    what.came_at = shared_.time.now();
    order fresh;
    fresh.emplace(what.came_at, what.id);
    order age = fresh;
    auto who = audience::nobody;
    std::shared_ptr<global_transaction> late;
    {
        std::lock_guard const held{mutex_};
        auto const over = finished_.find(what.id);
        if (over != finished_.end()) {
            if (!std::exchange(over->second.had_owner, true)) late = std::move(what.owner);
        } else if (items_.count(what.id) != 0) {
            // A list found it before its owner left it here: who finishes it lets the owner go.
            if (what.owner) heirs_.try_emplace(what.id, what.owner);
        } else {
            // The item is moved from only once its node is there.
            auto& one = items_.try_emplace(what.id, std::move(what)).first->second;
            ages_.merge(age);
            bool const was_at_list = &order_of(one) != &at_list_;
            who = place(one, fresh.extract(fresh.begin()), false, was_at_list);
        }
    }
    if (late) let_go(*late);
    tell(who);
}

/// One branch of its transaction is over.
void completion_queue::let_go(global_transaction& owner) const noexcept
{
    if (owner.branches_left.fetch_sub(1) == 1 && !owner.is_undecided) shared_.live.leave(owner);
}

bool completion_queue::knows(xid const& which) const
{
    std::lock_guard const held{mutex_};
    return items_.count(which) != 0 || finished_.count(which) != 0;
}

completion_queue::listing::listing(completion_queue& queue) noexcept : queue_(queue)
{
    std::lock_guard const held{queue_.mutex_};
    queue_.is_listing_ = true;
}

completion_queue::listing::~listing()
{
    std::map<xid, due_branch> gone;  // destroyed outside the lock
    std::lock_guard const held{queue_.mutex_};
    queue_.is_listing_ = false;
    gone.swap(queue_.finished_);
}

/// Whoever has to do with a branch that changed hands, with no lock held.
void completion_queue::tell(audience who) const
{
    if (who == audience::scanner) on_news_();
    if (who == audience::finishers) on_ready_();
}

/// Only who is ready waits for a time.  Who waits for a row looks at once, and again after a row
/// was read meanwhile: `has_looked` says that none was.  @return who should hear of it.
completion_queue::audience completion_queue::place(due_branch const& what, order::node_type&& where,
                                                   bool has_looked, bool was_at_list) noexcept
{
    auto* into = &order_of(what);
    if (into == &at_row_ && !has_looked) into = &ready_;
    if (into != &ready_) where.value().first = {};
    auto const at = into->insert(std::move(where)).position;
    if (into == &at_list_) {
        lists_wanted_ += !was_at_list;
        return was_at_list ? audience::nobody : audience::scanner;
    }
    // A finisher sleeps only where there are too few branches for it, or none is due yet.
    bool const may_be_slept_through = into == &ready_ && at == ready_.begin();
    bool const are_few = ready_.size() + taken_ <= shared_.bounds.completion_sessions_max;
    return was_at_list && (may_be_slept_through || are_few) ? audience::finishers
                                                            : audience::nobody;
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

completion_queue::turn completion_queue::claim(xid const& which)
{
    due_branch guest;
    guest.id = which;
    order fresh;
    fresh.emplace(deadline{}, which);
    std::lock_guard const held{mutex_};
    if (is_closed_ || finished_.count(which) != 0) return {};
    auto const [item, is_new] = items_.try_emplace(which, std::move(guest));
    if (is_new) {
        ++taken_;
        turn taken{*this, item->second, fresh.extract(fresh.begin()), false};
        taken.is_guest_ = true;
        return taken;
    }
    for (auto* each : {&ready_, &at_list_, &at_row_}) {
        auto const at = std::find_if(each->begin(), each->end(),
                                     [&](auto const& one) { return one.second == which; });
        if (at != each->end()) return take(*each, at);
    }
    return {};
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
    if (is_guest_) return leave(*queue);
    auto who = audience::nobody;
    {
        std::lock_guard const held{queue->mutex_};
        --queue->taken_;
        auto const next =
            queue->shared_.time.now() + queue->pause_after(item_->tries += !was_at_list_);
        place_.value().first = std::max(next, not_before_);
        bool const has_looked = queue->rows_heard_ == rows_heard_;
        who = queue->place(*item_, std::move(place_), has_looked, was_at_list_);
    }
    queue->tell(who);
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
    } else {
        queue->let_go(*item_->owner);
    }
    leave(*queue);
}

void completion_queue::turn::forget() noexcept
{
    auto* const queue = std::exchange(queue_, nullptr);
    if (item_->owner) queue->let_go(*item_->owner);
    leave(*queue);
}

/// The branch is in the queue no more.
void completion_queue::turn::leave(completion_queue& from) noexcept
{
    auto* const queue = &from;
    // Destroyed outside the lock.
    auto const owner = std::exchange(item_->owner, nullptr);
    std::map<xid, due_branch>::node_type gone;
    std::map<xid, std::shared_ptr<global_transaction>>::node_type heir;
    bool is_last = false;
    {
        std::lock_guard const held{queue->mutex_};
        --queue->taken_;
        queue->ages_.erase({item_->came_at, item_->id});
        heir = queue->heirs_.extract(item_->id);
        item_->had_owner = owner != nullptr || !heir.empty();
        gone = queue->items_.extract(item_->id);
        if (queue->is_listing_) gone = queue->finished_.insert(std::move(gone)).node;
        is_last = queue->items_.empty() && queue->incoming_.empty();
    }
    if (!heir.empty() && heir.mapped() != owner) queue->let_go(*heir.mapped());
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

/// In pages: whoever leaves a branch here waits for no more than one.
std::vector<xid> completion_queue::waiting_for_list() const
{
    constexpr std::size_t page = 256;
    std::vector<xid> all;
    for (bool is_more = true; is_more;) {
        std::vector<xid> some;
        some.reserve(page);
        {
            std::lock_guard const held{mutex_};
            auto at = all.empty() ? at_list_.begin() : at_list_.upper_bound({{}, all.back()});
            for (; some.size() < page && at != at_list_.end(); ++at)
                some.push_back(at->second);
            is_more = at != at_list_.end();
        }
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

std::size_t completion_queue::size() const
{
    std::lock_guard const held{mutex_};
    return items_.size() + incoming_.size();
}

std::optional<deadline> completion_queue::oldest() const
{
    std::lock_guard const held{mutex_};
    return ages_.empty() ? std::nullopt : std::optional{ages_.begin()->first};
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
    std::map<xid, std::shared_ptr<global_transaction>> heirs;
    std::lock_guard const held{mutex_};
    is_closed_ = true;
    incoming.swap(incoming_);
    items.swap(items_);
    items.merge(finished_);
    heirs.swap(heirs_);
    for (auto* each : {&ready_, &at_list_, &at_row_, &ages_})
        each->clear();
}

}  // namespace assent::recovery
