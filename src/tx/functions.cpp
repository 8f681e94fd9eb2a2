// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// functions.cpp -- the functions of xopen/tx.h and assent/tx.h.  Nothing is thrown out of them: C
// has no way to go on from there.

#include <assent/tx.h>
#include <assent/export.hpp>

#include "ports/uncancelled.hpp"
#include "tx/thread_of_control.hpp"

namespace {

using assent::tx::ending;
using assent::tx::here;
using assent::tx::thread_of_control;

template <class Call>
int answered(Call const& call) noexcept
{
    assent::ports::uncancelled const undivided;
    auto& own = here();
    own.clear_message();
    try {
        return call(own);
    } catch (...) {
        return own.answer_to_exception();
    }
}

}  // namespace

extern "C" {

ASSENT_EXPORT int tx_open(void)
{
    return answered([](thread_of_control& own) { return own.open(); });
}

ASSENT_EXPORT int tx_close(void)
{
    return answered([](thread_of_control& own) { return own.close(); });
}

ASSENT_EXPORT int tx_begin(void)
{
    return answered([](thread_of_control& own) { return own.begin(); });
}

ASSENT_EXPORT int tx_commit(void)
{
    return answered([](thread_of_control& own) { return own.end(ending::commit); });
}

ASSENT_EXPORT int tx_rollback(void)
{
    return answered([](thread_of_control& own) { return own.end(ending::rollback); });
}

ASSENT_EXPORT int tx_info(TXINFO* into)
{
    return answered([into](thread_of_control& own) { return own.info(into); });
}

ASSENT_EXPORT int tx_set_commit_return(COMMIT_RETURN when)
{
    return answered([when](thread_of_control& own) { return own.set_commit_return(when); });
}

ASSENT_EXPORT int tx_set_transaction_control(TRANSACTION_CONTROL control)
{
    return answered(
        [control](thread_of_control& own) { return own.set_transaction_control(control); });
}

ASSENT_EXPORT int tx_set_transaction_timeout(TRANSACTION_TIMEOUT seconds)
{
    return answered(
        [seconds](thread_of_control& own) { return own.set_transaction_timeout(seconds); });
}

ASSENT_EXPORT int assent_tx_lease(char const* resource_manager, void** handle)
{
    return answered([resource_manager, handle](thread_of_control& own) {
        return own.lease(resource_manager, handle);
    });
}

ASSENT_EXPORT int assent_tx_enlist(char const* resource_manager, void* handle,
                                   assent_tx_release release, void* argument)
{
    return answered([resource_manager, handle, release, argument](thread_of_control& own) {
        return own.enlist(resource_manager, handle, release, argument);
    });
}

ASSENT_EXPORT char const* assent_tx_message(void)
{
    return here().message();
}

}  // extern "C"
