// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_view.cpp -- see log_view.hpp.

#include "log/log_view.hpp"

#include <optional>
#include <utility>

#include "log/log_opening.hpp"
#include "log/posix_file_layer.hpp"

namespace assent::log {

namespace {

constexpr int reads_max = 8;

}  // namespace

log_view view_log(std::string const& directory)
{
    posix_file_layer files(directory);
    return view_log(files);
}

log_view view_log(file_layer& files)
{
    attach_safely(files, false, {});
    for (int tries = 1;; ++tries) {
        auto const lock = look_at_lock(files);
        try {
            if (auto contents = read_log(files)) {
                return {contents->newest, contents->tail, std::move(contents->image), lock};
            }
            throw log_error(log_fault::missing_segment,
                            std::make_error_code(std::errc::no_such_file_or_directory),
                            files.directory(), "there is no log here");
        } catch (log_error const&) {
            // A live owner removes segments and writes pages under our eyes; without one, or
            // again and again, it is what it looks like.
            if (!lock.is_held || tries == reads_max) throw;
        }
    }
}

}  // namespace assent::log
