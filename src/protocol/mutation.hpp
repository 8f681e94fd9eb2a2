// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mutation.hpp -- switches that bring a fault back, so that the simulation can show that it would
// find it.
//
//   if (!mutated(mutation::nota_finishes)) ... what the rule asks for ...
//
// In the library every switch is the constant false, and nothing of it is in the objects.  Only the
// simulation's own copy of the sources is compiled with ASSENT_MUTATIONS; there, one switch at a
// time is turned on by name, when the program runs (tests/simulation/mutations_test.cpp).
//
// Each switch stands at the place where its rule is enforced.  Names are never used again.

#ifndef ASSENT_PROTOCOL_MUTATION_HPP
#define ASSENT_PROTOCOL_MUTATION_HPP

#include <cstdint>
#include <string_view>

namespace assent::protocol {

enum class mutation : std::uint8_t {
    none = 0,
    live_before_list,      ///< rule 14: who is live is asked before the list, and believed at once
    nota_finishes,         ///< rule 17: XAER_NOTA is taken for the end of the branch
    horizon_too_early,     ///< rule 15: the horizon covers what is not finished yet
    presence_ignored,      ///< rule 13: a session that may still prepare is taken as gone
    kill_decided_session,  ///< rule 35: a session is ended whose branch is decided
    list_older_than_prepare,  ///< rule 36: absence counts from a list that began before it was
                              ///< decided
    late_force_committed,     ///< rule 37: a force that outlived its guardian is answered committed
    log_without_name,         ///< rule 38: decisions are written into a file that has no name
    replica_scanned,          ///< rule 40: the list of another instance counts
    starving_queue,           ///< rule 41: one branch without a reply holds up its database
    expired_keeps_horizon,    ///< rule 43: an expired transaction holds every horizon for ever
    finish_while_detaching,   ///< a branch is finished by name while its session is taken apart
    numbers_are_sessions,     ///< rule 40: who has a session's number is taken for that session
    restore_unnoticed,        ///< a lower count than the log's is taken for the server's own
    rows_elsewhere_unread,    ///< what a restored server lost does not wait for the rows elsewhere
    late_binding_forgotten,   ///< a number that the log may have late is given to another name
    silence_behind_believed,  ///< behind an early return, no reply is taken for a confirmation
    undecided_confirmed,      ///< rule 5: a reservation without a decision is confirmed
    row_deleted_apart,        ///< a reservation's row goes before its handler has taken effect
    late_attempt_forgotten,   ///< rule 13: no row is taken for the end of an attempt on its way
    count
};

inline constexpr std::string_view mutation_names[] = {
    "none",
    "live_before_list",
    "nota_finishes",
    "horizon_too_early",
    "presence_ignored",
    "kill_decided_session",
    "list_older_than_prepare",
    "late_force_committed",
    "log_without_name",
    "replica_scanned",
    "starving_queue",
    "expired_keeps_horizon",
    "finish_while_detaching",
    "numbers_are_sessions",
    "restore_unnoticed",
    "rows_elsewhere_unread",
    "late_binding_forgotten",
    "silence_behind_believed",
    "undecided_confirmed",
    "row_deleted_apart",
    "late_attempt_forgotten",
};

#ifdef ASSENT_MUTATIONS
/// The one that is on.
inline mutation present_mutation = mutation::none;

inline bool mutated(mutation which) noexcept
{
    return present_mutation == which;
}
#else
constexpr bool mutated(mutation) noexcept
{
    return false;
}
#endif

}  // namespace assent::protocol

#endif  // ASSENT_PROTOCOL_MUTATION_HPP
