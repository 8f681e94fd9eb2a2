// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// opening.hpp -- what a session of ours is told when it is opened, and again after each reset.
//
//   for work          what a branch needs and no more: autocommit on, xa_detach_on_prepare on
//   of the manager's  also: no limit of the administrator's that would cut its questions or
//                     their answers, and errors in English, for the log
//
// A session for work is the application's: limits, time zone, language, sql_mode stay what the
// administrator gave it.
//
// After a reset a session is as its login found it, but for what init_connect did, which the server
// runs at a login only.  Where that only set variables they are told again: those, and no others,
// in which the session differs after a reset.  Where it did anything else (user variables, locks,
// rows of an audit), nobody can say what; the session then serves one transaction.
//
// Invariant: what a second lease finds is what the first one found.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_OPENING_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_OPENING_HPP

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <assent/driver.hpp>

#include "adapters/dialects/mysql/question.hpp"

namespace assent::mysql_dialect {

/// Sets what a session of ours needs for its purpose.
void prepare_session(question& q, session_purpose purpose);

/// The statements that make of a session for work, after a reset, what it is now.
/// @param reset  resets the session, and throws where it cannot.
/// @pre  the session was just prepared, and nobody else used it.
/// @return nothing where no statement can: the session must be opened anew.
std::optional<std::vector<std::string>> told_after_reset(question& q,
                                                         std::function<void()> const& reset);

/// Whether these statements of init_connect set variables of the session and do nothing else.
/// What is not certain counts as no.
bool only_sets_variables(std::string_view statements);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_OPENING_HPP
