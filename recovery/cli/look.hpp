// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// look.hpp -- a look at the log of a configuration, and what it means for the rules of recovery.
//
// A look takes no lock and changes nothing.  Beside a live owner everything moves while it is
// looked at, so whoever asks databases looks twice:
//
//   before  -->  what the databases list  -->  after
//
// Horizons come from `before`: only a branch that was finished before it was listed has
// reappeared.  Openings, the owner and decisions come from `after`: what was listed may have been
// decided in between.  A decision that `before` had and `after` lacks was finished and forgotten
// in between.

#ifndef ASSENT_RECOVERY_CLI_LOOK_HPP
#define ASSENT_RECOVERY_CLI_LOOK_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <assent/xid.hpp>

#include "recovery/cli/configuration.hpp"
#include "recovery/log_tools/log_view.hpp"
#include "recovery/scan_plan.hpp"

namespace assent::cli {

/// @throws failure  failed: it cannot be read, or is damaged; misused: there is no log, or it is
///                  not the log of this configuration.
log::log_view look(configuration const& from);

struct two_looks
{
    log::log_view before;
    log::log_view after;
};

ports::opening current_of(log::log_view const& view) noexcept;
std::optional<ports::logged_decision> find_decision(log::log_view const& view, gtrid const& which);
std::optional<ports::logged_decision> find_decision(two_looks const& seen, gtrid const& which);

/// Branches there that the log has decided, and that are not known to be finished.
std::vector<xid> due_at(log::log_view const& view, std::uint16_t id);

/// What the rules ask of a log.  @pre  `seen` outlives the result.
recovery::log_facts facts_of(two_looks const& seen);
/// As they were before the databases were asked; of decisions only those that are unfinished.
recovery::log_facts facts_before(two_looks const& seen);

/// Whether a live owner is to end this transaction itself.
bool is_live(two_looks const& seen, gtrid const& which) noexcept;

/// The name under which the log knows a resource manager; "?" when it knows none of that id.
std::string name_of_resource_manager(log::log_view const& view, std::uint16_t id);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_LOOK_HPP
