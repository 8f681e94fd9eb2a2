// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// forgetting.hpp -- a person takes heuristic outcomes off the record: by whoever owns the log, the
// operator's program or the application that runs.
//
// The record of the person takes the heuristics' place, in one forced write for each branch, so
// there is no step between the audit and what it speaks of.

#ifndef ASSENT_RECOVERY_FORGETTING_HPP
#define ASSENT_RECOVERY_FORGETTING_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ports/coordinator_log.hpp"

namespace assent::recovery {

using heuristics = std::vector<ports::heuristic_record>;

/// Which of them a person means.
class forget_choice
{
public:
    /// Of all resource managers where that is empty; only of `branch` where there is one.
    forget_choice(gtrid const& global, std::optional<xid> const& branch,
                  std::string resource_manager);

    gtrid const& global() const noexcept { return global_; }
    heuristics of(heuristics const& all) const;

    /// What a person wrote when the last of them was forgotten.
    std::optional<ports::operator_record> forgotten_before(
        std::vector<ports::operator_record> const& records) const;

private:
    bool is_one(xid const& which) const;

    gtrid global_;
    std::optional<xid> branch_;
    std::string resource_manager_;
};

using find_function = std::function<std::optional<ports::logged_decision>(gtrid const&)>;

/// @throws refusal  attention: one is of a branch that is still to be finished, which may become
///                  another heuristic, and the first one says why; or `chosen` is not all that is
///                  on record of its branches, and the rest would go with it.
void require_forgettable(heuristics const& chosen, heuristics const& all,
                         find_function const& find);

/// Whether what ends its branches would run again at one that is still listed, and whose outcome is
/// forgotten: a person has put that right by hand.  So the outcome stays until the list lacks it.
bool may_run_again(ports::binding const& at);
/// What a person is told of a branch there that is listed.
std::string why_listed_is_kept(xid const& which, ports::binding const& at);
/// The same where nobody tells whether it is, and why not.
std::string why_unasked_is_kept(xid const& which, ports::binding const& at, std::string const& why);

/// A number for each of them, in hexadecimal, that another one does not have: what was read is said
/// so in a request.
std::string marks_of(heuristics const& all);
/// Whether each of them is among `marks`.
bool are_marked(heuristics const& all, std::string const& marks);

/// `step` is told before each record.  @throws std::system_error  the log refused it.
void forget(heuristics const& chosen, std::string const& who, std::string const& why,
            std::function<std::int64_t()> const& unix_ms, ports::coordinator_log& log,
            std::function<void(char const*)> const& step);

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_FORGETTING_HPP
