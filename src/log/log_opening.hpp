// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_opening.hpp -- the steps between a directory and an owned, forced, current log.
//
//   attach_safely -> (log_lock) -> settle -> open_log
//
// Invariant: until the fresh segment is durable nothing is removed but half-made files.

#ifndef ASSENT_LOG_LOG_OPENING_HPP
#define ASSENT_LOG_LOG_OPENING_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "log/file_layer.hpp"
#include "log/log_image.hpp"
#include "log/log_writer.hpp"
#include "ports/coordinator_log.hpp"

namespace assent::log {

/// Opens the directory and refuses one that others can write, or on whose file system a force or
/// a lock does not mean what it says.  A view (`create` false) only reads, and checks neither.
/// @throws log_error  unsafe_directory, unsafe_file_system or io.
directory_facts attach_safely(file_layer& files, bool create,
                              std::vector<std::string> const& allowed);

struct opened_log
{
    std::uint64_t node = 0;
    ports::opening current;
    log_image image;
    std::unique_ptr<log_writer> writer;
};

struct opening_settings
{
    std::string node_label;
    std::size_t segment_bytes = 0;
    std::uint32_t epoch_before = 0;  ///< as the lock file says; 0: no log was opened here
    std::function<std::uint64_t()> random;
    std::function<std::int64_t()> unix_ms;
    // What the opening records of its owner; whoever only repairs never votes.
    std::chrono::milliseconds guardian_lapse{0};
    std::chrono::milliseconds log_force{0};
    std::chrono::milliseconds log_hang{0};
};

/// What an opening records, into an image that knows all those before it.
void note_opening(log_image& image, ports::opening const& which, opening_settings const& how);

/// Forces what is there, reads it, and begins the segment of the next epoch.
/// @pre  the lock is held.  @throws log_error
opened_log open_log(file_layer& files, opening_settings const& how);

}  // namespace assent::log

#endif  // ASSENT_LOG_LOG_OPENING_HPP
