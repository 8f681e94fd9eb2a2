// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_log.cpp -- see file_log.hpp.

#include "log/file_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <utility>

#include "log/force_queue.hpp"
#include "log/log_lock.hpp"
#include "log/log_opening.hpp"
#include "log/posix_file_layer.hpp"
#include "log/random.hpp"
#include "log/segment_supply.hpp"
#include "ports/undisturbed.hpp"
#include "protocol/mutation.hpp"

namespace assent::log {

namespace {

std::int64_t system_unix_ms()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

bool is_printable(std::string const& text, std::size_t bytes_max)
{
    return !text.empty() && text.size() <= bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void check(file_log_options const& options)
{
    auto const refuse = [](std::string const& what, std::string const& advice) {
        throw log_error(log_fault::bad_option, std::make_error_code(std::errc::invalid_argument),
                        what, advice);
    };
    if (!is_printable(options.node_label, node_label_bytes_max)) {
        refuse("node_label", "1 to 64 printable ASCII bytes are needed");
    }
    bool const is_whole_pages = options.segment_bytes % page_bytes == 0;
    std::size_t const pages = options.segment_bytes / page_bytes;
    if (!is_whole_pages || pages < segment_pages_min || pages > segment_pages_max / 4) {
        refuse("segment_bytes", "a multiple of 4096 from 32 KiB to 16 GiB is needed");
    }
}

std::string caution(directory_facts const& disk, bool is_write_through)
{
    if (disk.is_unsafe) {
        return "the log lies on " + disk.file_system +
               ", allowed by name: what is decided may be lost, or shared with another host";
    }
    if (disk.copies_on_write) {
        return disk.file_system +
               " writes to new places, so space that was zeroed is not reserved: keep some free";
    }
    if (disk.was_group_writable) {
        return "the log's directory was writable for its group, as a platform that mounts the "
               "volume "
               "may leave it; it was set to 0700";
    }
    if (!is_write_through) {
        return "the file system takes no O_DIRECT: forces go through the page cache and fdatasync";
    }
    return {};
}

ports::force_failure failure(ports::force_failure::kind what, std::string why) noexcept
{
    return {what, std::move(why)};
}

}  // namespace

struct file_log::parts
{
    std::shared_ptr<file_layer> files;
    std::unique_ptr<log_lock> lock;  // released last
    opened_log opened;
    std::unique_ptr<segment_supply> supply;
    std::unique_ptr<force_queue> queue;
    std::function<std::int64_t()> unix_ms;
    std::mutex binding;                       // names and ids are given one at a time
    std::vector<ports::binding> handed_over;  // likewise: to the log, which may be late with them
    std::mutex closing;
    parts* kept_before = nullptr;
};

file_log::file_log(std::string const& directory, file_log_options options)
    : label_(options.node_label), force_wait_(options.force_wait), parts_(std::make_unique<parts>())
{
    check(options);
    if (!options.random) options.random = kernel_random;
    if (!options.unix_ms) options.unix_ms = system_unix_ms;
    if (!options.files) options.files = std::make_shared<posix_file_layer>(directory);
    ports::undisturbed const here;
    try {
        open(options);
    } catch (log_error const&) {
        throw;
    } catch (std::system_error const& failed) {
        bool const is_thread = failed.code() == std::errc::resource_unavailable_try_again;
        throw log_error(log_fault::io, failed.code(), directory,
                        is_thread ? "the log needs two threads, and one could not be started"
                                  : "the log cannot be opened");
    }
}

/// Whatever fails here leaves nothing open, locked or running.
void file_log::open(file_log_options& options)
{
    parts_->files = std::move(options.files);
    parts_->unix_ms = options.unix_ms;
    disk_ = attach_safely(*parts_->files, true, options.allowed_file_systems);
    parts_->lock = std::make_unique<log_lock>(*parts_->files, options.lock_wait);
    lock_owner owner{::getpid(), parts_->lock->before().epoch, options.unix_ms()};
    parts_->lock->write(owner);
    parts_->opened =
        open_log(*parts_->files,
                 {options.node_label, options.segment_bytes, owner.epoch, options.random,
                  options.unix_ms, options.guardian_lapse, options.log_force, options.force_wait});
    presumption_ = parts_->opened.image.presumption_delay();
    node_ = parts_->opened.node;
    current_ = parts_->opened.current;
    owner.epoch = current_.epoch;
    parts_->lock->write(owner);
    is_write_through_ = parts_->opened.writer->is_write_through();
    segment_supply::settings ahead;
    ahead.has_thread = options.makes_segments_ahead;
    ahead.unix_ms = options.unix_ms;
    parts_->supply = std::make_unique<segment_supply>(*parts_->files, std::move(ahead));
    force_queue::settings how;
    how.force_wait = options.force_wait;
    how.idle_seal_wait = options.idle_seal_wait;
    how.segment_pages = static_cast<std::uint32_t>(options.segment_bytes / page_bytes);
    how.decisions_max = options.decisions_max;
    parts_->queue = std::make_unique<force_queue>(*parts_->opened.writer, *parts_->supply,
                                                  std::move(parts_->opened.image), how);
}

file_log::~file_log()
{
    close();
    if (!is_abandoned_ && !is_stuck_) return;
    auto* const left = parts_.release();
    if (!is_abandoned_ && released_when_quiet(left)) return;
    // In a forked child the locks and threads of the parent are frozen, and where no thread can be
    // had nobody waits for a hung force: nothing can be torn down, so it is kept, where leak
    // checkers see it.
    static std::atomic<parts*> kept{nullptr};
    left->kept_before = kept.exchange(left);
}

/// A disk that hangs for an hour must not keep the log from this process for ever.
/// @return whether somebody waits for its end.
bool file_log::released_when_quiet(parts* left) noexcept
try {
    ports::undisturbed const here;  // the thread inherits it
    std::thread{[left] {
        left->queue->close_when_quiet();
        left->supply->close_when_quiet();
        left->lock.reset();
        delete left;
    }}.detach();
    return true;
} catch (std::exception const&) {
    return false;
}

bool file_log::close() noexcept
{
    if (is_abandoned_) return true;
    ports::undisturbed const here;
    std::lock_guard const one_at_a_time(parts_->closing);
    // Both, whatever the first one says: what hangs is left behind, and nothing that sleeps.
    bool const is_queue_stuck = !parts_->queue->close();
    is_stuck_ =
        !parts_->supply->close(std::chrono::steady_clock::now() + force_wait_) || is_queue_stuck;
    if (!is_stuck_) parts_->lock.reset();
    return !is_stuck_;
}

void file_log::abandon() noexcept
{
    is_abandoned_ = true;
    parts_->files->abandon();
}

bool file_log::reserve() noexcept
{
    return !is_abandoned_ && parts_->queue->reserve();
}

void file_log::release() noexcept
{
    if (!is_abandoned_) parts_->queue->release();
}

ports::force_result file_log::force(ports::decision const& what, deadline until) noexcept
{
    using kind = ports::force_failure::kind;
    ports::undisturbed const here;
    try {
        if (is_abandoned_) return failure(kind::not_submitted, "forked child: no log here");
        if (what.branches.size() > branches_max) {
            return failure(kind::not_submitted, "more than 64 branches in one transaction");
        }
        auto answer =
            parts_->queue->force(log::record{decision_record{what, 0, parts_->unix_ms()}}, until);
        if (answer.status == force_status::durable) return attest(what.global);
        return failure(
            answer.status == force_status::in_doubt ? kind::in_doubt : kind::not_submitted,
            std::move(answer.why));
    } catch (std::exception const&) {
        // Only what comes before the queue can throw: memory ran out, or the clock failed.
        return failure(kind::not_submitted, {});
    }
}

void file_log::force_or_throw(log::record const& what)
{
    ports::undisturbed const here;
    if (is_abandoned_) {
        throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                                "forked child: no log here");
    }
    auto const answer = parts_->queue->force(what, std::chrono::steady_clock::now() + force_wait_);
    if (answer.status == force_status::durable) return;
    throw std::system_error(std::make_error_code(std::errc::io_error), answer.why);
}

bool file_log::knows(ports::opening const& which) const noexcept
{
    if (is_abandoned_) return false;
    return parts_->queue->with_image([&](log_image const& image) {
        return image.openings().count({which.epoch, which.nonce}) != 0;
    });
}

std::vector<ports::binding> file_log::bindings() const
{
    std::vector<ports::binding> all;
    if (is_abandoned_) return all;
    parts_->queue->with_image([&](log_image const& image) {
        for (auto const& [id, one] : image.bindings()) {
            all.push_back(one);
            auto const given = image.binding_epochs().find(id);
            if (given != image.binding_epochs().end()) all.back().epoch = given->second;
        }
    });
    return all;
}

std::uint16_t file_log::bind(std::string const& name, std::string const& kind,
                             std::string const& identity)
{
    auto const refuse = [](std::errc code, std::string const& why) {
        throw std::system_error(std::make_error_code(code), why);
    };
    if (!is_printable(name, name_bytes_max) || kind.empty() || kind.size() > kind_bytes_max ||
        identity.empty() || identity.size() > identity_bytes_max) {
        refuse(std::errc::invalid_argument,
               "a resource manager's name, kind or identity is empty or too long");
    }
    if (is_abandoned_) refuse(std::errc::operation_not_permitted, "forked child: no log here");
    std::lock_guard const one_at_a_time(parts_->binding);
    std::uint16_t last = 0;
    auto known = bindings();
    auto const there = known.size();
    // One whose force was given up may be in the log all the same, now or later: its number is not
    // given again, and the same binding is forced once more.
    auto const& late = parts_->handed_over;
    known.insert(known.end(), late.begin(), late.end());
    for (std::size_t i = 0; i < known.size(); ++i) {
        ports::binding const& one = known[i];
        last = std::max(last, one.id);
        if (one.is_retired) continue;  // both are free again
        bool const has_name = one.name == name;
        bool const has_identity = one.kind == kind && one.identity == identity;
        if (has_name && has_identity) {
            if (i >= there) force_or_throw(one);
            return one.id;
        }
        if (has_name) {
            refuse(std::errc::invalid_argument,
                   "resource manager \"" + name + "\" is bound to another server");
        }
        if (has_identity) {
            refuse(std::errc::invalid_argument,
                   "the server of \"" + name + "\" is bound as \"" + one.name + "\"");
        }
    }
    if (last == 0xffff) refuse(std::errc::value_too_large, "resource-manager ids have run out");
    std::uint16_t const id = static_cast<std::uint16_t>(last + 1);
    ports::binding const made{id, name, kind, identity, current_.epoch};
    parts_->handed_over.push_back(made);
    if (protocol::mutated(protocol::mutation::late_binding_forgotten)) {
        parts_->handed_over.back() = {};
    }
    force_or_throw(made);
    parts_->handed_over.pop_back();  // it is among those that were applied
    return id;
}

std::optional<ports::logged_decision> file_log::find(gtrid const& which) const
{
    if (is_abandoned_) return std::nullopt;
    return parts_->queue->with_image(
        [&](log_image const& image) -> std::optional<ports::logged_decision> {
            auto const at = image.decisions().find(which);
            if (at == image.decisions().end()) return std::nullopt;
            return as_logged(at->first, at->second);
        });
}

/// Page by page, so that no commit waits for more than one.
template <typename Visit>
std::vector<ports::logged_decision> file_log::by_pages(Visit const& visit_page) const
{
    constexpr std::size_t page = 256;
    std::vector<ports::logged_decision> all;
    if (is_abandoned_) return all;
    std::vector<std::pair<packed_gtrid, decision_entry>> some;
    for (std::optional<packed_gtrid> from = packed_gtrid{}; from;) {
        some.clear();
        some.reserve(page);
        from = parts_->queue->with_image([&](log_image const& image) {
            return visit_page(image, *from, page, [&](auto const& global, auto const& entry) {
                some.emplace_back(global, entry);
            });
        });
        for (auto const& [global, entry] : some) {
            all.push_back(as_logged(global, entry));
        }
    }
    return all;
}

std::vector<ports::logged_decision> file_log::unfinished() const
{
    return by_pages([](log_image const& image, auto const& from, auto count, auto const& visit) {
        return image.visit_unfinished(from, count, visit);
    });
}

std::vector<ports::logged_decision> file_log::unfinished_at(std::uint16_t id) const
{
    return by_pages([id](log_image const& image, auto const& from, auto count, auto const& visit) {
        return image.visit_unfinished_at(id, from, count, visit);
    });
}

ports::recorded_outcome file_log::outcome(gtrid const& which) const
{
    if (is_abandoned_) return ports::recorded_outcome::unknown;
    return parts_->queue->with_image([&](log_image const& image) {
        if (image.was_ended_by_person(which)) return ports::recorded_outcome::by_person;
        if (image.decisions().count(which) != 0) return ports::recorded_outcome::committed;
        return image.was_rolled_back(which) ? ports::recorded_outcome::rolled_back
                                            : ports::recorded_outcome::unknown;
    });
}

void file_log::note_finished(xid const& branch) noexcept
{
    if (!is_abandoned_) parts_->queue->note_finished(branch);
}

void file_log::note_rolled_back(gtrid const& which) noexcept
{
    if (!is_abandoned_) parts_->queue->note_rolled_back(which);
}

void file_log::record(ports::heuristic_record const& what)
{
    auto cut = what;
    if (cut.text.size() > text_bytes_max) cut.text.resize(text_bytes_max);
    if (cut.resource_manager.size() > name_bytes_max) cut.resource_manager.resize(name_bytes_max);
    auto const is_same = [&](ports::heuristic_record const& other) {
        return other.branch == cut.branch && other.code == cut.code && other.text == cut.text;
    };
    auto const [is_recorded, count] =
        is_abandoned_
            ? std::pair{false, std::size_t{0}}
            : parts_->queue->with_image([&](log_image const& image) {
                  auto const& all = image.heuristics();
                  return std::pair{std::any_of(all.begin(), all.end(), is_same), all.size()};
              });
    if (is_recorded) return;
    if (count >= heuristics_max) {
        // None is dropped: a person has not seen it yet, or has not said so.
        throw std::system_error(std::make_error_code(std::errc::no_buffer_space),
                                "the log keeps " + std::to_string(count) +
                                    " heuristic outcomes, and more are not allowed until an "
                                    "operator has forgotten some");
    }
    force_or_throw(std::move(cut));
}

std::vector<ports::heuristic_record> file_log::heuristics() const
{
    std::vector<ports::heuristic_record> all;
    if (is_abandoned_) return all;
    parts_->queue->with_image([&](log_image const& image) {
        all.assign(image.heuristics().begin(), image.heuristics().end());
    });
    return all;
}

void file_log::record(operator_record const& what)
{
    auto cut = what;
    if (cut.who.size() > name_bytes_max) cut.who.resize(name_bytes_max);
    if (cut.why.size() > text_bytes_max) cut.why.resize(text_bytes_max);
    force_or_throw(std::move(cut));
}

void file_log::record(retirement_record const& what)
{
    std::lock_guard const one_at_a_time(parts_->binding);
    auto const known = bindings();
    bool const is_there = std::any_of(known.begin(), known.end(), [&](auto const& each) {
        return each.id == what.id && ports::is_real(each);
    });
    if (!is_there) {
        throw std::system_error(
            std::make_error_code(std::errc::invalid_argument),
            "no resource manager " + std::to_string(what.id) + " is bound that could be retired");
    }
    auto cut = what;
    if (cut.who.size() > name_bytes_max) cut.who.resize(name_bytes_max);
    if (cut.why.size() > text_bytes_max) cut.why.resize(text_bytes_max);
    force_or_throw(std::move(cut));
}

void file_log::record(rebinding_record const& what)
{
    std::lock_guard const one_at_a_time(parts_->binding);
    auto const known = bindings();
    bool const is_there = std::any_of(known.begin(), known.end(), [&](auto const& each) {
        return each.id == what.id && ports::is_real(each) && each.identity == what.from;
    });
    bool const is_taken = std::any_of(known.begin(), known.end(), [&](auto const& each) {
        return ports::is_real(each) && each.identity == what.to;
    });
    if (!is_there || is_taken || what.to.empty() || what.to.size() > identity_bytes_max) {
        throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                                "resource manager " + std::to_string(what.id) +
                                    " is not bound to that identity, or the new one is bound");
    }
    auto cut = what;
    cut.epoch = current_.epoch;
    if (cut.who.size() > name_bytes_max) cut.who.resize(name_bytes_max);
    if (cut.why.size() > rebinding_why_bytes_max) cut.why.resize(rebinding_why_bytes_max);
    force_or_throw(std::move(cut));
}

std::vector<operator_record> file_log::operator_records() const
{
    std::vector<operator_record> all;
    if (is_abandoned_) return all;
    parts_->queue->with_image([&](log_image const& image) {
        all.assign(image.operator_records().begin(), image.operator_records().end());
    });
    return all;
}

ports::horizon file_log::horizon(std::uint16_t id) const
{
    if (is_abandoned_) return {};
    return parts_->queue->with_image([&](log_image const& image) { return image.horizon(id); });
}

void file_log::raise_horizon(std::uint16_t id, ports::position to) noexcept
{
    if (!is_abandoned_) parts_->queue->raise_horizon({id, to, false});
}

void file_log::raise_epoch_horizon(std::uint16_t id, ports::position to) noexcept
{
    if (!is_abandoned_) parts_->queue->raise_horizon({id, to, true});
}

void file_log::note_server_start(std::uint16_t id, std::string const& start)
{
    if (start.size() > server_start_bytes_max) {
        throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                                "a server's start is longer than 120 bytes");
    }
    if (server_start(id, current_.epoch) == start) return;
    force_or_throw(server_start_record{id, current_.epoch, start});
}

std::optional<std::string> file_log::server_start(std::uint16_t id, std::uint32_t of) const
{
    if (is_abandoned_) return std::nullopt;
    return parts_->queue->with_image([&](log_image const& image) -> std::optional<std::string> {
        auto const at = image.server_starts().find({id, of});
        if (at == image.server_starts().end()) return std::nullopt;
        return at->second;
    });
}

ports::log_state file_log::state() const
{
    ports::log_state now;
    now.is_poisoned = true;
    now.why = "forked child: no log here";
    if (is_abandoned_) return now;
    now = parts_->queue->state();
    now.medium = disk_.file_system + ", " +
                 (is_write_through_ ? "O_DIRECT and O_DSYNC" : "page cache and fdatasync");
    now.caution = caution(disk_, is_write_through_);
    return now;
}

void file_log::seal() noexcept
{
    if (!is_abandoned_) parts_->queue->seal();
}

std::size_t file_log::queued() const
{
    return is_abandoned_ ? 0 : parts_->queue->queued();
}

}  // namespace assent::log
