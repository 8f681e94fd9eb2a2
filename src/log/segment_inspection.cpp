// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_inspection.cpp -- see segment_inspection.hpp.

#include "log/segment_inspection.hpp"

#include <algorithm>
#include <utility>

#include "log/decision_window.hpp"

namespace assent::log {

namespace {

class inspector final : public scan_visitor
{
public:
    inspector(segment_inspection& into, decision_window& window, bool is_first_pass)
        : into_(into),
          window_(window),
          is_first_pass_(is_first_pass),
          snapshot_pages_(into.header ? into.header->snapshot_pages : 0)
    {
    }

    void on_page(scanned_page const& page) override
    {
        if (!is_first_pass_) return;
        if (page.kind == page_kind::sound) {
            count(page);
        } else {
            note_damage(page);
        }
        if (is_intact(page.kind)) note_promise(page);
        judge(page);
    }

    void on_record(scanned_record const& one) override
    {
        if (is_first_pass_) {
            ++into_.records;
            if (is_decided_ || first_bad_ != 0) ++into_.records_after;
            into_.decisions += one.what && std::holds_alternative<decision_record>(*one.what);
        }
        bool const is_binding = one.what && std::holds_alternative<ports::binding>(*one.what);
        if (window_.note(one) || (is_binding && !is_first_pass_)) return;
        auto const why = "record " + std::to_string(one.lsn) + " contradicts the log";
        // The reader would have come to this page first, or never.
        bool const is_first = into_.page == 0 || one.page < into_.page;
        if (is_first && (!is_first_pass_ || first_bad_ == 0)) {
            decide(segment_state::corrupt, one.page, why);
        }
        add({one.page, one.page, page_kind::sound, why, false, 0, true});
    }

    void conclude(scan_end const& end, bool is_live)
    {
        into_.last_page = end.last_sound;
        into_.next_lsn = end.next_lsn;
        if (is_decided_) return;
        if (first_bad_ != 0) {
            decide(segment_state::torn, first_bad_,
                   "its last force is incomplete, and nothing says that it was durable");
        } else if (is_live) {
            into_.state = segment_state::live;
        } else {
            into_.state = end.is_sealed ? segment_state::sealed : segment_state::unsealed;
        }
    }

private:
    void decide(segment_state what, std::uint32_t page, std::string why)
    {
        is_decided_ = true;
        into_.state = what;
        into_.page = page;
        into_.why = std::move(why);
    }

    void count(scanned_page const& page)
    {
        ++into_.sound_pages;
        into_.damaged_at_end = 0;
        if (into_.first_lsn == 0) into_.first_lsn = page.header.first_lsn;
        if (!page.lost) return;
        auto& lost = into_.lost;
        lost.total += page.lost->last - page.lost->first + 1;
        if (lost.first.size() < lost.kept_max) {
            lost.first.push_back(*page.lost);
        } else {
            ++lost.left_out;
        }
    }

    void note_damage(scanned_page const& page)
    {
        ++into_.damaged_at_end;
        ++into_.damaged.total;
        add({page.number, page.number, page.kind, page.why, page.number <= snapshot_pages_, 0,
             false});
    }

    void add(damage one)
    {
        auto& all = into_.damaged;
        if (!all.first.empty() && all.left_out == 0) {
            auto& last = all.first.back();
            bool const is_same = last.last + 1 == one.first && last.kind == one.kind &&
                                 last.why == one.why && last.promised_by == 0 &&
                                 last.is_of_snapshot == one.is_of_snapshot && !one.is_contradiction;
            if (is_same) {
                last.last = one.last;
                return;
            }
        }
        if (all.first.size() < all.kept_max) {
            all.first.push_back(std::move(one));
        } else {
            ++all.left_out;
        }
    }

    /// A page that was intact when it was written says how far everything was durable by then.
    void note_promise(scanned_page const& page)
    {
        auto& all = into_.damaged.first;
        for (; unproved_ < all.size() && all[unproved_].first < page.header.durable_up_to;
             ++unproved_) {
            if (all[unproved_].is_contradiction) continue;
            if (all[unproved_].last >= page.header.durable_up_to) {
                auto rest = all[unproved_];
                all[unproved_].last = page.header.durable_up_to - 1;
                rest.first = page.header.durable_up_to;
                all.insert(all.begin() + static_cast<std::ptrdiff_t>(unproved_) + 1, rest);
            }
            all[unproved_].promised_by = page.number;
        }
    }

    /// What segment_reader would say.
    void judge(scanned_page const& page)
    {
        if (is_decided_) return;
        switch (page.kind) {
            case page_kind::sound:
                break;
            case page_kind::newer:
                return decide(segment_state::newer, page.number, page.why);
            case page_kind::newer_record:
                if (first_bad_ != 0) break;
                return decide(segment_state::newer, page.number, page.why);
            case page_kind::unreadable:
            case page_kind::stray:
                return decide(segment_state::corrupt, page.number, page.why);
            case page_kind::unchained:
            case page_kind::out_of_order:
            case page_kind::malformed:
                if (first_bad_ != 0) break;
                return decide(segment_state::corrupt, page.number, page.why);
            case page_kind::zeros:
            case page_kind::damaged:
                if (first_bad_ == 0) {
                    first_bad_ = page.number;
                    why_bad_ = page.why;
                }
                break;
        }
        if (first_bad_ == 0) return;
        if (first_bad_ <= snapshot_pages_) {
            decide(segment_state::corrupt, first_bad_,
                   why_bad_ + "; it was durable before the segment got its name");
        } else if (is_intact(page.kind) && page.header.durable_up_to > first_bad_) {
            decide(segment_state::corrupt, first_bad_,
                   why_bad_ + "; it was durable, as page " + std::to_string(page.number) + " says");
        } else if (page.number - first_bad_ >= force_pages_max && page.kind != page_kind::zeros) {
            decide(segment_state::corrupt, first_bad_,
                   why_bad_ + "; more than one force is damaged from it on");
        }
    }

    segment_inspection& into_;
    decision_window& window_;
    bool const is_first_pass_;
    std::uint32_t const snapshot_pages_;
    bool is_decided_ = false;
    std::uint32_t first_bad_ = 0;
    std::string why_bad_;
    std::size_t unproved_ = 0;
};

void judge_file(segment_inspection& told, segment_scan const& scan)
{
    bool const is_whole =
        scan.header() && told.file_bytes == scan.page_count() * std::uint64_t{page_bytes};
    if (scan.is_newer()) {
        told.state = segment_state::newer;
        told.why = scan.header_problem();
    } else if (!scan.header()) {
        told.state = segment_state::headless;
        told.why = "its header: " + scan.header_problem();
    } else if (!is_whole) {
        told.state = segment_state::corrupt;
        told.why = "its size is not the one in its header";
    } else {
        return;
    }
    told.page = 0;
}

}  // namespace

segment_inspection inspect(segment_scan& scan, std::uint64_t number, bool is_live,
                           std::size_t decisions_at_once)
{
    segment_inspection told;
    told.number = number;
    told.path = scan.path();
    told.file_bytes = scan.file_bytes();
    told.header = scan.header();
    told.header_problem = scan.header_problem();
    told.writer = scan.writer();
    told.missing_pages = scan.missing_pages();
    std::uint64_t from = 0;
    do {
        decision_window window(decisions_at_once, from);
        bool const is_first_pass = from == 0;
        inspector look(told, window, is_first_pass);
        auto const end = scan.read(look);
        if (is_first_pass) look.conclude(end, is_live);
        from = window.next();
    } while (from != 0);
    judge_file(told, scan);
    return told;
}

}  // namespace assent::log
