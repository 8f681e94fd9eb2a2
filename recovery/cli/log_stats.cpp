// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_stats.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "log/aligned_bytes.hpp"
#include "log/log_error.hpp"
#include "log/log_image.hpp"
#include "recovery/cli/log_records.hpp"
#include "recovery/cli/log_verify.hpp"
#include "recovery/log_tools/decision_window.hpp"

namespace assent::cli {

namespace {

using log::decision_window;

/// Counts forces by what their pages promise: those of one force promise the same.
class force_counter
{
public:
    explicit force_counter(force_counts& into) : into_(into) {}

    void on_page(log::scanned_page const& page)
    {
        if (page.header.durable_up_to != first_page_ || into_.forces == 0) {
            first_page_ = page.header.durable_up_to;
            pages_ = decisions_ = 0;
            ++into_.forces;
        }
        ++into_.pages;
        into_.records += page.header.record_count;
        into_.pages_most = std::max(into_.pages_most, ++pages_);
    }

    void on_decision()
    {
        into_.with_decisions += decisions_ == 0;
        ++into_.decisions;
        into_.decisions_most = std::max(into_.decisions_most, ++decisions_);
    }

private:
    force_counts& into_;
    std::uint32_t first_page_ = 0;
    std::uint64_t pages_ = 0;
    std::uint64_t decisions_ = 0;
};

/// The first pass: what there is, and up to where each database is finished.
class counter final : public log::scan_visitor
{
public:
    counter(stats_report& into, decision_window& window, bool is_first_pass)
        : into_(into),
          window_(window),
          is_first_pass_(is_first_pass),
          forces_(into.forces),
          snapshot_pages_(into.seen.newest()->header->snapshot_pages)
    {
    }

    void on_page(log::scanned_page const& page) override
    {
        if (!is_first_pass_ || page.kind != log::page_kind::sound) return;
        is_snapshot_ = page.number <= snapshot_pages_;
        if (!is_snapshot_) forces_.on_page(page);
    }

    void on_record(log::scanned_record const& one) override
    {
        window_.note(one);
        if (!is_first_pass_) return;
        ++into_.records[name_of_type(one.type)];
        into_.snapshot_records += is_snapshot_;
        if (!one.what) return;
        if (auto const* what = std::get_if<log::decision_record>(&*one.what)) {
            if (!is_snapshot_) forces_.on_decision();
            note_time(what->unix_ms);
        } else if (auto const* opened = std::get_if<log::opening_record>(&*one.what)) {
            note_time(opened->unix_ms);
        } else if (auto const* horizon = std::get_if<log::horizon_record>(&*one.what)) {
            log::raise_by(*horizon, horizons[horizon->id]);
        }
    }

    std::map<std::uint16_t, ports::horizon> horizons;

private:
    void note_time(std::int64_t unix_ms)
    {
        if (unix_ms == 0) return;
        into_.first_ms = into_.first_ms == 0 ? unix_ms : std::min(into_.first_ms, unix_ms);
        into_.last_ms = std::max(into_.last_ms, unix_ms);
    }

    stats_report& into_;
    decision_window& window_;
    bool const is_first_pass_;
    force_counter forces_;
    std::uint32_t const snapshot_pages_;
    bool is_snapshot_ = true;
};

/// The second pass: what became of each decision, and which database keeps it.
class judge final : public log::scan_visitor
{
public:
    judge(stats_report& into, decision_window const& window,
          std::map<std::uint16_t, ports::horizon> const& horizons,
          std::map<std::uint16_t, keeping_database>& databases)
        : into_(into), window_(window), horizons_(horizons), databases_(databases)
    {
    }

    void on_page(log::scanned_page const&) override {}

    void on_record(log::scanned_record const& one) override
    {
        if (!one.what || !window_.holds(one.lsn)) return;
        auto const* const decision = std::get_if<log::decision_record>(&*one.what);
        if (decision == nullptr) return;
        auto const* const fate = window_.find(decision->what.global);
        if (fate == nullptr) return;
        bool const is_complete = fate->is_complete();
        ++(is_complete ? into_.complete : into_.live);
        bool is_droppable = is_complete;
        auto const at = ports::position_of(decision->what.global);
        std::uint64_t bit = 1;
        for (bqual const& branch : decision->what.branches) {
            auto const id = branch.parts().resource_manager;
            auto const horizon = horizons_.find(id);
            bool const is_passed = horizon != horizons_.end() && horizon->second.covers(at);
            auto& database = databases_[id];
            database.unfinished += (fate->finished & bit) == 0;
            database.held_back += is_complete && !is_passed;
            is_droppable = is_droppable && is_passed;
            bit <<= 1;
        }
        into_.droppable += is_droppable;
    }

private:
    stats_report& into_;
    decision_window const& window_;
    std::map<std::uint16_t, ports::horizon> const& horizons_;
    std::map<std::uint16_t, keeping_database>& databases_;
};

void count(stats_report& told, log::segment_scan& scan)
{
    std::map<std::uint16_t, ports::horizon> horizons;
    std::map<std::uint16_t, keeping_database> databases;
    auto const& newest = *told.seen.newest();
    std::uint64_t from = 0;
    do {
        decision_window window(decision_window::capacity_usual, from);
        bool const is_first_pass = from == 0;
        counter all(told, window, is_first_pass);
        scan.read(all, 1, newest.last_page);
        if (is_first_pass) {
            horizons = std::move(all.horizons);
            for (auto const& [id, bound] : window.bindings())
                databases[id].name = bound.name;
        }
        judge fates(told, window, horizons, databases);
        scan.read(fates, 1, newest.last_page);
        from = window.next();
    } while (from != 0);
    for (auto& [id, database] : databases) {
        database.id = id;
        if (database.name.empty()) database.name = name_of({}, id);
        if (auto const at = horizons.find(id); at != horizons.end()) database.horizon = at->second;
        told.databases.push_back(std::move(database));
    }
}

/// Opening says whether the file system takes it; reading, whether it means that.
std::string takes_direct(std::string const& path)
{
    int const file = ::open(path.c_str(), O_RDONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 && errno == EINVAL) return "no";
    auto const why = [] { return "not known: " + std::generic_category().message(errno); };
    if (file < 0) return why();
    log::aligned_bytes page(log::page_bytes);
    auto const got = ::pread(file, page.data(), page.size(), 0);
    std::string answer = got >= 0 ? "yes" : (errno == EINVAL ? "no" : why());
    ::close(file);
    return answer;
}

void measure(stats_report& told)
{
    for (auto const& one : told.seen.segments) {
        sized_segment size;
        size.number = one.is.number;
        size.bytes = one.is.file_bytes;
        size.pages = static_cast<std::uint32_t>(one.is.file_bytes / log::page_bytes);
        size.pages_used = one.is.last_page + 1;
        struct stat seen = {};
        // Gone meanwhile: then it takes nothing any more.
        if (::stat(one.is.path.c_str(), &seen) == 0) {
            size.bytes_on_disk = static_cast<std::uint64_t>(seen.st_blocks) * 512;
        }
        told.segments.push_back(size);
    }
    for (auto const& other : told.seen.others) {
        if (other.what != log::other_file::role::stranger) told.other_bytes += other.bytes;
    }
}

/// @throws log::log_error  the newest segment is gone again, or cannot be read.
stats_report stats_once(opened_target& at, progress_function const& progress)
{
    stats_report told;
    auto verified = make_verify(at.inspect(progress));
    static_cast<any_report&>(told) = verified;
    told.seen = std::move(verified.seen);
    told.file_system = at.facts().file_system;
    told.is_unsafe = at.facts().is_unsafe;
    told.copies_on_write = at.facts().copies_on_write;
    measure(told);
    auto const* const newest = told.seen.newest();
    if (newest == nullptr || !newest->header) return told;
    told.direct = takes_direct(newest->path);
    log::segment_scan scan(at.files(), newest->number, told.seen.lock.is_held);
    count(told, scan);
    return told;
}

}  // namespace

stats_report stats(log_target const& which, progress_function const& progress)
try {
    opened_target at(which);
    log::reader_patience patience{log::reader_patience::usual};
    for (;;) {
        try {
            return stats_once(at, progress);
        } catch (log::log_error const& e) {
            // A live owner goes on in another segment meanwhile.
            patience.bear(e, log::look_at_lock(at.files()).is_held, which.directory);
        }
    }
} catch (log::log_error const& e) {
    throw explain(which, e);
}

}  // namespace assent::cli
