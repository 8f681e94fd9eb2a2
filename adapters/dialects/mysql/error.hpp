// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- the server's error numbers, by what they mean for a branch.
//
//   3, 1026           proto;       at commit nota: the binary log could not be written, and MariaDB
//                                  has rolled the prepared branch back
//   1397 XAER_NOTA    nota         says nothing by itself: MariaDB answers so while the branch is
//                                  attached to another session, and for a moment afterwards
//   1398 XAER_INVAL   inval
//   1399 XAER_RMFAIL  proto        its name is RMFAIL, but it says "not in this state"
//   1400 XAER_OUTSIDE outside
//   1401 XAER_RMERR   rmerr;       at commit retry: the lock that commits take was not to be had
//   1402 XA_RBROLLBACK rbrollback; on a prepared branch: it had written nothing, its owner left
//   1440 XAER_DUPID   dupid
//   1613 XA_RBTIMEOUT rbtimeout,   1614 XA_RBDEADLOCK and 1213  rbdeadlock
//   1205 3197         lock wait timeout, ER_XA_RETRY: retry in phase 2 (a backup blocks commits)
//   1317 1969 3024    interrupted: never a final answer, rmfail
//   1290 1820 ...     refused before anything was done: rmfail
//   2000-2999, 1053, 1927, 3032, 3169, 4031, ...   nothing was heard: rmfail, reply_lost
//   all others        proto        unknown is never success and never "rolled back"

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_ERROR_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_ERROR_HPP

#include <cstdint>
#include <string_view>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/answer.hpp"

namespace assent::mysql_dialect {

namespace code {
inline constexpr unsigned no_such_table = 1146;
inline constexpr unsigned duplicate_key = 1062;
inline constexpr unsigned no_such_thread = 1094;
inline constexpr unsigned no_right_to_table = 1142;
inline constexpr unsigned lock_wait_timeout = 1205;
inline constexpr unsigned deadlock = 1213;
inline constexpr unsigned lock_nowait = 3572;
inline constexpr unsigned access_denied = 1227;
inline constexpr unsigned query_interrupted = 1317;
inline constexpr unsigned xaer_nota = 1397;
inline constexpr unsigned xaer_inval = 1398;
inline constexpr unsigned xaer_rmfail = 1399;
inline constexpr unsigned xaer_outside = 1400;
inline constexpr unsigned xaer_rmerr = 1401;
inline constexpr unsigned xa_rbrollback = 1402;
inline constexpr unsigned xa_rbtimeout = 1613;
inline constexpr unsigned xa_rbdeadlock = 1614;
inline constexpr unsigned no_such_query = 1957;
inline constexpr unsigned server_lost = 2013;  // the client library's
inline constexpr unsigned out_of_sync = 2014;
}  // namespace code

/// The state that 1399 complains about.
enum class session_state : std::uint8_t {
    unnamed = 0,  ///< not a 1399, or without a word that we know
    active,
    idle,
    prepared,
    rollback_only,
    non_existing,
};

/// Reads the state word, which the server leaves as it is in every language of lc_messages.
session_state state_in(answer const& said) noexcept;

/// Whether nothing was heard: the connection is of no use any more.
bool is_connection_lost(unsigned number) noexcept;

/// Whether the server ends a session with this error, asked or unasked: whatever was not answered
/// before it was not done.
bool ends_session(unsigned number) noexcept;

/// What is said where an answer came that nothing was asked for, or one that cannot be the answer
/// to what was: the connection is of no use any more (CR_COMMANDS_OUT_OF_SYNC).
answer out_of_step();

/// Whether the statement was stopped by somebody: it may have had its effect.
bool is_interrupted(unsigned number) noexcept;

/// Whether the server has decided to roll the branch back, and says so on its owning session.
bool is_rollback_only(answer const& said) noexcept;

/// Whether this error says something of a branch, or that a statement was stopped: what the XA
/// statements say of themselves.
bool is_of_branches(answer const& said) noexcept;

/// The answer as a reply to `v`.  `is_owner`: the session that prepared the branch asks.
reply to_reply(answer const& said, verb v, bool is_owner);

/// The XA_RB* code of a branch that was rolled back because of `cause`.
xa_code rollback_code(answer const& cause) noexcept;

/// Whether a transaction that failed so may succeed when run again.
bool is_retryable(unsigned number, std::string_view text) noexcept;

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_ERROR_HPP
