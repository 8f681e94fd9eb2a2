// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// undisturbed.hpp -- a scope in which no signal handler runs on this thread and no cancellation
// reaches it.  An interrupted write would be a failed force, and if the thread that forces the log
// for all others (the leader, log/force_queue.hpp) were cancelled, they would wait for ever.
//
// Signals that the thread itself causes by a fault stay open: blocking them would only hide why
// the process died.

#ifndef ASSENT_PORTS_UNDISTURBED_HPP
#define ASSENT_PORTS_UNDISTURBED_HPP

#include <pthread.h>
#include <csignal>

#include "ports/uncancelled.hpp"

namespace assent::ports {

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
    }
    undisturbed(undisturbed const&) = delete;
    undisturbed& operator=(undisturbed const&) = delete;
    ~undisturbed() { ::pthread_sigmask(SIG_SETMASK, &signals_, nullptr); }

private:
    uncancelled uncancelled_;
    sigset_t signals_;
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_UNDISTURBED_HPP
