// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// answer.hpp -- what a MySQL or MariaDB server, or the client library, said to one statement.

#ifndef ASSENT_ADAPTERS_DIALECTS_MYSQL_ANSWER_HPP
#define ASSENT_ADAPTERS_DIALECTS_MYSQL_ANSWER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assent::mysql_dialect {

using row = std::vector<std::optional<std::string>>;
using table = std::vector<row>;

struct answer
{
    unsigned code = 0;  ///< errno; 0: OK
    std::string sqlstate;
    std::string text;
    /// By the status flags of an OK; nothing where the client library keeps them to itself.
    std::optional<bool> is_in_transaction;
    /// Of an OK; nothing where the client library keeps it to itself.
    std::optional<std::uint64_t> affected;
    bool has_rows = false;  ///< it is a result set, of whatever number of rows
    table rows;
    bool has_more = false;
};

}  // namespace assent::mysql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_MYSQL_ANSWER_HPP
