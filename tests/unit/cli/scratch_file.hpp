// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scratch_file.hpp -- a file of this test's own, removed at the end.

#ifndef ASSENT_TESTS_CLI_SCRATCH_FILE_HPP
#define ASSENT_TESTS_CLI_SCRATCH_FILE_HPP

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace cli_test {

class scratch_file
{
public:
    explicit scratch_file(std::string const& text, mode_t mode = 0600)
        : path_(std::filesystem::temp_directory_path() / "assent-cli-XXXXXX")
    {
        int const made = ::mkstemp(path_.data());
        if (made < 0) throw std::runtime_error{"mkstemp " + path_};
        ::close(made);
        std::ofstream{path_} << text;
        if (::chmod(path_.c_str(), mode) != 0) throw std::runtime_error{"chmod " + path_};
    }
    scratch_file(scratch_file const&) = delete;
    scratch_file& operator=(scratch_file const&) = delete;
    ~scratch_file() { ::unlink(path_.c_str()); }

    std::string const& path() const noexcept { return path_; }

private:
    std::string path_;
};

}  // namespace cli_test

#endif  // ASSENT_TESTS_CLI_SCRATCH_FILE_HPP
