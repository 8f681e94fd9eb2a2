// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// registry.hpp -- which resource manager a file, and later an rmid, leads to; and the switches.
//
// A switch's routines know nothing but an rmid, so all strict switches of a process share eight
// tables of entries, one for each set of flags.

#ifndef ASSENT_ADAPTERS_STRICT_SWITCH_REGISTRY_HPP
#define ASSENT_ADAPTERS_STRICT_SWITCH_REGISTRY_HPP

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "adapters/strict_switch/resource.hpp"

namespace assent::inline v0::testing::strict {

class registry
{
public:
    static registry& of_process();

    /// @throws error  errc::bad_argument: as store.
    std::shared_ptr<resource> of_file(std::string const& file);
    /// As xa_open is asked to.
    /// @return null: the rmid is another resource manager's.
    std::shared_ptr<resource> bind(int rmid, std::string const& file);
    /// @return null: it was never opened, or is gone.
    std::shared_ptr<resource> of_rmid(int rmid) const;
    /// What nobody has open under the number goes with its last object.
    void closed(int rmid, std::shared_ptr<resource> by);
    /// Whoever is the last unlocks the file here, where nobody asks for it meanwhile.
    void leave(std::shared_ptr<resource> by);

private:
    mutable std::mutex mutex_;  // guards what follows
    std::map<std::string, std::weak_ptr<resource>> files_;
    struct number
    {
        std::weak_ptr<resource> of;
        std::shared_ptr<resource> opened;  // which outlives its objects
    };
    std::map<int, number> rmids_;
};

/// The switch that has these flags.
xa_switch_t const& switch_of(long flags) noexcept;

}  // namespace assent::inline v0::testing::strict

#endif  // ASSENT_ADAPTERS_STRICT_SWITCH_REGISTRY_HPP
