// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// act.hpp -- what the commands have in common that do what a person decides.
//
//   look, and refuse what is wrong -> the plan -> the name is asked for -> the log's lock
//        -> looked at again -> the audit record is forced -> done
//
// Beside a live owner of the log only a request can be made (ask_owner.hpp).
//
// Invariant: nothing is changed before the audit record is durable, and whoever was killed at any
// step, and runs the command again, ends where it would have ended at once.

#ifndef ASSENT_RECOVERY_CLI_ACT_HPP
#define ASSENT_RECOVERY_CLI_ACT_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <assent/options.hpp>

#include "log/file_log.hpp"
#include "recovery/cli/command_line.hpp"
#include "recovery/cli/configuration.hpp"
#include "recovery/cli/log_target.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"
#include "recovery/log_tools/log_view.hpp"

namespace assent::cli {

struct act_report : any_report
{
    std::string command;
    std::string subject;            ///< the transaction, or the resource manager
    std::string name;               ///< what has to be typed before anything is done
    std::vector<std::string> plan;  ///< sentences: what is to be done; empty: nothing
    bool is_dry_run = false;
    bool has_acted = false;
    std::uint32_t epoch = 0;  ///< of the opening that did it
    std::string done;         ///< what was done, or had been before
};

struct act_options
{
    std::string who;
    std::string reason;
    bool is_confirmed = false;
    bool is_dry_run = false;
    /// Shows the plan to a person.  @return what was typed.  Empty: there is nobody to ask.
    std::function<std::string(act_report const&)> ask;
    /// Told before each step; may be empty.
    std::function<void(char const*)> on_step;
    /// How long a live owner of the log may take to answer.
    std::chrono::milliseconds owner_wait = request{}.owner_wait;
    /// Told that a live owner was asked; may be empty.
    std::function<void(std::string const&)> progress;
    /// Whether somebody wants the wait for it to end; may be empty.
    std::function<bool()> is_interrupted;
    std::chrono::milliseconds lock_wait = closing_owner_wait;
    /// How long a session, or a lock, of a process that has just ended may still be there.
    std::chrono::milliseconds patience = limits{}.server_call;

    void step(char const* name) const
    {
        if (on_step) on_step(name);
    }
    std::string why() const { return reason.empty() ? "no reason was given" : reason; }
};

std::int64_t unix_ms_now();

/// The live process that owns the log, in words; empty: there is none.
std::string owner_of(configuration const& from, log::log_view const& view);

/// @throws failure  owned: a live process owns the log, and is named.
void require_unowned(configuration const& from, log::log_view const& view);

/// @throws failure  misused: it is no transaction of this node, or of no opening of this log.
void require_own(gtrid const& which, log::log_view const& view);

/// Whether the plan may be carried out; where not, the report says why.
bool may_act(act_report& told, act_options const& how);

/// Becomes the owner of the log.
/// @throws failure  owned: another process is; failed: it cannot be opened.
std::unique_ptr<log::file_log> own(configuration const& from, act_options const& how);

/// What was put off is forced, and the log given up.  @throws failure
void give_up(log::file_log& owned);

std::string in_words(act_report const& told, painter const& paint);
std::string in_json(act_report const& told);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_ACT_HPP
