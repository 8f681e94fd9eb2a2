// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "engine/collector.hpp"

#include <poll.h>

#include <chrono>
#include <vector>

namespace assent::engine {

namespace {

/// How long it waits before it looks at all of them again: at those that came meanwhile, and at
/// answers that a client library has read already, of which no socket tells.
constexpr std::chrono::milliseconds look_again{2};

}  // namespace

bool collector::take(std::list<parted>& one) noexcept
{
    {
        std::lock_guard const held{mutex_};
        if (is_stopped_) return false;
        incoming_.splice(incoming_.end(), one);
    }
    wake();
    return true;
}

deadline collector::work()
{
    auto due = hear(under_way_);
    // Whoever can be read, and yet has not answered in full, would be looked at without end.
    bool const is_stuck = was_readable_ && due >= due_;
    was_readable_ = false;
    std::list<parted> arrived;
    {
        std::lock_guard const held{mutex_};
        arrived.swap(incoming_);
    }
    due += hear(arrived);
    under_way_.splice(under_way_.end(), arrived);
    due_ = due;
    if (due == 0) return deadline::max();
    std::vector<pollfd> sockets;
    bool have_all_one = true;
    for (parted const& one : under_way_) {
        termination const ends{shared_, process_, *this, *one.which, intent::commit};
        have_all_one = ends.add_sockets(sockets) && have_all_one;
    }
    if (!have_all_one || is_stuck) return shared_.time.now() + look_again;
    was_readable_ =
        ::poll(sockets.data(), sockets.size(), static_cast<int>(look_again.count())) > 0;
    return shared_.time.now();
}

/// Settles those of which every branch has answered.  @return how many answers the others lack.
std::size_t collector::hear(std::list<parted>& all) noexcept
{
    std::size_t due = 0;
    all.remove_if([&](parted const& one) {
        termination ends{shared_, process_, *this, *one.which, intent::commit};
        auto const lacks = ends.hear_behind(one.until);
        due += lacks;
        if (lacks == 0) ends.end_behind();
        return lacks == 0;
    });
    return due;
}

void collector::stop() noexcept
{
    ask_to_stop();
    join();
    {
        std::lock_guard const held{mutex_};
        is_stopped_ = true;
        under_way_.splice(under_way_.end(), incoming_);
    }
    for (parted& one : under_way_)
        one.until = shared_.time.now();
    hear(under_way_);
}

}  // namespace assent::engine
