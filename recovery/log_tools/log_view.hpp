// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_view.hpp -- a look at a log from outside, for the operator's tool.
//
// It takes no lock, raises no epoch, writes nothing and forces nothing.  Beside a live owner the
// end of the log moves while it is read: then reading begins again, a few times.  What a view
// shows is what the files say now; nobody may act upon it.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_LOG_VIEW_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_LOG_VIEW_HPP

#include <string>

#include "log/file_layer.hpp"
#include "log/log_image.hpp"
#include "log/log_lock.hpp"
#include "log/log_reader.hpp"

namespace assent::log {

struct log_view
{
    segment_header newest;  ///< node, label, epoch and nonce of the last opening
    segment_tail tail;      ///< its end is meaningful only when nobody owns the log
    log_image image;
    lock_facts lock;
};

/// @throws log_error  there is no log, or it cannot be read, or it is damaged.
log_view view_log(std::string const& directory);
log_view view_log(file_layer& files);

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_LOG_VIEW_HPP
