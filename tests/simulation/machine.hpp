// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// machine.hpp -- one process of the application: the real engine with its own threads, over the
// real log on a simulated disk, and threads that run transactions.
//
//   boot --> opens the log, adds the databases, starts its threads --> works --> idle
//     kill() at any event or call of the disk     the image is taken, the sessions end, and it goes
//                                                 on as a ghost until it is buried
//     close()                                     by its destructor, as a program ends

#ifndef ASSENT_TESTS_SIMULATION_MACHINE_HPP
#define ASSENT_TESTS_SIMULATION_MACHINE_HPP

#include <memory>
#include <vector>

#include <assent/testing.hpp>

#include "engine/engine.hpp"
#include "ports/clock.hpp"
#include "ports/coordinator_log.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

class world;

class machine
{
public:
    /// Boots on `disk`, with so many threads that run transactions.
    machine(world& whole, std::shared_ptr<simulated_disk> disk, unsigned threads);
    /// @pre  dead, or closed.
    ~machine();
    machine(machine const&) = delete;
    machine& operator=(machine const&) = delete;

    engine::engine& engine() noexcept { return *engine_; }
    /// @pre  booted.
    ports::coordinator_log const& log() const noexcept { return *log_; }
    std::vector<resource_manager> const& databases() const noexcept { return databases_; }
    /// Over the first of these; empty where the world has none.
    std::vector<resource_manager> const& reservations() const noexcept { return reservations_; }
    std::shared_ptr<simulated_disk> const& disk() const noexcept { return disk_; }

    bool is_dead() const noexcept { return process_.is_dead(); }
    bool is_booted() const noexcept { return is_booted_; }
    /// Whether its log could not be opened, or has failed since.
    bool is_useless() const noexcept { return is_useless_; }
    /// Whether its transactions have all ended.
    bool is_idle() const noexcept { return is_idle_; }
    bool is_closed() const noexcept { return is_closed_; }
    void note_useless() noexcept;

    /// A copy of the log's directory takes its place, for whoever boots next.
    void replace_log();
    /// kill -9.  The disk that a next machine boots on is in left_behind().
    void kill(bool is_power_loss);
    std::shared_ptr<simulated_disk> const& left_behind() const noexcept { return left_behind_; }
    /// It stands still until then.  @pre  called by one of its threads.
    void pause(deadline until);
    /// Asks it to end; it is_closed() afterwards.
    void close();

private:
    class spy;
    friend class spy;

    void run(unsigned threads);
    resource_manager way_to(std::size_t at);

    world& world_;
    std::shared_ptr<simulated_disk> disk_;
    std::shared_ptr<simulated_disk> replacement_;
    std::shared_ptr<simulated_disk> left_behind_;
    simulated_process process_;
    std::unique_ptr<engine::engine> engine_;
    ports::coordinator_log const* log_ = nullptr;  // the engine's
    std::vector<resource_manager> databases_;
    std::vector<resource_manager> reservations_;
    std::vector<memory_resource_manager> ways_;  // to each server, the replica included
    ports::steady_clock clock_;
    bool is_booted_ = false;
    bool is_useless_ = false;
    bool is_idle_ = false;
    bool is_asked_to_close_ = false;
    bool is_closed_ = false;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_MACHINE_HPP
