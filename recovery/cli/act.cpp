// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/act.hpp"

#include <utility>

#include "log/log_error.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/paragraphs.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

std::int64_t unix_ms_now()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string owner_of(configuration const& from, log::log_view const& view)
{
    return view.lock.is_held ? name_of_owner(describe_log(from, view)) : std::string{};
}

void require_unowned(configuration const& from, log::log_view const& view)
{
    auto const owner = owner_of(from, view);
    if (owner.empty()) return;
    throw failure{exit_code::owned, owner +
                                        " owns the log, and this cannot be done while it runs; "
                                        "nothing was changed: stop it first"};
}

void require_own(gtrid const& which, log::log_view const& view)
{
    auto const parts = which.parts();
    if (parts.node != view.newest.writer.node) {
        throw failure{exit_code::misused, "this transaction is of node " + hex(parts.node, 16) +
                                              ", and the log is of node " +
                                              hex(view.newest.writer.node, 16) +
                                              "; use the configuration of its node, or, "
                                              "where its log is lost for good, see assent adopt"};
    }
    if (view.image.openings().count({parts.epoch, parts.nonce}) != 0) return;
    throw failure{exit_code::misused,
                  "no opening of this log made this transaction: a twin (a copied or restored log) "
                  "is, or was, at work, and its log knows more; find it and stop it"};
}

bool may_act(act_report& told, act_options const& how)
{
    told.is_dry_run = how.is_dry_run;
    if (told.plan.empty() || how.is_dry_run) return false;
    if (how.is_confirmed) return true;
    if (!how.ask) {
        told.raise(exit_code::misused, "nothing was done: confirm it with --yes");
        return false;
    }
    if (how.ask(told) == told.name) return true;
    told.raise(exit_code::misused, "nothing was done: \"" + told.name + "\" was not typed");
    return false;
}

std::unique_ptr<log::file_log> own(configuration const& from, act_options const& how)
{
    log::file_log_options wanted;
    wanted.node_label = from.node_label;
    wanted.lock_wait = how.lock_wait;
    if (!from.allow_file_system.empty()) wanted.allowed_file_systems = {from.allow_file_system};
    how.step("own");
    try {
        return std::make_unique<log::file_log>(from.log_directory, std::move(wanted));
    } catch (log::log_error const& e) {
        throw explain({from.log_directory, from.node_label, from.allow_file_system, from.path}, e);
    }
}

void give_up(log::file_log& owned)
{
    if (owned.close() && !owned.state().is_poisoned) return;
    throw failure{exit_code::failed,
                  "the end of what was done could not be written to the log; "
                  "see to its disk, and run this again"};
}

std::string in_words(act_report const& told, painter const& paint)
{
    auto text = pairs({{told.command, told.subject}}, paint);
    if (!told.plan.empty()) text += heading("plan", paint);
    for (std::size_t i = 0; i < told.plan.size(); ++i) {
        text += "  " + std::to_string(i + 1) + ". " + printable(told.plan[i]) + "\n";
    }
    if (told.is_dry_run && !told.plan.empty()) text += "\nnothing was done: --dry-run\n";
    if (!told.done.empty()) {
        text += heading("done", paint) + "  " + printable(told.done) +
                (told.has_acted ? " (epoch " + std::to_string(told.epoch) + ")\n" : "\n");
    }
    return text + attention(told, paint);
}

}  // namespace assent::cli
