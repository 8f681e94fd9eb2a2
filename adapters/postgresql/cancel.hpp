// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cancel.hpp -- asks the server to give up what a session runs, without waiting for it.
//
// PQcancel connects, sends and waits for the end, and knows no deadline; so it runs on a thread of
// its own that nobody waits for, with a copy of what it needs.  Where the server is frozen that
// thread stays until the server answers or its socket ends.  Invariant: of one session one
// request at most is under way.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_CANCEL_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_CANCEL_HPP

#include <libpq-fe.h>

#include <atomic>
#include <memory>

namespace assent::postgresql_adapter {

/// Thread safety: one thread at a time.
class cancel_request
{
public:
    /// Does nothing while the request before it is under way, or where there is no thread to be
    /// had.
    void send(PGconn* connection) noexcept;

    /// One may yet arrive, so that the session must not serve another transaction.
    bool was_sent() const noexcept { return was_sent_; }

private:
    std::shared_ptr<std::atomic<bool>> is_under_way_;
    bool was_sent_ = false;
};

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_CANCEL_HPP
