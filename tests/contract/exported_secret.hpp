// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_secret.hpp -- a password in a file of mode 0600, as an xa_info names it.

#ifndef ASSENT_TESTS_CONTRACT_EXPORTED_SECRET_HPP
#define ASSENT_TESTS_CONTRACT_EXPORTED_SECRET_HPP

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

namespace assent::contract {

/// Removed at the end.
class secret_file
{
public:
    secret_file() = default;
    secret_file(secret_file const&) = delete;
    secret_file& operator=(secret_file const&) = delete;
    ~secret_file()
    {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    /// Where it is, with that password in it.
    std::string const& path(std::string const& password)
    {
        if (password == held_ && !path_.empty()) return path_;
        if (!path_.empty()) ::unlink(path_.c_str());
        path_ = (std::filesystem::temp_directory_path() / "secret.XXXXXX").string();
        int const file = ::mkstemp(path_.data());
        bool const is_written = file >= 0 && ::write(file, password.data(), password.size()) ==
                                                 static_cast<ssize_t>(password.size());
        if (file >= 0) ::close(file);
        if (!is_written) throw std::runtime_error("a password file could not be written");
        held_ = password;
        return path_;
    }

private:
    std::string path_;
    std::string held_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_EXPORTED_SECRET_HPP
