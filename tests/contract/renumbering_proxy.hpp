// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// renumbering_proxy.hpp -- a proxy before PostgreSQL that gives out its own process ids, as pools
// do.
//
//   client <-- ... K 0 0 0 12 [pid + 1] [key] ... -- proxy <-- K 0 0 0 12 [pid] [key] -- server
//
// Serves one connection at a time, without TLS, until it is destroyed.

#ifndef ASSENT_TESTS_CONTRACT_RENUMBERING_PROXY_HPP
#define ASSENT_TESTS_CONTRACT_RENUMBERING_PROXY_HPP

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace assent::contract {

class renumbering_proxy
{
public:
    explicit renumbering_proxy(int server_port) : server_port_(server_port)
    {
        sockaddr_in address = loopback(0);
        socklen_t length = sizeof(address);
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (listener_ < 0 || ::pipe2(stop_, O_CLOEXEC) != 0 ||
            ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
            ::listen(listener_, 8) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
            throw std::system_error(errno, std::generic_category(), "renumbering proxy");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    renumbering_proxy(renumbering_proxy const&) = delete;
    renumbering_proxy& operator=(renumbering_proxy const&) = delete;
    ~renumbering_proxy()
    {
        ::close(stop_[1]);
        thread_.join();
        ::close(stop_[0]);
        ::close(listener_);
    }

    int port() const noexcept { return port_; }

private:
    static sockaddr_in loopback(int port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    /// @return false when the proxy is to stop.
    bool wait(int a, int b, bool& is_a, bool& is_b) const
    {
        pollfd all[] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {stop_[0], POLLIN, 0}};
        while (::poll(all, 3, -1) < 0 && errno == EINTR) {
        }
        is_a = all[0].revents != 0;
        is_b = all[1].revents != 0;
        return all[2].revents == 0;
    }

    void serve()
    {
        bool is_waiting = false;
        bool ignored = false;
        while (wait(listener_, -1, is_waiting, ignored)) {
            int const client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            int const server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            sockaddr_in const address = loopback(server_port_);
            if (::connect(server, reinterpret_cast<sockaddr const*>(&address), sizeof(address)) ==
                0) {
                relay(client, server);
            }
            ::close(client);
            ::close(server);
        }
    }

    void relay(int client, int server) const
    {
        bool from_client = false;
        bool from_server = false;
        while (wait(client, server, from_client, from_server)) {
            if (from_client && !pass(client, server, false)) return;
            if (from_server && !pass(server, client, true)) return;
        }
    }

    static bool pass(int from, int to, bool is_renumbering)
    {
        char bytes[65536];
        auto const got = ::read(from, bytes, sizeof(bytes));
        if (got <= 0) return false;
        std::string text(bytes, static_cast<std::size_t>(got));
        auto const key = text.find(std::string_view{"K\0\0\0\x0c", 5});
        // The greeting comes in one piece; a pid's last byte is changed and stays a pid.
        if (is_renumbering && key != std::string::npos && key + 13 <= text.size()) {
            text[key + 8] = static_cast<char>(text[key + 8] ^ 1);
        }
        for (std::size_t sent = 0; sent < text.size();) {
            auto const put = ::send(to, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (put <= 0) return false;
            sent += static_cast<std::size_t>(put);
        }
        return true;
    }

    int const server_port_;
    int listener_ = -1;
    int stop_[2] = {-1, -1};
    int port_ = 0;
    std::thread thread_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_RENUMBERING_PROXY_HPP
