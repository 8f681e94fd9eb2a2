// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// thread_of_control.hpp -- what TX knows of one thread: C504's state table.
//
//            +-- tx_open --> S1 open, unchained <-- control --> S2 open, chained
//   S0 closed                |  tx_begin      ^ its end         |  tx_begin    ^ its end, where no
//            <-- tx_close ---+  v             |                 v              | other could begin
//                            S3 in a transaction <-- control --> S4 in a transaction, which is
//                                                                   followed by another
//
// Whether a thread is in a transaction is not kept here: the manager knows it.  It may be one that
// this thread did not begin by tx_begin() (C++ began it, or handed it over); such a one is seen,
// and worked in, but only who began it ends it.

#ifndef ASSENT_TX_THREAD_OF_CONTROL_HPP
#define ASSENT_TX_THREAD_OF_CONTROL_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

#include <assent/tx.h>

#include "tx/answers.hpp"
#include "tx/service.hpp"

namespace assent::tx {

/// A call that is refused without asking the manager.
struct refusal
{
    int answer;
    std::string_view why;
};

/// Its members are the functions of xopen/tx.h and assent/tx.h.  They return what is returned
/// there, or throw: a refusal, or what the manager throws.
///
/// Thread safety: its own thread only.  Nothing in it needs to be destroyed, so that it is usable
/// for as long as its thread runs, in destructors of other thread-local objects too.
class thread_of_control
{
public:
    int open();
    int close();
    int begin();
    int end(ending how);
    int info(TXINFO* into) const;
    int set_commit_return(COMMIT_RETURN when);
    int set_transaction_control(TRANSACTION_CONTROL control);
    int set_transaction_timeout(TRANSACTION_TIMEOUT seconds);
    int lease(char const* name, void** handle) const;
    int enlist(char const* name, void* handle, assent_tx_release release, void* argument) const;

    char const* message() const noexcept { return message_.data(); }
    void clear_message() noexcept { message_[0] = '\0'; }
    /// Adds to the message; what is too long for it is cut.
    void say(std::string_view why) noexcept;
    /// Says what is thrown now, and gives the answer to it.
    int answer_to_exception() noexcept;

private:
    void require_between_calls() const;
    service const& opened() const;
    transaction* current(service const& at) const noexcept;
    transaction& current_to_work_in(service const& at) const;
    resource_manager const& database(service const& at, char const* name) const;
    bool has_begun(transaction const& tx) const noexcept;
    TRANSACTION_STATE state_of(transaction const& tx) const noexcept;
    int end_one(service const& at, ending how);
    void start(service const& at);

    std::uint64_t opened_ = 0;  // the service that is open; 0: none
    COMMIT_RETURN when_return_ = TX_COMMIT_COMPLETED;
    TRANSACTION_CONTROL control_ = TX_UNCHAINED;
    TRANSACTION_TIMEOUT timeout_ = 0;
    std::array<char, gtrid::length> begun_{};  // by tx_begin(), last
    deadline until_ = deadline::max();         // of that one; not before the manager's own
    bool is_ending_ = false;                   // and what is called now is called back
    std::array<char, 1024> message_{};
};

/// The calling thread's own.
thread_of_control& here() noexcept;

}  // namespace assent::tx

#endif  // ASSENT_TX_THREAD_OF_CONTROL_HPP
