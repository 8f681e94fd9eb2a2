// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// desk.hpp -- carries out what persons ask of the process that owns the log, while it runs.
//
//   request.ID --taken--> taken.ID --audit, deed--> answer.ID
//
// It has a thread of its own: a database that is slow with a person's request holds up neither
// deadlines, nor a guardian's heartbeat, nor what recovery finishes.
//
// Invariant: what was taken is answered, or is still there as taken.ID: the next owner does it
// again, which ends the same, unless its time is over.  What it then refuses may have been done
// before, and it says so.
//
// A request for a database that this run has not reached yet stays where it is until it has, or its
// time is over: a taken one is looked for in vain in a manager that has only just been opened.

#ifndef ASSENT_RECOVERY_DESK_HPP
#define ASSENT_RECOVERY_DESK_HPP

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recovery/box_file.hpp"
#include "recovery/request.hpp"
#include "recovery/told_once.hpp"
#include "recovery/worker.hpp"

namespace assent::recovery {

class keeper;

/// How often it looks for requests.
inline constexpr std::chrono::milliseconds request_interval{1'000};
/// How many it answers at one look; and of how many that it leaves alone it tells.
inline constexpr std::size_t requests_per_look_max = 64;
/// Answers that nobody fetches are removed after that.
inline constexpr std::chrono::hours answers_kept{1};

class desk final : public worker
{
public:
    /// `find` returns the keeper of that name, or null.
    desk(context& shared, std::function<std::shared_ptr<keeper>(std::string const&)> find);
    ~desk() override { stop(); }

    /// From now on it looks for requests in that directory.  @pre  its thread was not started.
    /// @throws std::system_error  the directory cannot be opened.
    void serve_in(std::string const& directory);
    bool is_serving() const noexcept { return box_.has_value(); }

    void cut() noexcept override;
    /// What still waits for a database at `until` is cut.
    void stop(deadline until = {}) noexcept;

private:
    deadline work() override;
    void look();
    bool serve(box_kind found_as, std::string const& id);
    bool has_to_wait(std::string const& text, bool was_taken) const;
    answer carry_out(std::string const& text, bool was_taken);
    answer carry_out(request const& what, bool was_taken);
    answer forget(request const& what);
    void require_unlisted(std::vector<ports::heuristic_record> const& chosen);
    answer resolve(request const& what);
    template <class Question>
    auto ask(std::shared_ptr<keeper> at, Question const& question);
    void require_own(gtrid const& which) const;
    void tell(request const& what, answer const& how) const;

    std::function<std::shared_ptr<keeper>(std::string const&)> const find_;
    std::optional<box_directory> box_;
    bool has_begun_ = false;  // the request in hand: something of it is, or may be, on record
    std::set<std::string> ignored_;  // of those that were told
    told_once failed_;
    deadline next_tidying_{};

    std::atomic<bool> is_stopping_{false};
    std::mutex mutex_;  // guards what follows
    std::shared_ptr<keeper> asked_;
    bool is_cut_ = false;  // for good
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_DESK_HPP
