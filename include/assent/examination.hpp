// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.hpp -- what an adapter can tell about the health of its database, before anything
// depends on it.  The command `assent doctor` asks for it; the manager never does.
//
//   auto* const patient = dynamic_cast<assent::examined_driver*>(rm.driver().get());
//   if (patient != nullptr) for (auto const& each : patient->examine(*session, until).findings) ...
//
// Invariant: an examination leaves nothing behind: no branch, no table, no row, no lock.

#ifndef ASSENT_EXAMINATION_HPP
#define ASSENT_EXAMINATION_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver_session.hpp>
#include <assent/export.hpp>

namespace assent {
inline namespace v0 {

/// What a finding asks of its reader.
enum class finding_level : std::uint8_t {
    ok = 1,       ///< nothing
    advice = 2,   ///< to know it, and perhaps to change something
    warning = 3,  ///< to change something, before an outage shows why that was necessary
    error = 4,    ///< to change something first: work is refused, or could be lost
};

/// One thing that was looked at.
struct finding
{
    std::string check;  ///< a setting by its name, or two plain words; unique in an examination
    finding_level level = finding_level::ok;  ///< what it asks of its reader
    std::string seen;                         ///< the value that was found
    std::string advice;  ///< what to change, in SQL or by the setting's name, and why
};

/// The middle one of several measurements.
struct median_time
{
    std::chrono::microseconds value{0};  ///< the median
    std::size_t count = 0;               ///< how many measurements there were
};

/// What one look at a database found.
struct examination
{
    std::string kind;                       ///< as server_facts::kind
    std::string version;                    ///< of the server
    std::string identity;                   ///< as server_facts::identity; empty while it has none
    std::vector<finding> findings;          ///< in the order in which they were looked at
    std::optional<median_time> round_trip;  ///< of a question that needs no disk
    std::optional<median_time> force;       ///< of a small commit on the server's disk
    std::string why_no_force;               ///< why `force` was not measured

    /// Appends a finding.
    void add(std::string check, finding_level level, std::string seen, std::string advice = {})
    {
        findings.push_back({std::move(check), level, std::move(seen), std::move(advice)});
    }
};

/// A driver that can be examined derives from this class too, beside resource_manager_driver.
class ASSENT_EXPORT examined_driver
{
public:
    virtual ~examined_driver() = default;

    /// Looks at the database, and changes nothing.  Safe to retry.
    /// @param manage  a session of this driver's, opened for session_purpose::manage.
    /// @param until   the end of all waiting.
    /// @throws driver_error  the server did not answer in full, by `until` at the latest.
    virtual examination examine(driver_session& manage, deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_EXAMINATION_HPP
