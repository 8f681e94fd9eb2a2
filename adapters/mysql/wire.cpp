// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/wire.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "adapters/dialects/mysql/error.hpp"

namespace assent::mysql_adapter {

namespace {

// The numbers of Connector/C's MYSQL_WAIT_*; libmysqlclient only says "not ready".
constexpr int wait_read = 1;
constexpr int wait_write = 2;
constexpr int wait_except = 4;
constexpr int wait_timeout = 8;

constexpr std::size_t kept_text_max = 4096;

short poll_events(int events) noexcept
{
    short wanted = 0;
    if ((events & wait_read) != 0) wanted |= POLLIN;
    if ((events & wait_write) != 0) wanted |= POLLOUT;
    if ((events & wait_except) != 0) wanted |= POLLPRI;
    return wanted;
}

int poll_timeout_ms(deadline until) noexcept
{
    auto const left = until - deadline::clock::now();
    if (left <= deadline::duration::zero()) return 0;
    auto const ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<decltype(ms)>(ms, 3'600'000));
}

std::vector<row> read_rows(MYSQL_RES* stored)
{
    std::vector<row> rows;
    unsigned const columns = mysql_num_fields(stored);
    while (MYSQL_ROW const fields = mysql_fetch_row(stored)) {
        unsigned long const* const lengths = mysql_fetch_lengths(stored);
        row& one = rows.emplace_back(columns);
        for (unsigned i = 0; i < columns; ++i) {
            if (fields[i] != nullptr) one[i].emplace(fields[i], lengths[i]);
        }
    }
    return rows;
}

/// Writing to a connection that the server has closed is an error, and must not end the process:
/// what is encrypted is written by functions that cannot say so to the kernel.
class without_sigpipe
{
public:
    explicit without_sigpipe(MYSQL* handle) noexcept
    {
        is_needed_ = handle != nullptr && is_encrypted(handle);
        if (!is_needed_) return;
        sigset_t pending;
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, &before_);
    }
    ~without_sigpipe()
    {
        if (!is_needed_) return;
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        timespec const at_once{};
        while (!was_pending_ && sigtimedwait(&pipe, nullptr, &at_once) < 0 && errno == EINTR) {
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    without_sigpipe(without_sigpipe const&) = delete;
    without_sigpipe& operator=(without_sigpipe const&) = delete;

private:
    bool is_needed_ = false;
    bool was_pending_ = false;
    sigset_t before_{};
};

/// What stands first in the socket, which poll(2) says is readable or hung up.
silence read_ahead(int socket, bool is_compressed) noexcept
{
    // [compressed: length 3, number 1, length 3] length 3, number 1, 0xff, error 2
    constexpr std::size_t compressed_header = 7;
    constexpr std::size_t header = 4;
    std::array<unsigned char, compressed_header + header + 3> bytes{};
    auto const count = recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? silence::ours : silence::closed;
    if (count == 0) return silence::closed;
    std::size_t const at = (is_compressed ? compressed_header : 0) + header;
    if (static_cast<std::size_t>(count) < at + 3 || bytes[at] != 0xff) return silence::broken;
    unsigned const code = bytes[at + 1] + 256U * bytes[at + 2];
    return ends_session(code) ? silence::over : silence::broken;
}

}  // namespace

int poll_descriptor(int descriptor, int events, deadline until) noexcept
{
    for (;;) {
        pollfd one{descriptor, poll_events(events), 0};
        int const count = poll(&one, 1, poll_timeout_ms(until));
        if (count > 0) {
            // A hang-up or an error is for the reader to find.
            int came = events & wait_read;
            if ((one.revents & POLLOUT) != 0) came |= events & wait_write;
            if ((one.revents & POLLPRI) != 0) came |= events & wait_except;
            return came != 0 ? came : events & ~wait_timeout;
        }
        if (count < 0 && errno != EINTR) return events & ~wait_timeout;
        if (deadline::clock::now() >= until) return 0;
    }
}

wire::wire(MYSQL* handle, ownership whose)
    : handle_(handle), whose_(whose), waits_inside_(whose == ownership::owned)
{
    text_.reserve(256);
#ifdef LIBMARIADB
    // Only on our own handles: the option gives the handle a second stack, which cannot be taken
    // back from a borrowed one.
    if (waits_inside_) waits_inside_ = mysql_options(handle_, MYSQL_OPT_NONBLOCK, nullptr) == 0;
#endif
}

wire::~wire()
{
    if (handle_ == nullptr || whose_ == ownership::borrowed) return;
    if (stored_ != nullptr) mysql_free_result(stored_);
    // With an operation suspended, closing in order would wait for its answer.
    if (is_waiting()) sever();
    without_sigpipe const quiet{handle_};
    mysql_close(handle_);
}

int wire::descriptor() const noexcept
{
    return handle_ == nullptr ? -1 : socket_of(handle_);
}

std::uint64_t wire::thread_id() const noexcept
{
    return handle_ == nullptr ? 0 : mysql_thread_id(handle_);
}

unsigned wire::server_status() const noexcept
{
    return handle_ == nullptr ? 0 : handle_->server_status;
}

bool wire::was_reset() const noexcept
{
    return handle_ != nullptr && !has_failed_ && mysql_affected_rows(handle_) == no_row_count;
}

bool wire::is_in_step() const noexcept
{
    return handle_ != nullptr && !is_waiting() && handle_->status == MYSQL_STATUS_READY &&
           !mysql_more_results(handle_);
}

// Neither library says whether a command is outstanding.  What both do when one is sent is to
// forget the last error and to set the number of rows to one that no OK has.
silence wire::listen() const noexcept
{
    if (!is_in_step() || has_read_ahead(handle_)) return silence::broken;
    int const socket = descriptor();
    if (socket < 0) return silence::closed;
    pollfd one{socket, POLLIN | POLLRDHUP, 0};
    int const count = poll(&one, 1, 0);
    if (count > 0) {
        bool const has_ended = (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
        // An encrypted word of farewell cannot be told from an answer, but by the end behind it.
        auto const seen = is_encrypted(handle_) ? (has_ended ? silence::closed : silence::broken)
                                                : read_ahead(socket, handle_->net.compress != 0);
        if (seen != silence::ours) return seen;
    }
    bool const is_answered =
        mysql_errno(handle_) != 0 || mysql_affected_rows(handle_) != no_row_count;
    return is_answered ? silence::ours : silence::unproven;
}

void wire::sever() noexcept
{
    int const socket = descriptor();
    if (socket >= 0) shutdown(socket, SHUT_RDWR);
}

void wire::send(std::string_view text, rows_expected rows)
{
    // Room for a large one is not kept as long as the session.
    if (text_.capacity() > kept_text_max && text.size() <= kept_text_max) std::string{}.swap(text_);
    text_.assign(text);
    rows_ = rows;
    stage_ = stage::query;
    without_sigpipe const quiet{handle_};
    if (waits_inside_) {
        pending_ = begin(stage_);
        return;
    }
    result_ = mysql_send_query(handle_, text_.data(), static_cast<unsigned long>(text_.size()));
    pending_ = result_ == 0 ? wait_read : 0;
}

void wire::send_reset()
{
    stage_ = stage::reset;
    without_sigpipe const quiet{handle_};
    pending_ = begin(stage_);
}

#ifdef LIBMARIADB

int wire::begin(stage next)
{
    switch (next) {
        case stage::query:
            return mysql_real_query_start(&result_, handle_, text_.data(),
                                          static_cast<unsigned long>(text_.size()));
        case stage::store:
            return mysql_store_result_start(&stored_, handle_);
        case stage::reset:
            return mysql_reset_connection_start(&result_, handle_);
        default:
            return mysql_next_result_start(&result_, handle_);
    }
}

int wire::resume(int events)
{
    switch (stage_) {
        case stage::query:
            return mysql_real_query_cont(&result_, handle_, events);
        case stage::store:
            return mysql_store_result_cont(&stored_, handle_, events);
        case stage::reset:
            return mysql_reset_connection_cont(&result_, handle_, events);
        default:
            return mysql_next_result_cont(&result_, handle_, events);
    }
}

#else

int wire::begin(stage next)
{
    net_async_status status = NET_ASYNC_ERROR;
    switch (next) {
        case stage::query:
            status = mysql_real_query_nonblocking(handle_, text_.data(),
                                                  static_cast<unsigned long>(text_.size()));
            break;
        case stage::store:
            status = mysql_store_result_nonblocking(handle_, &stored_);
            break;
        case stage::reset:
            status = mysql_reset_connection_nonblocking(handle_);
            break;
        default:
            status = mysql_next_result_nonblocking(handle_);
            break;
    }
    if (status == NET_ASYNC_NOT_READY) return wait_read;
    result_ = status == NET_ASYNC_COMPLETE ? 0 : status == NET_ASYNC_ERROR ? 1 : -1;
    return 0;
}

// libmysqlclient is resumed by the call that began the operation.
int wire::resume(int /*events*/)
{
    return begin(stage_);
}

#endif

// Drives the suspended operation.  @return false when `until` passed first.
bool wire::finish_operation(deadline until)
{
    while (pending_ != 0) {
        deadline end = until;
        bool has_own_timeout = false;
#ifdef LIBMARIADB
        if ((pending_ & wait_timeout) != 0) {
            auto const own = deadline::clock::now() +
                             std::chrono::milliseconds(mysql_get_timeout_value_ms(handle_));
            has_own_timeout = own < end;
            if (has_own_timeout) end = own;
        }
#endif
        int const socket = descriptor();
        int events = socket < 0 ? pending_ : poll_descriptor(socket, pending_, end);
        if (events == 0) {
            if (!has_own_timeout) return false;
            events = wait_timeout;
        }
        if (waits_inside_) {
            pending_ = resume(events);
        } else {
            result_ = mysql_read_query_result(handle_) != 0 ? 1 : 0;
            pending_ = 0;
        }
    }
    return true;
}

std::optional<answer> wire::receive(deadline until)
{
    if (stage_ == stage::idle) return strange();
    without_sigpipe const quiet{handle_};
    if (stage_ == stage::more) {
        stage_ = stage::advance;
        if (waits_inside_) {
            pending_ = begin(stage_);
        } else {
            result_ = mysql_next_result(handle_);
        }
    }
    if (!finish_operation(until)) return std::nullopt;
    if (stage_ != stage::store) {
        if (result_ != 0) return failure();
        // A reset has no result set, whatever the last statement had.
        if (stage_ == stage::reset || mysql_field_count(handle_) == 0) return conclude();
        if (!are_rows_expected()) return strange();
        stage_ = stage::store;
        if (waits_inside_) {
            pending_ = begin(stage_);
            if (!finish_operation(until)) return std::nullopt;
        } else {
            stored_ = mysql_store_result(handle_);
        }
    }
    if (stored_ == nullptr) return failure();
    return conclude();
}

bool wire::are_rows_expected() const
{
    if (rows_ == rows_expected::any) return true;
    return rows_ == rows_expected::echo && mysql_field_count(handle_) == 1 &&
           std::strcmp(handle_->fields->name, echo_column) == 0;
}

/// Whatever is there is left as it is: the handle is of no use any more.
answer wire::strange()
{
    stage_ = stage::idle;
    has_failed_ = true;
    return out_of_step();
}

std::optional<answer> wire::conclude()
{
    has_failed_ = false;
    answer good;
    if (stage_ != stage::reset) good.affected = mysql_affected_rows(handle_);
    if (stored_ != nullptr) {
        good.has_rows = true;
        good.rows = read_rows(stored_);
        mysql_free_result(stored_);
        stored_ = nullptr;
    }
    good.is_in_transaction = (handle_->server_status & SERVER_STATUS_IN_TRANS) != 0;
    good.has_more = mysql_more_results(handle_) != 0;
    stage_ = good.has_more ? stage::more : stage::idle;
    return good;
}

// An error ends the message: the server does not run what stands behind a failed statement.
answer wire::failure()
{
    stage_ = stage::idle;
    has_failed_ = true;
    answer bad;
    bad.code = mysql_errno(handle_);
    if (bad.code == 0) bad.code = 2000;  // the library failed without saying why: CR_UNKNOWN_ERROR
    bad.sqlstate = mysql_sqlstate(handle_);
    // A syntax error quotes the statement, and no text of ours holds SQL.
    bad.text =
        bad.code == 1064 ? "the server does not understand the statement" : mysql_error(handle_);
    return bad;
}

}  // namespace assent::mysql_adapter
