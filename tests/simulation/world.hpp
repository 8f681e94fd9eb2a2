// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// world.hpp -- databases in memory, machines that run the real engine and the real log, and a storm
// of faults, all in one thread of the operating system and on one clock (see scheduler.hpp).
//
//   machine: threads of the application ---+
//            threads of the engine ---------+--> every event and call of the disk: overtaken, or
//            threads of the log -----------+    killed, as the dice will
//
// Everything follows from the seed.

#ifndef ASSENT_TESTS_SIMULATION_WORLD_HPP
#define ASSENT_TESTS_SIMULATION_WORLD_HPP

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <assent/tcc.hpp>
#include <assent/testing.hpp>

#include "tests/simulation/dice.hpp"
#include "tests/simulation/history.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/mix.hpp"
#include "tests/simulation/scheduler.hpp"

namespace assent::testing {

class world
{
public:
    /// How many transactions a trial in good weather adds.
    static constexpr unsigned of_trials_max = 64;

    /// Whether some of the transactions return early.  What is drawn for that is drawn from other
    /// dice, so that a history without them is the same as ever.
    enum class returns : std::uint8_t { completed, some_early };

    /// Whether some of the transactions reserve, by dice of their own as well.
    enum class reserves : std::uint8_t { nothing, some };

    /// With so many transactions to run.
    world(std::uint64_t seed, unsigned transactions, returns when = returns::completed,
          reserves what = reserves::nothing);
    ~world();
    world(world const&) = delete;
    world& operator=(world const&) = delete;

    /// Runs them through the storm, then mends everything and waits until nothing is left to do.
    /// @return what does not hold, in words.
    std::vector<std::string> run();

    history const& done() const noexcept { return history_; }
    mix const& storm() const noexcept { return mix_; }
    /// Everything that was told and chosen, for comparing two runs of one seed.
    std::uint64_t trace() const noexcept { return trace_ ^ threads_.trace(); }

    // For machines.
    dice& chance() noexcept { return dice_; }
    scheduler& threads() noexcept { return threads_; }
    std::vector<memory_database>& databases() noexcept { return databases_; }
    limits const& bounds() const noexcept { return bounds_; }
    /// A thread of the application.
    void work(machine& here);
    /// Null in most worlds.
    memory_database const* replica() const noexcept { return replica_ ? &*replica_ : nullptr; }
    /// Whether a session that is being opened is the replica's.
    bool misleads(machine const& here);
    bool may_be_restored() const noexcept { return may_be_restored_; }
    bool holds_reservations(std::size_t at) const noexcept;
    static bool is_of_reservation(std::string_view manager) noexcept;
    tcc::resource_manager reservations_at(machine& here, resource_manager const& where,
                                          std::size_t at);
    void restore_before_list(machine const& here, std::size_t at);
    void on_event(machine& here, event const& what);
    void on_disk_call(machine& here, disk_call const& call);
    /// For whoever replays one seed.
    void tell(std::string_view name, std::string_view where, std::string_view id,
              std::string_view text) const;
    /// Something about a machine has changed.
    void attend() { threads_.wake_all(this); }

private:
    // transactions.cpp
    bool transact(machine& here, transaction_record& record);
    std::shared_ptr<shared::global_transaction> begin(machine& here,
                                                      std::optional<std::size_t>& place);
    void write(machine& here, shared::global_transaction& tx, transaction_record& record,
               std::optional<std::size_t> place);

    // reserving.cpp
    void reserve(machine& here, shared::global_transaction& tx, transaction_record& record);
    void settle(machine& here, tcc::call const& of, bool is_confirm);
    bool is_decided(machine const& here, gtrid const& which) const;
    void spoil_reservation();
    void check_finished_reservation(event const& what, xid const& id);
    bool is_cancelled(gtrid const& which) const;
    static std::uint64_t reserving_node(std::uint64_t node, std::size_t at);

    // storm.cpp
    void strike(machine& here);
    void spoil_disk(machine& here);
    void spoil_verb();
    void spoil_kill();
    void stall();
    void spoil_call(memory_database& target);
    void restart(memory_database& which);
    void mend();

    // restores.cpp
    void back_up_and_restore();
    bool is_told_of(machine const& here, std::size_t at) const;
    bool is_needed_elsewhere(std::set<gtrid> const& rows, std::size_t at) const;
    void note_losses();

    // strangers.cpp
    void meet_strangers(machine const& here, std::size_t at);
    void part_from_strangers();

    // trials.cpp
    void starve();
    void oversleep();
    bool commit_one();
    void note_refusal(error const& refused);

    void check_finished(event const& what);
    std::set<gtrid> what_was_told() const;
    std::size_t place_of(gtrid const& name) const;
    void live_through();
    void replace();
    bool settle();
    void come_to_pass(machine& here);

    // twins.cpp
    void begin_twin();
    void end_twin();
    bool outlives(machine const& here) const;
    void stand_still(machine& here);
    bool is_taken_back(gtrid const& which) const;
    bool is_undone(gtrid const& which) const;
    void watch_twin(machine const& here, event const& what);

    dice dice_;
    std::optional<dice> early_dice_;
    std::optional<dice> reserve_dice_;
    scheduler threads_{dice_};
    limits bounds_;
    unsigned transactions_left_;
    history history_;
    mix mix_;
    std::vector<std::string> wrong_;  // seen under way
    std::vector<memory_database> databases_;
    std::optional<memory_database> replica_;
    std::unique_ptr<machine> machine_;
    std::unique_ptr<machine> twin_;  // on a copy of the log, while that one runs
    bool may_be_copied_ = false;
    bool gives_numbers_again_ = false;
    bool keeps_past_ = false;  // but for one, which tells its history itself
    bool may_be_restored_ = false;
    bool leases_together_ = false;
    bool was_restored_ = false;
    std::array<memory_backup, database_count> backups_;
    std::array<bool, database_count> is_restore_wanted_{};
    std::set<std::pair<std::size_t, xid>> gone_;  // where: committed, before a restore
    std::set<xid> heard_;                         // to be committed
    std::set<xid> returned_;                      // prepared once more
    losses lost_;
    // The application's own, on each server.
    std::array<std::vector<std::unique_ptr<memory_connection>>, database_count> strangers_;
    bool is_twin_wanted_ = false;
    deadline twin_until_ = deadline::max();
    std::set<xid> taken_back_;  // by a copy that presumed abort
    std::set<gtrid> undone_when_answered_;
    std::set<gtrid> durable_;             // decisions, where a copy may come
    std::set<gtrid> meddled_with_;        // by a copy, whether or not it was refused
    std::set<std::string> decided_late_;  // when it had done so
    bool is_stormy_ = true;
    std::uint64_t steps_to_death_ = 0;  // of the present machine; 0: it lives on
    std::uint64_t trace_ = 0;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_WORLD_HPP
