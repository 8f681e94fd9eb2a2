// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// collector.hpp -- the replies to COMMIT that no caller waits for, because commit() returned when
// the decision was durable.
//
//   parted --> under way --each answered--> settled: noted as finished, sessions to their pools
//                    `-----limits::phase2_wait-----> cut, and left to the keepers
//
// One thread listens to all of them.  It sends nothing, but for a reset: a forget is the keepers'.
// What it waits for beside replies is the log, where a heuristic is recorded.
//
// Invariant: a transaction that was taken is settled by the collector alone, at the latest when it
// is stopped.

#ifndef ASSENT_ENGINE_COLLECTOR_HPP
#define ASSENT_ENGINE_COLLECTOR_HPP

#include <cstddef>
#include <list>
#include <mutex>

#include "engine/home_process.hpp"
#include "engine/termination.hpp"
#include "recovery/worker.hpp"

namespace assent::engine {

class collector final : public recovery::worker
{
public:
    collector(context& shared, home_process const& here) : worker(shared), process_(here) {}
    ~collector() override { stop(); }

    /// From here on it is the collector's.  Needs no memory.
    /// @return false, and `one` stays, when it was stopped.
    bool take(std::list<parted>& one) noexcept;

    /// Whoever has not answered by now is left to the keepers; no database is waited for.
    void stop() noexcept;

private:
    /// Hears who has answered, and waits a moment for the others.
    deadline work() override;
    void cut() noexcept override {}  // it waits for no database longer than a moment
    std::size_t hear(std::list<parted>& all) noexcept;

    home_process const& process_;
    // Of its thread.
    std::list<parted> under_way_;
    std::size_t due_ = 0;        // how many answers were due when it looked last
    bool was_readable_ = false;  // and whether one of their sockets could be read

    std::mutex mutex_;  // guards the two below
    std::list<parted> incoming_;
    bool is_stopped_ = false;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_COLLECTOR_HPP
