// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/commit_row.hpp"

#include <algorithm>

namespace assent::recovery {

namespace {

// A horizon entry has the widths of a branch qualifier, so the same code reads both: the resource
// manager, and then the epoch and the sequence where a branch has its number and its session.
constexpr std::size_t entry_length = bqual::length;
constexpr int sequence_bits = 48;

bqual as_entry(std::uint16_t id, ports::position const& at) noexcept
{
    return bqual::make(
        {id, static_cast<std::uint16_t>(at.epoch >> 16),
         static_cast<std::uint64_t>(at.epoch & 0xffff) << sequence_bits | at.sequence});
}

ports::position position_in(bqual::fields const& entry) noexcept
{
    constexpr std::uint64_t sequence_mask = (std::uint64_t{1} << sequence_bits) - 1;
    return {static_cast<std::uint32_t>(entry.branch) << 16 |
                static_cast<std::uint32_t>(entry.session >> sequence_bits),
            entry.session & sequence_mask};
}

}  // namespace

std::string content_of(std::vector<bqual> const& branches)
{
    std::string content;
    content.reserve(branches.size() * entry_length);
    for (bqual const& each : branches)
        content.append(each.text());
    return content;
}

std::optional<std::vector<bqual>> branches_in(std::string_view content)
{
    std::vector<bqual> branches;
    for (; !content.empty(); content.remove_prefix(entry_length)) {
        auto const one = bqual::parse(content.substr(0, entry_length));
        if (!one) return std::nullopt;
        branches.push_back(*one);
    }
    return branches;
}

std::string content_of(horizon_map const& horizons)
{
    std::vector<bqual> entries;
    for (auto const& [id, horizon] : horizons) {
        entries.push_back(as_entry(id, horizon.everything()));
        for (auto const& [epoch, sequence] : horizon.alone())
            entries.push_back(as_entry(id, {epoch, sequence}));
    }
    return content_of(entries);
}

std::optional<horizon_map> horizons_in(std::string_view content)
{
    auto const entries = branches_in(content);
    if (!entries) return std::nullopt;
    horizon_map horizons;
    for (bqual const& each : *entries) {
        auto const entry = each.parts();
        auto const [at, is_first] =
            horizons.emplace(entry.resource_manager, ports::horizon{position_in(entry)});
        if (!is_first) at->second.raise_alone(position_in(entry));
    }
    return horizons;
}

gtrid horizon_row_name(std::uint16_t resource_manager, std::uint64_t node) noexcept
{
    return gtrid::make({decision_place::commit_row, resource_manager, node, 0, 0, 0});
}

std::string_view prefix_of(gtrid const& horizon_row_name) noexcept
{
    constexpr std::size_t magic_place_manager_and_node = 4 + 1 + 4 + 16;
    return horizon_row_name.text().substr(0, magic_place_manager_and_node);
}

std::optional<ports::logged_decision> decision_in(decision_row const& row)
{
    if (row.kind != row_kind::commit) return std::nullopt;
    auto branches = branches_in(row.content);
    if (!branches) return std::nullopt;
    ports::logged_decision made{{row.name, std::move(*branches)}, {}};
    auto const place = row.name.parts().place_resource_manager;
    for (bqual const& each : made.what.branches)
        made.is_finished.push_back(each.parts().resource_manager == place);
    return made;
}

bool may_prune(decision_row const& row, pruning_facts const& facts)
{
    auto const parts = row.name.parts();
    auto const at = ports::position_of(row.name);
    if (!facts.knows({parts.epoch, parts.nonce})) return false;
    if (row.kind == row_kind::abort) {
        auto const seen = facts.horizon(parts.place_resource_manager).everything();
        return facts.sees_sessions && at <= seen && seen.epoch == facts.epoch;
    }
    auto const decision = decision_in(row);
    if (!decision || (parts.epoch < facts.epoch && facts.is_unfinished(row.name))) return false;
    auto const& branches = decision->what.branches;
    return std::all_of(branches.begin(), branches.end(), [&](bqual const& each) {
        auto const id = each.parts().resource_manager;
        return id == parts.place_resource_manager || facts.horizon(id).covers(at);
    });
}

}  // namespace assent::recovery
