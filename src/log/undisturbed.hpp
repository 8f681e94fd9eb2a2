// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// undisturbed.hpp -- a scope in which no signal handler runs on this thread and no cancellation
// reaches it.  An interrupted write would be a failed force, and a cancelled leader would leave
// everybody waiting.
//
// Signals that the thread itself causes by a fault stay open: blocking them would only hide why
// the process died.

#ifndef ASSENT_LOG_UNDISTURBED_HPP
#define ASSENT_LOG_UNDISTURBED_HPP

#include <pthread.h>
#include <csignal>

namespace assent::log {

class undisturbed
{
public:
    undisturbed() noexcept
    {
        sigset_t all;
        ::sigfillset(&all);
        for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
            ::sigdelset(&all, fault);
        }
        ::pthread_sigmask(SIG_BLOCK, &all, &signals_);
        ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_);
    }
    undisturbed(undisturbed const&) = delete;
    undisturbed& operator=(undisturbed const&) = delete;
    ~undisturbed()
    {
        ::pthread_setcancelstate(cancel_, nullptr);
        ::pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
    }

private:
    sigset_t signals_;
    int cancel_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace assent::log

#endif  // ASSENT_LOG_UNDISTURBED_HPP
