// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// power_losses.hpp -- the disks that power loss may leave at one moment.
//
//   up to 10 sectors and changes of the directory unforced   all subsets, and each sector torn
//   more                                                     256 of them: none, all, beginnings,
//                                                            and each one kept, dropped or torn
//
// Invariant: a number names the same disk each time, for the same moment and seed.

#ifndef ASSENT_TESTS_POWER_LOSSES_HPP
#define ASSENT_TESTS_POWER_LOSSES_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

#include "mix.hpp"
#include "tests/simulation/simulated_disk.hpp"

namespace assent::testing {

class power_losses
{
public:
    power_losses(simulated_disk const& of, std::uint64_t seed);

    std::size_t count() const noexcept;
    std::shared_ptr<simulated_disk> image(std::size_t which) const;

private:
    static constexpr std::size_t all_up_to = 10;
    static constexpr std::size_t samples = 256;

    void choose(std::size_t which, power_loss_choice& what) const;
    void choose_sample(std::size_t which, power_loss_choice& what) const;

    simulated_disk const& of_;
    std::uint64_t seed_;
    unforced_things now_;
    std::size_t things_ = 0;   // that are chosen one by one
    std::size_t sectors_ = 0;  // of them
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_POWER_LOSSES_HPP
