// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scratch_tree.hpp -- a small source tree that a check is shown, to see what the check says.

#ifndef ASSENT_TESTS_HEADERS_SCRATCH_TREE_HPP
#define ASSENT_TESTS_HEADERS_SCRATCH_TREE_HPP

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace assent::testing {

class scratch_tree
{
public:
    scratch_tree()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "assent-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
        root_ = pattern;
    }
    ~scratch_tree()
    {
        std::error_code ignored;  // a directory that stays behind fails no test
        std::filesystem::remove_all(root_, ignored);
    }
    scratch_tree(scratch_tree const&) = delete;
    scratch_tree& operator=(scratch_tree const&) = delete;

    std::filesystem::path const& root() const noexcept { return root_; }

    void write(std::string const& file, std::string const& text) const
    {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream out(root_ / file);
        if (!(out << text)) throw std::runtime_error("cannot write " + file);
    }

private:
    std::filesystem::path root_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_HEADERS_SCRATCH_TREE_HPP
