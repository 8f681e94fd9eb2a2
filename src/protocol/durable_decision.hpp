// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// durable_decision.hpp -- proof that a commit decision is on disk.
//
// Only a decision port can make one, and the coordinator enters phase 2 with nothing else, so
// "commit before the decision is on disk" does not compile (tests/headers/negative).

#ifndef ASSENT_PROTOCOL_DURABLE_DECISION_HPP
#define ASSENT_PROTOCOL_DURABLE_DECISION_HPP

#include <assent/xid.hpp>

namespace assent::ports {
class decision_port;
}

namespace assent::protocol {

class durable_decision
{
public:
    gtrid const& global() const noexcept { return global_; }

private:
    friend class ports::decision_port;
    explicit durable_decision(gtrid const& global) noexcept : global_(global) {}

    gtrid global_;
};

}  // namespace assent::protocol

#endif  // ASSENT_PROTOCOL_DURABLE_DECISION_HPP
