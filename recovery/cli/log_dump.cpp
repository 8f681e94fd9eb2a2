// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_dump.hpp"

#include <ostream>
#include <utility>

#include "log/log_error.hpp"
#include "recovery/cli/dump_writer.hpp"
#include "recovery/cli/log_verify.hpp"

namespace assent::cli {

namespace {

using log::decision_window;

/// Fills a window, and finds the page at which the next one begins.
class collector final : public log::scan_visitor
{
public:
    explicit collector(decision_window& window) : window_(window) {}

    void on_page(log::scanned_page const&) override {}

    void on_record(log::scanned_record const& one) override
    {
        window_.note(one);
        if (next_page == 0 && window_.next() != 0) next_page = one.page;
    }

    std::uint32_t next_page = 0;  ///< 0: there is no next one

private:
    decision_window& window_;
};

/// Writes the records of one window.
class printer final : public log::scan_visitor
{
public:
    printer(std::uint64_t segment, dump_filter const& only, dump_writer& out)
        : segment_(segment), only_(only), out_(out)
    {
    }

    void use(decision_window const& window) { window_ = &window; }

    void on_page(log::scanned_page const& page) override
    {
        if (page.number <= pages_done_) return;  // the last one of the window before
        pages_done_ = page.number;
        if (page.kind != log::page_kind::sound) out_.damage(segment_, page);
        if (page.lost) out_.missing(segment_, *page.lost);
    }

    void on_record(log::scanned_record const& one) override
    {
        if (one.what) {
            if (auto const* const bound = std::get_if<ports::binding>(&*one.what)) {
                names_.emplace(bound->id, *bound);
            }
        }
        if (!window_->holds(one.lsn)) return;
        decision_window::fate const* fate = nullptr;
        if (one.what) {
            if (auto const* const decision = std::get_if<log::decision_record>(&*one.what)) {
                fate = window_->find(decision->what.global);
            }
        }
        if (passes(one, fate)) out_.record({segment_, one, fate, names_});
    }

private:
    bool passes(log::scanned_record const& one, decision_window::fate const* fate) const
    {
        if (only_.is_unfinished_only && (fate == nullptr || fate->is_complete())) return false;
        if (!only_.types.empty() && only_.types.count(name_of_type(one.type)) == 0) return false;
        return !only_.transaction || (one.what && transaction_of(*one.what) == only_.transaction);
    }

    std::uint64_t const segment_;
    dump_filter const& only_;
    dump_writer& out_;
    decision_window const* window_ = nullptr;
    bound_names names_;
    std::uint32_t pages_done_ = 0;
};

void dump_segment(log::segment_scan& scan, log::segment_inspection const& which,
                  dump_options const& how, std::uint32_t last_page, dump_writer& out)
{
    printer print(which.number, how.only, out);
    std::uint32_t page = 1;
    std::uint64_t from = 0;
    do {
        decision_window window(how.decisions_at_once, from);
        collector collect(window);
        scan.read(collect, page, last_page);
        print.use(window);
        scan.read(print, page, collect.next_page == 0 ? last_page : collect.next_page);
        from = window.next();
        page = collect.next_page;
    } while (from != 0);
}

void dump_all(opened_target& at, log::log_inspection const& seen, dump_options const& how,
              dump_writer& out)
{
    for (auto const& one : seen.segments) {
        bool const is_newest = &one.is == seen.newest();
        // What still is to be carried out, the newest alone says.
        if (how.only.is_unfinished_only && !is_newest) continue;
        out.segment(one.is, is_newest);
        try {
            log::segment_scan scan(at.files(), one.is.number, seen.lock.is_held);
            // A live owner writes on: what was inspected is dumped.
            bool const is_moving = is_newest && seen.lock.is_held;
            dump_segment(scan, one.is, how, is_moving ? one.is.last_page : log::segment_pages_max,
                         out);
        } catch (log::log_error const& e) {
            bool const is_gone = e.code() == std::errc::no_such_file_or_directory;
            if (!seen.lock.is_held || !is_gone) throw explain(at.target(), e);
        }
    }
}

}  // namespace

exit_code dump(log_target const& which, dump_options const& how, std::ostream& out,
               painter const& paint)
{
    opened_target at(which);
    auto told = make_verify(at.inspect(how.progress));
    auto const write = how.is_json ? dump_in_json(out) : dump_in_words(out, paint);
    if (how.before_output) how.before_output();
    write->begin(told.seen);
    try {
        dump_all(at, told.seen, how, *write);
    } catch (failure const& e) {
        told.raise(e.code(), e.what());  // what was written stands, and says where it ends
    }
    write->end(told);
    out.flush();
    if (!out) throw failure{exit_code::failed, "the output could not be written"};
    return told.code;
}

}  // namespace assent::cli
