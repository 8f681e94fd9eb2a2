// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <assent/driver.hpp>
#include <assent/relay.hpp>

#include "adapters/dialects/subject.hpp"
#include "adapters/messages/lane_turn.hpp"
#include "ports/connecting.hpp"

namespace assent {
inline namespace v0 {
namespace message {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using clock = std::chrono::steady_clock;

constexpr seconds step_at_most{5};  // of the database; the broker has a bound of its own
constexpr milliseconds pause_first{200};
constexpr milliseconds pause_longest{30'000};

}  // namespace

/// What steps.  Thread safety: one at a time; kept() at any time.
class relaying
{
public:
    relaying(resource_manager home, transport& by, relay_options chosen)
        : home_(std::move(home)), by_(by), chosen_(std::move(chosen))
    {
        auto const refuse = [this](char const* why) {
            throw driver_error(errc::bad_argument, dialects::subject(home_.name()) + why);
        };
        if (home_.driver()->tasks() == nullptr || home_.driver()->lanes() == nullptr) {
            refuse("no relay can carry messages away from it");
        }
        if (chosen_.to_.empty()) refuse("its relay is given no destination: carries()");
    }

    /// Each destination has its turn, whatever became of the one before it.
    std::size_t step(deadline until)
    {
        std::size_t kept = 0;
        std::exception_ptr failure;
        is_full_ = false;
        for (auto const& to : chosen_.to_) {
            open(until);
            try {
                kept += turn(to, until);
            } catch (...) {
                owner_.reset();  // with it the server lets go of its lanes
                if (!failure) failure = std::current_exception();
            }
        }
        if (failure) std::rethrow_exception(failure);
        return kept;
    }

    /// More may wait than the last step has carried.
    bool is_full() const noexcept { return is_full_; }
    milliseconds poll() const noexcept { return chosen_.poll_; }
    std::uint64_t kept() const noexcept { return kept_; }

    /// Tells a failure the first time; an empty one is none.
    void tell_failure(std::string const& why) noexcept
    {
        if (std::exchange(is_failing_, !why.empty()) || why.empty()) return;
        tell({{}, {}, 0, false, why});
    }

private:
    void open(deadline until)
    {
        if (owner_) return;
        auto& driver = *home_.driver();
        if (source_.empty()) {
            ports::inherited_descriptor in_child;
            auto const manage = ports::connect(driver, session_purpose::manage, until, in_child);
            driver.tasks()->ensure_tasks(*manage, until);
            driver.lanes()->ensure_lanes(*manage, until);
            source_ = driver.lanes()->lane_source(*manage, until);
        }
        owner_ = ports::connect(driver, session_purpose::guardian, until, in_child_);
    }

    std::size_t turn(std::string const& to, deadline until)
    {
        messages::turn_of const what{
            to, source_, next_[to], chosen_.lanes_at_most_, chosen_.turn_, [this](unsigned tries) {
                return refusal(tries);
            }};
        auto const done = messages::take_turn(*home_.driver()->lanes(), *owner_, by_, what, until);
        next_[to] = done.next;
        kept_ += done.kept;
        is_full_ = is_full_ || (done.is_full && done.kept > 0);
        if (!done.refused.message_id.empty()) tell(done.refused);
        if (!done.why.empty()) throw driver_error(done.why);
        return done.kept;
    }

    lane_end refusal(unsigned tries) const
    {
        lane_end end;
        auto after = chosen_.again_first_;
        for (unsigned i = 0; i < tries && after < chosen_.again_longest_; ++i)
            after *= 2;
        end.again_after = std::min(after, chosen_.again_longest_);
        end.is_parked = chosen_.park_after_ != 0 && tries + 1 >= chosen_.park_after_;
        return end;
    }

    void tell(relay_trouble const& what) const noexcept
    {
        if (!chosen_.told_) return;
        try {
            chosen_.told_(what);
        } catch (...) {  // NOLINT(bugprone-empty-catch): what it throws is lost, as is documented
        }
    }

    resource_manager const home_;
    transport& by_;
    relay_options const chosen_;
    std::string source_;
    ports::inherited_descriptor in_child_;
    std::unique_ptr<driver_session> owner_;
    std::map<std::string, std::uint8_t> next_;  // lane, by destination
    bool is_full_ = false;
    bool is_failing_ = false;
    std::atomic<std::uint64_t> kept_{0};
};

struct relay::impl
{
    impl(resource_manager home, transport& by, relay_options chosen)
        : work(std::move(home), by, std::move(chosen))
    {
    }

    void run()
    {
        milliseconds pause{0};
        std::unique_lock held{mutex};
        while (!woken.wait_for(held, pause, [this] { return is_stopping; })) {
            held.unlock();
            std::string why;
            try {
                work.step(clock::now() + step_at_most);
            } catch (std::exception const& e) {
                why = e.what();
            } catch (...) {
                why = "the transport threw what is no std::exception";
            }
            work.tell_failure(why);
            if (!why.empty()) {
                pause = std::clamp(2 * pause, pause_first, pause_longest);
            } else {
                pause = work.is_full() ? milliseconds{0} : work.poll();
            }
            held.lock();
        }
    }

    relaying work;
    std::mutex mutex;
    std::condition_variable woken;
    bool is_stopping = false;
    std::thread thread;
};

relay::relay(resource_manager const& home, transport& by, relay_options chosen)
    : impl_(std::make_unique<impl>(home, by, std::move(chosen)))
{
}

relay::~relay()
{
    stop();
}

std::size_t relay::step(deadline until)
{
    return impl_->work.step(until);
}

void relay::start()
{
    if (impl_->thread.joinable()) return;
    impl_->is_stopping = false;
    impl_->thread = std::thread{[this] { impl_->run(); }};
}

void relay::stop() noexcept
{
    if (!impl_->thread.joinable()) return;
    {
        std::lock_guard const held{impl_->mutex};
        impl_->is_stopping = true;
    }
    impl_->woken.notify_all();
    impl_->thread.join();
}

std::uint64_t relay::kept() const noexcept
{
    return impl_->work.kept();
}

}  // namespace message
}  // namespace v0
}  // namespace assent
