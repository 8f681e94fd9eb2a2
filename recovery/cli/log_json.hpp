// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_json.hpp -- pieces of JSON that the reports on a log's files share.  For the files that write
// JSON only: nobody else sees the library.

#ifndef ASSENT_RECOVERY_CLI_LOG_JSON_HPP
#define ASSENT_RECOVERY_CLI_LOG_JSON_HPP

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "ports/coordinator_log.hpp"
#include "recovery/log_tools/log_inspection.hpp"

namespace assent::cli {

using json = nlohmann::ordered_json;

/// null for 0, which means that it is not known.
json time_of(std::int64_t unix_ms);
json position_of(ports::position const& at);
json horizon_of(ports::horizon const& what);
char const* key_of(log::page_kind kind);

/// Whose log it is, and who owns it.
void add_head(json& into, log::log_inspection const& seen);

/// Bytes that are not UTF-8 are replaced, not refused.  `indent` -1: in one line.
std::string dump_json(json const& all, int indent);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_JSON_HPP
