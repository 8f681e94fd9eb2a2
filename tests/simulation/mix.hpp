// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mix.hpp -- what may go wrong in a world, and how often it did.

#ifndef ASSENT_TESTS_SIMULATION_MIX_HPP
#define ASSENT_TESTS_SIMULATION_MIX_HPP

#include <array>
#include <cstdint>
#include <string>

#include <assent/testing.hpp>

namespace assent::testing {

enum class mishap : std::uint8_t {
    verb_fault,  ///< a verb's request or reply is lost, late, held, refused, or ends the server
    call_fault,  ///< a call about commit rows, or the server's past, fails or is cut
    kill,        ///< kill -9 at some event or call of the disk
    power_loss,  ///< the same, and the page cache is gone
    close,       ///< the manager is closed while it works
    disk_error,  ///< one call of the disk fails, and does nothing, a part, all, or all of it later
    log_moved,   ///< the log's directory is moved away beneath its manager
    log_replaced,   ///< a copy of it takes its place
    replica,        ///< a server that has the primary's identity takes a session
    linger,         ///< a host is lost, and the servers do not notice
    slow_detach,    ///< the server takes long to take sessions apart
    deadline,       ///< a transaction has a few milliseconds
    kill_session,   ///< a KILL of ours is lost, or late
    xa_commit,      ///< a COMMIT waits, and the end of its session takes it back
    slow_disk,      ///< one call of the disk takes up to twelve seconds
    stall,          ///< a thread stops for up to minutes between two steps
    twin,           ///< a copy of the log is opened beside its original
    pause,          ///< the original stands still for seconds, while the copy does not
    silent_branch,  ///< one branch is never answered, in good weather
    owner_gone,     ///< the owner of a transaction never returns, in good weather
    numbers_again,  ///< a server starts again, and numbers its sessions from one
    strangers,      ///< the application has sessions of its own there
    restore,        ///< a database is put back to an older state of it
    table_fault,    ///< a statement about reservations fails, or is cut
    refusal,        ///< a handler attempt refuses
    thrown,         ///< a handler confirm or cancel throws
    count
};

constexpr std::array<char const*, static_cast<std::size_t>(mishap::count)> mishap_names = {
    "verb fault",
    "call fault",
    "kill -9",
    "power loss",
    "close",
    "disk error",
    "log moved",
    "log replaced",
    "replica's session",
    "linger",
    "slow detach",
    "short deadline",
    "kill lost or late",
    "xa commit waits",
    "slow disk",
    "stall",
    "twin",
    "machine paused",
    "silent branch",
    "owner gone",
    "numbers again",
    "strangers' sessions",
    "restore",
    "fault of reservations",
    "refused attempt",
    "throwing handler",
};

class mix
{
public:
    void note(mishap what) noexcept { ++counts_[static_cast<std::size_t>(what)]; }

    mix& operator+=(mix const& other) noexcept
    {
        for (std::size_t i = 0; i < counts_.size(); ++i)
            counts_[i] += other.counts_[i];
        return *this;
    }

    /// Each in words, those that never came as well.
    std::string text() const
    {
        std::string all;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (!all.empty()) all += ", ";
            all += std::to_string(counts_[i]) + " " + mishap_names[i];
        }
        return all;
    }

private:
    std::array<std::uint64_t, static_cast<std::size_t>(mishap::count)> counts_{};
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SIMULATION_MIX_HPP
