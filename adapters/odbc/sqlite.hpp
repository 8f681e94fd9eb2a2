// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite.hpp -- SQLite through sqliteodbc, with autocommit on and transactions as text.
//
//   start              BEGIN IMMEDIATE | SAVEPOINT assent_mark
//   prepare            there is none: ROLLBACK, and a no vote
//   commit_one_phase   RELEASE assent_mark | the commit row, if any | COMMIT
//   rollback           ROLLBACK TO assent_mark | ROLLBACK
//
// A branch that may write has the file's only write lock from its start: its commit row cannot be
// kept out after others have prepared, and a fence waits until the branch is over.  A branch that
// only reads, as it was declared or as its connection is, begins with BEGIN and keeps nobody from
// writing before its end.  Every transaction is serializable, and none can be begun at another
// level.
//
// The savepoint is the mark: a transaction takes its savepoints with it, so one that the
// application ended, or that SQLite rolled back itself (a full disk), has none of that name.
//
// SQLite lets a transaction switch its own journal to memory, or off, before its first write: then
// a process that is killed in the COMMIT leaves half of it.  Every end of a branch looks for that.
//
// There is no server: no session number, nothing to cancel, nobody to ask about a lost COMMIT but
// its row.  The guardian's lock is one on a file beside the database, "<database>-assent-<node>".

#ifndef ASSENT_ADAPTERS_ODBC_SQLITE_HPP
#define ASSENT_ADAPTERS_ODBC_SQLITE_HPP

#include <string>
#include <vector>

#include "adapters/odbc/file_lock.hpp"
#include "adapters/odbc/speakers.hpp"
#include "adapters/odbc/sqlite_question.hpp"

namespace assent::odbc_adapter {

class sqlite_speaker final : public speaker
{
public:
    sqlite_speaker(link& on, std::string const& resource_manager)
        : link_(on), question_(on, resource_manager)
    {
    }

    void introduce(session_purpose purpose) override;
    void inspect() override;
    void check_work(server_facts const& expected, bool allow_non_durable) override;
    std::uint64_t id() const override { return 0; }
    peer_view ask_peer() override { return {}; }
    void set_proxied() override {}
    reply run(request const& asked) override;
    bool is_clear() override
    {
        return !is_active_ && !is_tainted_ && question_.is_sound() &&
               link_.has_autocommit() == true;
    }
    void undo_severed() noexcept override;

    server_facts preflight(bool allow_non_durable) override;
    examination examine(bool allow_non_durable) override;
    scan_result scan() override;
    bool try_guard(std::uint64_t node) override;
    void heartbeat() override;
    session_presence presence(std::uint64_t) override { return session_presence::unknown; }
    /// Nothing is ever prepared here, so no session can hold a PREPARE back.
    session_presence sessions_before(std::uint64_t) override { return session_presence::gone; }
    void cancel_statement(std::uint64_t, dialects::cancelled_sessions&) override;
    void end_session(std::uint64_t) override;
    witness_state ask_witness(std::string const&) override { return witness_state::unknown; }

    void ensure_rows() override;
    std::optional<decision_row> fence(gtrid const& row_name,
                                      std::chrono::milliseconds wait) override;
    std::vector<decision_row> list_rows(std::string const& prefix, std::size_t at_most) override;
    void prune_rows(decision_row const& horizon_row, std::vector<gtrid> const& gone) override;

    void ensure_branches() override;
    void insert(std::string const&, branch_row const& reserved) override;
    std::optional<branch_row> take(std::string const&, xid const& name) override;
    bool contains(std::string const&, xid const& name) override;
    std::vector<xid> list_branches(std::string const& manager) override;

private:
    reply start(dialects::branch_name const& x, branch_modes const& modes, bool carries_row);
    reply choose(branch_modes const& modes, bool carries_row);
    reply commit(std::string const& insertion);
    reply after_failed_row(execution const& failed);
    reply after_failed_commit(execution const& failed);
    reply roll_back(reply planned);
    reply left_behind();
    std::string weaker_journal();
    reply unsafe_journal(std::string const& mode, verb ends);
    bool undo();
    void restore();

    link& link_;
    sqlite_question question_;
    file_lock lock_;
    std::string guard_path_;

    bool is_active_ = false;
    dialects::branch_name branch_;
    std::string journal_;      // its mode when the branch began
    bool is_reading_ = false;  // it refuses writes
    bool is_reader_ = false;   // the branch was declared read-only
    std::string restoring_;    // gives the connection's own query_only back
    bool is_tainted_ = false;
};

}  // namespace assent::odbc_adapter

#endif  // ASSENT_ADAPTERS_ODBC_SQLITE_HPP
