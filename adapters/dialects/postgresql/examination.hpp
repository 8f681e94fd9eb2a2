// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.hpp -- what a PostgreSQL server, its settings and our role are fit for.

#ifndef ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_EXAMINATION_HPP
#define ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_EXAMINATION_HPP

#include <assent/examination.hpp>

#include "adapters/dialects/checks.hpp"
#include "adapters/dialects/postgresql/server.hpp"

namespace assent::postgresql_dialect {

/// What the user has accepted by name.
struct accepted_risks
{
    bool allow_non_durable = false;
    bool pools_by_session = false;
};

/// Reads, and commits nothing but a message in the
/// server's own log, by which a force is measured.
examination examine(question& manage, session_identity const& asking, accepted_risks const& risks,
                    dialects::client_library const& client);

}  // namespace assent::postgresql_dialect

#endif  // ASSENT_ADAPTERS_DIALECTS_POSTGRESQL_EXAMINATION_HPP
