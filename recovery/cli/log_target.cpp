// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_target.hpp"

#include <system_error>

#include "log/log_error.hpp"
#include "log/log_opening.hpp"
#include "recovery/cli/configuration.hpp"

namespace assent::cli {

namespace {

std::string check_it(log_target const& which)
{
    return which.config.empty() ? "check --directory" : "check log_directory in " + which.config;
}

}  // namespace

log_target target_of(request const& asked)
{
    log_target which;
    which.directory = asked.directory;
    if (!which.directory.empty()) return which;
    auto const from = read_configuration(asked.config);
    return {from.log_directory, from.node_label, from.allow_file_system, from.path};
}

failure explain(log_target const& which, log::log_error const& e)
{
    if (e.fault() == log::log_fault::locked) return {exit_code::owned, e.what()};
    if (e.fault() != log::log_fault::io) return {exit_code::failed, e.what()};
    if (e.code() == std::errc::no_such_file_or_directory) {
        return {exit_code::misused,
                "there is no log in \"" + which.directory + "\"; " + check_it(which)};
    }
    if (e.code() == std::errc::not_a_directory) {
        return {exit_code::misused,
                "\"" + which.directory + "\" is not a directory; " + check_it(which)};
    }
    if (e.code() == std::errc::permission_denied) {
        return {exit_code::failed,
                std::string{e.what()} + "; run as the user who owns the log's directory"};
    }
    return {exit_code::failed, e.what()};
}

opened_target::opened_target(log_target const& which) : which_(which), files_(which.directory)
{
    try {
        facts_ = log::attach_safely(files_, false, {});
    } catch (log::log_error const& e) {
        throw explain(which_, e);
    }
}

log::log_inspection opened_target::inspect(progress_function const& progress, bool is_owner)
{
    log::log_inspection seen;
    try {
        log::inspection_settings how;
        how.progress = progress;
        how.is_owner = is_owner;
        seen = log::inspect_log(files_, how);
    } catch (log::log_error const& e) {
        throw explain(which_, e);
    }
    if (seen.verdict == log::log_verdict::none) {
        throw failure{exit_code::misused,
                      "there is no log in \"" + which_.directory + "\"; " + check_it(which_)};
    }
    auto const* const newest = seen.newest();
    if (which_.node_label.empty() || newest == nullptr || !newest->header) return seen;
    if (newest->header->node_label != which_.node_label) {
        throw failure{exit_code::misused, "\"" + which_.directory + "\" is the log of node \"" +
                                              newest->header->node_label + "\", and " +
                                              which_.config + " says node_label = \"" +
                                              which_.node_label +
                                              "\"; correct the one that is wrong"};
    }
    return seen;
}

}  // namespace assent::cli
