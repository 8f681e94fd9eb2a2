// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// uncancelled.hpp -- a scope in which pthread_cancel() does not reach this thread.  It acts later,
// at the thread's next cancellation point outside.
//
// Waiting, sending and writing are cancellation points.  A cancelled ending would end the process,
// since nothing may leave it by an exception, or would leave one branch committed and the other to
// nobody; a cancelled lease would leave a branch begun on a connection that nobody gives back.

#ifndef ASSENT_PORTS_UNCANCELLED_HPP
#define ASSENT_PORTS_UNCANCELLED_HPP

#include <pthread.h>

namespace assent::ports {

class uncancelled
{
public:
    uncancelled() noexcept { ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    uncancelled(uncancelled const&) = delete;
    uncancelled& operator=(uncancelled const&) = delete;
    ~uncancelled() { ::pthread_setcancelstate(before_, nullptr); }

private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace assent::ports

#endif  // ASSENT_PORTS_UNCANCELLED_HPP
