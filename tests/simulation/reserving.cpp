// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reserving.cpp -- transactions that reserve as well: what is attempted beside the rows that they
// write, handlers that refuse and that throw for a while, and what must never be seen.
//
//   attempt  --> a:t7/1        confirm  --> c:t7/1  +1        cancel  --> x:t7/1  +1
//
// A payload names an attempt, and each handler counts in a row of its own, in the transaction that
// it is given.  Between that row and the transaction's end somebody may die.

#include <algorithm>
#include <stdexcept>

#include "adapters/reservations/session.hpp"
#include "ports/fnv.hpp"
#include "tests/simulation/world.hpp"

namespace assent::testing {

using std::chrono::milliseconds;

namespace {

constexpr char const* prefix = "tcc";

memory_connection& handle(tcc::call const& of)
{
    return *static_cast<memory_connection*>(of.handle());
}

}  // namespace

tcc::resource_manager world::reservations_at(machine& here, resource_manager const& where,
                                             std::size_t at)
{
    tcc::handlers how;
    how.attempt = [this, &here](tcc::call& of) {
        if (here.is_dead()) return;
        if (reserve_dice_->one_in(12)) {
            mix_.note(mishap::refusal);
            throw tcc::refused{"sold out"};
        }
        come_to_pass(here);
        handle(of).set("a:" + of.payload(), 1);
        if (!here.is_dead() && reserve_dice_->one_in(20)) {
            threads_.sleep(milliseconds{reserve_dice_->roll(500)});
        }
    };
    how.confirm = [this, &here](tcc::call& of) { settle(here, of, true); };
    how.cancel = [this, &here](tcc::call& of) { settle(here, of, false); };
    return {prefix + std::to_string(at), where, how, tcc::options{}.workers(0)};
}

/// Where reservations are, in a world that has them.
bool world::holds_reservations(std::size_t at) const noexcept
{
    return reserve_dice_ && at < reserving;
}

void world::settle(machine& here, tcc::call const& of, bool is_confirm)
{
    if (here.is_dead()) return;  // nobody hears what it says
    // One whose row a restore took was decided when its row was read.
    bool const may_be_lost = lost_.rows.count(of.id().global) != 0;
    if (is_confirm && !may_be_lost && !is_decided(here, of.id().global)) {
        wrong_.push_back("confirmed without a durable decision: " + of.id().text());
    }
    if (is_stormy_ && reserve_dice_->one_in(8)) {
        mix_.note(mishap::thrown);
        throw std::runtime_error{"not now"};
    }
    handle(of).add((is_confirm ? "c:" : "x:") + of.payload(), 1);
    come_to_pass(here);
}

/// In the log, or where its commit row is.
bool world::is_decided(machine const& here, gtrid const& which) const
{
    if (which.parts().place != decision_place::commit_row) {
        return here.log().find(which).has_value();
    }
    return std::any_of(databases_.begin(), databases_.end(), [&which](auto const& each) {
        auto const rows = each.decisions();
        return std::any_of(rows.begin(), rows.end(), [&which](auto const& row) {
            return row.kind == row_kind::commit && row.name == which;
        });
    });
}

/// One attempt or two, in this database or that.
void world::reserve(machine& here, shared::global_transaction& tx, transaction_record& record)
try {
    for (auto more = 1 + reserve_dice_->roll(2); more != 0; --more) {
        auto const at = static_cast<std::size_t>(reserve_dice_->roll(reserving));
        auto const payload = record.row + "/" + std::to_string(more);
        record.reserves.push_back({at, payload});
        auto const attempting = [&payload](driver_session& on, deadline until) {
            static_cast<reservations::session&>(on).attempt(payload, until);
        };
        auto const led = [&payload](driver_session& on) {
            static_cast<reservations::session&>(on).begin_with(payload);
        };
        here.engine().work_on(tx, here.reservations()[at], {attempting, led});
    }
} catch (error const&) {
    // The database does not serve, or the attempt failed: it ends as far as it came.
    tx.mark_rollback_only({"the attempt failed", true});
} catch (tcc::refused const&) {
    history_.refused += 1;
}

/// A statement of ours about the table fails, or its session is cut.
void world::spoil_reservation()
{
    if (!reserve_dice_->chance(15)) return;
    mix_.note(mishap::table_fault);
    constexpr driver_call calls[] = {driver_call::insert_branch, driver_call::take_branch,
                                     driver_call::find_branch, driver_call::list_branches,
                                     driver_call::ensure_branches};
    auto const& target = databases_[reserve_dice_->roll(reserving)];
    auto fault = target.script().on(calls[reserve_dice_->roll(std::size(calls))]);
    if (reserve_dice_->one_in(2)) {
        fault.fail();
    } else {
        fault.cut();
    }
}

/// What is told to be finished may neither be in the table, nor come there: an attempt whose COMMIT
/// is on its way would be cancelled by nobody.
void world::check_finished_reservation(event const& what, xid const& id)
{
    auto const& there = databases_[static_cast<std::size_t>(what.resource_manager.back() - '0')];
    auto const rows = there.reservations();
    bool const is_there =
        std::any_of(rows.begin(), rows.end(), [&id](auto const& row) { return row.name == id; });
    bool const may_come = there.fate(id) == branch_fate::active;
    if ((!is_there && !may_come) || returned_.count(id) != 0) return;
    wrong_.push_back(std::string{"told to be finished, and its reservation is "} +
                     (is_there ? "there: " : "still on its way: ") + id.text());
}

/// The node as reservations there have it, whose driver keeps a past of its own.
std::uint64_t world::reserving_node(std::uint64_t node, std::size_t at)
{
    return node ^ ports::fnv1a(prefix + std::to_string(at));
}

/// Whether a reservation of that transaction was.
bool world::is_cancelled(gtrid const& which) const
{
    auto const record = std::find_if(history_.all.begin(), history_.all.end(),
                                     [&which](auto const& each) { return each.name == which; });
    if (record == history_.all.end()) return false;
    return std::any_of(record->reserves.begin(), record->reserves.end(), [this](auto const& held) {
        return databases_[held.at].value("x:" + held.payload).has_value();
    });
}

bool world::is_of_reservation(std::string_view manager) noexcept
{
    return manager.substr(0, std::string_view{prefix}.size()) == prefix;
}

}  // namespace assent::testing
