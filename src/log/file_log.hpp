// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_log.hpp -- the durable decision log in a directory of this machine.
//
//   open: directory safe -> lock -> force what is there -> read it -> begin a fresh segment with
//         epoch + 1 and all that still counts -> force it -> remove the older segments
//
// Invariant: what this class shows or says is on disk, in a segment of this opening; what
// was merely read from an older one is never acted upon.
//
// The format is drawn in format.cpp and records.cpp; how the log ends, in segment_reader.hpp; group
// commit, in force_queue.hpp.

#ifndef ASSENT_LOG_FILE_LOG_HPP
#define ASSENT_LOG_FILE_LOG_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <assent/options.hpp>

#include "log/file_layer.hpp"
#include "log/log_error.hpp"
#include "log/records.hpp"
#include "ports/coordinator_log.hpp"

namespace assent::log {

/// Heuristic outcomes that are kept until an operator forgets them; each has 700 bytes at most.
inline constexpr std::size_t heuristics_max = 16'384;

/// What is a limit of the manager's has its default there.
struct file_log_options
{
    /// A name for people, kept in the log: 1 to 64 printable ASCII bytes.
    std::string node_label;
    std::size_t segment_bytes = limits{}.segment_bytes;
    std::chrono::milliseconds lock_wait = limits{}.log_lock;
    /// A force that has not ended by then poisons the log.
    std::chrono::milliseconds force_wait = limits{}.log_hang;
    /// What this opening records, for presumption_delay().
    std::chrono::milliseconds guardian_lapse = limits{}.guardian_lapse;
    std::chrono::milliseconds log_force = limits{}.log_force;
    /// Seals the last force when none followed for so long, on the thread that makes the forces. 0:
    /// never, and without a thread: whoever forces writes by himself, and waits for as long as the
    /// disk likes.  For tests that are to be repeatable.
    std::chrono::milliseconds idle_seal_wait{10};
    /// Makes the next segment, and removes old ones, beside the commits.  False, for tests that are
    /// to be repeatable: no thread is started, and whoever begins a segment does that work.
    bool makes_segments_ahead = true;
    /// Decisions that may be kept at once; beyond them no transaction begins.
    std::uint64_t decisions_max = limits{}.kept_decisions_max;
    /// File systems that are refused otherwise: "tmpfs", "overlay", "nfs", "cifs", "ramfs".
    std::vector<std::string> allowed_file_systems;
    std::function<std::uint64_t()> random;  ///< empty: the kernel's
    std::function<std::int64_t()> unix_ms;  ///< empty: the system's clock; asked by any thread
    std::shared_ptr<file_layer> files;      ///< empty: the real ones in the directory
};

/// Thread safety: every member may be called from several threads at once.
class file_log final : public ports::coordinator_log
{
public:
    /// Opens the log in `directory`, or makes one there.
    /// Durability: the new epoch and everything that is shown afterwards are forced.
    /// @throws log_error  saying what to do; nothing that was durable is changed then.
    file_log(std::string const& directory, file_log_options options);
    file_log(file_log const&) = delete;
    file_log& operator=(file_log const&) = delete;

    /// close().  After a hung force the lock must outlive what may still write: a thread of its own
    /// waits for that, and then releases it.
    ~file_log() override;

    bool reserve() noexcept override;
    void release() noexcept override;
    ports::force_result force(ports::decision const& what, deadline until) noexcept override;

    std::uint64_t node() const noexcept override { return node_; }
    std::string const& node_label() const noexcept override { return label_; }
    ports::opening current() const noexcept override { return current_; }
    bool knows(ports::opening const& which) const noexcept override;

    std::vector<ports::binding> bindings() const override;
    std::uint16_t bind(std::string const& name, std::string const& kind,
                       std::string const& identity) override;

    std::optional<ports::logged_decision> find(gtrid const& which) const override;
    std::vector<ports::logged_decision> unfinished() const override;
    std::vector<ports::logged_decision> unfinished_at(std::uint16_t id) const override;
    ports::recorded_outcome outcome(gtrid const& which) const override;
    void note_finished(xid const& branch) noexcept override;
    void note_rolled_back(gtrid const& which) noexcept override;

    void record(ports::heuristic_record const& what) override;
    std::vector<ports::heuristic_record> heuristics() const override;

    void record(operator_record const& what) override;
    std::vector<operator_record> operator_records() const override;

    /// Records that a person gave up a bound database.
    /// Durability: forced before the call returns.  @throws std::system_error
    void record(retirement_record const& what);
    /// Records that a bound database has another identity from now on; the epoch is this opening's.
    /// Durability: forced before the call returns.  @throws std::system_error
    void record(rebinding_record const& what);

    ports::horizon horizon(std::uint16_t id) const override;
    void raise_horizon(std::uint16_t id, ports::position to) noexcept override;
    void raise_epoch_horizon(std::uint16_t id, ports::position to) noexcept override;

    void note_server_start(std::uint16_t id, std::string const& start) override;
    std::optional<std::string> server_start(std::uint16_t id, std::uint32_t of) const override;

    std::chrono::milliseconds presumption_delay() const noexcept override { return presumption_; }

    ports::log_state state() const override;

    /// What the directory lies on.
    directory_facts const& disk() const noexcept { return disk_; }
    bool is_write_through() const noexcept { return is_write_through_; }

    /// Seals the last force now; see file_log_options::idle_seal_wait.
    void seal() noexcept;

    /// Threads whose record waits for the force after the one under way.
    std::size_t queued() const;

    bool close() noexcept override;
    void abandon() noexcept override;

private:
    struct parts;

    static bool released_when_quiet(parts* left) noexcept;
    void open(file_log_options& options);
    void force_or_throw(log::record const& what);
    template <typename Visit>
    std::vector<ports::logged_decision> by_pages(Visit const& visit_page) const;

    std::string label_;
    std::chrono::milliseconds force_wait_;
    std::chrono::milliseconds presumption_{0};
    std::uint64_t node_ = 0;
    ports::opening current_;
    directory_facts disk_;
    bool is_write_through_ = false;  // of the first segment; those after it lie beside it
    std::unique_ptr<parts> parts_;
    std::atomic<bool> is_abandoned_{false};
    std::atomic<bool> is_stuck_{false};
};

}  // namespace assent::log

#endif  // ASSENT_LOG_FILE_LOG_HPP
