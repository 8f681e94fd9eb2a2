// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// power_loss_watch.hpp -- loses power at every call that a log makes, on a copy of its disk.
//
//   call -> has anything changed that power loss may take? -> images -> opened, judged, carried on,
//           opened again, judged again; and some of these openings are watched in the same way
//
// A path names an image: `12.7` is the seventh at the twelfth moment, `12.7/3.0` the first at the
// third moment of opening that one.
//
// Invariant: what is done to an image changes neither the disk nor the witness.

#ifndef ASSENT_TESTS_POWER_LOSS_WATCH_HPP
#define ASSENT_TESTS_POWER_LOSS_WATCH_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/log_action.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "witness.hpp"

namespace assent::testing {

struct power_loss_effort
{
    std::uint64_t seed = 1;
    std::size_t images = 0;           ///< at each moment; 0: all
    std::size_t nested = 0;           ///< the same for openings that are watched; 0: all
    std::uint64_t nested_every = 40;  ///< one in so many openings is watched
    unsigned depth_max = 3;
    std::vector<std::string> only;  ///< the path of one image, to do nothing else
};

/// What was done, and what was found.
struct power_loss_report
{
    std::map<std::string, std::uint64_t> images;    // by step
    std::map<std::string, std::uint64_t> openings;  // of images, by what they found
    std::uint64_t moments = 0;
    unsigned depth = 0;
    std::vector<std::string> failures;

    std::uint64_t total() const;
};

/// Thread safety: the disk's calls may come from any thread, one at a time.
class power_loss_watch
{
public:
    /// Watches `disk` until it is destroyed; `name` begins the path of each image.
    power_loss_watch(std::shared_ptr<simulated_disk> disk, witness const& promises,
                     power_loss_effort const& effort, power_loss_report& report,
                     std::string name = {}, unsigned depth = 0);
    power_loss_watch(power_loss_watch const&) = delete;
    power_loss_watch& operator=(power_loss_watch const&) = delete;
    /// Takes the images after the last call.
    ~power_loss_watch();

    /// Allows images without a log, which `remedy` then makes again.
    void allow_nothing(std::function<void(simulated_disk&)> remedy) { remedy_ = std::move(remedy); }

    /// What the log is told to do from now on.
    void phase(std::string name) { phase_ = std::move(name); }

private:
    void look(disk_call const* what);
    void take(std::size_t which, std::shared_ptr<simulated_disk> const& image);
    std::string try_image(std::shared_ptr<simulated_disk> const& image, std::string const& path);
    std::unique_ptr<power_loss_watch> nested(std::shared_ptr<simulated_disk> const& image,
                                             witness const& promises, std::string const& path,
                                             std::string const& opening);

    std::shared_ptr<simulated_disk> disk_;
    witness const& promises_;
    power_loss_effort const& effort_;
    power_loss_report& report_;
    std::string name_;
    unsigned depth_;
    std::string phase_ = "open";
    log_action action_;
    std::function<void(simulated_disk&)> remedy_;
    std::uint64_t moment_ = 0;
    std::uint64_t version_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_POWER_LOSS_WATCH_HPP
