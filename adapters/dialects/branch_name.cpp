// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/branch_name.hpp"

#include <algorithm>
#include <tuple>

namespace assent::dialects {

static_assert(gtrid::length <= branch_name::part_bytes_max);
static_assert(bqual::length <= branch_name::part_bytes_max);

branch_name::branch_name(std::int64_t format_id, std::string_view gtrid,
                         std::string_view bqual) noexcept
    : format_id_(format_id),
      gtrid_bytes_(static_cast<std::uint8_t>(gtrid.size())),
      bqual_bytes_(static_cast<std::uint8_t>(bqual.size()))
{
    auto* const behind = std::copy(gtrid.begin(), gtrid.end(), bytes_.data());
    std::copy(bqual.begin(), bqual.end(), behind);
}

branch_name::branch_name(xid const& ours) noexcept
    : branch_name(-1, ours.global.text(), ours.branch.text())
{
}

std::optional<branch_name> branch_name::foreign(std::int64_t format_id, std::string_view gtrid,
                                                std::string_view bqual) noexcept
{
    bool const fits =
        !gtrid.empty() && gtrid.size() <= part_bytes_max && bqual.size() <= part_bytes_max;
    if (format_id < 0 || !fits) return std::nullopt;
    return branch_name{format_id, gtrid, bqual};
}

bool operator<(branch_name const& a, branch_name const& b) noexcept
{
    auto const parts = [](branch_name const& of) {
        return std::tuple{of.format_id_, of.gtrid(), of.bqual()};
    };
    return parts(a) < parts(b);
}

}  // namespace assent::dialects
