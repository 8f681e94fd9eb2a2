// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// watch.cpp -- the tags that leave a transaction, and the verdict.

#include "adapters/postgresql/watch.hpp"

#include <sys/socket.h>

#include <new>

#include "adapters/postgresql/error.hpp"

namespace assent::postgresql_adapter {

namespace {

using share = std::shared_ptr<watch>;

/// 0: not known.
std::uint64_t cookie_of(int socket) noexcept
{
    std::uint64_t cookie = 0;
    socklen_t bytes = sizeof cookie;
    bool const is_told = ::getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &bytes) == 0;
    return is_told ? cookie : 0;
}

}  // namespace

std::shared_ptr<watch> watch::on(PGconn* connection) noexcept
{
    if (void* const known = PQinstanceData(connection, &on_event)) {
        return *static_cast<share*>(known);
    }
    try {
        auto made = std::make_unique<share>(std::make_shared<watch>());
        // Refused where it is registered already; then there was no memory for a share.
        static_cast<void>(PQregisterEventProc(connection, &on_event, "assent", nullptr));
        if (PQsetInstanceData(connection, &on_event, made.get()) == 0) return nullptr;
        return *made.release();
    } catch (std::bad_alloc const&) {
        return nullptr;
    }
}

known_process const* watch::known_at(int socket) const noexcept
{
    return known_ && cookie_of(socket) == known_at_ ? &*known_ : nullptr;
}

void watch::note(int socket, session_identity const& who)
{
    known_.reset();
    known_at_ = cookie_of(socket);
    if (known_at_ != 0 && !who.is_proxied) known_.emplace(who);
}

void watch::begin() noexcept
{
    has_left_ = has_savepoint_ = has_failed_ = is_unsure_ = has_begun_again_ = is_reset_ = is_set_ =
        is_blind_ = false;
    is_on_ = true;
}

/// 0 would be a failure, which libpq before 15 makes the application's.
int watch::on_event(PGEventId id, void* info, void*) noexcept
{
    switch (id) {
        case PGEVT_RESULTCREATE: {
            auto const* const made = static_cast<PGEventResultCreate*>(info);
            void* const known = PQinstanceData(made->conn, &on_event);
            if (known != nullptr) (*static_cast<share*>(known))->on_result(made->result);
            return 1;
        }
        case PGEVT_CONNRESET: {
            auto const* const reset = static_cast<PGEventConnReset*>(info);
            void* const known = PQinstanceData(reset->conn, &on_event);
            if (known != nullptr) (*static_cast<share*>(known))->is_replaced_ = true;
            return 1;
        }
        case PGEVT_CONNDESTROY: {
            auto const* const closed = static_cast<PGEventConnDestroy*>(info);
            auto* const known = static_cast<share*>(PQinstanceData(closed->conn, &on_event));
            if (known == nullptr) return 1;
            PQsetInstanceData(closed->conn, &on_event, nullptr);
            (*known)->is_closed_ = true;
            (*known)->is_replaced_ = true;
            delete known;
            return 1;
        }
        case PGEVT_REGISTER:
        case PGEVT_RESULTCOPY:
        case PGEVT_RESULTDESTROY:
            return 1;
    }
    return 1;
}

void watch::on_result(PGresult const* result) noexcept
{
    if (!is_on_) return;
    switch (PQresultStatus(result)) {
        case PGRES_COMMAND_OK:
            return on_tag(PQcmdStatus(const_cast<PGresult*>(result)));
        case PGRES_FATAL_ERROR:
            // Without an SQLSTATE it is the client library's own: memory, for one.
            if (sqlstate_of(result).empty()) {
                is_blind_ = true;
            } else {
                has_failed_ = true;
            }
            return;
        default:
            return;
    }
}

void watch::on_tag(std::string_view tag) noexcept
{
    if (tag.substr(0, 6) == "COMMIT" || tag == "PREPARE TRANSACTION" ||
        tag == "ROLLBACK PREPARED") {
        has_left_ = true;
    } else if (tag == "ROLLBACK") {
        has_failed_ = false;
        // ROLLBACK TO needs a savepoint.
        (has_savepoint_ ? is_unsure_ : has_left_) = true;
    } else if (tag == "BEGIN" || tag == "START TRANSACTION") {
        // A failed transaction refuses it; so the COMMIT that failed has ended it, and has no tag.
        (has_failed_ ? has_left_ : has_begun_again_) = true;
    } else if (tag == "SAVEPOINT") {
        has_savepoint_ = true;
    } else if (tag == "RESET") {
        is_reset_ = true;
    } else if (tag == "SET") {
        is_set_ = true;
    }
}

verdict watch::judge(mark_answer mark) const noexcept
{
    if (has_left()) return verdict::left_behind;
    if (mark == mark_answer::there || excuses_reset()) return verdict::intact;
    // What was left by ROLLBACK has made nothing permanent before the next transaction begins.
    if (is_unsure_ && !is_blind_ && !has_begun_again_) return verdict::rolled_back;
    if (mark == mark_answer::unasked && !is_unsure_ && !is_blind_) return verdict::intact;
    return verdict::left_behind;
}

}  // namespace assent::postgresql_adapter
