// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// damage.hpp -- everything that a medium, a copy or a person may do to the files of a log.
//
//   kind (bit, byte_00, ... file)  x  index (which bit, which byte, ...)  ->  damaged files
//
// Invariant: a kind and an index make the same damage each time, so that a case is run
// again by its name alone.

#ifndef ASSENT_TESTS_DAMAGE_HPP
#define ASSENT_TESTS_DAMAGE_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "specimen.hpp"

namespace assent::testing {

/// A page that was changed; page 0 also where the whole file was.
struct damaged_page
{
    std::size_t file = 0;
    std::uint32_t page = 0;
};

/// The files of a specimen, to be damaged and healed again and again.
class damaged_log
{
public:
    explicit damaged_log(specimen const& of) : of_(of), files_(of.files) {}

    specimen const& original() const noexcept { return of_; }
    std::vector<memory_file> const& files() const noexcept { return files_; }
    /// Empty when whole files were damaged.
    std::vector<damaged_page> const& pages() const noexcept { return pages_; }
    bool is_whole_files() const noexcept { return is_whole_files_; }
    bool is_substitution() const noexcept { return is_substitution_; }

    // Bytes are counted through all files.
    std::size_t size() const noexcept;
    std::byte at(std::size_t offset) const noexcept;
    void put(std::size_t offset, std::span<std::byte const> bytes);

    void resize(std::size_t file, std::size_t size, std::byte fill);
    /// For damage to whole files; after a substitution a whole log may lie there.
    std::vector<memory_file>& all_files(bool is_substitution) noexcept
    {
        is_whole_files_ = true;
        is_substitution_ = is_substitution;
        return files_;
    }

    /// Undoes everything.
    void heal();

private:
    struct range
    {
        std::size_t file = 0;
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    specimen const& of_;
    std::vector<memory_file> files_;
    std::vector<damaged_page> pages_;
    std::vector<range> ranges_;
    bool is_resized_ = false;
    bool is_whole_files_ = false;
    bool is_substitution_ = false;
};

struct damage_kind
{
    char const* name;
    std::uint64_t (*count)(specimen const& of);
    void (*apply)(damaged_log& to, std::uint64_t index, std::uint64_t seed);
};

std::vector<damage_kind> const& damage_kinds();

/// What case `index` of the kind `file` does, in words.
std::string file_damage_name(specimen const& of, std::uint64_t index);

}  // namespace assent::testing

#endif  // ASSENT_TESTS_DAMAGE_HPP
