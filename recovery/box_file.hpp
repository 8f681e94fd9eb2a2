// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// box_file.hpp -- the files in which requests and answers travel, in the log's directory.
//
//   request.<16 hex digits>   a person's, complete
//   taken.<the same>          the owner has begun with it
//   answer.<the same>         the owner's, complete
//   ....new                   not complete yet
//
// A file is believed only if it is a plain one, has one name, belongs to the user that this process
// acts for, and nobody else may read or write it.

#ifndef ASSENT_RECOVERY_BOX_FILE_HPP
#define ASSENT_RECOVERY_BOX_FILE_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ports/forks.hpp"

namespace assent::recovery {

enum class box_kind : std::uint8_t { request = 1, taken = 2, answer = 3 };

/// What stands under a name.
struct box_content
{
    bool is_there = false;
    std::string fault;  ///< why it is not believed; empty: it is
    std::string text;
};

/// Thread safety: distinct objects safe.
class box_directory
{
public:
    /// @throws std::system_error  it cannot be opened.
    explicit box_directory(std::string const& path);
    box_directory(box_directory const&) = delete;
    box_directory& operator=(box_directory const&) = delete;
    ~box_directory();

    /// Whether the user that this process acts for owns it.
    bool is_own() const;

    /// The ids of all files of that kind, in order.  @throws std::system_error
    std::vector<std::string> ids(box_kind of) const;

    box_content read(box_kind kind, std::string const& id) const;
    /// Complete or not at all.  Durability: the text is forced before the file has its name.
    /// @throws std::system_error
    void write(box_kind kind, std::string const& id, std::string const& text);
    /// In one step.  @return false: it is not there any more.  @throws std::system_error
    bool rename(box_kind from, box_kind to, std::string const& id);
    /// Likewise.
    bool remove(box_kind kind, std::string const& id);
    /// Removes answers, and what was never completed, that are older than that.
    void remove_older_than(std::chrono::seconds age);

private:
    std::vector<std::string> names() const;

    int directory_ = -1;
    ports::inherited_descriptor in_child_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_BOX_FILE_HPP
