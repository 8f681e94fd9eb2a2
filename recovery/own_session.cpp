// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/own_session.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/connecting.hpp"

namespace assent::recovery {

driver_session* own_session::get()
{
    used_at_ = shared_.time.now();
    if (session_) return session_.get();
    if (used_at_ < next_try_) return nullptr;
    try {
        session_ =
            shared::connect(at_.driver(), purpose_, used_at_ + shared_.bounds.connect, in_child_);
        if (purpose_ == session_purpose::guardian) {
            at_.require_same_instance(session_->life());
        } else {
            facts_ = at_.driver().preflight(*session_, at_.call_end());
            if (plays_ == part::follows) at_.require_same(facts_);
        }
    } catch (...) {
        close();
        throw;
    }
    int const descriptor = session_->descriptor();
    if (descriptor < 0) return session_.get();
    auto const before = ports::forks_made();
    {
        std::lock_guard const held{mutex_};
        to_cut_ = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
        to_cut_in_child_ = inherited_descriptor{to_cut_};
    }
    if (ports::forks_made() == before) return session_.get();
    session_->sever();  // a child may have a copy of the second descriptor
    close();
    throw driver_error{"the process forked while a connection was made"};
}

void own_session::lose(limits::duration at_most) noexcept
{
    close();
    next_try_ = retry_.after(shared_.time.now(), at_most);
}

void own_session::tend() noexcept
{
    if (session_ && shared_.time.now() - used_at_ >= shared_.bounds.session_idle_max) close();
}

void own_session::close() noexcept
{
    {
        std::lock_guard const held{mutex_};
        to_cut_in_child_ = {};
        if (to_cut_ >= 0) ::close(to_cut_);
        to_cut_ = -1;
    }
    in_child_ = {};
    session_.reset();
}

void own_session::cut() noexcept
{
    std::lock_guard const held{mutex_};
    if (to_cut_ >= 0) ::shutdown(to_cut_, SHUT_RDWR);
}

}  // namespace assent::recovery
