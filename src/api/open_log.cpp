// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "api/open_log.hpp"

#include <assent/error.hpp>

#include "log/file_log.hpp"

namespace assent::api {

std::unique_ptr<ports::coordinator_log> open_log(options const& how)
{
    if (how.log_directory().empty()) {
        throw error{errc::bad_argument, "options::log_directory is not set"};
    }
    log::file_log_options wanted;
    wanted.node_label = how.node_label();
    wanted.segment_bytes = how.bounds().segment_bytes;
    wanted.lock_wait = how.bounds().log_lock;
    wanted.force_wait = how.bounds().log_force;
    wanted.decisions_max = how.bounds().kept_decisions_max;
    wanted.allowed_file_systems = how.allowed_file_systems();
    try {
        return std::make_unique<log::file_log>(how.log_directory(), std::move(wanted));
    } catch (log::log_error const& e) {
        bool const is_argument = e.fault() == log::log_fault::bad_option;
        std::string why = e.what();
        if (e.fault() == log::log_fault::unsafe_file_system) {
            why += " (options::allow_file_system)";
        }
        throw error{is_argument ? errc::bad_argument : errc::log_unusable, why};
    }
}

}  // namespace assent::api
