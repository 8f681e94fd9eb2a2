// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/replaced_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "ports/descriptor.hpp"
#include "recovery/cli/failure.hpp"

namespace assent::cli {

void replace_file(std::string const& file, std::string const& text, mode_t mode)
{
    std::string const beside = file + ".tmp" + std::to_string(::getpid());
    // Left by a process that was killed and had this number; never a way into another file.
    static_cast<void>(::unlink(beside.c_str()));
    int const out = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool is_written = out >= 0 && ports::write_all(out, text);
    if (out >= 0) is_written = ::close(out) == 0 && is_written;
    if (is_written && std::rename(beside.c_str(), file.c_str()) == 0) return;
    if (out >= 0) static_cast<void>(::unlink(beside.c_str()));
    throw failure{exit_code::failed, file +
                                         " cannot be written; is its directory there, and may "
                                         "this user write it?"};
}

}  // namespace assent::cli
