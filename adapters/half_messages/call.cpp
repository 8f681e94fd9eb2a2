// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/half_messages/call.hpp"

#include <utility>

namespace assent::half_messages {

caller::caller(std::shared_ptr<service> of, std::shared_ptr<seat const> on)
    : of_(std::move(of)), on_(std::move(on))
{
}

caller::~caller()
{
    if (is_under_way()) worker_->leave();
}

void caller::ask(question what, about tells)
{
    auto const number = on_->share();
    if (!number) throw driver_error("the session was ended");
    if (!worker_) worker_ = std::make_unique<sql_text::worker>(of_->stuck);
    auto into = std::make_shared<answer>();
    worker_->post([of = of_, number, tells, what = std::move(what), into] {
        bool const is_half = tells == about::half;
        if (is_half) number->note_asking();
        try {
            into->said = what(*of->broker);
        } catch (half::refused const&) {
            into->threw = std::current_exception();
        } catch (...) {
            into->threw = std::current_exception();
            return;
        }
        if (is_half) number->note_answered();
    });
    under_way_ = std::move(into);
}

std::optional<bool> caller::hear(deadline until)
{
    if (!worker_->wait(until)) return std::nullopt;
    auto const heard = std::exchange(under_way_, nullptr);
    if (heard->threw) std::rethrow_exception(heard->threw);
    return heard->said;
}

void caller::abandon() noexcept
{
    if (worker_) worker_->abandon();
    under_way_ = nullptr;
}

}  // namespace assent::half_messages
