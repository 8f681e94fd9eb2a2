// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// metrics.hpp -- the state of a transaction manager, for whatever scrapes it.
//
//   server.get("/metrics", [&] { return assent::prometheus_text(tm.state()); });

#ifndef ASSENT_METRICS_HPP
#define ASSENT_METRICS_HPP

#include <string>

#include <assent/export.hpp>
#include <assent/transaction_manager.hpp>

namespace assent {
inline namespace v0 {

/// The state as text of Prometheus, exposition format 0.0.4.  Every name begins with `assent_`, and
/// docs/reference/metrics.md says what each means and when it should alarm somebody.  Labels are
/// names of resource managers; nothing that an application put into a transaction.
/// Thread safety: any.
ASSENT_EXPORT std::string prometheus_text(manager_state const& now);

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_METRICS_HPP
