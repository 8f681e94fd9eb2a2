// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// segment_supply.cpp -- see segment_supply.hpp.

#include "log/segment_supply.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "log/format.hpp"
#include "log/log_error.hpp"
#include "ports/undisturbed.hpp"

namespace assent::log {

namespace {

constexpr std::uint32_t zeros_pages = 256;

/// Never written, so the system backs all of it with its one page of zeros.
alignas(page_bytes) std::byte zeros[zeros_pages * page_bytes];

std::string temporary_name(std::uint64_t number, bool is_larger)
{
    return segment_name(number) + (is_larger ? ".larger.tmp" : ".tmp");
}

log_error cannot_make(file_layer const& files, std::string const& name, long why)
{
    return io_failure(why, files.directory() + "/" + name, "cannot make the next segment");
}

/// Closes the file unless it is given away.
class open_file
{
public:
    open_file(file_layer& files, std::string const& name, open_mode mode) : files_(files)
    {
        long const opened = files.open(name, mode);
        if (opened < 0) throw cannot_make(files, name, opened);
        file_ = static_cast<file_layer::handle>(opened);
    }
    open_file(open_file const&) = delete;
    open_file& operator=(open_file const&) = delete;
    ~open_file()
    {
        if (file_ >= 0) files_.close(file_);
    }

    file_layer::handle get() const noexcept { return file_; }
    file_layer::handle give_away() noexcept { return std::exchange(file_, -1); }

private:
    file_layer& files_;
    file_layer::handle file_ = -1;
};

void require_written(file_layer const& files, std::string const& name, long written,
                     std::size_t size)
{
    if (written == static_cast<long>(size)) return;
    throw cannot_make(files, name, written < 0 ? written : -ENOSPC);
}

/// Real zeros, not a hole: a force must never wait for, or fail on, space.
void zero(file_layer& files, spare_segment const& made)
{
    open_file const file(files, made.name, open_mode::create_new);
    for (std::uint32_t page = 0; page < made.page_count;) {
        std::uint32_t const count = std::min(zeros_pages, made.page_count - page);
        auto const bytes = std::span(zeros).first(count * page_bytes);
        require_written(files, made.name,
                        files.write(file.get(), bytes, std::uint64_t{page} * page_bytes),
                        bytes.size());
        page += count;
    }
    if (long const forced = files.fsync(file.get()); forced < 0) {
        throw cannot_make(files, made.name, forced);
    }
}

/// Opens the zeroed file as forces will use it, and tries that on its first page: a file system may
/// take O_DIRECT and then refuse the write.
void open_for_forces(file_layer& files, spare_segment& made)
{
    open_file file(files, made.name, open_mode::force);
    made.is_write_through = files.is_write_through(file.get());
    if (made.is_write_through) {
        long const written = files.write(file.get(), std::span(zeros).first(page_bytes), 0);
        if (written == -EINVAL) {
            made.is_write_through = false;
            made.file = open_file(files, made.name, open_mode::read_write).give_away();
            return;
        }
        require_written(files, made.name, written, page_bytes);
    }
    made.file = file.give_away();
}

}  // namespace

std::uint32_t pages_for(std::uint32_t segment_pages, std::uint32_t snapshot) noexcept
{
    return std::max({segment_pages, segment_pages_min, 2 * snapshot + segment_pages_min});
}

spare_segment make_spare(file_layer& files, std::uint64_t number, std::uint32_t page_count,
                         bool is_larger)
{
    spare_segment made;
    made.number = number;
    made.name = temporary_name(number, is_larger);
    made.page_count = page_count;
    try {
        zero(files, made);
        open_for_forces(files, made);
    } catch (...) {
        files.unlink(made.name);  // if it fails, the next opening removes it
        throw;
    }
    return made;
}

void remove_segment(file_layer& files, older_segment const& which,
                    std::function<std::int64_t()> const& unix_ms)
{
    std::string const name = segment_name(which.number);
    std::string const path = files.directory() + "/" + name;
    long const moved = which.end == segment_end::torn
                           ? files.rename(name, name + ".torn-" + std::to_string(unix_ms() / 1000))
                           : files.unlink(name);
    // It may be gone already: a removal is repeated when forcing it failed.
    if (moved < 0 && moved != -ENOENT) {
        throw io_failure(moved, path, "cannot remove the old segment");
    }
    if (long const forced = files.sync_directory(); forced < 0) {
        throw io_failure(forced, path, "cannot force the removal of the old segment");
    }
}

segment_supply::segment_supply(file_layer& files, settings how)
    : files_(files), how_(std::move(how))
{
    if (how_.has_thread) thread_ = std::thread([this] { run(); });
}

segment_supply::~segment_supply()
{
    while (!close(std::chrono::steady_clock::now() + std::chrono::seconds{1})) {
    }
}

void segment_supply::on_change(std::function<void()> told)
{
    std::lock_guard const held(mutex_);
    on_change_ = std::move(told);
}

void segment_supply::want(std::uint64_t number, std::uint32_t page_count)
{
    held_lock lock(mutex_);
    if (number == wanted_number_ && page_count <= wanted_pages_ && why_.empty()) return;
    if (number != wanted_number_) pause_ = {};
    wanted_number_ = number;
    wanted_pages_ = page_count;
    changed_.notify_all();
    if (!how_.has_thread) work(lock);
}

void segment_supply::try_again() noexcept
{
    if (how_.has_thread) return;
    held_lock lock(mutex_);
    if (is_work()) work(lock);
}

std::optional<spare_segment> segment_supply::take(std::uint32_t page_count,
                                                  std::chrono::steady_clock::time_point until)
{
    held_lock lock(mutex_);
    auto const is_ready = [&] { return spare_ && spare_->page_count >= page_count; };
    auto const is_futile = [&] {
        return !why_.empty() || is_closed_ || !(how_.has_thread || is_busy_);
    };
    changed_.wait_until(lock, until, [&] { return is_ready() || is_futile(); });
    if (!is_ready()) return std::nullopt;
    wanted_number_ = 0;
    return std::exchange(spare_, std::nullopt);
}

void segment_supply::retire(older_segment const& which)
{
    held_lock lock(mutex_);
    retired_.push_back(which);
    changed_.notify_all();
    if (!how_.has_thread) work(lock);
}

std::uint32_t segment_supply::ready_pages() const
{
    std::lock_guard const held(mutex_);
    return spare_ ? spare_->page_count : 0;
}

std::string segment_supply::why_not() const
{
    std::lock_guard const held(mutex_);
    return why_;
}

bool segment_supply::is_work() const noexcept
{
    bool const is_wanted = wanted_number_ != 0 && (!spare_ || spare_->page_count < wanted_pages_);
    return !retired_.empty() || is_wanted;
}

/// One thread at a time works here; it also does what others ask for meanwhile.
void segment_supply::work(held_lock& lock) noexcept
{
    if (is_busy_) return;
    is_busy_ = true;
    do {
        attempt(lock);
    } while (!how_.has_thread && why_.empty() && is_work());
    is_busy_ = false;
    changed_.notify_all();
}

void segment_supply::attempt(held_lock& lock) noexcept
{
    try {
        work_once(lock);
        why_.clear();
        pause_ = {};
    } catch (std::exception const& failed) {
        if (!lock.owns_lock()) lock.lock();
        try {
            why_ = failed.what();
        } catch (std::bad_alloc const&) {
            why_ = "out of memory";  // short enough to need none
        }
        pause_ = std::clamp(2 * pause_, how_.retry_min, how_.retry_max);
    }
    changed_.notify_all();
    lock.unlock();
    if (on_change_) on_change_();
    lock.lock();
}

void segment_supply::work_once(held_lock& lock)
{
    while (!retired_.empty()) {
        older_segment const oldest = retired_.front();
        lock.unlock();
        remove_segment(files_, oldest, how_.unix_ms);
        lock.lock();
        retired_.erase(retired_.begin());
    }
    if (!is_work()) return;
    std::uint64_t const number = wanted_number_;
    std::uint32_t const page_count = wanted_pages_;
    bool const is_larger = spare_ && spare_->name == temporary_name(number, false);
    lock.unlock();
    auto made = std::optional(make_spare(files_, number, page_count, is_larger));
    lock.lock();
    // When the smaller one was taken meanwhile, this one comes too late.
    if (wanted_number_ == number) std::swap(spare_, made);
    lock.unlock();
    if (made) discard(*made);
    lock.lock();
}

void segment_supply::discard(spare_segment const& which) noexcept
{
    files_.close(which.file);
    files_.unlink(which.name);  // if it fails, the next opening removes it
}

void segment_supply::run() noexcept
{
    ports::undisturbed const here;
    held_lock lock(mutex_);
    while (!is_closed_) {
        if (!is_work()) {
            changed_.wait(lock);
        } else if (pause_.count() > 0 &&
                   changed_.wait_for(lock, pause_, [this] { return is_closed_; })) {
            return;
        } else {
            work(lock);
        }
    }
}

void segment_supply::close_when_quiet() noexcept
{
    while (!close(std::chrono::steady_clock::now() + std::chrono::hours{1})) {
    }
}

bool segment_supply::close(std::chrono::steady_clock::time_point until) noexcept
{
    held_lock lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
    if (!changed_.wait_until(lock, until, [this] { return !is_busy_; })) return false;
    auto const spare = std::exchange(spare_, std::nullopt);
    lock.unlock();
    if (thread_.joinable()) thread_.join();
    if (spare) discard(*spare);
    return true;
}

}  // namespace assent::log
