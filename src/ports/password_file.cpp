// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "ports/password_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <assent/error.hpp>

namespace assent::ports {

namespace {

constexpr std::size_t password_bytes_max = 4096;

}  // namespace

// The descriptor is checked, not the path: between two looks at a path the file may change.
std::string read_password(std::string const& path)
{
    std::string const what = "the password_file " + path;
    // A pipe without a writer would be waited for.
    int const file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0) throw driver_error("cannot open " + what + ": " + std::strerror(errno));
    struct stat facts = {};
    char buffer[password_bytes_max + 1];
    ssize_t length = -1;
    if (fstat(file, &facts) == 0) length = read(file, buffer, sizeof buffer);
    int const why = errno;
    close(file);
    if (length < 0) throw driver_error("cannot read " + what + ": " + std::strerror(why));
    if (!S_ISREG(facts.st_mode) || (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw driver_error(what + " must be a file that only its owner may read: chmod 600");
    }
    if (static_cast<std::size_t>(length) > password_bytes_max) {
        throw driver_error(what + " is longer than 4096 bytes");
    }
    std::string password(buffer, static_cast<std::size_t>(length));
    while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) {
        password.pop_back();
    }
    return password;
}

}  // namespace assent::ports
