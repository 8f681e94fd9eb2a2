// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/keeper.hpp"

#include <algorithm>
#include <utility>

#include "ports/coordinator_log.hpp"

namespace assent::recovery {

keeper::keeper(context& shared, resource_manager rm)
    : shared_(shared),
      database_(shared, std::move(rm)),
      pool_(shared, name(), driver().capabilities().runs_handlers),
      queue_(
          shared, name(), [this] { scanner_.wake(); }, [this] { wake_finishers(); }),
      guardian_(shared, database_),
      canceller_(shared, database_, [this] { scanner_.hear_of_end(); }),
      rows_(shared, database_, guardian_),
      scanner_(shared, database_, queue_, guardian_, pool_, [this] { wake_all(); }),
      asked_(shared, database_, queue_, guardian_)
{
    workers_ = {&scanner_, &canceller_, &guardian_, &rows_};
    for (std::size_t rank = 0; rank < shared.bounds.completion_sessions_max; ++rank) {
        finishers_.push_back(
            std::make_unique<finisher>(shared, database_, queue_, guardian_, rank));
        workers_.push_back(finishers_.back().get());
    }
}

keeper::~keeper()
{
    stop(shared_.time.now());
}

std::uint16_t keeper::wait_until_serving(deadline until)
{
    return database_.wait_until_serving(until);
}

std::uint16_t keeper::wait_until_holding_rows(deadline until)
{
    return database_.wait_until_holding_rows(until);
}

/// It is known which server answers: whoever waited for that goes to work.
void keeper::wake_all()
{
    if (!is_listening_) {
        shared_.rows.listen(database_.id(), [this](bool is_question) {
            if (is_question) return rows_.hear_question();
            queue_.hear_of_row();
            scanner_.hear_of_row();
            wake_finishers();
        });
        is_listening_ = true;
        rows_.hear_question();  // one that came before there was a listener was heard by nobody
    }
    for (auto* const each : workers_) {
        if (each != &scanner_) each->wake();
    }
}

void keeper::finish_later(std::list<due_branch> one) noexcept
{
    queue_.finish_later(std::move(one));
    wake_finishers();
}

void keeper::wake_finishers() noexcept
{
    for (auto const& each : finishers_)
        each->wake();
}

void keeper::cancel(std::shared_ptr<branch> target, deadline end_at)
{
    canceller_.cancel(std::move(target), end_at);
}

resource_manager_state keeper::state() const
{
    auto const asked =
        rows_asked();  // before all locks: whoever answers holds theirs, and wakes us
    auto const pooled = pool_.now();
    resource_manager_state now;
    database_.describe(now);
    now.branches_due = queue_.size();
    if (auto const since = queue_.oldest()) {
        now.oldest_due = std::chrono::duration_cast<limits::duration>(shared_.time.now() - *since);
    }
    now.sessions_max = manager().source() ? 0 : std::max(1U, shared_.bounds.pooled_sessions_max);
    now.sessions_leased = pooled.leased;
    now.sessions_idle = pooled.idle;
    now.leases_waiting = pooled.waiting;
    if (now.branches_due != 0) {
        now.is_drained = false;
        if (now.undrained.empty()) now.undrained = "branches wait there";
    }
    if (asked != 0) {
        auto const why = database_.why_no_rows();
        now.is_drained = false;
        now.undrained = std::to_string(asked) +
                        " transactions are decided by commit rows there that were not read yet" +
                        (why.empty() ? "" : ": " + why);
    }
    return now;
}

std::size_t keeper::rows_asked() const
{
    auto const id = database_.id();
    return id == 0 ? 0 : shared_.rows.asked_of(id).size();
}

// ---- the workers -------------------------------------------------------------------------------

void keeper::step()
{
    for (auto* const each : workers_)
        each->step();
}

void keeper::start_threads()
{
    for (auto* const each : workers_)
        each->start_thread();
}

void keeper::stop(deadline until)
{
    database_.close();
    for (auto* const each : workers_)
        each->ask_to_stop();
    for (auto* const each : workers_) {
        if (!each->has_ended(until)) each->cut();
        each->join();
    }
    if (is_listening_.exchange(false)) shared_.rows.stop_listening(database_.id());
    database_.driver().end_work();
    guardian_.release();
    scanner_.close();
    rows_.close();
    for (auto const& each : finishers_)
        each->close();
    pool_.close();
    // What is left names transactions whose branches name this keeper: nobody would ever free it.
    canceller_.close();
    queue_.close();
}

}  // namespace assent::recovery
