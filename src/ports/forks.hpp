// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// forks.hpp -- what a forked child must let go of: sockets, files, the log.
//
// A child that kept them would keep the log's lock, the guardian's lock, and attached branches
// alive after its parent died.  The child closes them (never shuts them down: the connection is
// the parent's), before fork() returns there.

#ifndef ASSENT_PORTS_FORKS_HPP
#define ASSENT_PORTS_FORKS_HPP

#include <cstdint>

#include <assent/export.hpp>

namespace assent::ports {

/// Counts the forks between the process that loaded the library and this one.
ASSENT_EXPORT std::uint64_t fork_generation() noexcept;

/// Counts the forks of this process.  A socket that is opened and registered between two equal
/// counts is in no child.
ASSENT_EXPORT std::uint64_t forks_made() noexcept;

/// One descriptor, closed in any child for as long as this object lives in the parent.  Whoever
/// owns it may close it meanwhile: what gets its number then is left alone.
///
/// Thread safety: distinct objects safe.
class ASSENT_EXPORT inherited_descriptor
{
public:
    inherited_descriptor() noexcept = default;
    /// -1 registers nothing.
    explicit inherited_descriptor(int descriptor);
    inherited_descriptor(inherited_descriptor&& other) noexcept : slot_(other.slot_)
    {
        other.slot_ = nullptr;
    }
    inherited_descriptor& operator=(inherited_descriptor&& other) noexcept;
    ~inherited_descriptor();

    struct slot;

private:
    slot* slot_ = nullptr;
};

/// Runs `in_child` in every forked child, after the descriptors were closed.  It may not take
/// locks or allocate.  Registered for the life of the process.
void on_fork_in_child(void (*in_child)(void*), void* what);
void forget_fork_handler(void* what) noexcept;

}  // namespace assent::ports

#endif  // ASSENT_PORTS_FORKS_HPP
