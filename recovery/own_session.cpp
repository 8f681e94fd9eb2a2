// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/own_session.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "ports/connecting.hpp"
#include "recovery/refused_account.hpp"

namespace assent::recovery {

namespace {

constexpr std::string_view account_refused =
    "; the server refuses the account or its password, and is asked less and less often (every "
    "limits::scan_interval in the end): correct them";

}  // namespace

driver_session* own_session::get()
{
    used_at_ = shared_.time.now();
    if (session_) return session_.get();
    if (used_at_ < next_try_) return nullptr;
    if (auto const when = at_.claim_login(used_at_); when > used_at_) {
        next_try_ = when;
        return nullptr;
    }
    try {
        session_ =
            ports::connect(at_.driver(), purpose_, used_at_ + shared_.bounds.connect, in_child_);
        if (purpose_ == session_purpose::guardian) {
            at_.require_same_instance(session_->life());
        } else {
            if (at_.known_id() != 0) at_.driver().note_known();
            facts_ = at_.driver().preflight(*session_, at_.call_end());
            if (plays_ == part::follows) at_.require_same(facts_);
        }
    } catch (driver_error const& e) {
        close();
        if (!is_login_refused(e)) throw;
        next_try_ = at_.note_login_refused();
        throw driver_error{e.why(), e.what() + std::string{account_refused}, e.sqlstate(),
                           e.native_code()};
    } catch (...) {
        close();
        throw;
    }
    at_.note_login();
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
    next_try_ = std::max(next_try_, retry_.after(shared_.time.now(), at_most));
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
