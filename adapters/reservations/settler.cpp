// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/reservations/settler.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "ports/connecting.hpp"
#include "ports/descriptor.hpp"
#include "ports/forks.hpp"
#include "ports/standard_descriptors.hpp"

namespace assent::reservations {

namespace {

using clock = deadline::clock;

constexpr std::chrono::seconds connect_time{5};
constexpr std::chrono::seconds reset_time{5};
/// Between two attempts to connect that failed: each may count against the account.
constexpr std::chrono::seconds connect_pause{1};

}  // namespace

class settler::job
{
public:
    job(xid const& settled, end how, server_life of) : name(settled), what(how), at(std::move(of))
    {
    }

    xid const name;
    end const what;
    server_life const at;
    int waiting = 0;
    std::optional<reply> answer;
    std::optional<deadline> begun;
    std::condition_variable done;
};

/// One worker's own.
struct settler::hand
{
    /// A share of the session's socket: its number is nobody else's as long as this lives.
    struct socket
    {
        explicit socket(int of)
            : number(of < 0 ? -1 : ::fcntl(of, F_DUPFD_CLOEXEC, ports::descriptor_min)),
              in_child(*number)
        {
        }
        ports::descriptor number;
        ports::inherited_descriptor in_child;
    };

    std::unique_ptr<driver_session> session;  // the thread's alone
    bool is_reset_due = false;                // the session's answer to it, before it is used again
    ports::inherited_descriptor in_child;
    std::shared_ptr<socket> cut_by;  // while it is at work; under the lock
    bool is_serving = false;         // a thread takes jobs for it, or will; under the lock
    bool is_turning = false;         // ... and is about to look for the next one; under the lock
    bool is_warm = false;            // it has a session that can be used; under the lock
    deadline next_try{};             // to connect
};

struct settler::worker
{
    std::shared_ptr<hand> by;
    std::shared_ptr<sql_text::worker> thread;
};

/// Outlives the settler where a handler does not return.
struct settler::shared
{
    explicit shared(std::shared_ptr<service const> its) : of(std::move(its)) {}

    void enqueue(std::shared_ptr<job> const& asked);
    bool withdraw(job const& which) noexcept;
    void note_idle(hand& left) noexcept;
    worker pick();
    std::shared_ptr<job> next(hand& by);
    void serve(hand& by);
    reply settle_by(hand& by, job const& what);
    static bool leads_to(hand const& by, job const& what);
    bool make_ready(hand& by, job const& what);
    void open_session(hand& by) const;
    static void clean(hand& by, bool is_kept);

    std::shared_ptr<service const> const of;
    std::uint64_t const generation = ports::fork_generation();  // of the process

    std::mutex mutex;
    std::map<xid, std::shared_ptr<job>> known;  // queued, at work, or a hazard
    std::deque<std::shared_ptr<job>> queued;
    std::vector<worker> hands;
    std::shared_ptr<sql_text::stuck_workers> const stuck =
        std::make_shared<sql_text::stuck_workers>(0);
    bool is_closed = false;
};

settler::settler(std::shared_ptr<service const> of)
    : shared_(std::make_shared<shared>(std::move(of)))
{
}

settler::~settler()
{
    if (shared_->generation == ports::fork_generation()) {
        close();
        return;
    }
    for (auto const& [by, thread] : shared_->hands) {  // the threads are the parent's
        thread->abandon();
        if (by->session) by->session->abandon();
    }
}

void settler::close() noexcept
{
    decltype(shared_->hands) hands;
    {
        std::lock_guard const held{shared_->mutex};
        shared_->is_closed = true;
        for (auto const& each : shared_->queued) {
            each->answer = again("the manager is closed");
            each->done.notify_all();
            shared_->known.erase(each->name);
        }
        shared_->queued.clear();
        for (auto const& each : shared_->hands) {
            if (each.by->cut_by) ::shutdown(*each.by->cut_by->number, SHUT_RDWR);
        }
        hands.swap(shared_->hands);
    }
    hands.clear();  // waits for each thread, a moment
}

bool settler::is_closed() const
{
    std::lock_guard const held{shared_->mutex};
    return shared_->is_closed;
}

std::shared_ptr<settler::job> settler::ask(xid const& name, end what, server_life const& at)
{
    std::unique_lock held{shared_->mutex};
    auto const known = shared_->known.find(name);
    if (known != shared_->known.end() && known->second->what == what) return known->second;
    auto asked = std::make_shared<job>(name, what, at);
    if (known != shared_->known.end()) {
        asked->answer = unknown("its other end is under way");
        return asked;
    }
    if (shared_->is_closed) {
        asked->answer = again("the manager is closed");
        return asked;
    }
    shared_->enqueue(asked);
    if (shared_->of->chosen.workers == 0) {
        hand here;
        here.is_serving = true;
        held.unlock();
        shared_->serve(here);
        return asked;
    }
    worker chosen;
    try {
        chosen = shared_->pick();
        held.unlock();  // or whoever is woken would wait for it
        if (chosen.by) {
            chosen.thread->post([all = shared_, mine = chosen.by] { all->serve(*mine); });
        }
    } catch (...) {
        if (!held.owns_lock()) held.lock();
        bool const is_withdrawn = shared_->withdraw(*asked);
        if (chosen.by) shared_->note_idle(*chosen.by);
        if (is_withdrawn) throw;  // else another hand has begun it
    }
    return asked;
}

/// @pre  the lock is held.
void settler::shared::enqueue(std::shared_ptr<job> const& asked)
{
    queued.push_back(asked);
    try {
        known[asked->name] = asked;
    } catch (...) {
        queued.pop_back();
        throw;
    }
}

/// Whoever waits for it all the same is told to ask again.  @pre  the lock is held.
/// @return false: it has begun.
bool settler::shared::withdraw(job const& which) noexcept
{
    auto const at = std::find_if(queued.begin(), queued.end(),
                                 [&which](auto const& each) { return each.get() == &which; });
    if (at == queued.end()) return false;
    auto const gone = std::move(*at);
    queued.erase(at);
    known.erase(gone->name);
    gone->answer.emplace(again({}));
    gone->done.notify_all();
    return true;
}

/// No thread was told to take jobs for it.  Others may have counted on it.  @pre  the lock is held.
void settler::shared::note_idle(hand& left) noexcept
{
    left.is_serving = false;
    bool const is_served = std::any_of(hands.begin(), hands.end(),
                                       [](auto const& each) { return each.by->is_serving; });
    while (!is_served && !queued.empty())
        withdraw(*queued.back());
}

/// An idle hand, one that has a session before all others; or a new one.  None where one that turns
/// to the next job will find it: that is quicker than to connect, and slower than not to wait.
/// @pre  the lock is held.
settler::worker settler::shared::pick()
{
    auto const is_idle = [](worker const& each) { return !each.by->is_serving; };
    auto free = std::find_if(hands.begin(), hands.end(),
                             [&](auto const& each) { return is_idle(each) && each.by->is_warm; });
    if (free == hands.end()) {
        auto const turning = std::count_if(hands.begin(), hands.end(),
                                           [](auto const& each) { return each.by->is_turning; });
        if (static_cast<std::size_t>(turning) >= queued.size()) return {};
        free = std::find_if(hands.begin(), hands.end(), is_idle);
    }
    if (free == hands.end()) {
        if (hands.size() == of->chosen.workers) return {};
        hands.push_back({std::make_shared<hand>(), std::make_shared<sql_text::worker>(stuck)});
        free = std::prev(hands.end());
    }
    free->by->is_serving = true;
    return *free;
}

std::shared_ptr<settler::job> settler::shared::next(hand& by)
{
    std::lock_guard const held{mutex};
    by.is_turning = false;
    if (queued.empty() || is_closed) {
        by.is_serving = false;
        return nullptr;
    }
    auto taken = std::move(queued.front());
    queued.pop_front();
    taken->begun = clock::now();
    return taken;
}

void settler::shared::serve(hand& by)
{
    while (auto const one = next(by)) {
        auto answer = settle_by(by, *one);
        if (generation != ports::fork_generation()) {  // by a handler: nothing here is the child's
            static_cast<void>(by.session.release());
            return;
        }
        bool const is_kept = by.session && by.session->is_reusable();
        {
            std::lock_guard const held{mutex};
            by.cut_by.reset();
            by.is_turning = by.is_warm = is_kept;  // closing may take its time
            bool const is_hazard = answer.code == xa_code::heurhaz;
            one->answer = std::move(answer);
            if (!is_hazard) known.erase(one->name);
        }
        one->done.notify_all();
        clean(by, is_kept);
    }
}

reply settler::shared::settle_by(hand& by, job const& what)
{
    try {
        for (;;) {
            bool const is_kept = make_ready(by, what);
            if (!leads_to(by, what)) {
                by.session.reset();
                // Whoever asked may be on a connection that died with the server's earlier life.
                return lost("the connection leads to another server than was asked");
            }
            auto told = settle(*of, *by.session, what.name, what.what);
            if (told) return std::move(*told);
            if (!is_kept) throw driver_error("the new connection was lost at once");
            by.session.reset();  // it died unseen since the last job, as in a pool
        }
    } catch (std::exception const& e) {
        by.session.reset();
        return again(e.what());
    }
}

/// @pre  it has a session.
bool settler::shared::leads_to(hand const& by, job const& what)
{
    return by.session->life() == what.at || what.at.start.empty();
}

/// A session for the job.
/// @return whether it was there before, and may have died unseen.
/// @throws driver_error  there is none.
bool settler::shared::make_ready(hand& by, job const& what)
{
    bool const is_clean = !std::exchange(by.is_reset_due, false) ||
                          by.session->collect_reset(clock::now() + reset_time);
    bool const is_kept = is_clean && by.session && by.session->is_reusable() && leads_to(by, what);
    if (!is_kept) open_session(by);
    auto share = std::make_shared<hand::socket>(by.session->descriptor());
    std::lock_guard const held{mutex};
    if (is_closed) throw driver_error("the manager is closed");
    by.cut_by = std::move(share);
    return is_kept;
}

void settler::shared::open_session(hand& by) const
{
    by.session.reset();
    if (clock::now() < by.next_try) throw driver_error("it could not be connected to just now");
    by.next_try = clock::now() + connect_pause;
    by.session = ports::connect(*of->database, session_purpose::work, clock::now() + connect_time,
                                by.in_child);
    by.next_try = {};
}

/// What a handler has done to the session is not for the next one, which waits for the answer.
void settler::shared::clean(hand& by, bool is_kept)
{
    if (!is_kept) return by.session.reset();
    by.session->submit_reset();
    by.is_reset_due = true;
}

reply settler::wait(job& which, deadline until)
{
    std::unique_lock held{shared_->mutex};
    ++which.waiting;
    which.done.wait_until(held, until, [&which] { return which.answer.has_value(); });
    --which.waiting;
    if (which.answer) return *which.answer;
    std::string const name = name_of(which.what);
    if (which.begun) {
        auto const time = clock::now() - *which.begun;
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
        return unknown(name + " has been running for " + std::to_string(seconds) + " s");
    }
    if (which.waiting == 0) shared_->withdraw(which);
    return again(name + " waits for a worker: all are in handlers");
}

}  // namespace assent::reservations
