// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tail_judge.cpp -- see tail_judge.hpp.

#include "log/tail_judge.hpp"

#include <utility>

namespace assent::log {

tail_judge::verdict tail_judge::says() const noexcept
{
    if (is_decided()) return decided_;
    return is_torn_ ? verdict::torn : verdict::whole;
}

void tail_judge::decide(verdict what, std::uint32_t page, std::string why)
{
    decided_ = what;
    page_ = page;
    why_ = std::move(why);
}

void tail_judge::contradict(std::uint32_t page, std::string why)
{
    decide(verdict::corrupt, page, std::move(why));
}

void tail_judge::look_at(scanned_page const& page)
{
    if (is_decided()) return;
    find_end(page);
    if (!is_decided() && first_bad_ != 0) weigh(page);
}

void tail_judge::find_end(scanned_page const& page)
{
    switch (page.kind) {
        case page_kind::sound:
            return;
        case page_kind::newer:
            return decide(verdict::newer, page.number, page.why);
        case page_kind::unreadable:
            return decide(verdict::corrupt, page.number, page.why);
        case page_kind::stray:
            // A force leaves parts of its pages in their places.  Whoever left this may as well
            // have taken a page that was acknowledged.
            return decide(verdict::corrupt, page.number, page.why);
        // An intact page behind the end need not follow it: it is of the torn force.
        case page_kind::newer_record:
            if (first_bad_ == 0) decide(verdict::newer, page.number, page.why);
            return;
        case page_kind::unchained:
        case page_kind::out_of_order:
        case page_kind::malformed:
            if (first_bad_ == 0) decide(verdict::corrupt, page.number, page.why);
            return;
        case page_kind::zeros:
        case page_kind::damaged:
            if (first_bad_ != 0) return;
            first_bad_ = page.number;
            why_bad_ = page.why;
            return;
    }
}

/// Whether what lies behind the first bad page, it included, proves that it was durable.
void tail_judge::weigh(scanned_page const& page)
{
    if (first_bad_ <= snapshot_pages_) {
        return decide(verdict::corrupt, first_bad_,
                      why_bad_ + "; it was durable before the segment got its name");
    }
    if (page.kind == page_kind::zeros) return;
    if (is_intact(page.kind) && page.header.durable_up_to > first_bad_) {
        return decide(
            verdict::corrupt, first_bad_,
            why_bad_ + "; it was durable, as page " + std::to_string(page.number) + " says");
    }
    if (page.number - first_bad_ >= force_pages_max) {
        return decide(verdict::corrupt, first_bad_,
                      why_bad_ + "; more than one force is damaged from it on");
    }
    is_torn_ = true;
    page_ = first_bad_;
    why_ = "its last force is incomplete, and nothing says that it was durable";
}

}  // namespace assent::log
