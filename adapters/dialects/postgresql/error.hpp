// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.hpp -- SQLSTATE to XA code, by meaning.
//
// The same SQLSTATE means different things after different verbs: 55000 is "prepared transactions
// are disabled" after PREPARE and "is busy" after COMMIT PREPARED.  The one invariant: a SQLSTATE
// that is not named here becomes xa_code::proto, which is neither success nor "rolled back".

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_ERROR_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_ERROR_HPP

#include <string>
#include <string_view>

#include <assent/resource_manager.hpp>

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

bool is_rolled_back(reply const& what) noexcept;

/// The transaction is undone for certain, whatever the error was that stopped it.
reply as_rolled_back(reply what);

/// Of a message that may have line ends, one line without them.
void trim(std::string& text);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_ERROR_HPP
