// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "protocol/coordinator.hpp"

#include <algorithm>

#include "protocol/assert.hpp"

namespace assent::protocol {

namespace {

// `start` is never due from a coordinator; it stands for "nothing to send".
constexpr verb nothing = verb::start;

}  // namespace

std::size_t coordinator::add_branch(branch_role role)
{
    ASSENT_ASSERT(stage_ == stage::active);
    ASSENT_ASSERT(role != branch_role::last || last_resource() == nullptr);
    branches_.push_back({branch_state::active, role, false});
    return branches_.size() - 1;
}

void coordinator::commit(bool is_rollback_only) noexcept
{
    ASSENT_ASSERT(stage_ == stage::active);
    enter(is_rollback_only ? stage::rolling_back : stage::preparing);
}

void coordinator::rollback() noexcept
{
    ASSENT_ASSERT(stage_ == stage::active);
    enter(stage::rolling_back);
}

void coordinator::veto() noexcept
{
    ASSENT_ASSERT(stage_ == stage::preparing || stage_ == stage::deciding);
    // A verb that is still out would be answered in a stage that cannot place its reply.
    ASSENT_ASSERT(std::none_of(branches_.begin(), branches_.end(),
                               [](branch const& b) { return is_outstanding(b.state); }));
    enter(stage::rolling_back);
}

void coordinator::decided(durable_decision const&) noexcept
{
    ASSENT_ASSERT(stage_ == stage::deciding);
    ASSENT_ASSERT(last_resource() == nullptr || last_resource()->state == branch_state::committed);
    is_decided_ = true;
    enter(stage::committing);
}

void coordinator::decision_unknown() noexcept
{
    ASSENT_ASSERT(stage_ == stage::deciding);
    if (last_resource() != nullptr) {
        // The row may yet be found to commit: whoever voted yes stays prepared until it is known.
        for (auto& b : branches_) {
            if (b.state == branch_state::prepared) b.state = branch_state::row_awaited;
        }
    }
    enter(stage::undecided);
}

verb coordinator::due(branch const& b) const noexcept
{
    bool const is_active = b.state == branch_state::active;
    switch (stage_) {
        case stage::preparing:
            if (!is_active || b.role == branch_role::last) return nothing;
            if (b.role == branch_role::reader) {
                return branches_.size() == 1 ? verb::commit_one_phase : verb::prepare;
            }
            if (b.role == branch_role::promiser) return verb::prepare;
            // The only writer needs no vote, unless a reader was prepared, whom a decision must
            // name.
            return writers() > 1 || any(branch_state::prepared) ? verb::prepare : nothing;
        case stage::deciding:
            return is_active && b.role == branch_role::last ? verb::commit_one_phase : nothing;
        case stage::one_phase:
            return is_active ? verb::commit_one_phase : nothing;
        case stage::committing:
            if (b.state == branch_state::reads_voted) return verb::commit_one_phase;
            return b.state == branch_state::prepared ? verb::commit : nothing;
        case stage::ending_reads:
            if (b.state != branch_state::reads_voted) return nothing;
            // By the outcome, never before it: what a reader did besides (a NOTIFY) takes effect
            // with its commit, and would announce work that was rolled back.
            return is_committed() ? verb::commit_one_phase : verb::rollback;
        case stage::rolling_back:
            return is_active || b.state == branch_state::prepared ||
                           b.state == branch_state::asked || b.state == branch_state::reads_voted
                       ? verb::rollback
                       : nothing;
        default:
            return nothing;
    }
}

bool coordinator::send(std::size_t i, verb& what, bool is_first_on_usable_connection) noexcept
{
    ASSENT_ASSERT(i < branches_.size());
    branch& b = branches_[i];
    what = due(b);
    if (what == nothing || b.is_sent) return false;
    b.is_sent = true;
    switch (what) {
        case verb::prepare:
            b.state = branch_state::preparing;
            break;
        case verb::commit_one_phase:
            b.state = b.state == branch_state::reads_voted ? branch_state::ending_voted_read
                      : b.role == branch_role::reader      ? branch_state::ending_read_only
                      : stage_ == stage::deciding          ? branch_state::committing_row
                                                           : branch_state::one_phase;
            break;
        case verb::commit:
            b.state = is_first_on_usable_connection ? branch_state::committing
                                                    : branch_state::recommitting;
            break;
        default:
            b.state = b.state == branch_state::active || b.state == branch_state::reads_voted
                          ? branch_state::rolling_back
                          : branch_state::rolling_back_prepared;
    }
    return true;
}

follow_up coordinator::on_reply(std::size_t i, reply_class what) noexcept
{
    ASSENT_ASSERT(i < branches_.size());
    branch& b = branches_[i];
    transition const* const row = find_transition(b.state, what);
    ASSENT_ASSERT(row != nullptr);
    b.state = row->to;
    return row->then;
}

stage coordinator::advance() noexcept
{
    for (auto const& b : branches_) {
        if (is_outstanding(b.state) || (due(b) != nothing && !b.is_sent)) return stage_;
    }
    switch (stage_) {
        case stage::preparing:
            if (!is_unanimous()) {
                enter(stage::rolling_back);
                return advance();
            }
            enter(any(branch_state::prepared) ? stage::deciding
                  : any(branch_state::active) ? stage::one_phase
                                              : stage::ending_reads);
            return stage_ == stage::ending_reads ? advance() : stage_;
        case stage::one_phase:
            enter(any(branch_state::rolled_back) ? stage::rolling_back : stage::ending_reads);
            return advance();
        case stage::ending_reads:
        case stage::committing:
        case stage::rolling_back:
            enter(stage::ended);
            return stage_;
        default:
            return stage_;
    }
}

verdict coordinator::outcome() const noexcept
{
    if (stage_ == stage::undecided) return verdict::in_doubt;
    if (stage_ != stage::ended) return verdict::open;

    // A branch that went its own way outranks all else; then doubt; then what is left to do.
    // A heuristic in the direction of the decision agrees with it.
    auto const agrees =
        was_rolled_back_ ? branch_state::heuristic_rollback : branch_state::heuristic_commit;
    bool is_pending = false;
    bool is_in_doubt = false;
    bool is_rolled_back = was_rolled_back_;
    for (auto const& b : branches_) {
        switch (b.state) {
            case branch_state::heuristic_commit:
            case branch_state::heuristic_rollback:
                if (b.state != agrees) return verdict::heuristic;
                break;
            case branch_state::heuristic_mixed:
            case branch_state::heuristic_hazard:
            case branch_state::left_behind:
                return verdict::heuristic;
            case branch_state::in_doubt:
                is_in_doubt = true;
                break;
            case branch_state::rolled_back:
                is_rolled_back = true;
                break;
            case branch_state::read_only:
            case branch_state::committed:
                break;
            default:
                is_pending = true;
        }
    }
    if (is_in_doubt) return verdict::in_doubt;
    if (is_decided_) return is_pending ? verdict::committed_pending : verdict::committed;
    if (is_rolled_back) return is_pending ? verdict::rolled_back_unconfirmed : verdict::rolled_back;
    return is_pending ? verdict::in_doubt : verdict::committed;
}

void coordinator::enter(stage next) noexcept
{
    stage_ = next;
    if (next == stage::rolling_back) was_rolled_back_ = true;
    for (auto& b : branches_)
        b.is_sent = false;
}

bool coordinator::any(branch_state what) const noexcept
{
    return std::any_of(branches_.begin(), branches_.end(),
                       [what](branch const& b) { return b.state == what; });
}

/// Nobody voted no; whom nobody asked has no vote.
bool coordinator::is_unanimous() const noexcept
{
    return std::all_of(branches_.begin(), branches_.end(), [this](branch const& b) {
        switch (b.state) {
            case branch_state::prepared:
            case branch_state::read_only:
            case branch_state::reads_voted:
                return true;
            case branch_state::active:
                return b.role != branch_role::reader && due(b) == nothing;
            default:
                return false;
        }
    });
}

/// Whether whoever wrote has committed, for certain.
bool coordinator::is_committed() const noexcept
{
    return std::all_of(branches_.begin(), branches_.end(), [](branch const& b) {
        return b.role == branch_role::reader || b.state == branch_state::reads_voted ||
               b.state == branch_state::ending_voted_read || b.state == branch_state::committed ||
               b.state == branch_state::read_only || b.state == branch_state::heuristic_commit;
    });
}

coordinator::branch const* coordinator::last_resource() const noexcept
{
    auto const found = std::find_if(branches_.begin(), branches_.end(),
                                    [](branch const& b) { return b.role == branch_role::last; });
    return found == branches_.end() ? nullptr : &*found;
}

std::size_t coordinator::writers() const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(branches_.begin(), branches_.end(),
                      [](branch const& b) { return b.role != branch_role::reader; }));
}

}  // namespace assent::protocol
