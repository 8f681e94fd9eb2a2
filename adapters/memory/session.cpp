// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/memory/session.hpp"

namespace assent::inline v0::testing::memory {

memory_session::memory_session(std::shared_ptr<server> server,
                               std::unique_ptr<memory_connection> owned)
    : server_(std::move(server)),
      owned_(std::move(owned)),
      handle_(owned_.get()),
      id_(handle_->id())
{
}

memory_session::memory_session(std::shared_ptr<server> server, memory_connection& borrowed)
    : server_(std::move(server)), handle_(&borrowed), id_(borrowed.id())
{
}

void memory_session::submit(verb v, xid const& x) noexcept
{
    waiting_ = server_->submit(id_, v, x);
}

std::optional<reply> memory_session::collect(deadline until) noexcept
{
    if (!waiting_) return make_reply(xa_code::proto, "collect without submit");
    auto const answer = server_->collect(*waiting_, until);
    if (!answer) return std::nullopt;
    waiting_.reset();
    // After a reply that says nothing of the branch the connection is not to be trusted.
    bool const is_settled =
        answer->code == xa_code::ok || answer->code == xa_code::rdonly ||
        (answer->code >= xa_code::rbrollback && answer->code <= xa_code::rbtransient);
    is_in_step_ = is_settled && answer->detail == reply_detail::none;
    return answer;
}

bool memory_session::is_reusable() const noexcept
{
    return is_in_step_ && !waiting_ && server_->is_reusable(id_);
}

void memory_session::sever() noexcept
{
    is_in_step_ = false;
    server_->close(id_);
}

void memory_session::abandon() noexcept
{
    // The handle is leaked on purpose: closing it would speak for the parent process.
    static_cast<void>(owned_.release());
}

}  // namespace assent::inline v0::testing::memory
