// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xa.hpp -- XA's verbs, its return codes, and what a database answers to a verb.
//
// Invariant: a reply says what the server said, or that nothing was heard.  Adapters translate the
// server's answer by its meaning (see reply_detail), never guess, and never turn silence into
// success.

#ifndef ASSENT_XA_HPP
#define ASSENT_XA_HPP

#include <cstdint>
#include <string>

namespace assent {
inline namespace v0 {

/// XA's return codes (C193, xa.h), by their numbers.
enum class xa_code : int {
    ok = 0,
    rdonly = 3,
    retry = 4,
    heurmix = 5,
    heurrb = 6,
    heurcom = 7,
    heurhaz = 8,
    nomigrate = 9,
    rbrollback = 100,
    rbcommfail = 101,
    rbdeadlock = 102,
    rbintegrity = 103,
    rbother = 104,
    rbproto = 105,
    rbtimeout = 106,
    rbtransient = 107,
    async = -2,
    rmerr = -3,
    nota = -4,
    inval = -5,
    proto = -6,
    rmfail = -7,
    dupid = -8,
    outside = -9,
};

/// What happened that XA has no code for.
enum class reply_detail : std::uint8_t {
    none = 0,
    /// The connection broke, or was severed, after the request may have been sent.
    reply_lost = 1,
    /// The mark that was taken at start is gone: the session left the branch without the manager's
    /// doing (the user's own COMMIT, a silent reconnect), and work may be permanent.  code is
    /// xa_code::proto.
    left_behind = 2,
    /// MariaDB's 1402 on a prepared branch: the branch had written nothing, and the session that
    /// prepared it has left.  code is xa_code::rbrollback.
    read_only_owner_left = 3,
    /// The server is processing this branch for somebody else, or keeps it for the session that
    /// prepared it: ask again later.  code is xa_code::retry.
    busy = 4,
    /// The yes vote of a branch that was declared read-only: nothing was prepared, and its
    /// transaction is still open, to be ended by commit_one_phase or rollback once the outcome of
    /// the whole transaction is known.  code is xa_code::rdonly.
    still_open = 5,
    /// The server began to commit, could not, and may have undone the branch (MariaDB, where its
    /// binary log could not be written): if a later list lacks the branch, that does not say that
    /// it is committed.  code is xa_code::nota.
    may_be_undone = 6,
};

/// The answer to one verb on one branch.
struct reply
{
    xa_code code = xa_code::ok;                ///< XA's code, by meaning
    reply_detail detail = reply_detail::none;  ///< what XA has no code for
    int native_code = 0;                       ///< the server's errno; 0 where the server has none
    std::string sqlstate;                      ///< five characters, or empty
    std::string text;  ///< the server's words; never SQL text, never a secret
    /// One-phase only: the server-side transaction id to ask about when the reply is lost
    /// (PostgreSQL's xid8).  Empty: the branch wrote nothing, or the server has no such thing.
    std::string witness;

    /// Whether the verb was done, and there is nothing else to say about it.
    bool is_ok() const noexcept { return code == xa_code::ok && detail == reply_detail::none; }
};

/// XA's verbs.  There is no `end`: xa_end is a part of prepare, commit_one_phase and rollback.
enum class verb : std::uint8_t {
    start = 1,
    prepare = 2,
    commit = 3,
    commit_one_phase = 4,
    rollback = 5,
    forget = 6,
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_XA_HPP
