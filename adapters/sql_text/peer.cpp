// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/sql_text/peer.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace assent::sql_text {

namespace {

/// An IPv4 address is compared as the IPv6 address that maps it: a server that listens on both
/// sees the second.
using address = std::array<unsigned char, 16>;

address mapped(in_addr const& from) noexcept
{
    address all{};
    all[10] = all[11] = 0xff;
    std::memcpy(all.data() + 12, &from, 4);
    return all;
}

std::optional<address> parse(std::string const& text)
{
    in_addr four{};
    if (inet_pton(AF_INET, text.c_str(), &four) == 1) return mapped(four);
    address six{};
    if (inet_pton(AF_INET6, text.c_str(), six.data()) == 1) return six;
    return std::nullopt;
}

/// One end of a socket.
struct end_point
{
    sa_family_t family = AF_UNSPEC;
    address host{};
    int port = 0;
    std::string path;
};

template <typename Name>
end_point read_end(int descriptor, Name name)
{
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    end_point found;
    if (name(descriptor, reinterpret_cast<sockaddr*>(&raw), &length) != 0) return found;
    found.family = raw.ss_family;
    if (raw.ss_family == AF_INET) {
        auto const& in = reinterpret_cast<sockaddr_in const&>(raw);
        found.host = mapped(in.sin_addr);
        found.port = ntohs(in.sin_port);
    } else if (raw.ss_family == AF_INET6) {
        auto const& in = reinterpret_cast<sockaddr_in6 const&>(raw);
        std::memcpy(found.host.data(), &in.sin6_addr, found.host.size());
        found.port = ntohs(in.sin6_port);
    } else if (raw.ss_family == AF_UNIX && length > offsetof(sockaddr_un, sun_path)) {
        auto const& un = reinterpret_cast<sockaddr_un const&>(raw);
        found.path.assign(un.sun_path,
                          strnlen(un.sun_path, length - offsetof(sockaddr_un, sun_path)));
    }
    return found;
}

bool ends_with(std::string const& text, std::string const& end)
{
    return !end.empty() && text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_tcp_match(int descriptor, peer_view const& seen, std::optional<address> const& client)
{
    end_point const here = read_end(descriptor, getsockname);
    if ((here.family != AF_INET && here.family != AF_INET6) || here.port != seen.port) return false;
    if (client) return here.host == *client;
    // The server knows the client by a name: its own port must do in place of the address.
    return read_end(descriptor, getpeername).port == seen.server_port;
}

bool is_local_match(int descriptor, peer_view const& seen)
{
    end_point const there = read_end(descriptor, getpeername);
    return there.family == AF_UNIX && ends_with(there.path, seen.server_path);
}

}  // namespace

bool socket_reference::is_valid() const noexcept
{
    return descriptor >= 0 && socket_of(descriptor) == *this;
}

void socket_reference::sever() const noexcept
{
    // A descriptor of our own: what it is cannot change between the look and the cut.
    int const copy = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return;
    if (socket_reference{copy, inode}.is_valid()) shutdown(copy, SHUT_RDWR);
    close(copy);
}

bool socket_reference::set_close_on_exec() const noexcept
{
    if (!is_valid()) return false;
    int const flags = fcntl(descriptor, F_GETFD);
    return flags >= 0 && fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) == 0;
}

socket_reference socket_of(int descriptor) noexcept
{
    struct stat facts = {};
    if (descriptor < 0 || fstat(descriptor, &facts) != 0 || !S_ISSOCK(facts.st_mode)) return {};
    return {descriptor, facts.st_ino};
}

std::vector<socket_reference> open_sockets()
{
    struct close_directory
    {
        void operator()(DIR* which) const noexcept { closedir(which); }
    };
    std::vector<socket_reference> found;
    std::unique_ptr<DIR, close_directory> const all{opendir("/proc/self/fd")};
    if (!all) return found;
    // Links are read, descriptors are left alone: other threads open and close theirs meanwhile.
    while (dirent const* const entry = readdir(all.get())) {
        char target[64] = {};
        ssize_t const length =
            readlinkat(dirfd(all.get()), entry->d_name, target, sizeof target - 1);
        constexpr char prefix[] = "socket:[";
        if (length < 0 || std::strncmp(target, prefix, sizeof prefix - 1) != 0) continue;
        found.push_back({static_cast<int>(std::strtol(entry->d_name, nullptr, 10)),
                         std::strtoul(target + sizeof prefix - 1, nullptr, 10)});
    }
    return found;
}

found_socket find_socket(peer_view const& seen, std::vector<socket_reference> const* before)
{
    found_socket answer;
    if (seen.by == peer_view::transport::none) return answer;
    bool const is_local = seen.by == peer_view::transport::local;
    auto const client = parse(seen.address);
    std::vector<socket_reference> matching;
    std::vector<socket_reference> fresh;
    for (socket_reference const& each : open_sockets()) {
        // What was there before the connection was made is not its socket.
        if (before != nullptr) {
            if (std::find(before->begin(), before->end(), each) != before->end()) continue;
            fresh.push_back(each);
        }
        if (is_local ? is_local_match(each.descriptor, seen)
                     : is_tcp_match(each.descriptor, seen, client)) {
            matching.push_back(each);
        }
    }
    answer.is_direct = !matching.empty();
    if (matching.size() == 1) {
        answer.socket = matching.front();
    } else if (matching.empty() && fresh.size() == 1) {
        answer.socket = fresh.front();  // addresses are translated, but there is no other
    }
    return answer;
}

}  // namespace assent::sql_text
