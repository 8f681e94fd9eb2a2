// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// temporary_directory.hpp -- a directory of this test's own, removed at the end.

#ifndef ASSENT_TESTS_TEMPORARY_DIRECTORY_HPP
#define ASSENT_TESTS_TEMPORARY_DIRECTORY_HPP

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace assent::testing {

class temporary_directory
{
public:
    explicit temporary_directory(std::string const& in = std::filesystem::temp_directory_path())
        : path_(in + "/assent-log-XXXXXX")
    {
        if (!::mkdtemp(path_.data())) {
            throw std::system_error(errno, std::generic_category(), path_);
        }
    }
    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;
    ~temporary_directory()
    {
        std::error_code ignored;  // a leftover in the temporary directory harms nobody
        std::filesystem::remove_all(path_, ignored);
    }

    std::string const& path() const noexcept { return path_; }

private:
    std::string path_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_TEMPORARY_DIRECTORY_HPP
