// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// power_losses.cpp -- see power_losses.hpp.

#include "power_losses.hpp"

#include <algorithm>
#include <string>

namespace assent::testing {

namespace {

constexpr std::size_t sector = simulated_disk::sector;

/// Its text is for people, is never forced, and takes one sector: it is drawn, not enumerated.
bool is_drawn(std::string const& name)
{
    return name == "lock";
}

}  // namespace

power_losses::power_losses(simulated_disk const& of, std::uint64_t seed)
    : of_(of), seed_(seed), now_(of.unforced())
{
    sectors_ = static_cast<std::size_t>(
        std::count_if(now_.sectors.begin(), now_.sectors.end(),
                      [](std::string const& name) { return !is_drawn(name); }));
    things_ = sectors_ + now_.changes;
}

std::size_t power_losses::count() const noexcept
{
    if (things_ > all_up_to) return samples;
    return (std::size_t{1} << things_) + 2 * sectors_;
}

std::shared_ptr<simulated_disk> power_losses::image(std::size_t which) const
{
    power_loss_choice what;
    what.kept_bytes.resize(now_.sectors.size());
    what.kept_changes.resize(now_.changes);
    if (things_ > all_up_to) {
        choose_sample(which, what);
    } else {
        choose(which, what);
    }
    for (std::size_t i = 0; i < now_.sectors.size(); ++i) {
        if (is_drawn(now_.sectors[i])) what.kept_bytes[i] = which % 2 * sector;
    }
    return of_.power_loss(what);
}

/// A subset for each number; behind them, two numbers for each sector that is torn.
void power_losses::choose(std::size_t which, power_loss_choice& what) const
{
    std::size_t const subsets = std::size_t{1} << things_;
    std::size_t const torn = which < subsets ? sectors_ : (which - subsets) / 2;
    if (which >= subsets) which = mix(seed_, which) % subsets;
    std::size_t bit = 0;
    for (std::size_t i = 0; i < now_.sectors.size(); ++i) {
        if (is_drawn(now_.sectors[i])) continue;
        bool const is_kept = (which >> bit & 1) != 0;
        what.kept_bytes[i] = bit == torn ? 1 + mix(seed_, which + bit) % (sector - 1)
                             : is_kept   ? sector
                                         : 0;
        ++bit;
    }
    for (std::size_t i = 0; i < now_.changes; ++i, ++bit) {
        what.kept_changes[i] = (which >> bit & 1) != 0;
    }
}

void power_losses::choose_sample(std::size_t which, power_loss_choice& what) const
{
    constexpr std::size_t beginnings = 64;
    if (which < beginnings) {
        // As far as a medium that keeps the order had come; the last sector torn in every other.
        std::size_t const kept = which * things_ / (beginnings - 1);
        std::size_t at = 0;
        for (std::size_t i = 0; i < what.kept_bytes.size(); ++i) {
            if (is_drawn(now_.sectors[i])) continue;
            what.kept_bytes[i] = at < kept ? sector : at == kept && which % 2 == 1 ? 100 : 0;
            ++at;
        }
        for (std::size_t i = 0; i < what.kept_changes.size(); ++i, ++at) {
            what.kept_changes[i] = at < kept;
        }
        return;
    }
    std::uint64_t drawn = mix(seed_, which);
    for (std::size_t& kept : what.kept_bytes) {
        drawn = mix(drawn, 1);
        kept = drawn % 3 == 0 ? sector : drawn % 3 == 1 ? drawn / 3 % sector : 0;
    }
    for (std::size_t i = 0; i < what.kept_changes.size(); ++i) {
        drawn = mix(drawn, 2);
        what.kept_changes[i] = drawn % 2 == 0;
    }
}

}  // namespace assent::testing
