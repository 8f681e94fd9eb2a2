// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// peer.hpp -- which socket of this process is a connection's, though no client library tells.
//
//   this process                                     server
//   fd 12: local 10.0.0.7:40132, peer 10.0.0.9:5432  "you are 10.0.0.7:40132, and I am port 5432"
//
// The server says where it sees the client.  The one TCP socket here that has this very address is
// the connection; none means that something translates addresses in between, so that a session's
// number may be another's as well.  Unix sockets have no address of their own: there the socket
// must be the only new one since before the connection was made, or the only one to that server.
//
// A thread that hangs in a client library tells by itself: the kernel shows what it waits for.
//
// Invariant: a socket that is not certain counts as not found, because what is found is shut down.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_PEER_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_PEER_HPP

#include <sys/types.h>

#include <string>
#include <vector>

namespace assent::sql_text {

/// A descriptor, and which socket it was when it was found: a client closes its descriptors when
/// it likes, and another thread may get the number at once.
struct socket_reference
{
    int descriptor = -1;
    ino_t inode = 0;

    /// Whether the descriptor is still that socket.
    bool is_valid() const noexcept;
    /// shutdown(2), if it still is.
    void sever() const noexcept;
    /// @return false when it cannot be marked.
    bool set_close_on_exec() const noexcept;

    friend bool operator==(socket_reference const& a, socket_reference const& b) noexcept
    {
        return a.descriptor == b.descriptor && a.inode == b.inode;
    }
};

/// The socket that a descriptor is; not valid when it is none.
socket_reference socket_of(int descriptor) noexcept;

/// How the server sees the connection that asks it.
struct peer_view
{
    enum class transport { none, tcp, local };

    transport by = transport::none;  ///< none: there is no server, or it does not tell
    std::string address;             ///< of the client; empty when only a name is known
    int port = 0;                    ///< of the client
    int server_port = 0;
    std::string server_path;  ///< the end of the unix socket's path
};

struct found_socket
{
    socket_reference socket;  ///< descriptor -1: it cannot be told from others
    bool is_direct = false;   ///< nothing stands between this process and the server
};

/// Every socket of this process.
std::vector<socket_reference> open_sockets();

/// @param before  the sockets from before the connection was made; null: it is not known.
found_socket find_socket(peer_view const& seen, std::vector<socket_reference> const* before);

/// Shuts down the socket that the thread `id` of this process waits for in a system call right now.
/// @return whether there was one.
bool sever_awaited_socket(pid_t id) noexcept;

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_PEER_HPP
