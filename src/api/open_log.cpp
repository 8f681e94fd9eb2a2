// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "api/open_log.hpp"

#include <string>
#include <system_error>

#include <assent/error.hpp>

#include "log/file_log.hpp"

namespace assent::api {

std::unique_ptr<ports::coordinator_log> open_log(options const& how)
{
    if (how.given().log_directory.empty()) {
        throw error{errc::bad_argument, "options::log_directory is not set"};
    }
    log::file_log_options wanted;
    wanted.node_label = how.given().node_label;
    wanted.segment_bytes = how.given().limits.segment_bytes;
    wanted.lock_wait = how.given().limits.log_lock;
    wanted.force_wait = how.given().limits.log_hang;
    wanted.log_force = how.given().limits.log_force;
    wanted.guardian_lapse = how.given().limits.guardian_lapse;
    wanted.decisions_max = how.given().limits.kept_decisions_max;
    wanted.allowed_file_systems = how.given().file_systems;
    try {
        return std::make_unique<log::file_log>(how.given().log_directory, std::move(wanted));
    } catch (log::log_error const& e) {
        bool const is_argument = e.fault() == log::log_fault::bad_option;
        bool const is_thread = e.fault() == log::log_fault::io &&
                               e.code() == std::errc::resource_unavailable_try_again;
        if (is_thread) throw error{errc::no_thread, e.what()};
        std::string why = e.what();
        if (e.fault() == log::log_fault::unsafe_file_system) {
            why += " (options::allow_file_system)";
        }
        throw error{is_argument ? errc::bad_argument : errc::log_unusable, why};
    }
}

}  // namespace assent::api
