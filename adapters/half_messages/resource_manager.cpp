// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource_manager.cpp -- what half_message.hpp promises of resource managers: everything is looked
// at, and nothing is called.

#include <atomic>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "adapters/dialects/subject.hpp"
#include "adapters/half_messages/driver.hpp"
#include "ports/clock.hpp"
#include "ports/forks.hpp"

namespace assent::inline v0::half {

namespace {

/// The numbers of each broker's sessions, in one process.
struct registry
{
    std::uint64_t const generation = ports::fork_generation();
    std::mutex mutex;
    std::map<broker const*, std::weak_ptr<ports::session_numbers>> all;
};

/// Never destroyed.  A forked child begins its own: the parent's may be locked by a thread that is
/// not there, and its sessions are none of the child's.
registry& registry_here()
{
    static std::atomic<registry*> here{nullptr};
    auto* known = here.load();
    while (known == nullptr || known->generation != ports::fork_generation()) {
        auto made = std::make_unique<registry>();
        if (here.compare_exchange_strong(known, made.get())) return *made.release();
    }
    return *known;
}

/// The sessions of a broker, one after another and under whatever name: a call that hangs since an
/// earlier manager of this process is no stranger's.
std::shared_ptr<ports::session_numbers> numbers_of(broker const& of)
{
    auto& here = registry_here();
    std::lock_guard const held{here.mutex};
    for (auto at = here.all.begin(); at != here.all.end();)
        at = at->second.expired() ? here.all.erase(at) : std::next(at);
    auto& known = here.all[&of];
    auto numbers = known.lock();
    if (!numbers) {
        numbers = std::make_shared<ports::session_numbers>(ports::session_numbers::answers::told);
        known = numbers;
    }
    return numbers;
}

std::shared_ptr<resource_manager_driver> make_driver(std::string name, std::shared_ptr<broker> over,
                                                     options::values const& chosen)
{
    require_name(name);
    auto const refuse = [&](std::string const& why) {
        throw driver_error(errc::bad_argument, dialects::subject(name) + why);
    };
    if (!over) refuse("there is no broker");
    if (!chosen.is_unguarded) {
        refuse(
            "a broker has no lock by which copies of this log could be kept apart; if the log is "
            "never copied, say so by half::options::unguarded()");
    }
    if (chosen.halves_arrive_within && chosen.halves_arrive_within->count() < 0) {
        refuse("half::options::halves_arrive_within() is not negative");
    }
    if (chosen.halves_arrive_within > ports::longest_duration) {
        refuse("half::options::halves_arrive_within() is ten years at most");
    }
    auto numbers = numbers_of(*over);
    numbers->expect(chosen.halves_arrive_within);
    return std::make_shared<half_messages::driver>(std::shared_ptr<half_messages::service>{
        new half_messages::service{std::move(name), std::move(over), chosen, std::move(numbers)}});
}

}  // namespace

refused::~refused() = default;
broker::~broker() = default;

resource_manager::resource_manager(std::string name, std::shared_ptr<broker> over,
                                   options const& chosen)
    : assent::resource_manager(make_driver(std::move(name), std::move(over), chosen.given()))
{
}

}  // namespace assent::inline v0::half
