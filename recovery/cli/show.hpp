// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// show.hpp -- everything known of one transaction.

#ifndef ASSENT_RECOVERY_CLI_SHOW_HPP
#define ASSENT_RECOVERY_CLI_SHOW_HPP

#include <string>

#include <assent/xid.hpp>

#include "recovery/cli/configuration.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/scan.hpp"

namespace assent::cli {

/// @return the transaction that `text`, a gtrid or gtrid.bqual, names.
/// @throws failure  misused.
gtrid parse_transaction(std::string const& text);

/// What a scan says of one transaction.
show_report show(gtrid const& id, scanned const& all);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_SHOW_HPP
