// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_view.cpp -- see log_view.hpp.

#include "recovery/log_tools/log_view.hpp"

#include <optional>
#include <utility>

#include "log/log_opening.hpp"
#include "log/posix_file_layer.hpp"
#include "recovery/log_tools/reader_patience.hpp"

namespace assent::log {

log_view view_log(std::string const& directory)
{
    posix_file_layer files(directory);
    return view_log(files);
}

log_view view_log(file_layer& files)
{
    attach_safely(files, false, {});
    reader_patience patience{reader_patience::usual};
    for (;;) {
        auto const lock = look_at_lock(files);
        try {
            if (auto contents = read_log(files)) {
                return {contents->newest, contents->tail, std::move(contents->image), lock};
            }
            throw log_error(log_fault::missing_segment,
                            std::make_error_code(std::errc::no_such_file_or_directory),
                            files.directory(), "there is no log here");
        } catch (log_error const& failed) {
            if (!lock.is_held) throw;
            patience.bear(failed, true, files.directory());
        }
    }
}

}  // namespace assent::log
