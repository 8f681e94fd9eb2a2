// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_image.hpp -- what the records add up to: the log in memory.
//
//   records of the newest segment --apply--> image --for_each_kept--> records of the next one
//
// One image is read from the files; one small image travels with each forced record and is
// absorbed, without allocating, once that record is durable.
//
// Invariant: applying what for_each_kept gives yields the same image, but for decisions
// that are finished and that the horizon of each of their resource managers covers (a retired one
// needs none), and, of very
// many openings, the oldest that lie below every horizon.

#ifndef ASSENT_LOG_LOG_IMAGE_HPP
#define ASSENT_LOG_LOG_IMAGE_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "log/packed_id.hpp"
#include "log/records.hpp"
#include "ports/coordinator_log.hpp"

namespace assent::log {

/// Rollbacks remembered across restarts: the newest ones, for whoever asks after a lost answer.
inline constexpr std::size_t rollback_notes_max = 1024;

/// Decisions that are looked at in one go, under the lock that commits need.
inline constexpr std::size_t decisions_at_once = 4096;

/// Openings that a log remembers at least; of more, those are forgotten that nothing can name.
inline constexpr std::size_t openings_max = 65'536;

struct decision_entry
{
    std::vector<packed_bqual> branches;
    std::uint64_t finished = 0;  ///< bit i: branch i
    std::int64_t unix_ms = 0;

    bool is_complete() const noexcept;
    bool is_finished(std::size_t branch) const noexcept { return (finished >> branch & 1) != 0; }
};

ports::logged_decision as_logged(packed_gtrid const& global, decision_entry const& entry);

/// @return whether the horizon rose.
bool raise_by(horizon_record const& what, ports::horizon& which);

using decision_map = std::map<packed_gtrid, decision_entry>;

/// Thread safety: distinct objects safe.
class log_image
{
public:
    /// @return false when the record contradicts what is there; nothing was changed then.
    bool apply(record const& what);

    /// Takes everything of `fresh` over, as if its records were applied, and leaves it empty. Never
    /// allocates.  @pre  nothing in `fresh` contradicts what is there.
    void absorb(log_image& fresh) noexcept;

    /// Every record that a new segment must begin with.
    /// @param between  is called after each so many decisions; what is noted there (branches that
    ///                 finish, rollbacks, horizons) may be left out.  It must drop no decision.
    void for_each_kept(std::function<void(record const&)> const& visit,
                       std::function<void()> const& between = {}) const;

    /// The records of all horizons, until `visit` returns false.  @return whether it never did.
    bool for_each_horizon(std::function<bool(horizon_record const&)> const& visit) const;

    /// At least as many pages as for_each_kept fills.  Constant time.
    std::uint32_t snapshot_pages_max() const noexcept;

    /// Drops what for_each_kept leaves out.
    /// @param between  is called after each so many decisions, and must not throw.
    void drop_forgettable(std::function<void()> const& between = {}) noexcept;
    /// Only of the first `count` decisions that do not come before `from`.
    /// @return where to go on; nothing at the end.
    std::optional<packed_gtrid> drop_decisions(packed_gtrid const& from,
                                               std::size_t count) noexcept;

    /// Marks a branch; @return the bit it newly set, 0 when there was nothing to mark.
    std::uint64_t finish(xid const& branch) noexcept;
    /// @return whether the horizon rose.
    bool raise(horizon_record const& what);
    void add_rollback(packed_gtrid const& which);

    std::map<std::pair<std::uint32_t, std::uint64_t>, std::int64_t> const& openings() const noexcept
    {
        return openings_;
    }
    std::map<std::uint16_t, ports::binding> const& bindings() const noexcept { return bindings_; }
    /// In which epoch each id was given, or was about to be; none where that was not recorded.
    std::map<std::uint16_t, std::uint32_t> const& binding_epochs() const noexcept
    {
        return binding_epochs_;
    }
    /// Who gave which database up, by its id.
    std::map<std::uint16_t, retirement_record> const& retirements() const noexcept
    {
        return retirements_;
    }
    /// Which database has another identity since, in their order.
    struct rebinding
    {
        rebinding_record what;
        std::string spare;  ///< what.to, for the binding, which is told without allocating
    };
    std::list<rebinding> const& rebindings() const noexcept { return rebindings_; }
    decision_map const& decisions() const noexcept { return decisions_; }
    std::list<ports::heuristic_record> const& heuristics() const noexcept { return heuristics_; }
    std::list<operator_record> const& operator_records() const noexcept { return operators_; }
    std::map<std::uint16_t, ports::horizon> const& horizons() const noexcept { return horizons_; }
    std::map<std::pair<std::uint16_t, std::uint32_t>, std::string> const& server_starts()
        const noexcept
    {
        return server_starts_;
    }
    bool was_rolled_back(packed_gtrid const& which) const noexcept
    {
        return rollbacks_.count(which) != 0;
    }
    /// Whether a person ended a branch of it otherwise than by a decision to commit that is here.
    bool was_ended_by_person(packed_gtrid const& which) const noexcept;
    /// Whether one of that branch is on record, or was until it was forgotten.
    bool has_heuristic(xid const& branch) const noexcept;
    std::size_t rollback_count() const noexcept { return rollbacks_.size(); }
    std::uint64_t live_decisions() const noexcept { return live_; }

    /// Shows unfinished decisions in their order, at most `count` of those that do not come before
    /// `from`: all, or those with an unfinished branch of one resource manager.
    /// @return where to go on; nothing at the end.
    using decision_visit = std::function<void(packed_gtrid const&, decision_entry const&)>;
    std::optional<packed_gtrid> visit_unfinished(packed_gtrid const& from, std::size_t count,
                                                 decision_visit const& visit) const;
    std::optional<packed_gtrid> visit_unfinished_at(std::uint16_t id, packed_gtrid const& from,
                                                    std::size_t count,
                                                    decision_visit const& visit) const;

    /// How long somebody with this log waits, after taking a guardian's lock, before presuming
    /// abort: the longest time of all openings; 0 where there was none.
    std::chrono::milliseconds presumption_delay() const noexcept;
    std::optional<opening_limits_record> const& limits() const noexcept { return limits_; }

    ports::horizon const& horizon(std::uint16_t id) const noexcept;
    std::uint32_t last_epoch() const noexcept
    {
        return openings_.empty() ? 0 : openings_.rbegin()->first.first;
    }

private:
    bool apply_one(opening_record const& what);
    bool apply_one(ports::binding const& what);
    bool apply_one(decision_record const& what);
    bool apply_one(end_record const& what);
    bool apply_one(ports::heuristic_record const& what);
    bool apply_one(horizon_record const& what);
    bool apply_one(server_start_record const& what);
    bool apply_one(operator_record const& what);
    bool apply_one(rollback_record const& what);
    bool apply_one(opening_limits_record const& what);
    bool apply_one(binding_epoch_record const& what);
    bool apply_one(retirement_record const& what);
    bool apply_one(rebinding_record const& what);

    using horizon_map = std::map<std::uint16_t, ports::horizon>;
    bool is_forgettable(packed_gtrid const& global, decision_entry const& entry,
                        horizon_map const& horizons) const noexcept;
    bool is_of_use(std::uint16_t id, std::uint32_t epoch) const noexcept;
    void obey(operator_record const& what) noexcept;
    void obey(rebinding& what) noexcept;
    ports::binding as_bound(ports::binding which) const;
    void mark(decision_map::value_type& which, std::uint64_t bits) noexcept;
    void note_unfinished(decision_map::value_type const& which);
    void trim_rollbacks() noexcept;
    using opening_map = std::map<std::pair<std::uint32_t, std::uint64_t>, std::int64_t>;
    opening_map::const_iterator first_kept_opening() const noexcept;

    opening_map openings_;
    std::optional<opening_limits_record> limits_;  // of the newest opening that recorded any
    std::map<std::uint16_t, ports::binding> bindings_;
    std::map<std::uint16_t, std::uint32_t> binding_epochs_;
    std::map<std::uint16_t, retirement_record> retirements_;
    std::list<rebinding> rebindings_;
    decision_map decisions_;
    /// The decisions with unfinished branches, by resource manager: a scan of one database looks at
    /// what it has to, and not at all that is kept.
    std::set<std::pair<std::uint16_t, packed_gtrid>> unfinished_;
    std::list<ports::heuristic_record> heuristics_;
    std::list<operator_record> operators_;
    std::map<std::uint16_t, ports::horizon> horizons_;
    std::map<std::pair<std::uint16_t, std::uint32_t>, std::string> server_starts_;
    std::map<packed_gtrid, std::uint64_t> rollbacks_;       // by name, with their order
    std::map<std::uint64_t, packed_gtrid> rollback_order_;  // oldest first
    std::uint64_t rollback_next_ = 0;
    std::uint64_t live_ = 0;
    std::uint64_t branches_ = 0;  // of all decisions
};

}  // namespace assent::log

#endif  // ASSENT_LOG_LOG_IMAGE_HPP
