// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_port.hpp -- the commit point, as a type.
//
//   force(decision) -> durable_decision      the only way to make one
//   coordinator::decided(durable_decision)   the only way into phase 2
//
// So "commit before the decision is on disk" does not compile (tests/headers/negative).
// Implementations: the file log; the commit row (engine/deciding.cpp); later a replicated store.

#ifndef ASSENT_PORTS_DECISION_PORT_HPP
#define ASSENT_PORTS_DECISION_PORT_HPP

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <assent/resource_manager.hpp>
#include <assent/xid.hpp>

#include "protocol/durable_decision.hpp"

namespace assent::ports {

/// What is decided: this global transaction commits, on these branches, by resource-manager id.
struct decision
{
    gtrid global;
    std::vector<bqual> branches;
};

using protocol::durable_decision;

/// Why a decision is not known to be durable.
struct force_failure
{
    enum class kind : std::uint8_t {
        /// Nothing of it reached the file: the transaction can be rolled back, truthfully.
        not_submitted = 1,
        /// It was submitted and the force failed, was short, or did not end in time: nobody knows
        /// until the log is opened again.  Send neither commit nor rollback.
        in_doubt = 2,
    };
    kind what = kind::in_doubt;
    std::string why;
};

using force_result = std::variant<durable_decision, force_failure>;

class decision_port
{
public:
    virtual ~decision_port() = default;

    /// Forces a decision, sharing the force with every thread that waits.  Returns by `until`,
    /// whatever the disk does.
    /// Durability: when a durable_decision is returned, the decision survives power loss.
    virtual force_result force(decision const& what, deadline until) noexcept = 0;

protected:
    /// @pre  the decision of `global` is durable.
    static durable_decision attest(gtrid const& global) noexcept
    {
        return durable_decision{global};
    }
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_DECISION_PORT_HPP
