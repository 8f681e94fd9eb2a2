// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server.hpp -- what an adapter tells about the server: which server it is, what it lists, and
// whether a session is still there.

#ifndef ASSENT_SERVER_HPP
#define ASSENT_SERVER_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {

/// One life of one server, from a start to the next: several servers may have the same identity,
/// and a primary and its replica may even share `start`.  What is empty is not known.
struct server_life
{
    /// Which server: differs between a primary and its replica, which may share the identity
    /// (MySQL's server_uuid; MariaDB's server_id, host name and port; PostgreSQL's identifier and
    /// timeline).
    std::string instance;
    std::string start;  ///< changes when the server restarts

    friend bool operator==(server_life const& a, server_life const& b) noexcept
    {
        return a.instance == b.instance && a.start == b.start;
    }
    friend bool operator!=(server_life const& a, server_life const& b) noexcept
    {
        return !(a == b);
    }
};

/// Who the server is, as read by preflight.
struct server_facts
{
    std::string kind;          ///< "postgresql", "mysql", "mariadb", "memory"
    std::string identity;      ///< survives restarts, ports and addresses; at most 120 bytes
    std::string instance;      ///< as in server_life; empty: this kind of server does not tell
    std::string server_start;  ///< changes when the server restarts
    /// Changes when the server may have lost a part of its past: a failover, a restore
    /// (PostgreSQL's timeline; MariaDB's server_id, which is another number on a replica).  Empty
    /// where the server cannot tell; at most 16 bytes.
    std::string history;
    std::string version;      ///< the server's, for people
    std::string user;         ///< the account that the manager's own connections use
    std::string database;     ///< the database's name
    bool is_proxied = false;  ///< the session id the client sees is not the server's own
    /// Why a crash of the server may undo a one-phase commit that it has acknowledged, in words;
    /// empty: it does not.  A branch there votes, and is committed by a decision, also where it is
    /// alone, and no decision lives there in a commit row.
    std::string one_phase_hazard{};

    /// The two values that distinguish one life of one server from all others.
    server_life life() const { return {instance, server_start}; }
};

/// What a node keeps in a database about that database's past, and finds there again unless an
/// older state of it was restored.
struct kept_past
{
    std::uint64_t count = 0;    ///< only ever raised; 0: nothing was kept yet
    std::uint64_t history = 0;  ///< another number after each restore that was noticed
};

/// A listed branch that another account of the server prepared.
struct strangers_branch
{
    xid id;               ///< its name
    std::string account;  ///< who can finish it
};

/// What one scan saw: XA RECOVER, pg_prepared_xacts.
struct scan_result
{
    std::vector<xid> ours;          ///< every listed name that has our layout, of any node
    std::size_t foreign_count = 0;  ///< listed names with another layout; never touched
    /// Those of `ours` that only another account can finish, where the server shows whose they are.
    std::vector<strangers_branch> of_strangers;
    std::string identity;              ///< of the server that answered this very scan
    server_life life;                  ///< of that server
    std::string history;               ///< of that server, as server_facts::history
    bool is_writable_primary = false;  ///< a standby's list proves nothing
    /// What an operator should know about this server: a sentence each.
    std::vector<std::string> warnings;
};

/// Whether a session is still there.
enum class session_presence : std::uint8_t {
    gone = 1,  ///< proved: no such session, and the branch can no longer be reached by it
    present = 2,
    unknown = 3,  ///< proxied, or the right to see sessions is missing
};

/// The fate of a one-phase commit whose reply was lost (PostgreSQL's pg_xact_status).
enum class witness_state : std::uint8_t {
    committed = 1,
    rolled_back = 2,
    in_progress = 3,
    unknown = 4
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_SERVER_HPP
