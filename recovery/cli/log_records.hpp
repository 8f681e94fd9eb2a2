// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_records.hpp -- what a record of the log says, in words.

#ifndef ASSENT_RECOVERY_CLI_LOG_RECORDS_HPP
#define ASSENT_RECOVERY_CLI_LOG_RECORDS_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <assent/xid.hpp>

#include "log/records.hpp"
#include "recovery/log_tools/decision_window.hpp"

namespace assent::cli {

using bound_names = std::map<std::uint16_t, ports::binding>;

/// `decision`, `server-start`, ...; `type 130` where this version does not know it.
std::string name_of_type(std::uint8_t type);
/// All of them, as `--type` takes them.
std::vector<std::string> record_type_names();

/// `orders`, or `resource manager 3` where the log does not name it.
std::string name_of(bound_names const& names, std::uint16_t id);

/// The transaction that a record is about; nothing when it is about none.
std::optional<gtrid> transaction_of(log::record const& what);

/// One line, without the transaction that it is about.  Texts of others are escaped.
std::string in_words(log::record const& what, bound_names const& names);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_RECORDS_HPP
