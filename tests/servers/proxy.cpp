// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// proxy.cpp -- one poll loop over all listeners and sessions.
//
// Everything is guarded by one mutex, which the loop gives up only while it polls.  A control call
// changes the state and wakes the loop.

#include "tests/servers/proxy.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "tests/servers/proxied_session.hpp"

namespace assent::testing {
namespace {

using clock = std::chrono::steady_clock;

struct planned_fault
{
    std::string part;
    fault what;
};

struct database
{
    wire_protocol protocol = wire_protocol::postgresql;
    int server_port = 0;
    std::string certificates;
    int comes_from = 1;
    int port = 0;
    descriptor listener;
    std::chrono::milliseconds request_delay{0};
    std::chrono::milliseconds reply_delay{0};
    bool is_paused = false;
    std::vector<planned_fault> faults;
    std::vector<std::string> held;  ///< parts of requests that are to wait
    std::set<std::size_t> held_sessions;
    std::vector<std::unique_ptr<proxied_session>> sessions;
    std::vector<wire_message> messages;
};

constexpr std::size_t waiting_chunks_max = 256;
constexpr auto until_let_go = clock::time_point::max();

}  // namespace

struct proxy::impl
{
    mutable std::mutex mutex;
    std::vector<std::unique_ptr<database>> databases;
    descriptor wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    bool is_ending = false;
    std::size_t sessions_made = 0;
    std::thread loop;

    void awaken() const noexcept
    {
        std::uint64_t const one = 1;
        // It can fail only when the counter is full, and then the loop is awake already.
        [[maybe_unused]] auto const written = ::write(wake.get(), &one, sizeof one);
    }

    void run();
    void accept_one(database& of);
    void read_from(database& of, proxied_session& on, bool is_request);
    void take_requests(database& of, proxied_session& on, std::string bytes);
    void take_replies(database& of, proxied_session& on, std::string bytes);
    void record(database& of, proxied_session& on, std::vector<wire_message> messages);
    std::optional<fault> take_fault(database& of, std::vector<wire_message> const& messages);
    static bool is_to_wait(database& of, proxied_session const& on,
                           std::vector<wire_message> const& messages);
    static void deliver(proxied_session& on, bool is_request, clock::time_point now);
    static void settle(proxied_session& on);
};

proxy::proxy() : impl_(std::make_unique<impl>())
{
    if (impl_->wake.get() < 0) fail("eventfd");
    impl_->loop = std::thread([this] { impl_->run(); });
}

proxy::~proxy()
{
    {
        std::lock_guard const guard(impl_->mutex);
        impl_->is_ending = true;
    }
    impl_->awaken();
    impl_->loop.join();
}

std::size_t proxy::add(wire_protocol protocol, int server_port, std::string certificates)
{
    auto made = std::make_unique<database>();
    made->protocol = protocol;
    made->server_port = server_port;
    made->certificates = std::move(certificates);
    made->listener = tcp_socket();
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(made->listener.get(), generic, length) != 0) fail("bind");
    if (::listen(made->listener.get(), 64) != 0) fail("listen");
    if (::getsockname(made->listener.get(), generic, &length) != 0) fail("getsockname");
    make_ready(made->listener.get());
    made->port = ntohs(address.sin_port);

    std::lock_guard const guard(impl_->mutex);
    impl_->databases.push_back(std::move(made));
    impl_->awaken();
    return impl_->databases.size() - 1;
}

int proxy::port(std::size_t database) const
{
    std::lock_guard const guard(impl_->mutex);
    return impl_->databases.at(database)->port;
}

void proxy::set_server_port(std::size_t database, int server_port)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->server_port = server_port;
}

void proxy::come_from(std::size_t database, int last)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->comes_from = last;
}

void proxy::delay(std::size_t database, milliseconds request, milliseconds reply)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->request_delay = request;
    impl_->databases.at(database)->reply_delay = reply;
}

void proxy::hold(std::size_t database, std::string part)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->held.push_back(std::move(part));
}

void proxy::let_go(std::size_t database)
{
    std::lock_guard const guard(impl_->mutex);
    for (auto const& each : impl_->databases.at(database)->sessions) {
        for (auto& chunk : each->requests.waiting)
            chunk.release = std::min(chunk.release, clock::now());
    }
    impl_->awaken();
}

void proxy::hold_sessions(std::size_t database, std::set<std::size_t> sessions)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->held_sessions = std::move(sessions);
}

void proxy::on_request(std::size_t database, std::string part, fault what)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->faults.push_back({std::move(part), what});
}

void proxy::reset(std::size_t database)
{
    std::lock_guard const guard(impl_->mutex);
    for (auto const& each : impl_->databases.at(database)->sessions) {
        if (!each->is_over) each->reset();
    }
    impl_->awaken();
}

void proxy::blackhole(std::size_t database)
{
    std::lock_guard const guard(impl_->mutex);
    for (auto const& each : impl_->databases.at(database)->sessions)
        each->is_silent = true;
    impl_->awaken();
}

void proxy::pause(std::size_t database)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->is_paused = true;
    impl_->awaken();
}

void proxy::resume(std::size_t database)
{
    std::lock_guard const guard(impl_->mutex);
    impl_->databases.at(database)->is_paused = false;
    impl_->awaken();
}

std::size_t proxy::open_sessions(std::size_t database) const
{
    std::lock_guard const guard(impl_->mutex);
    auto const& sessions = impl_->databases.at(database)->sessions;
    return static_cast<std::size_t>(std::count_if(sessions.begin(), sessions.end(),
                                                  [](auto const& each) { return !each->is_over; }));
}

std::vector<wire_message> proxy::messages(std::size_t database) const
{
    std::lock_guard const guard(impl_->mutex);
    return impl_->databases.at(database)->messages;
}

std::vector<wire_message> proxy::sql(std::size_t database) const
{
    std::vector<wire_message> found = messages(database);
    std::erase_if(found, [](wire_message const& each) {
        return !each.is_request || (each.kind != "query" && each.kind != "parse");
    });
    return found;
}

void proxy::clear()
{
    std::lock_guard const guard(impl_->mutex);
    for (auto const& each : impl_->databases)
        each->messages.clear();
}

void proxy::impl::run()
{
    /// What a polled descriptor belongs to; no session means the listener, no database the wake-up.
    struct owner
    {
        database* of = nullptr;
        proxied_session* on = nullptr;
        bool is_client = false;
    };
    std::unique_lock guard(mutex);
    while (!is_ending) {
        std::vector<pollfd> polled{{wake.get(), POLLIN, 0}};
        std::vector<owner> owners{{}};
        auto const now = clock::now();
        auto next = clock::time_point::max();

        for (auto const& each : databases) {
            std::erase_if(each->sessions, [](auto const& of) { return of->is_over; });
            if (each->is_paused) continue;
            polled.push_back({each->listener.get(), POLLIN, 0});
            owners.push_back({each.get(), nullptr, false});
            for (auto const& on : each->sessions) {
                if (on->is_silent) continue;
                for (bool const is_client : {true, false}) {
                    lane const& incoming = is_client ? on->requests : on->replies;
                    lane const& outgoing = is_client ? on->replies : on->requests;
                    short events = 0;
                    if (!incoming.has_ended && incoming.waiting.size() < waiting_chunks_max) {
                        events |= POLLIN;
                    }
                    if (!outgoing.waiting.empty()) {
                        auto const release = outgoing.waiting.front().release;
                        if (release <= now) {
                            events |= POLLOUT;
                        } else {
                            next = std::min(next, release);
                        }
                    }
                    if (events == 0) continue;
                    descriptor const& side = is_client ? on->client : on->server;
                    polled.push_back({side.get(), events, 0});
                    owners.push_back({each.get(), on.get(), is_client});
                }
            }
        }

        int timeout_ms = -1;
        if (next != clock::time_point::max()) {
            timeout_ms =
                static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(next - now).count());
        }
        guard.unlock();
        int const count = ::poll(polled.data(), polled.size(), timeout_ms);
        guard.lock();
        if (count < 0 && errno != EINTR) fail("poll");

        for (std::size_t i = 0; i < polled.size(); ++i) {
            if (polled[i].revents == 0) continue;
            auto const [of, on, is_client] = owners[i];
            if (of == nullptr) {
                std::uint64_t ignored = 0;
                [[maybe_unused]] auto const drained = ::read(wake.get(), &ignored, sizeof ignored);
            } else if (on == nullptr) {
                if (!of->is_paused) accept_one(*of);
            } else {
                // A control call may have come while we polled.
                if (on->is_over || on->is_silent || of->is_paused) continue;
                if ((polled[i].revents & POLLOUT) != 0) deliver(*on, !is_client, clock::now());
                if (on->is_over || on->is_silent) continue;
                lane const& incoming = is_client ? on->requests : on->replies;
                if ((polled[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
                    !incoming.has_ended) {
                    read_from(*of, *on, is_client);
                }
            }
        }
        for (auto const& each : databases) {
            for (auto const& on : each->sessions) {
                if (!on->is_over && !on->is_silent && !each->is_paused) settle(*on);
            }
        }
    }
}

void proxy::impl::accept_one(database& of)
{
    descriptor client(::accept4(of.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.get() < 0) return;  // it went away before we came
    descriptor server = tcp_socket();
    if (of.comes_from != 1) {
        sockaddr_in own = loopback(0);
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + static_cast<unsigned>(of.comes_from));
        if (::bind(server.get(), reinterpret_cast<sockaddr const*>(&own), sizeof own) != 0) {
            fail("bind");
        }
    }
    sockaddr_in const address = loopback(of.server_port);
    if (::connect(server.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
        client.reset();  // as near to a refused connection as an accepted one can come
        return;
    }
    make_ready(client.get());
    make_ready(server.get());
    of.sessions.push_back(std::make_unique<proxied_session>(++sessions_made, of.protocol,
                                                            std::move(client), std::move(server)));
}

void proxy::impl::record(database& of, proxied_session& on, std::vector<wire_message> messages)
{
    auto const now = clock::now();
    for (wire_message& each : messages) {
        each.session = on.number;
        each.at = now;
        of.messages.push_back(std::move(each));
    }
}

std::optional<fault> proxy::impl::take_fault(database& of,
                                             std::vector<wire_message> const& messages)
{
    for (auto const& message : messages) {
        for (auto planned = of.faults.begin(); planned != of.faults.end(); ++planned) {
            if (message.text.find(planned->part) == std::string::npos) continue;
            fault const what = planned->what;
            of.faults.erase(planned);
            return what;
        }
    }
    return std::nullopt;
}

bool proxy::impl::is_to_wait(database& of, proxied_session const& on,
                             std::vector<wire_message> const& messages)
{
    if (of.held_sessions.count(on.number) != 0) return true;
    for (auto const& message : messages) {
        auto const part = std::find_if(of.held.begin(), of.held.end(), [&](auto const& each) {
            return message.text.find(each) != std::string::npos;
        });
        if (part == of.held.end()) continue;
        of.held.erase(part);
        return true;
    }
    auto const& before = on.requests.waiting;
    return !before.empty() && before.back().release == until_let_go;
}

void proxy::impl::read_from(database& of, proxied_session& on, bool is_request)
{
    char buffer[16384];
    int const from = is_request ? on.client.get() : on.server.get();
    ssize_t const got = ::recv(from, buffer, sizeof buffer, 0);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) on.reset();
        return;
    }
    if (got == 0) {
        (is_request ? on.requests : on.replies).has_ended = true;
        return;
    }
    std::string bytes(buffer, static_cast<std::size_t>(got));
    if (on.is_encrypted()) {
        bytes = on.decrypt(is_request, bytes);
        if (bytes.empty()) return;
    }
    if (is_request) {
        take_requests(of, on, std::move(bytes));
    } else {
        take_replies(of, on, std::move(bytes));
    }
}

void proxy::impl::take_replies(database& of, proxied_session& on, std::string bytes)
{
    record(of, on, on.wire.feed_reply(bytes));
    if (on.swallows_reply) {
        on.client = descriptor();
        on.server = descriptor();
        on.is_over = true;
        return;
    }
    if (on.is_encrypted()) bytes = on.encrypt(false, bytes);
    on.replies.waiting.push_back({clock::now() + of.reply_delay, std::move(bytes)});
    if (on.is_to_be_encrypted(of.certificates)) on.begin_encryption(of.certificates);
}

void proxy::impl::take_requests(database& of, proxied_session& on, std::string bytes)
{
    std::vector<wire_message> messages = on.wire.feed_request(bytes);
    std::optional<fault> const what = take_fault(of, messages);
    bool const is_held = is_to_wait(of, on, messages);
    record(of, on, std::move(messages));
    if (what == fault::lose_request) {
        on.reset();
        return;
    }
    if (what == fault::silence_before) {
        on.is_silent = true;
        return;
    }
    std::string beginning;  // of the client's handshake
    bool const begins = on.is_to_be_encrypted(of.certificates);
    if (on.is_encrypted()) {
        bytes = on.encrypt(true, bytes);
    } else if (begins) {
        beginning = on.wire.take_rest();
        bytes.resize(bytes.size() - beginning.size());
    }
    if (!bytes.empty()) {
        on.requests.waiting.push_back(
            {is_held ? until_let_go : clock::now() + of.request_delay, std::move(bytes)});
    }
    if (what == fault::lose_reply) on.swallows_reply = true;
    if (what == fault::silence_after) on.is_silent_after_requests = true;
    if (!begins) return;
    on.begin_encryption(of.certificates);
    on.decrypt(true, beginning);
}

// Sends what is due; `is_request` names the lane.
void proxy::impl::deliver(proxied_session& on, bool is_request, clock::time_point now)
{
    lane& from = is_request ? on.requests : on.replies;
    int const to = is_request ? on.server.get() : on.client.get();
    while (!from.waiting.empty() && from.waiting.front().release <= now) {
        std::string& bytes = from.waiting.front().bytes;
        ssize_t const sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR) on.reset();
            return;
        }
        bytes.erase(0, static_cast<std::size_t>(sent));
        if (bytes.empty()) from.waiting.pop_front();
    }
    if (is_request && from.waiting.empty() && on.is_silent_after_requests) on.is_silent = true;
}

// Passes on the end of a direction once its last byte was delivered.
void proxy::impl::settle(proxied_session& on)
{
    for (bool const is_request : {true, false}) {
        lane& each = is_request ? on.requests : on.replies;
        if (!each.has_ended || each.is_shut_down || !each.waiting.empty()) continue;
        ::shutdown(is_request ? on.server.get() : on.client.get(), SHUT_WR);
        each.is_shut_down = true;
    }
    if (on.requests.is_shut_down && on.replies.is_shut_down) on.is_over = true;
}

}  // namespace assent::testing
