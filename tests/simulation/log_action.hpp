// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_action.hpp -- what a log does, in the words of its design, told from the calls it makes.
//
//   make ahead   the next segment is zeroed, forced, and opened for forces
//   checkpoint   header and snapshot are written into it
//   cut          it gets its name
//   retire       the segment before it goes
//   discard      a half-made segment goes
//   settle       what a dead owner wrote is forced
//   (nothing)    a force: of records, or a seal

#ifndef ASSENT_TESTS_LOG_ACTION_HPP
#define ASSENT_TESTS_LOG_ACTION_HPP

#include <algorithm>
#include <cstddef>
#include <string>

#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

class log_action
{
public:
    /// The action that `call` belongs to.
    std::string const& see(disk_call const& call)
    {
        using kind = disk_call::kind;
        bool const is_made_ahead = call.name.ends_with(".tmp");
        switch (call.what) {
            case kind::open:
                name_ = is_made_ahead ? "make ahead" : "";
                break;
            case kind::write:
                name_ = !is_made_ahead ? "" : is_zeros(call) ? "make ahead" : "checkpoint";
                break;
            case kind::fdatasync:
                if (!is_made_ahead) name_ = "";
                break;
            case kind::fsync:
                if (!is_made_ahead) name_ = "settle";
                break;
            case kind::rename:
                name_ = is_made_ahead ? "cut" : "retire";
                break;
            case kind::unlink:
                name_ = call.name.ends_with(".seg") ? "retire" : "discard";
                break;
            default:
                break;  // it belongs to what was done before
        }
        return name_;
    }

    /// The action of the last call.
    std::string const& name() const noexcept { return name_; }

private:
    static bool is_zeros(disk_call const& call)
    {
        return std::all_of(call.written.begin(), call.written.end(),
                           [](std::byte b) { return b == std::byte{0}; });
    }

    std::string name_;
};

inline char const* name_of(disk_call::kind what) noexcept
{
    constexpr char const* names[] = {
        "",       "attach", "open",           "size", "read", "write",     "fdatasync", "fsync",
        "rename", "unlink", "sync_directory", "list", "lock", "is_locked", "verify"};
    return names[static_cast<std::size_t>(what)];
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_LOG_ACTION_HPP
