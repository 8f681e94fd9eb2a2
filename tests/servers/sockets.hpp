// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sockets.hpp -- descriptors that are closed once, and sockets on 127.0.0.1.

#ifndef ASSENT_TESTS_SERVERS_SOCKETS_HPP
#define ASSENT_TESTS_SERVERS_SOCKETS_HPP

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace assent::testing {

[[noreturn]] inline void fail(char const* what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

/// A descriptor that is closed once.
class descriptor
{
public:
    explicit descriptor(int number = -1) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor()
    {
        if (number_ >= 0) ::close(number_);
    }
    int get() const noexcept { return number_; }

    /// Closes with a TCP reset.
    void reset() noexcept
    {
        linger const hard{1, 0};
        ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        ::close(std::exchange(number_, -1));
    }

private:
    int number_;
};

inline sockaddr_in loopback(int port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

inline descriptor tcp_socket()
{
    descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (made.get() < 0) fail("socket");
    return made;
}

/// Does not wait, neither for a peer nor for more bytes.
inline void make_ready(int socket)
{
    int const on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::fcntl(socket, F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_SOCKETS_HPP
