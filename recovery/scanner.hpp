// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scanner.hpp -- learns from one database which branches are prepared there, and concludes.
//
//   unbound --connect, preflight, identity--> bound --scan--> knows what is left
//      ^                                                          |
//      +------------ connection lost, another server -------------+
//
//   facts that absence may count against  -->  the list  -->  facts that presence counts against
//   (sessions that are gone; what is                          (the live table, then the decisions:
//    decided, unfinished and nobody's)                         recovery/scan_plan.hpp)
//
// Invariant: what a list does not show counts only against what was known before the list began,
// and is still so.  A scan may stall between any two of its lines for longer than any limit.

#ifndef ASSENT_RECOVERY_SCANNER_HPP
#define ASSENT_RECOVERY_SCANNER_HPP

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "recovery/completion_queue.hpp"
#include "recovery/conclusions.hpp"
#include "recovery/guardian.hpp"
#include "recovery/older_runs.hpp"
#include "recovery/own_session.hpp"
#include "recovery/scan_plan.hpp"
#include "recovery/server_past.hpp"
#include "recovery/session_watch.hpp"
#include "recovery/told_once.hpp"
#include "recovery/worker.hpp"
#include "shared/backoff.hpp"

namespace assent::recovery {

using shared::backoff;
using shared::branch;
using shared::context;
using shared::global_transaction;
using shared::session_pool;

class scanner final : public worker
{
public:
    /// `on_known` is called when it is known who the server is: the others may begin.
    scanner(context& shared, bound_database& at, completion_queue& queue, guardian const& guard,
            session_pool& pool, std::function<void()> on_known);

    /// Something waits for a list, or a row was read.  Thread safety: from any thread.
    void hear_of_row() noexcept;
    /// The session of an expired transaction was ended: what it has left is not kept waiting for
    /// limits::scan_interval.  Thread safety: from any thread.
    void hear_of_end() noexcept;

    /// @pre  its thread was joined.
    void close() noexcept { manage_.close(); }
    void cut() noexcept override { manage_.cut(); }

private:
    struct before_list;

    deadline work() override;
    deadline next_step() const;
    bool ensure_connected();
    void mind_past();
    void lose_connection(std::string const& why, bool is_unfit);
    bool may_presume_abort() const;

    void scan();
    before_list look_before() const;
    std::string rows_unread() const;
    void require_same_server(scan_result const& seen) const;
    std::set<xid> branches_on_record() const;
    void tell_queue(before_list const& before, std::set<xid> const& listed, server_life const& of);
    std::string why_vanished(due_branch const& item) const;
    deadline next_scan_after(bool is_waiting, bool is_older_left);
    void hear_of_queue();

    void tell_if_drained();

    bound_database& at_;
    completion_queue& queue_;
    guardian const& guard_;
    session_pool& pool_;
    std::function<void()> const on_known_;
    own_session manage_;
    server_past past_;
    session_watch sessions_;
    conclusions conclusions_;
    older_runs older_;
    told_once past_told_;  // why it is not known, or not kept

    backoff unsettled_;
    deadline next_scan_{};
    deadline not_before_{};           // so that lists leave the server its time
    bool is_older_due_ = false;       // of earlier runs only what the queue has is left, as listed
    bool is_known_ = false;           // who answers on this very connection
    std::uint64_t lists_wanted_ = 0;  // as of the last scan
    bool has_scanned_ = false;
    bool was_drained_ = false;        // as last told
    std::set<std::string> warnings_;  // of the server, as told
    std::atomic<bool> has_row_news_{false};
    std::atomic<bool> has_ended_session_{false};
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_SCANNER_HPP
