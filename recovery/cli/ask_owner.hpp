// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ask_owner.hpp -- has the live process that owns the log do what a person decided.
//
//   request.ID --> the owner takes it --> it answers          done, or refused
//              \-> nobody does in time --> it is withdrawn     nothing was done

#ifndef ASSENT_RECOVERY_CLI_ASK_OWNER_HPP
#define ASSENT_RECOVERY_CLI_ASK_OWNER_HPP

#include <string>

#include "recovery/cli/act.hpp"
#include "recovery/request.hpp"

namespace assent::cli {

/// Says in the plan that the owner is asked.
void plan_to_ask(act_report& told, std::string const& owner, act_options const& how);

/// Asks, and waits no longer than `how.owner_wait`.  `what.until_ms`, who and why are filled in.
/// @throws failure  owned: it did not take the request, and that was withdrawn; attention: it has
///                  begun with it and does not answer, so that it may yet be done; as the owner
///                  answers, where it refused.
void ask_owner(act_report& told, configuration const& from, recovery::request what,
               act_options const& how, std::string const& owner);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_ASK_OWNER_HPP
