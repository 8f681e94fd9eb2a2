// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// settler.hpp -- the workers that settle reservations, each on a thread and a connection of its
// own.
//
//   ask(name, end) --> a job; one for each name, whoever asks how often
//                       |
//   worker 1..n         `- settle() --> its answer, for all who wait
//
// A handler that does not return keeps its worker, and nobody else: who waits gives up by a
// deadline, and asks again.  A job that nobody waits for any more, and that has not begun, is
// withdrawn: leave to presume abort does not last.  When the settler is closed, the connection of a
// worker that is in a handler is cut, which rolls back what it had begun, and its thread is left to
// itself.
//
// Invariant: a hazard is answered to whoever asks, and its handler never runs again here.
//
// Thread safety: every member may be called from several threads at once.

#ifndef ASSENT_ADAPTERS_RESERVATIONS_SETTLER_HPP
#define ASSENT_ADAPTERS_RESERVATIONS_SETTLER_HPP

#include <cstdint>
#include <memory>
#include <vector>

#include "adapters/reservations/settlement.hpp"
#include "adapters/sql_text/worker.hpp"

namespace assent::reservations {

class settler
{
public:
    class job;

    /// Starts no thread before the first job.
    explicit settler(std::shared_ptr<service const> of);
    ~settler();
    settler(settler const&) = delete;
    settler& operator=(settler const&) = delete;

    /// @param at  the server that the asker is connected to: the worker's is the same, or nothing
    ///            is done.
    /// @throws driver_error  there is no thread to be had.
    std::shared_ptr<job> ask(xid const& name, end what, server_life const& at);

    /// @return the answer; where there is none by `until`, why.
    reply wait(job& which, deadline until);

    /// No job begins any more.
    void close() noexcept;
    bool is_closed() const;

private:
    struct shared;
    struct hand;
    struct worker;

    std::shared_ptr<shared> const shared_;
};

}  // namespace assent::reservations

#endif  // ASSENT_ADAPTERS_RESERVATIONS_SETTLER_HPP
