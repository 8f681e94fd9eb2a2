// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// store.hpp -- what a strict switch keeps in its file: rows, and branches that are prepared or
// heuristically completed.
//
//   row <hex name> <value>
//   branch <name> <0, or the heuristic code>
//   add <hex row> <delta>                              of the branch above it
//
// Invariant: the file is replaced as a whole, so that whoever is killed leaves the old one or the
// new one.

#ifndef ASSENT_ADAPTERS_STRICT_SWITCH_STORE_HPP
#define ASSENT_ADAPTERS_STRICT_SWITCH_STORE_HPP

#include <cstdint>
#include <map>
#include <string>

#include <xopen/xa.h>

namespace assent::inline v0::testing::strict {

using amounts = std::map<std::string, std::int64_t>;

/// The name of a branch: `format:gtrid:bqual`, the last two in hexadecimal.
std::string key_of(XID const& name);
/// The name that a key was made of.
XID name_of(std::string const& key);
/// gtrid.bqual, for people.
std::string text_of(std::string const& key);

struct kept_branch
{
    int heuristic = 0;
    amounts adds;
};

struct kept
{
    amounts rows;
    std::map<std::string, kept_branch> branches;
};

class store
{
public:
    /// @throws error  errc::bad_argument: another process has it, or it is none of ours.
    explicit store(std::string path);
    ~store();
    store(store const&) = delete;
    store& operator=(store const&) = delete;

    std::string const& path() const noexcept { return path_; }
    kept read() const;
    void write(kept const& what) const;

private:
    std::string const path_;
    int lock_ = -1;
};

}  // namespace assent::inline v0::testing::strict

#endif  // ASSENT_ADAPTERS_STRICT_SWITCH_STORE_HPP
