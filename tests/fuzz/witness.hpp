// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// witness.hpp -- what a log was told and what it answered, held against what it says later.
//
//   asked, not yet answered    may be there, and nothing else
//   durable                    is there, byte for byte; only a decision that was finished at or
//                              below the horizons of all its databases may be gone
//   not submitted              is not there
//
// Invariant: it knows the log only through its interface, never through its files.

#ifndef ASSENT_TESTS_WITNESS_HPP
#define ASSENT_TESTS_WITNESS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log/file_log.hpp"
#include "log/log_image.hpp"
#include "log/packed_id.hpp"

namespace assent::testing {

struct testimony
{
    std::vector<gtrid> lost;  ///< decisions that were acknowledged and are not there
    std::string wrong;        ///< what else is missing, or is there and was never said

    bool is_complete() const noexcept { return lost.empty() && wrong.empty(); }
    std::string text() const;
};

/// Thread safety: every member may be called from several threads at once.
class witness
{
public:
    /// One that goes on where `before`, which outlives it, stopped.
    explicit witness(witness const* before = nullptr) : before_(before) {}
    witness(witness const&) = delete;
    witness& operator=(witness const&) = delete;

    void opened(log::file_log const& log);
    void opened(ports::opening const& which);
    /// Somebody else may have left an operator's record.
    void may_hold_another_decree() { ++other_decrees_; }

    // Each of these calls the log, and keeps what it was told.
    ports::force_result commit(log::file_log& log, ports::decision const& what);
    std::uint16_t bind(log::file_log& log, std::string const& name);
    void record(log::file_log& log, ports::heuristic_record const& what);
    void forget(log::file_log& log, xid const& branch);
    void start(log::file_log& log, std::uint16_t id, std::string const& text);
    void finish(log::file_log& log, ports::decision const& what);
    void roll_back(log::file_log& log, gtrid const& which);
    void raise(log::file_log& log, std::uint16_t id, ports::position to);
    void raise_alone(log::file_log& log, std::uint16_t id, ports::position to);

    /// Decisions that were acknowledged, by this one alone.
    std::size_t durable() const;
    bool has_unanswered() const;

    /// A copy as of the moment at which `then` runs: nothing is asked or answered meanwhile.
    template <typename Then>
    std::unique_ptr<witness> copy_while(Then&& then) const
    {
        std::lock_guard const held(mutex_);
        then();
        return std::unique_ptr<witness>(new witness(*this, held));
    }

    testimony judge(log::log_image const& seen) const;
    /// What an open log says of the decisions.
    testimony judge(log::file_log const& seen) const;

private:
    enum class answer : std::uint8_t { none, durable, not_submitted };

    struct promise
    {
        std::vector<log::packed_bqual> branches;
        answer said = answer::none;
        std::uint64_t finished = 0;
    };
    witness(witness const& other, std::lock_guard<std::mutex> const&)
        : before_(other.before_),
          node_(other.node_),
          openings_(other.openings_),
          decisions_(other.decisions_),
          bindings_(other.bindings_),
          heuristics_(other.heuristics_),
          forgotten_(other.forgotten_),
          starts_(other.starts_),
          rolled_back_(other.rolled_back_),
          raised_(other.raised_),
          other_decrees_(other.other_decrees_)
    {
    }

    template <typename What>
    struct said
    {
        What what;
        answer how = answer::none;
    };

    std::size_t judge_decisions(log::log_image const& seen, testimony& of) const;
    void judge_decision(log::packed_gtrid const& global, promise const& mine,
                        log::log_image const& seen, log::decision_entry const* entry,
                        testimony& of) const;
    std::size_t judge_bindings(log::log_image const& seen, testimony& of) const;
    void judge_openings(log::log_image const& seen, testimony& of) const;
    void judge_heuristics(log::log_image const& seen, testimony& of) const;
    void judge_starts(log::log_image const& seen, testimony& of) const;
    std::size_t judge_rollbacks(log::log_image const& seen) const;
    bool has_raised(std::uint16_t id, ports::horizon const& seen) const;

    witness const* before_;
    mutable std::mutex mutex_;
    std::uint64_t node_ = 0;
    std::map<std::uint32_t, std::uint64_t> openings_;  // nonce by epoch
    std::map<log::packed_gtrid, promise> decisions_;   // in the order of an image
    std::vector<said<ports::binding>> bindings_;
    std::vector<said<ports::heuristic_record>> heuristics_;
    std::vector<said<xid>> forgotten_;
    std::map<std::pair<std::uint16_t, std::uint32_t>, std::vector<said<std::string>>> starts_;
    std::set<log::packed_gtrid> rolled_back_;
    std::map<std::uint16_t, ports::horizon> raised_;
    std::size_t other_decrees_ = 0;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_WITNESS_HPP
