// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.hpp -- what an adapter can tell of the health of its database, before anything rests
// on it: the program's `assent doctor` asks for it, the manager never does.
//
//   auto* const patient = dynamic_cast<assent::examined_driver*>(rm.driver().get());
//   if (patient != nullptr) for (auto const& each : patient->examine(*session, until).findings) ...
//
// The one invariant: an examination leaves nothing behind: no branch, no table, no row, no lock.

#ifndef ASSENT_EXAMINATION_HPP
#define ASSENT_EXAMINATION_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>

namespace assent {
inline namespace v0 {

/// What a finding asks of its reader.
enum class finding_level : std::uint8_t {
    ok = 1,       ///< nothing
    advice = 2,   ///< to know it, and perhaps to change something
    warning = 3,  ///< to change something before an outage shows why
    error = 4,    ///< to change something first: work is refused, or could be lost
};

/// One thing that was looked at.
struct finding
{
    std::string check;  ///< a setting by its name, or two plain words; unique in an examination
    finding_level level = finding_level::ok;
    std::string seen;
    std::string advice;  ///< what to change, in SQL or by the setting's name, and why
};

/// The middle one of several measurements.
struct median_time
{
    std::chrono::microseconds value{0};
    std::size_t count = 0;
};

/// What one look at a database found.
struct examination
{
    std::string kind;      ///< as server_facts::kind
    std::string version;   ///< of the server
    std::string identity;  ///< as server_facts::identity; empty while it has none
    std::vector<finding> findings;
    std::optional<median_time> round_trip;
    std::optional<median_time> force;  ///< of a small commit on the server's disk
    std::string why_no_force;          ///< why that was not measured

    void add(std::string check, finding_level level, std::string seen, std::string advice = {})
    {
        findings.push_back({std::move(check), level, std::move(seen), std::move(advice)});
    }
};

/// Implemented by a resource_manager_driver that can be examined, beside that class.
class ASSENT_EXPORT examined_driver
{
public:
    virtual ~examined_driver() = default;

    /// @param manage  a session of this driver's, opened for session_purpose::manage.
    /// @throws driver_error  the server did not answer in full, by `until` at the latest.
    virtual examination examine(driver_session& manage, deadline until) = 0;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_EXAMINATION_HPP
