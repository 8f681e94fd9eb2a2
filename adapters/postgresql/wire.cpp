// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// wire.cpp -- libpq's asynchronous calls around poll(2).

#include "adapters/postgresql/wire.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "adapters/postgresql/error.hpp"

namespace assent::postgresql_adapter {

bool wait_for_socket(int descriptor, bool wants_read, bool wants_write, deadline until,
                     bool& is_ready)
{
    for (;;) {
        // Rounded up: rounding down would spin through the last millisecond.
        auto const left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        auto const bounded = std::clamp<long long>(left.count(), 0, 3600 * 1000);
        pollfd one{};
        one.fd = descriptor;
        one.events = static_cast<short>((wants_read ? POLLIN : 0) | (wants_write ? POLLOUT : 0));
        int const count = ::poll(&one, 1, static_cast<int>(bounded));
        if (count > 0) {
            is_ready = true;
            return true;
        }
        if (count < 0 && errno != EINTR) return false;
        if (std::chrono::steady_clock::now() >= until) {
            is_ready = false;
            return true;
        }
    }
}

bool set_close_on_exec(int descriptor) noexcept
{
    int const flags = ::fcntl(descriptor, F_GETFD);
    return flags >= 0 && ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) == 0;
}

wire::~wire()
{
    if (is_there() && is_owned_) PQfinish(connection_);
}

bool wire::is_broken() const noexcept
{
    return connection_ == nullptr || is_severed_ || is_out_of_step_ ||
           (watched_ != nullptr && watched_->is_replaced()) ||
           PQstatus(connection_) != CONNECTION_OK;
}

PGTransactionStatusType wire::transaction_status() const noexcept
{
    return is_broken() ? PQTRANS_UNKNOWN : PQtransactionStatus(connection_);
}

std::string wire::why() const
{
    if (connection_ == nullptr) return "the connection belongs to the parent process";
    if (is_severed_) return "the connection was severed";
    if (watched_ != nullptr && watched_->is_replaced()) {
        return "the connection was closed or reset by its owner";
    }
    std::string text = text_of(connection_);
    return text.empty() ? "the connection is lost" : text;
}

bool wire::enter()
{
    if (is_broken()) return false;
    if (is_outstanding_) return true;
    was_nonblocking_ = PQisnonblocking(connection_) != 0;
    if (PQsetnonblocking(connection_, 1) != 0) {
        is_out_of_step_ = true;
        return false;
    }
    is_outstanding_ = true;
    return true;
}

bool wire::go(int sent)
{
    // A flush that takes only a part is finished by next().
    if (sent == 1 && PQflush(connection_) >= 0) return true;
    is_out_of_step_ = true;
    return false;
}

bool wire::send(std::string const& sql)
{
    return enter() && go(PQsendQuery(connection_, sql.c_str()));
}

bool wire::begin_drain(drain mode)
{
    if (!enter()) return false;
    is_draining_ = true;
    is_by_row_ = false;
    gathered_ = 0;
    cancel_pause_ = cancel_after;
    cancel_at_ = mode == drain::given_up ? std::chrono::steady_clock::now() + cancel_pause_
                                         : deadline::max();
    if (PQpipelineStatus(connection_) == PQ_PIPELINE_OFF) return go(1);
    return go(PQpipelineSync(connection_));
}

wire::event wire::next(deadline until, result_ptr& result)
{
    bool is_last_try = false;
    for (;;) {
        if (is_broken()) return event::broken;
        // Refused once libpq has begun to gather rows.
        if (is_draining_ && PQsetSingleRowMode(connection_) == 1) is_by_row_ = true;
        bool needs_input = PQisBusy(connection_) != 0;
        if (!needs_input) {
            result.reset(PQgetResult(connection_));
            if (!is_draining_) return result ? event::result : event::end;
            if (result) {
                needs_input = take_drained(result.get());
            } else if (PQpipelineStatus(connection_) == PQ_PIPELINE_OFF ||
                       PQexitPipelineMode(connection_) == 1) {
                is_draining_ = false;
                return event::end;
            } else {
                is_by_row_ = false;
            }
            if (!needs_input) continue;
        }
        bool is_ready = false;
        if (!wait(until, is_ready)) {
            is_out_of_step_ = true;
            return event::broken;
        }
        if (!is_ready || is_last_try) return event::silence;
        // Past the deadline what has already arrived is still taken, but not without end.
        is_last_try = std::chrono::steady_clock::now() >= until;
        if (!consume()) {
            is_out_of_step_ = true;
            return event::broken;
        }
    }
}

/// Waits for the socket, and asks for a cancel whenever one is due meanwhile.
bool wire::wait(deadline until, bool& is_ready)
{
    for (;;) {
        int const unsent = PQflush(connection_);
        bool const is_bounded = is_draining_ && cancel_at_ < until;
        if (!wait_for_socket(PQsocket(connection_), true, unsent == 1,
                             is_bounded ? cancel_at_ : until, is_ready)) {
            return false;
        }
        auto const now = std::chrono::steady_clock::now();
        if (is_draining_ && now >= cancel_at_) {
            cancel_.send(connection_);
            cancel_pause_ = std::min(2 * cancel_pause_, cancel_again_at_most);
            cancel_at_ = now + cancel_pause_;
        }
        if (is_ready || now >= until) return true;
    }
}

/// Takes what has arrived, and counts what of it is gathered.  libpq does not say how much it took.
bool wire::consume()
{
    bool const counts = is_draining_ && !is_by_row_;
    int before = 0;
    int after = 0;
    if (counts) ::ioctl(PQsocket(connection_), FIONREAD, &before);
    if (PQconsumeInput(connection_) == 0) return false;
    if (!counts) return true;
    ::ioctl(PQsocket(connection_), FIONREAD, &after);
    constexpr int at_least = 8192;  // while the server sends as fast as we read
    gathered_ += static_cast<std::size_t>(std::max({before - after, std::min(before, at_least)}));
    if (gathered_ <= unread_bytes_max) return true;
    if (cancel_at_ == deadline::max()) cancel_at_ = std::chrono::steady_clock::now();
    return gathered_ <= 2 * unread_bytes_max;  // it was told to stop, and goes on
}

/// @return whether more input is needed before PQgetResult can tell anything new.
bool wire::take_drained(PGresult const* result)
{
    auto const status = PQresultStatus(result);
    is_by_row_ = status == PGRES_SINGLE_TUPLE || status == PGRES_COPY_OUT;
    return drain_copy(result);
}

bool wire::drain_copy(PGresult const* result)
{
    switch (PQresultStatus(result)) {
        case PGRES_COPY_IN:
            // The server answers with an error, which aborts the transaction: a copy that its
            // owner never finished is not committed.
            if (PQputCopyEnd(connection_, "the transaction is ending") < 0) is_out_of_step_ = true;
            return false;
        case PGRES_COPY_OUT: {
            char* row = nullptr;
            int got = 0;
            while ((got = PQgetCopyData(connection_, &row, 1)) > 0)
                PQfreemem(row);
            return got == 0;
        }
        case PGRES_COPY_BOTH:  // a replication stream has no end of its own
            is_out_of_step_ = true;
            return false;
        default:
            return false;
    }
}

void wire::settle() noexcept
{
    if (!is_outstanding_) return;
    is_outstanding_ = false;
    is_draining_ = false;
    if (is_broken()) return;
    if (PQpipelineStatus(connection_) != PQ_PIPELINE_OFF && PQexitPipelineMode(connection_) != 1) {
        is_out_of_step_ = true;
    }
    if (PQsetnonblocking(connection_, was_nonblocking_ ? 1 : 0) != 0) is_out_of_step_ = true;
}

void wire::sever() noexcept
{
    if (!is_there() || is_severed_) return;
    is_severed_ = true;
    int const descriptor = PQsocket(connection_);
    // A socket that the server has closed already answers ENOTCONN, which is as severed.
    if (descriptor >= 0) ::shutdown(descriptor, SHUT_RDWR);
}

}  // namespace assent::postgresql_adapter
