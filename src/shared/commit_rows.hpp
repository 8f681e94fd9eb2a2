// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_rows.hpp -- decisions that live in rows of databases, as far as they are known here, and
// questions about the others.
//
//   keeper that lists a branch --ask--> commit_rows --question--> keeper of the row's database
//   transaction in doubt -------ask-->     |   ^                    | fences, lists
//   both <--answer-------------------------+   +-----learn----------+
//
// Invariant: what is known never changes.  A committed row that was read is the first of its name,
// and stays so for ever; that no row was found is never an answer.

#ifndef ASSENT_SHARED_COMMIT_ROWS_HPP
#define ASSENT_SHARED_COMMIT_ROWS_HPP

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "ports/clock.hpp"
#include "ports/coordinator_log.hpp"

namespace assent::shared {

/// Thread safety: every member may be called from several threads at once.
class commit_rows
{
public:
    /// What a row says: the decision to commit, or, empty, that it never will.
    using answer = std::optional<ports::logged_decision>;

    /// What is known of the row of `which`; nothing when it was not read yet.
    std::optional<answer> find(gtrid const& which) const;

    struct question
    {
        gtrid which;
        std::uint16_t by = 0;  ///< the resource manager that lists a branch; 0: the owner asks
    };

    /// Has somebody ask for the row, unless it is known.
    void ask(question const& what);
    /// The open questions about rows in resource manager `id`.
    std::vector<question> asked_of(std::uint16_t id) const;
    /// Takes a question back that nobody may answer: whoever asked scans again, and then finds that
    /// it must not be asked.
    void withdraw(gtrid const& which);

    /// Waits while the question is open, until `until`, and no longer than until end_waiting().
    /// @return whether it is open still.
    bool await(gtrid const& which, ports::clock& time, deadline until) const;

    /// Nobody answers any more: whoever waits is let go, and nobody waits from now on.
    void end_waiting() noexcept;

    /// Takes over what a row says, and answers whoever asked.
    void learn(gtrid const& which, answer what);

    /// Commits that are known, with a branch that is not known to be finished.
    std::vector<ports::logged_decision> unfinished() const;
    bool is_unfinished(gtrid const& which) const;
    void note_finished(xid const& branch) noexcept;

    /// The row was deleted: every branch is finished.
    void forget(gtrid const& which);

    /// Every row in resource manager `id` that an earlier run left is known; `is_settled`: and no
    /// session of an earlier run was left that could have added one.
    void note_listed(std::uint16_t id, bool is_settled);
    bool are_listed(std::uint16_t id) const;
    bool are_settled(std::uint16_t id) const;

    /// Calls `wake` when a row of resource manager `id` is asked about (is_question), or when any
    /// row was learnt, or a question withdrawn.  `wake` must not call back.
    void listen(std::uint16_t id, std::function<void(bool is_question)> wake);
    /// After it returned, nothing is called any more.
    void stop_listening(std::uint16_t id);

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable answered_;
    std::map<gtrid, answer> known_;
    std::map<gtrid, std::uint16_t> asked_;  // and by whom
    std::map<std::uint16_t, bool> listed_;  // and whether they are settled
    std::map<std::uint16_t, std::function<void(bool)>> listeners_;
    bool is_waiting_over_ = false;
};

}  // namespace assent::shared

#endif  // ASSENT_SHARED_COMMIT_ROWS_HPP
