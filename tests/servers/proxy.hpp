// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// proxy.hpp -- a network between clients and their databases that a test can spoil.
//
//   client  --request-->  [ read, record, wait delay ]  -->  database
//   client  <--reply----  [ wait delay, read, record ]  <--  database
//
// One listener on 127.0.0.1 for each database, one thread for all.  A message is recorded, with the
// time, when the proxy has read it: before the database sees a request, and before the client sees
// a reply.  So two requests to two databases overlap if the second was read before the first reply.

#ifndef ASSENT_TESTS_SERVERS_PROXY_HPP
#define ASSENT_TESTS_SERVERS_PROXY_HPP

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/servers/wire.hpp"

namespace assent::testing {

/// What happens to a session when a certain request passes.
enum class fault {
    lose_request,    ///< it never arrives; both sides are reset
    lose_reply,      ///< it is carried out; its reply is swallowed and the client sees the end
    silence_before,  ///< it never arrives; the network goes silent, no side sees an end
    silence_after,   ///< it is carried out; the network goes silent before the reply
};

/// Thread safety: every member may be called from several threads at once.
class proxy
{
public:
    using milliseconds = std::chrono::milliseconds;

    proxy();
    ~proxy();
    proxy(proxy const&) = delete;
    proxy& operator=(proxy const&) = delete;

    /// Begins to listen for the database at `server_port` of 127.0.0.1.  With its certificates
    /// (private_server::certificates()) sessions that ask for encryption are read all the same:
    /// each side has a channel of its own, and the client believes to be at its server.
    /// @return the database's number here, from 0.
    std::size_t add(wire_protocol protocol, int server_port, std::string certificates = {});

    /// Where clients reach that database.
    int port(std::size_t database) const;
    /// A server that restarted elsewhere: for sessions from now on.
    void set_server_port(std::size_t database, int server_port);
    /// The server sees sessions from now on come from 127.0.0.`last`, which no server takes for
    /// its own machine as it does 127.0.0.1.
    void come_from(std::size_t database, int last);

    /// Each request waits `request` before the database gets it, each reply `reply`.
    void delay(std::size_t database, milliseconds request, milliseconds reply);

    /// Holds back, once it was recorded, the next request whose text contains `part`, and whatever
    /// its session sends after it, until let_go().  Each call is good for one request.
    void hold(std::size_t database, std::string part);
    void let_go(std::size_t database);
    /// Holds back every request of these sessions alone, each until the next let_go().  Without
    /// sessions it holds back none any more.
    void hold_sessions(std::size_t database, std::set<std::size_t> sessions);

    /// Does `what` to the session in which the next request whose text contains `part` passes.
    /// Each call is good for one request.
    void on_request(std::size_t database, std::string part, fault what);
    /// The reply to the next request of any kind is lost.
    void drop_next_reply(std::size_t database) { on_request(database, "", fault::lose_reply); }

    /// Ends every session with a TCP reset on both sides.
    void reset(std::size_t database);
    /// Every present session falls silent for ever; neither side sees an end.
    void blackhole(std::size_t database);
    /// Forwards nothing until resume(); what arrives meanwhile waits, new sessions too.
    void pause(std::size_t database);
    void resume(std::size_t database);

    std::size_t open_sessions(std::size_t database) const;

    /// Everything recorded of that database since the last clear(), in the order it was read.
    std::vector<wire_message> messages(std::size_t database) const;
    /// Of these the client's SQL only: queries, and statements sent for preparation.
    std::vector<wire_message> sql(std::size_t database) const;
    void clear();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_SERVERS_PROXY_HPP
