// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// transactions.cpp -- what the application's threads do: transactions over some of the databases,
// each writing a row of its own into every one; some decide by a commit row in one of them, and
// that one may be left out of the work.

#include "tests/simulation/world.hpp"

namespace assent::testing {

using protocol::verdict;
using std::chrono::milliseconds;

void world::work(machine& here)
{
    while (transactions_left_ != 0 && !here.is_dead() && !here.is_useless()) {
        // The last ones are left in the middle of things, for recovery to find together.
        if (--transactions_left_ == 2) steps_to_death_ = 20 + dice_.roll(60);
        strike(here);
        if (here.is_dead()) break;
        bool const is_refused = !transact(here, history_.begin_one());
        if (here.is_dead()) break;
        if (is_refused && !here.engine().state().is_accepting) here.note_useless();
        if (dice_.chance(5)) {
            threads_.sleep(milliseconds{dice_.roll(2'000)});
        } else {
            threads_.sleep(milliseconds{dice_.roll(8)});
        }
    }
}

/// @return false when it could not even begin.
bool world::transact(machine& here, transaction_record& record)
{
    std::optional<std::size_t> place;
    auto const tx = begin(here, place);
    if (!tx) return false;
    record.name = tx->id;
    bool const is_reserving = reserve_dice_ && reserve_dice_->one_in(2);
    if (is_reserving) reserve(here, *tx, record);
    if (!is_reserving || reserve_dice_->chance(80)) write(here, *tx, record, place);
    record.name = tx->id;
    auto const intent = dice_.chance(90) ? engine::intent::commit : engine::intent::rollback;
    auto const told = here.engine().end(*tx, intent);
    if (here.is_dead()) return true;  // nobody heard it
    tell("world.answer", record.row, tx->id.text(),
         std::to_string(static_cast<int>(told.verdict)) + " " + told.what);
    bool const is_early = tx->returns == commit_return::decision_logged;
    switch (told.verdict) {
        case verdict::committed:
        case verdict::committed_pending:
            record.said = answer::committed;
            history_.early += is_early && told.verdict == verdict::committed_pending;
            if (undone_when_answered_.count(tx->id) != 0) {
                wrong_.push_back(record.row + " is answered committed, and a copy rolled it back");
            }
            break;
        case verdict::rolled_back:
        case verdict::rolled_back_unconfirmed:
            record.said = answer::rolled_back;
            break;
        default:
            record.said = answer::unknown;
    }
    return true;
}

/// @return null when it was refused: the log has failed, or is full.
std::shared_ptr<shared::global_transaction> world::begin(machine& here,
                                                         std::optional<std::size_t>& place)
try {
    begin_options how;
    if (dice_.chance(10)) {
        mix_.note(mishap::deadline);
        how.timeout(milliseconds{1 + dice_.roll(200)});
    }
    if (dice_.chance(40)) place = dice_.roll(database_count);
    if (place) how.commit_row(here.databases()[*place]);
    if (early_dice_ && early_dice_->one_in(2)) how.commit_return(commit_return::decision_logged);
    return here.engine().begin(how);
} catch (error const&) {
    return nullptr;
}

void world::write(machine& here, shared::global_transaction& tx, transaction_record& record,
                  std::optional<std::size_t> place)
{
    auto const put = [&](std::size_t at) {
        auto const lease = here.engine().lease(tx, here.databases()[at]);
        static_cast<memory_connection*>(lease->handle())->set(record.row, 1);
        record.writes[at] = true;
        if (dice_.chance(5)) threads_.sleep(milliseconds{dice_.roll(500)});
    };
    try {
        std::size_t const first = dice_.roll(voters);
        std::size_t const count = 1 + dice_.roll(voters);
        if (leases_together_) {
            std::vector<resource_manager const*> all;
            for (std::size_t i = 0; i < count; ++i)
                all.push_back(&here.databases()[(first + i) % voters]);
            here.engine().lease(tx, all, access::read_write);
        }
        for (std::size_t i = 0; i < count; ++i)
            put((first + i) % voters);
        if (place == voters && dice_.chance(80)) put(voters);
    } catch (error const&) {
        // The database does not serve, or the deadline struck: it ends as far as it came.
        tx.mark_rollback_only({"the work failed", true});
    }
}

}  // namespace assent::testing
