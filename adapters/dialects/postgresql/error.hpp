// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- SQLSTATE to XA code, by meaning.
//
// The same SQLSTATE means different things after different verbs: 55000 is "prepared transactions
// are disabled" after PREPARE and "is busy" after COMMIT PREPARED.  A code that is not named here
// is the application's own, raised by a deferred trigger: while a transaction ends, an ERROR of a
// session that lives means that the server undid it.  Invariant: about a prepared branch
// such a code becomes xa_code::proto, which is neither success nor "rolled back".

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_ERROR_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_ERROR_HPP

#include <string>
#include <string_view>

#include <assent/driver.hpp>

#include "adapters/dialects/replies.hpp"

namespace assent::postgresql_dialect {

/// What the failed statement was about to do.
enum class phase : std::uint8_t {
    beginning,  ///< BEGIN, and the mark
    ending,     ///< PREPARE TRANSACTION, COMMIT: an ERROR means the server rolled back
    finishing,  ///< COMMIT PREPARED, ROLLBACK PREPARED: an ERROR means the branch stays prepared
};

/// The reply for an ERROR of the server.  @pre  the connection is still good.
reply map_error(phase when, std::string_view sqlstate, std::string text);

/// The reply for a connection that broke; `text` is the client library's or the server's.
reply lost_reply(std::string text);

/// Whether the server ends a session with this error: whatever was not committed before never will
/// be, and its locks are gone as soon as it has ended.
bool ends_session(std::string_view sqlstate) noexcept;

/// What is said of a connection that broke, or was cut, before COMMIT was sent: no server can have
/// obeyed it, so it is rolled back, or will be.  It is worth repeating at once only where the
/// server said that it ends the session; a session that is there, unreachable, keeps its locks.
reply never_committed(reply lost);

using dialects::is_rolled_back;

/// PREPARE TRANSACTION failed within the server (classes XX and 58), after which the branch may be
/// prepared all the same.
bool may_stay_prepared(reply const& failed) noexcept;

/// The transaction is undone for certain, whatever the error was that stopped it.
reply as_rolled_back(reply said);

/// Of a message that may have line ends, one line without them.
void trim(std::string& text);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_ERROR_HPP
