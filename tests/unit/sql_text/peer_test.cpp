// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// peer_test.cpp -- a connection's socket is found by what its server says, or not at all.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "adapters/sql_text/peer.hpp"

namespace assent::sql_text {

namespace {

class descriptor
{
public:
    explicit descriptor(int number) : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&&) = delete;
    ~descriptor() { close(); }

    int get() const { return number_; }
    void close()
    {
        if (number_ >= 0) ::close(std::exchange(number_, -1));
    }

private:
    int number_;
};

/// Listens on 127.0.0.1, and says of each client what a database would.
class tcp_server
{
public:
    tcp_server() : listener_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address_;
        auto* const raw = reinterpret_cast<sockaddr*>(&address_);
        EXPECT_EQ(::bind(listener_.get(), raw, length), 0);
        EXPECT_EQ(::listen(listener_.get(), 8), 0);
        EXPECT_EQ(::getsockname(listener_.get(), raw, &length), 0);
    }

    descriptor connect()
    {
        descriptor client{::socket(AF_INET, SOCK_STREAM, 0)};
        EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_),
                  0);
        return client;
    }
    int port() const { return ntohs(address_.sin_port); }

    peer_view view_of(descriptor const& client) const
    {
        sockaddr_in local{};
        socklen_t length = sizeof local;
        EXPECT_EQ(::getsockname(client.get(), reinterpret_cast<sockaddr*>(&local), &length), 0);
        peer_view view;
        view.by = peer_view::transport::tcp;
        view.address = "127.0.0.1";
        view.port = ntohs(local.sin_port);
        view.server_port = port();
        return view;
    }

private:
    descriptor listener_;
    sockaddr_in address_{};
};

class unix_server
{
public:
    unix_server() : listener_(::socket(AF_UNIX, SOCK_STREAM, 0))
    {
        path_ = std::filesystem::temp_directory_path() /
                ("assent-peer-" + std::to_string(::getpid()) + ".s.PGSQL.5432");
        address_.sun_family = AF_UNIX;
        std::strncpy(address_.sun_path, path_.c_str(), sizeof address_.sun_path - 1);
        ::unlink(path_.c_str());
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_),
                  0);
        EXPECT_EQ(::listen(listener_.get(), 8), 0);
    }
    ~unix_server() { ::unlink(path_.c_str()); }

    descriptor connect()
    {
        descriptor client{::socket(AF_UNIX, SOCK_STREAM, 0)};
        EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_),
                  0);
        return client;
    }
    static peer_view view()
    {
        peer_view seen;
        seen.by = peer_view::transport::local;
        seen.server_path = ".s.PGSQL.5432";
        return seen;
    }

private:
    descriptor listener_;
    sockaddr_un address_{};
    std::string path_;
};

TEST(SqlTextPeer, ATcpSocketIsFoundAmongOthersToTheSameServer)
{
    tcp_server server;
    auto const first = server.connect();
    auto const ours = server.connect();
    auto const third = server.connect();

    auto const found = find_socket(server.view_of(ours), nullptr);

    EXPECT_EQ(found.socket.descriptor, ours.get());
    EXPECT_TRUE(found.is_direct);
}

TEST(SqlTextPeer, AMappedIpv6AddressIsTheSame)
{
    tcp_server server;
    auto const ours = server.connect();
    auto view = server.view_of(ours);
    view.address = "::ffff:127.0.0.1";

    EXPECT_EQ(find_socket(view, nullptr).socket.descriptor, ours.get());
}

TEST(SqlTextPeer, AServerThatKnowsTheClientByNameIsMatchedByBothPorts)
{
    tcp_server server;
    auto const ours = server.connect();
    auto view = server.view_of(ours);
    view.address = "client.example";

    EXPECT_EQ(find_socket(view, nullptr).socket.descriptor, ours.get());
    view.server_port += 1;
    EXPECT_EQ(find_socket(view, nullptr).socket.descriptor, -1);
}

TEST(SqlTextPeer, ATranslatedAddressIsNotDirectAndALentSocketNotFound)
{
    tcp_server server;
    auto const ours = server.connect();
    auto view = server.view_of(ours);
    view.address = "192.0.2.7";

    auto const found = find_socket(view, nullptr);

    EXPECT_EQ(found.socket.descriptor, -1);
    EXPECT_FALSE(found.is_direct);
}

TEST(SqlTextPeer, BehindATranslatorTheOnlyNewSocketIsTheConnections)
{
    tcp_server server;
    auto const older = server.connect();
    auto const before = open_sockets();
    auto const ours = server.connect();
    auto view = server.view_of(ours);
    view.port = 1;

    auto const found = find_socket(view, &before);

    EXPECT_EQ(found.socket.descriptor, ours.get());
    EXPECT_FALSE(found.is_direct);
    auto const meanwhile = server.connect();
    EXPECT_EQ(find_socket(view, &before).socket.descriptor, -1) << "either could be it";
}

TEST(SqlTextPeer, OfSeveralUnixSocketsTheNewOneIsTheConnections)
{
    unix_server server;
    auto const older = server.connect();
    auto const before = open_sockets();
    auto const ours = server.connect();

    EXPECT_EQ(find_socket(unix_server::view(), &before).socket.descriptor, ours.get());
    EXPECT_EQ(find_socket(unix_server::view(), nullptr).socket.descriptor, -1)
        << "lent, and either could be it";
    EXPECT_TRUE(find_socket(unix_server::view(), nullptr).is_direct);
    auto const meanwhile = server.connect();
    EXPECT_EQ(find_socket(unix_server::view(), &before).socket.descriptor, -1);
}

TEST(SqlTextPeer, AServerThatSaysNothingIsNotLookedFor)
{
    tcp_server server;
    auto const before = open_sockets();
    auto const ours = server.connect();

    EXPECT_EQ(find_socket({}, &before).socket.descriptor, -1);
}

TEST(SqlTextPeer, ADescriptorThatWasGivenToAnotherSocketIsLeftAlone)
{
    tcp_server server;
    auto ours = server.connect();
    auto const found = find_socket(server.view_of(ours), nullptr).socket;
    int const number = ours.get();
    ours.close();
    descriptor const other{::socket(AF_INET, SOCK_STREAM, 0)};
    ASSERT_EQ(other.get(), number) << "the lowest free number is given out";

    EXPECT_FALSE(found.is_valid());
    EXPECT_FALSE(found.set_close_on_exec());
    EXPECT_EQ(::fcntl(other.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(SqlTextPeer, ASeveredSocketIsAtItsEndAndStillItsOwners)
{
    tcp_server server;
    auto const ours = server.connect();
    auto const found = find_socket(server.view_of(ours), nullptr).socket;

    EXPECT_TRUE(found.set_close_on_exec());
    found.sever();

    char byte = 0;
    EXPECT_EQ(::recv(ours.get(), &byte, 1, 0), 0);
    EXPECT_NE(::fcntl(ours.get(), F_GETFD) & FD_CLOEXEC, 0);
}

/// A thread that waits for one end of a pair of sockets, in a way of its own.
class waiting_thread
{
public:
    explicit waiting_thread(std::function<void(int)> wait)
    {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
        std::promise<pid_t> told;
        auto id = told.get_future();
        thread_ = std::thread{[this, wait = std::move(wait), &told] {
            told.set_value(::gettid());
            wait(ends_[0]);
        }};
        id_ = id.get();
    }
    waiting_thread(waiting_thread const&) = delete;
    waiting_thread& operator=(waiting_thread const&) = delete;
    ~waiting_thread()
    {
        thread_.join();
        ::close(ends_[0]);
        ::close(ends_[1]);
    }

    /// Severs as soon as the thread waits.
    bool is_severed() const
    {
        auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!sever_awaited_socket(id_)) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::yield();
        }
        return true;
    }

private:
    int ends_[2] = {-1, -1};
    pid_t id_ = 0;
    std::thread thread_;
};

TEST(SqlTextAwaitedSocket, IsTheOneThatAThreadPolls)
{
    waiting_thread const hanging{[](int descriptor) {
        pollfd asked{descriptor, POLLIN, 0};
        ::poll(&asked, 1, -1);
    }};

    EXPECT_TRUE(hanging.is_severed());
}

TEST(SqlTextAwaitedSocket, IsTheOneThatAThreadReads)
{
    waiting_thread const hanging{[](int descriptor) {
        char byte = 0;
        EXPECT_EQ(::recv(descriptor, &byte, 1, 0), 0);
    }};

    EXPECT_TRUE(hanging.is_severed());
}

TEST(SqlTextAwaitedSocket, IsNoneOfAThreadThatWaitsForSomethingElse)
{
    std::promise<void> release;
    waiting_thread const other{[&release](int) { release.get_future().wait(); }};

    EXPECT_FALSE(sever_awaited_socket(::gettid())) << "it runs";
    EXPECT_FALSE(sever_awaited_socket(0));
    release.set_value();
}

}  // namespace

}  // namespace assent::sql_text
