// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// gid.hpp -- a branch's name as the identifier of a prepared transaction, both ways.
//
//   ours      gtrid.bqual, 82 bytes: asn1...
//   foreign   1095978545_YXNuMS4uLg==_MDAwMQ==   format id, gtrid, bqual
//
// PostgreSQL takes 199 bytes of text.  The parts of a foreign name are in base64 (RFC 4648, with
// its padding), because two times 64 bytes in hexadecimal are 256.  The longest is 19 + 1 + 88 + 1
// + 88 = 197 bytes, so that every name fits.  It is what the JDBC driver of PostgreSQL writes.
//
// Invariant: of each name there is one identifier, and what branch_of() reads writes the same
// again.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_GID_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_GID_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/dialects/branch_name.hpp"

namespace assent::postgresql_dialect {

inline constexpr std::size_t gid_bytes_max = 199;

/// Letters, digits and + / = _ . only: it needs no quoting.  Of a name of ours the bytes are those
/// of the name.
std::string gid_of(dialects::branch_name const& name);

/// @return the foreign name, or nothing: it is ours, or somebody's who writes them otherwise.
std::optional<dialects::branch_name> branch_of(std::string_view gid);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_GID_HPP
