// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_salvage.cpp -- see log_salvage.hpp.

#include "recovery/log_tools/log_salvage.hpp"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

#include "log/log_error.hpp"

namespace assent::log {

namespace {

/// The least that a record takes, so that a page holds no more of them.
constexpr std::uint32_t records_per_page_max = page_payload_bytes / record_header_bytes;
/// Room for the databases that a salvaged log may still be asked to bind.
constexpr std::uint32_t ids_max = 0xff00;

log_error refuse(std::string where, std::string const& why, std::uint32_t page = 0)
{
    return {log_fault::corrupt, std::make_error_code(std::errc::io_error), std::move(where), why,
            page};
}

/// Gathers the records of all sound pages.
class gatherer final : public scan_visitor
{
public:
    gatherer(salvage_plan& into, std::string const& path) : into_(into), path_(path) {}

    void on_page(scanned_page const& page) override
    {
        auto& loss = into_.loss;
        if (page.kind == page_kind::newer || page.kind == page_kind::newer_record) {
            throw log_error(log_fault::newer_version,
                            std::make_error_code(std::errc::not_supported), path_,
                            page.why + "; use that version", page.number);
        }
        if (page.kind != page_kind::sound) {
            if (page.number <= into_.from.snapshot_pages && !is_past_bindings_) {
                throw refuse(path_,
                             "the snapshot is damaged where it says which openings this log had "
                             "and which resource managers it knows: nothing can be proved without "
                             "them, and nothing is salvaged",
                             page.number);
            }
            ++loss.pages_at_end;
            ++pages_after_binding_;
            return;
        }
        loss.pages_at_end = 0;
        is_snapshot_ = page.number <= into_.from.snapshot_pages;
        if (!page.lost) return;
        auto const count = page.lost->last - page.lost->first + 1;
        loss.records.total += count;
        records_after_binding_ += count;
        if (loss.records.first.size() < loss.records.kept_max) {
            loss.records.first.push_back(*page.lost);
        } else {
            ++loss.records.left_out;
        }
    }

    void on_record(scanned_record const& one) override
    {
        ++into_.records;
        if (!one.what) return;
        if (!into_.image.apply(*one.what)) {
            throw refuse(path_,
                         "record " + std::to_string(one.lsn) +
                             " contradicts another one, and nobody can say which is right: "
                             "nothing is salvaged",
                         one.page);
        }
        if (auto const* bound = std::get_if<ports::binding>(&*one.what)) {
            note(*bound);
        } else if (!std::holds_alternative<opening_record>(*one.what)) {
            // A snapshot says first which openings there were, then the bindings, then the rest.
            is_past_bindings_ = true;
        }
    }

    /// Which ids the missing records may have assigned: each at most one, in their order.
    void judge_ids(std::uint32_t pages_at_end) const
    {
        auto& loss = into_.loss;
        auto const& bindings = into_.image.bindings();
        for (std::uint32_t id = last_of_snapshot_ + 1U; id < last_id_; ++id) {
            if (bindings.count(static_cast<std::uint16_t>(id)) == 0) {
                loss.ids.push_back(static_cast<std::uint16_t>(id));
            }
        }
        std::uint64_t maybe =
            records_after_binding_ + std::uint64_t{pages_at_end} * records_per_page_max;
        // So many that ids would run out: a binding is the only one of its force, and so of a page.
        if (maybe > 0 && last_id_ + maybe > ids_max) {
            maybe = std::min<std::uint64_t>(maybe, pages_after_binding_);
        }
        if (maybe > 0 && last_id_ + maybe > ids_max) {
            throw refuse(path_,
                         "so much is lost that every id of a resource manager may have been given "
                         "away: nothing is salvaged");
        }
        if (maybe == 0) return;
        loss.maybe_from = static_cast<std::uint16_t>(last_id_ + 1);
        loss.maybe_to = static_cast<std::uint16_t>(last_id_ + maybe);
    }

    void add_missing_pages(std::uint32_t pages)
    {
        into_.loss.pages_at_end += pages;
        pages_after_binding_ += pages;
    }

private:
    void note(ports::binding const& bound)
    {
        if (is_snapshot_) last_of_snapshot_ = std::max(last_of_snapshot_, bound.id);
        if (bound.id <= last_id_) return;
        last_id_ = bound.id;
        records_after_binding_ = 0;
        pages_after_binding_ = 0;
    }

    salvage_plan& into_;
    std::string const& path_;
    bool is_snapshot_ = true;
    bool is_past_bindings_ = false;
    std::uint16_t last_of_snapshot_ = 0;
    std::uint16_t last_id_ = 0;
    std::uint64_t records_after_binding_ = 0;
    std::uint64_t pages_after_binding_ = 0;
};

/// A newer segment may be missing, or another log's: then what is here is not to be believed.
void require_newest(log_inspection const& seen)
{
    auto const* const newest = seen.newest();
    if (newest == nullptr) {
        throw log_error(log_fault::missing_segment,
                        std::make_error_code(std::errc::no_such_file_or_directory), seen.directory,
                        "it holds no segment: there is nothing to salvage");
    }
    if (!newest->header) {
        throw refuse(newest->path,
                     "its header is damaged (" + newest->header_problem +
                         "): it alone says whose log this is and where its snapshot ends, and "
                         "nothing is salvaged");
    }
    if (seen.is_newest_missing) {
        throw log_error(log_fault::missing_segment, std::make_error_code(std::errc::io_error),
                        seen.where,
                        seen.why + "; what it decided nobody can know, and nothing is salvaged");
    }
    for (linked_segment const& one : seen.segments) {
        if (!one.is.header) continue;
        bool const is_same = one.is.header->writer.node == newest->header->writer.node &&
                             one.is.header->node_label == newest->header->node_label;
        if (is_same) continue;
        throw log_error(log_fault::foreign, std::make_error_code(std::errc::io_error), one.is.path,
                        "it is of another log than " + segment_name(newest->number) +
                            "; move what does not belong here out of the directory");
    }
}

}  // namespace

salvage_plan plan_salvage(file_layer& files, log_inspection const& inspected)
{
    require_newest(inspected);
    auto const& seen = *inspected.newest();
    segment_scan scan(files, seen.number, false);
    bool const is_corrupt = seen.state == segment_state::corrupt;
    bool const is_torn = seen.state == segment_state::torn;

    salvage_plan plan;
    plan.from = *seen.header;
    std::string const& path = scan.of().path();
    gatherer all(plan, path);
    // What lies behind a torn end nobody was told of: it is no loss, and opening leaves it, too.
    auto const end = scan.read(all, 1, is_torn ? seen.page - 1 : segment_pages_max);
    if (is_corrupt) all.add_missing_pages(scan.missing_pages());
    if (!is_corrupt) plan.loss = {};
    all.judge_ids(plan.loss.pages_at_end);

    auto const& openings = plan.image.openings();
    if (openings.count({plan.from.writer.epoch, plan.from.writer.nonce}) == 0) {
        throw refuse(path,
                     "its snapshot does not name the opening that wrote it: nothing is salvaged");
    }
    if (plan.image.last_epoch() == std::numeric_limits<std::uint32_t>::max()) {
        throw refuse(path, "its epochs have run out: nothing is salvaged");
    }
    if (plan.from.number > std::numeric_limits<std::int64_t>::max()) {
        throw refuse(path, "its segment numbers have run out: nothing is salvaged");
    }
    plan.at = {plan.from.number, plan.from.writer, end.last_sound, end.last_crc,
               end.next_lsn + std::uint64_t{plan.loss.pages_at_end} * records_per_page_max};
    return plan;
}

}  // namespace assent::log
