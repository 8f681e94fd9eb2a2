// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_dump.hpp -- every record of a log, in order; also those behind damage.
//
// It writes while it reads: its memory does not grow with the log.  How far a decision was carried
// out stands in later records, so each segment is read twice, or more often where it holds very
// many decisions; see log_tools/decision_window.hpp.

#ifndef ASSENT_RECOVERY_CLI_LOG_DUMP_HPP
#define ASSENT_RECOVERY_CLI_LOG_DUMP_HPP

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>

#include <assent/xid.hpp>

#include "recovery/cli/log_target.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/log_tools/decision_window.hpp"

namespace assent::cli {

struct dump_filter
{
    std::optional<gtrid> transaction;
    std::set<std::string> types;  ///< empty: all
    bool is_unfinished_only = false;

    bool is_empty() const noexcept { return !transaction && types.empty() && !is_unfinished_only; }
};

struct dump_options
{
    dump_filter only;
    bool is_json = false;
    std::size_t decisions_at_once = log::decision_window::capacity_usual;
    progress_function progress;
    std::function<void()> before_output;  ///< called when the log was inspected; may be empty
};

/// Writes what passes the filter, and all damage, to `out`.
exit_code dump(log_target const& which, dump_options const& how, std::ostream& out,
               painter const& paint);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOG_DUMP_HPP
