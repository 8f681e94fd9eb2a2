// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_window.hpp -- what became of the decisions of a log that may be larger than memory.
//
//   pass 1:  [ decisions 1 ... n | only their ends, and contradictions to them ............ ]
//   pass 2:  [                   | decisions n + 1 ... 2 n | only their ends ............... ]
//
// The end of a decision stands anywhere behind it.  Each pass reads the whole log, and keeps so
// many decisions as fit: nearly every log needs one pass.
//
// Invariant: memory is bounded by the capacity and by the number of resource-manager ids.

#ifndef ASSENT_RECOVERY_LOG_TOOLS_DECISION_WINDOW_HPP
#define ASSENT_RECOVERY_LOG_TOOLS_DECISION_WINDOW_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "log/records.hpp"
#include "recovery/log_tools/segment_scan.hpp"

namespace assent::log {

/// Thread safety: distinct objects safe.
class decision_window
{
public:
    static constexpr std::size_t capacity_usual = 65'536;

    struct fate
    {
        std::uint8_t branches = 0;
        std::uint64_t finished = 0;  ///< bit i: branch i

        bool is_complete() const noexcept
        {
            std::uint64_t const all =
                branches >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << branches) - 1;
            return finished == all;
        }
    };

    /// Takes the decisions from record `from` on.
    explicit decision_window(std::size_t capacity = capacity_usual, std::uint64_t from = 0)
        : capacity_(capacity), from_(from)
    {
    }

    /// Notes one record; all of a log are given, in their order.
    /// @return false when it contradicts what was noted before.
    bool note(scanned_record const& what);

    /// What became of a decision of this window; null: it is not of this window.
    fate const* find(gtrid const& global) const noexcept;

    /// The first decision that had no room, for the next pass; 0: all had.
    std::uint64_t next() const noexcept { return next_; }
    bool holds(std::uint64_t lsn) const noexcept
    {
        return lsn >= from_ && (next_ == 0 || lsn < next_);
    }
    std::map<std::uint16_t, ports::binding> const& bindings() const noexcept { return bindings_; }

private:
    bool note(decision_record const& what, std::uint64_t lsn);
    bool note(end_record const& what);
    bool note(ports::binding const& what);

    std::size_t const capacity_;
    std::uint64_t const from_;
    std::uint64_t next_ = 0;
    std::unordered_map<gtrid, fate> fates_;
    std::map<std::uint16_t, ports::binding> bindings_;
};

}  // namespace assent::log

#endif  // ASSENT_RECOVERY_LOG_TOOLS_DECISION_WINDOW_HPP
