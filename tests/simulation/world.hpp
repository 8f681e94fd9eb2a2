// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// world.hpp -- one machine in one thread: the real engine and the real log over a simulated disk,
// databases in memory, and a clock that only moves when somebody waits.
//
//   a wait of anybody --> world::pass_time(until) --> the clock moves to the next due step of a
//                                                     keeper or the reaper, which runs, and so on
//
// kill() is kill -9, or power loss, at any event that the engine tells: the disk's image is taken
// and the databases see every session end, at that instant.  The dead engine goes on as a ghost
// that reaches neither, until its call returns, and nobody hears its answer.
//
// Everything follows from the seed.  The one invariant: no real time, no thread, no address ever
// decides anything here.

#ifndef ASSENT_TESTS_SIMULATION_WORLD_HPP
#define ASSENT_TESTS_SIMULATION_WORLD_HPP

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <assent/testing.hpp>

#include "engine/engine.hpp"
#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

class world;

class simulated_clock final : public ports::clock
{
public:
    explicit simulated_clock(world& whole) : world_(whole) {}

    deadline now() const noexcept override;
    std::int64_t unix_ms() const noexcept override;
    void wait(std::unique_lock<std::mutex>& held, std::condition_variable& changed,
              deadline until) override;

private:
    world& world_;
};

/// A process: an engine over the disk, and its handles on the databases.
struct process
{
    std::unique_ptr<engine::engine> engine;
    std::vector<memory_resource_manager> databases;
    bool is_dead = false;
};

class world
{
public:
    explicit world(std::uint64_t seed);
    ~world();
    world(world const&) = delete;
    world& operator=(world const&) = delete;

    std::mt19937_64& dice() noexcept { return dice_; }
    std::uint64_t roll(std::uint64_t sides) { return dice_() % sides; }
    bool chance(int percent) { return static_cast<int>(roll(100)) < percent; }

    std::vector<memory_database>& databases() noexcept { return databases_; }
    process& current() noexcept { return *process_; }
    deadline now() const noexcept { return now_; }

    /// Opens the log and starts a process; one that runs is killed first.
    void start();
    void kill();
    bool is_dead() const noexcept { return process_->is_dead; }
    /// Kills at the n-th event from now.
    void kill_at_event(std::uint64_t n) noexcept { events_to_death_ = n; }

    /// Lets time pass: everything that is due meanwhile happens.
    void pass_time(deadline until);
    void pass_time(std::chrono::milliseconds span) { pass_time(now_ + span); }

    /// Faults in the way of the next requests; with heuristics only where they are asked for.
    void spoil(bool with_heuristics);
    /// Mends everything and waits until nothing is left to do, or `span` passed.
    bool settle(std::chrono::seconds span);

    /// Everything that was told and asked, for comparing two runs of one seed.
    std::uint64_t trace() const noexcept { return trace_; }
    std::uint64_t kills() const noexcept { return kills_; }
    simulated_disk& disk() noexcept { return *disk_; }

private:
    class spy;
    friend class spy;

    void on_event(event const& what);
    void spoil_call(memory_database& target);
    void note(std::string_view text) noexcept;

    std::mt19937_64 dice_;
    deadline now_;
    simulated_clock clock_{*this};
    std::vector<memory_database> databases_;
    std::shared_ptr<simulated_disk> disk_ = std::make_shared<simulated_disk>();
    std::shared_ptr<simulated_disk> image_;  // taken by kill()
    std::unique_ptr<process> process_;
    std::uint64_t events_to_death_ = 0;
    std::uint64_t kills_ = 0;
    std::uint64_t openings_ = 0;
    std::uint64_t trace_ = 1469598103934665603ull;
    bool is_passing_ = false;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_WORLD_HPP
