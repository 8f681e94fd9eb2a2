// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xid_text.hpp -- an xid in the server's words, both ways.
//
//   XA START X'61736e31...',X'30303031...',1   gtrid, bqual, format id
//   XA RECOVER -> formatID, gtrid_length, bqual_length, data (gtrid and bqual joined)
//
// XA statements take no parameters, so the xid is pasted into the statement.  Of ours render() lets
// nothing but lower-case letters and digits through, whatever it is given.  In hexadecimal, because
// the session's collation_connection makes of a string what it likes: in UTF-16 ours would be
// longer than an xid may be.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_XID_TEXT_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_XID_TEXT_HPP

#include <optional>
#include <string>
#include <string_view>

#include <assent/xid.hpp>

#include "adapters/dialects/branch_name.hpp"

namespace assent::mysql_dialect {

/// The bytes as a literal that means the same whatever the session's character sets are.
std::string hexadecimal(std::string_view bytes);

/// @return the three parts as the server wants them, or nothing when a byte is not ours.
std::optional<std::string> render(std::string_view global, std::string_view branch);
std::optional<std::string> render(xid const& x);
/// A foreign name as it is, with its own format id, unless it would be one of ours; ours as above.
std::optional<std::string> render(dialects::branch_name const& x);

/// Whether the server takes branches of that name.  MySQL before 9 is not relied on to find one
/// again whose name holds a NUL byte.
/// @param version  8.0.36 is 80036
bool is_taken(dialects::branch_name const& x, bool mariadb, unsigned version) noexcept;
inline constexpr char no_nul_in_names[] = "MySQL before 9 is given no name with a NUL byte";

/// One row of XA RECOVER.
/// @return the xid when the row has our format id and our layout, else nothing: it is foreign.
std::optional<xid> read_listed(std::string_view format_id, std::string_view global_length,
                               std::string_view branch_length, std::string_view data);

/// @return the name of a foreign manager's branch, else nothing: it has our layout, or is a name
/// that XA does not have.
std::optional<dialects::branch_name> read_foreign(std::string_view format_id,
                                                  std::string_view global_length,
                                                  std::string_view branch_length,
                                                  std::string_view data);

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_XID_TEXT_HPP
