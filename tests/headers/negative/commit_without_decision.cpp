// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// commit_without_decision.cpp -- the ways into phase 2 that must not exist.
//
// Without a macro this file compiles: it holds the one legal way.  Each macro adds one line that
// commits before the decision is on disk, and must be refused by the compiler.

#include <assent/decision_table.hpp>
#include <assent/xid.hpp>

#include "ports/decision_port.hpp"
#include "protocol/coordinator.hpp"

namespace {

using assent::gtrid;
using assent::ports::decision_port;
using assent::ports::force_result;
using assent::protocol::coordinator;
using assent::protocol::durable_decision;

[[maybe_unused]] void commit(coordinator& of, decision_port& log,
                             assent::ports::decision const& what, assent::deadline until)
{
    force_result const forced = log.force(what, until);
    if (auto const* proof = std::get_if<durable_decision>(&forced)) of.decided(*proof);

#if defined(MADE_FROM_NOTHING)
    durable_decision proof_of_nothing;
    of.decided(proof_of_nothing);
#elif defined(MADE_FROM_A_GTRID)
    durable_decision made{what.global};
    of.decided(made);
#elif defined(DECIDED_WITH_A_GTRID)
    of.decided(what.global);
#elif defined(DECIDED_WITH_BRACES)
    of.decided({});
#elif defined(DECIDED_WITH_A_GTRID_IN_BRACES)
    of.decided({what.global});
#elif defined(DECIDED_WITHOUT_PROOF)
    of.decided();
#elif defined(DECIDED_WITH_A_DECISION)
    of.decided(what);
#elif defined(DECIDED_WITH_A_FORCE_RESULT)
    of.decided(forced);
#elif defined(DECIDED_WITH_A_COMMIT_ROW)
    of.decided(assent::decision_row{what.global, assent::row_kind::commit, {}});
#elif defined(ATTESTED_FROM_OUTSIDE)
    of.decided(decision_port::attest(what.global));
#endif
}

#if defined(DERIVED_FROM_THE_PROOF)
struct forged : durable_decision
{
    explicit forged(gtrid const& global) : durable_decision(global) {}
};
#endif

}  // namespace
