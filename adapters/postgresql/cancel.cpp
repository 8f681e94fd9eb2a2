// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/postgresql/cancel.hpp"

#include <array>
#include <csignal>
#include <exception>
#include <thread>
#include <utility>

namespace assent::postgresql_adapter {

namespace {

struct cancel_deleter
{
    void operator()(PGcancel* request) const noexcept { PQfreeCancel(request); }
};
using cancel_ptr = std::unique_ptr<PGcancel, cancel_deleter>;

/// The application's signals are for its own threads.
class no_signals
{
public:
    no_signals() noexcept
    {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    no_signals(no_signals const&) = delete;
    no_signals& operator=(no_signals const&) = delete;
    ~no_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace

void cancel_request::send(PGconn* connection) noexcept
{
    if (is_under_way_ != nullptr && *is_under_way_) return;
    try {
        cancel_ptr request{PQgetCancel(connection)};
        if (request == nullptr) return;
        is_under_way_ = std::make_shared<std::atomic<bool>>(true);
        no_signals const block;
        std::thread{[request = std::move(request), mine = is_under_way_] {
            // What it says of a failure is of no use: the deadline of whoever waits acts then.
            std::array<char, 256> why{};
            static_cast<void>(PQcancel(request.get(), why.data(), static_cast<int>(why.size())));
            *mine = false;
        }}.detach();
        was_sent_ = true;
    } catch (std::exception const&) {
        is_under_way_.reset();
    }
}

}  // namespace assent::postgresql_adapter
