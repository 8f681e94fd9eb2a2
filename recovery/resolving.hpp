// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resolving.hpp -- a person ends one prepared branch: by whoever owns the log, the operator's
// program or the application that runs.
//
//   what a decision says:  the person's record -> COMMIT or ROLLBACK -> the list
//   anything else:         the person's record -> a hazard -> COMMIT or ROLLBACK -> the list
//                              -> what it became
//
// Invariant: nothing is sent before the person's record, and the hazard, are durable; whoever was
// killed at any step, and does it again, ends where it would have ended at once.

#ifndef ASSENT_RECOVERY_RESOLVING_HPP
#define ASSENT_RECOVERY_RESOLVING_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "ports/coordinator_log.hpp"
#include "recovery/branch_end.hpp"
#include "recovery/facts.hpp"
#include "recovery/refusal.hpp"

namespace assent::recovery {

/// What the decision says of what a person wants.
enum class relation : std::uint8_t {
    follows = 1,    ///< just that
    against = 2,    ///< the contrary
    undecided = 3,  ///< there is none, or it was not found
    never_voted = 4,
    log_is_lost = 5,  ///< it is another node's, and nobody can tell any more
};

relation relation_of(xid const& id, bool is_commit, known_decision const& found);
std::string in_words(relation stands);
/// The same, for a request.
std::string mark_of(relation stands);

/// Who does what to a branch, and why.
struct resolution
{
    xid id;
    std::string resource_manager;
    bool is_commit = false;
    relation stands = relation::undecided;
    std::string who;
    std::string why;
    std::int64_t unix_ms = 0;
};

/// Told before each step; may be empty.
using step_function = std::function<void(char const*)>;

struct resolved
{
    act_status status = act_status::done;
    std::string text;      ///< what was done, or what is wrong
    bool is_over = false;  ///< it is prepared no more
};

/// That a person wants a branch to be ended so; that it was, is on record only afterwards.
ports::heuristic_record hazard_of(resolution const& what);

/// Ends the branch.  `note_finished` is told when it is over.
/// @pre  it is listed, its session has let go of it, and nobody else ends it.
/// @throws refusal  @throws std::system_error  the log refused a record.
resolved carry_out(resolution const& what, branch_end& at, ports::coordinator_log& log,
                   std::function<void(xid const&)> const& note_finished, step_function const& step);

/// The branch that a person wanted to be ended so before: `one`, or one of `global` in the resource
/// manager of that id.
std::optional<xid> wanted_before(std::optional<xid> const& one, gtrid const& global,
                                 std::uint16_t id, bool is_commit,
                                 std::vector<ports::operator_record> const& records);

/// Whether the database has confirmed that a person ended it so.
bool is_confirmed(xid const& which, bool is_commit,
                  std::vector<ports::heuristic_record> const& records);

/// What can be said of a branch that a person wanted to be ended so before, and that is prepared no
/// more.  That it was asked for is on record before anything is sent, so it proves nothing: whoever
/// wanted it may have been killed then, and recovery may have ended it since.
resolved say_over(resolution const& what, bool is_confirmed, bool is_due);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_RESOLVING_HPP
