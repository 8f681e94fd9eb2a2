// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// branch_name.hpp -- the name of a branch, as a session of any dialect takes it: one of ours, or
// one that a foreign transaction manager gave through an exported switch.
//
//   ours      gtrid and bqual of the manager's layout; each dialect has its own constant format id
//   foreign   (format id, gtrid of 1 to 64 bytes, bqual of 0 to 64 bytes), any bytes
//
// Invariant: the two never meet.  No foreign name is written to a server as one of ours would be,
// whatever its bytes are (postgresql/gid.hpp, mysql/xid_text.hpp), or, where a server keeps
// names as they are, it is exactly the name that it says it is.

#ifndef ASSENT_ADAPTERS_DIALECTS_BRANCH_NAME_HPP
#define ASSENT_ADAPTERS_DIALECTS_BRANCH_NAME_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <assent/xid.hpp>

namespace assent::dialects {

class branch_name
{
public:
    static constexpr std::size_t part_bytes_max = 64;  ///< of gtrid, and of bqual

    /// No branch has it.
    branch_name() noexcept = default;
    /// Ours.  Implicit: whatever takes any name takes ours.
    branch_name(xid const& ours) noexcept;

    /// A foreign one.
    /// @return nothing for the null name (a negative format id), and for parts that are too long or
    ///         not there.
    static std::optional<branch_name> foreign(std::int64_t format_id, std::string_view gtrid,
                                              std::string_view bqual) noexcept;

    bool is_ours() const noexcept { return format_id_ < 0; }
    /// @pre  not is_ours()
    std::int64_t format_id() const noexcept { return format_id_; }
    std::string_view gtrid() const noexcept { return {bytes_.data(), gtrid_bytes_}; }
    std::string_view bqual() const noexcept { return {bytes_.data() + gtrid_bytes_, bqual_bytes_}; }

    friend bool operator==(branch_name const& a, branch_name const& b) noexcept
    {
        return a.format_id_ == b.format_id_ && a.gtrid() == b.gtrid() && a.bqual() == b.bqual();
    }
    friend bool operator!=(branch_name const& a, branch_name const& b) noexcept
    {
        return !(a == b);
    }
    /// Any order, for maps.
    friend bool operator<(branch_name const& a, branch_name const& b) noexcept;

private:
    branch_name(std::int64_t format_id, std::string_view gtrid, std::string_view bqual) noexcept;

    std::int64_t format_id_ = -1;  // negative: ours
    std::uint8_t gtrid_bytes_ = 0;
    std::uint8_t bqual_bytes_ = 0;
    std::array<char, 2 * part_bytes_max> bytes_{};
};

}  // namespace assent::dialects

#endif  // ASSENT_ADAPTERS_DIALECTS_BRANCH_NAME_HPP
