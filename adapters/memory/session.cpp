// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/memory/session.hpp"

namespace assent::inline v0::testing::memory {

memory_session::memory_session(std::shared_ptr<server> server,
                               std::unique_ptr<memory_connection> owned)
    : server_(std::move(server)),
      owned_(std::move(owned)),
      handle_(owned_.get()),
      id_(server::key_of(*handle_)),
      life_(server_->present_life())
{
}

memory_session::memory_session(std::shared_ptr<server> server, memory_connection& borrowed)
    : server_(std::move(server)),
      handle_(&borrowed),
      id_(server::key_of(borrowed)),
      life_(server_->present_life())
{
}

void memory_session::declare(branch_modes const& next) noexcept
{
    server_->declare(id_, next);
}

void memory_session::submit(verb v, xid const& x) noexcept
{
    waiting_ = is_abandoned_ ? lost_request() : server_->submit(id_, v, x);
}

std::optional<reply> memory_session::collect(deadline until) noexcept
{
    if (!waiting_) return make_reply(xa_code::proto, "collect without submit");
    auto answer = server_->collect(*waiting_, until);
    if (!answer) return std::nullopt;
    verb const what = waiting_->what;
    waiting_.reset();
    // The server answered in order; whether a branch is still attached is the server's to say.
    is_in_step_ = answer->code != xa_code::rmfail && answer->detail != reply_detail::left_behind &&
                  answer->detail != reply_detail::reply_lost;
    // What it prepared is its own to finish, even where the server has let go of the session.
    if (what == verb::prepare) {
        is_prepared_ = answer->is_ok();
    } else if (answer->is_ok()) {
        is_prepared_ = false;
    }
    return answer;
}

bool memory_session::is_reusable() const noexcept
{
    return is_in_step_ && !is_prepared_ && !is_abandoned_ && !waiting_ && server_->is_reusable(id_);
}

void memory_session::sever() noexcept
{
    is_in_step_ = false;
    if (!is_abandoned_) server_->close(id_);
}

void memory_session::abandon() noexcept
{
    is_abandoned_ = true;
    waiting_ = lost_request();
    // The handle is leaked on purpose: closing it would speak for the parent process.
    static_cast<void>(owned_.release());
}

}  // namespace assent::inline v0::testing::memory
