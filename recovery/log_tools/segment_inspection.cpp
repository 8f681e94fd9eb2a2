// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_inspection.cpp -- see segment_inspection.hpp.

#include "recovery/log_tools/segment_inspection.hpp"

#include <algorithm>
#include <utility>

#include "log/tail_judge.hpp"
#include "recovery/log_tools/decision_window.hpp"

namespace assent::log {

namespace {

class inspector final : public scan_visitor
{
public:
    inspector(segment_inspection& into, decision_window& window, bool is_first_pass)
        : into_(into),
          window_(window),
          is_first_pass_(is_first_pass),
          snapshot_pages_(into.header ? into.header->snapshot_pages : 0),
          judge_(snapshot_pages_)
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
        judge_.look_at(page);
    }

    void on_record(scanned_record const& one) override
    {
        if (is_first_pass_) count(one);
        bool const is_binding = one.what && std::holds_alternative<ports::binding>(*one.what);
        if (window_.note(one) || (is_binding && !is_first_pass_)) return;
        auto const why = "record " + std::to_string(one.lsn) + " contradicts the log";
        add({one.page, one.page, page_kind::sound, why, false, 0, true});
        // Whoever opens the log would have come to this page first, or never.
        if (!is_first_pass_ && (into_.page == 0 || one.page < into_.page)) {
            tell(segment_state::corrupt, one.page, why);
        } else if (is_first_pass_ && !judge_.is_decided() && !judge_.is_past_end()) {
            judge_.contradict(one.page, why);
        }
    }

    void conclude(scan_end const& end, bool is_live)
    {
        into_.last_page = end.last_sound;
        into_.next_lsn = end.next_lsn;
        into_.names_writer = is_writer_named_ && last_epoch_ == into_.writer->epoch;
        switch (judge_.says()) {
            case tail_judge::verdict::newer:
                return tell(segment_state::newer, judge_.page(), judge_.why());
            case tail_judge::verdict::corrupt:
                return tell(segment_state::corrupt, judge_.page(), judge_.why());
            case tail_judge::verdict::torn:
                return tell(segment_state::torn, judge_.page(), judge_.why());
            case tail_judge::verdict::whole:
                break;
        }
        into_.state = is_live ? segment_state::live
                              : (end.is_sealed ? segment_state::sealed : segment_state::unsealed);
    }

private:
    void tell(segment_state what, std::uint32_t page, std::string why)
    {
        into_.state = what;
        into_.page = page;
        into_.why = std::move(why);
    }

    void count(scanned_record const& one)
    {
        ++into_.records;
        if (judge_.is_decided() || judge_.is_past_end()) ++into_.records_after;
        if (!one.what) return;
        into_.decisions += std::holds_alternative<decision_record>(*one.what);
        auto const* const opened = std::get_if<opening_record>(&*one.what);
        if (opened == nullptr || judge_.is_past_end()) return;
        auto const& [epoch, nonce] = opened->which;
        last_epoch_ = std::max(last_epoch_, epoch);
        is_writer_named_ |=
            into_.writer && epoch == into_.writer->epoch && nonce == into_.writer->nonce;
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

    segment_inspection& into_;
    decision_window& window_;
    bool const is_first_pass_;
    std::uint32_t const snapshot_pages_;
    tail_judge judge_;
    bool is_writer_named_ = false;
    std::uint32_t last_epoch_ = 0;
    std::size_t unproved_ = 0;
};

void judge_file(segment_inspection& told, segment_pages const& pages)
{
    if (pages.state_of_header() == header_state::newer) {
        told.state = segment_state::newer;
        told.why = pages.header_problem();
    } else if (!pages.header()) {
        told.state = segment_state::headless;
        told.why = "its header: " + pages.header_problem();
    } else if (!pages.is_whole()) {
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
    told.path = scan.of().path();
    told.file_bytes = scan.of().file_bytes();
    told.header = scan.of().header();
    told.header_problem = scan.of().header_problem();
    told.writer = scan.of().writer();
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
    judge_file(told, scan.of());
    return told;
}

}  // namespace assent::log
