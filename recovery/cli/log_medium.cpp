// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_medium.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <assent/options.hpp>

#include "log/posix_file_layer.hpp"
#include "ports/descriptor.hpp"
#include "recovery/cli/look.hpp"
#include "recovery/cli/status.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

namespace {

namespace fs = std::filesystem;
using level = finding_level;

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t forces = 15;
// A segment that is written, one that is made ahead, and what a repair keeps.
constexpr std::uint64_t segments_needed = 4;

std::string words_of(int error)
{
    return std::generic_category().message(error);
}

/// `/a/b/c` where only `/a` exists: `/a`.
fs::path nearest_existing(fs::path path)
{
    std::error_code unseen;
    while (!fs::exists(path, unseen) && path.has_relative_path())
        path = path.parent_path();
    return path;
}

/// A page, aligned as O_DIRECT wants it.
struct page_deleter
{
    void operator()(std::byte* page) const noexcept
    {
        ::operator delete (page, std::align_val_t{page_bytes});
    }
};
using page = std::unique_ptr<std::byte, page_deleter>;

page make_page()
{
    page made{static_cast<std::byte*>(::operator new (page_bytes, std::align_val_t{page_bytes}))};
    std::fill_n(made.get(), page_bytes, std::byte{0});
    return made;
}

/// What the log does for each force: one page, written over room that was reserved, made durable.
class force_probe
{
public:
    explicit force_probe(std::string const& directory)
        : file_(open(directory, O_DIRECT | O_DSYNC)), is_direct_(*file_ >= 0)
    {
        if (is_direct_) return;
        buffered_ = std::make_unique<ports::descriptor>(open(directory, 0));
        if (**buffered_ < 0) why_not_ = words_of(errno);
    }

    std::string const& why_not() const noexcept { return why_not_; }
    bool is_direct() const noexcept { return is_direct_; }

    /// @throws std::system_error
    median_time measure() const
    {
        page const bytes = make_page();
        for (std::size_t i = 0; i < forces; ++i)
            write(bytes, i);
        if (::fsync(get()) != 0) fail();
        std::vector<std::chrono::microseconds> all;
        for (std::size_t i = 0; i < forces; ++i) {
            auto const begun = std::chrono::steady_clock::now();
            write(bytes, i);
            if (!is_direct_ && ::fdatasync(get()) != 0) fail();
            all.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::steady_clock::now() - begun));
        }
        auto const middle = all.begin() + forces / 2;
        std::nth_element(all.begin(), middle, all.end());
        return {*middle, all.size()};
    }

private:
    static int open(std::string const& directory, int more)
    {
        return ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | more, 0600);
    }

    int get() const noexcept { return is_direct_ ? *file_ : **buffered_; }

    [[noreturn]] static void fail() { throw std::system_error(errno, std::generic_category()); }

    void write(page const& bytes, std::size_t at) const
    {
        auto const written =
            ::pwrite(get(), bytes.get(), page_bytes, static_cast<off_t>(at * page_bytes));
        if (written < 0) fail();
        if (written != static_cast<ssize_t>(page_bytes)) errno = ENOSPC, fail();
    }

    ports::descriptor file_;
    bool is_direct_;
    std::unique_ptr<ports::descriptor> buffered_;
    std::string why_not_;
};

void measure_force(examination& into, std::string const& directory)
{
    force_probe const probe{directory};
    if (!probe.why_not().empty()) {
        into.why_no_force = "a file without a name cannot be made there: " + probe.why_not();
        return;
    }
    into.add("how it is forced", level::ok,
             probe.is_direct() ? "past the page cache (O_DIRECT, O_DSYNC)"
                               : "by fdatasync: the file system does not take O_DIRECT");
    try {
        into.force = probe.measure();
    } catch (std::system_error const& e) {
        into.why_no_force = e.code().message();
    }
}

/// `vda1, a solid-state disk`, as far as the kernel tells.
std::string name_of_device(dev_t which)
{
    auto const number = std::to_string(major(which)) + ":" + std::to_string(minor(which));
    std::error_code unknown;
    fs::path const device = fs::canonical("/sys/dev/block/" + number, unknown);
    if (unknown) return "device " + number;
    std::string name = device.filename();
    for (auto const& at : {device, device.parent_path()}) {
        std::ifstream in{at / "queue/rotational"};
        char kind = 0;
        if (!(in >> kind)) continue;
        return name +
               (kind == '1' ? ", which rotates as the kernel says" : ", which does not rotate");
    }
    return name;
}

void add_file_system(examination& into, configuration const& from, struct stat const& seen,
                     log::directory_facts const& facts)
{
    std::string const told = facts.file_system + " on " + name_of_device(seen.st_dev);
    bool const is_allowed = from.allow_file_system == facts.file_system;
    if (facts.is_unsafe) {
        into.add("file system", is_allowed ? level::warning : level::error,
                 told + (is_allowed ? ", accepted by allow_file_system" : ""),
                 "put the log on a local disk: there it may be lost, or shared by two machines");
    } else if (facts.copies_on_write) {
        into.add("file system", level::advice, told,
                 "it writes to new places, so room cannot be reserved: keep it far from full");
    } else {
        into.add("file system", level::ok, told);
    }
}

void add_room(examination& into, std::string const& directory)
{
    struct statvfs room = {};
    if (::statvfs(directory.c_str(), &room) != 0) {
        into.add("room", level::warning, words_of(errno), "see why the disk cannot be asked");
        return;
    }
    if ((room.f_flag & ST_RDONLY) != 0) {
        into.add("room", level::error, "the file system is mounted read-only",
                 "mount it for writing: nothing can be decided");
        return;
    }
    std::uint64_t const free = std::uint64_t{room.f_bavail} * room.f_frsize;
    std::uint64_t const needed = segments_needed * limits{}.segment_bytes;
    bool const is_enough = free >= needed && (room.f_files == 0 || room.f_favail > segments_needed);
    into.add("room", is_enough ? level::ok : level::error, bytes(free) + " free",
             is_enough ? ""
                       : "make room for " + bytes(needed) +
                             " and a few files at least: without it nothing can begin");
}

void add_permissions(examination& into, struct stat const& seen)
{
    constexpr unsigned others_may_write = S_IWGRP | S_IWOTH;
    constexpr unsigned others_may_read = S_IRGRP | S_IROTH | S_IXGRP | S_IXOTH;
    unsigned const mode = seen.st_mode & 07777;
    std::string const digits{static_cast<char>('0' + (mode >> 6 & 7)),
                             static_cast<char>('0' + (mode >> 3 & 7)),
                             static_cast<char>('0' + (mode & 7))};
    std::string const told = "0" + digits + ", of user " + std::to_string(seen.st_uid);
    if ((mode & others_may_write) != 0) {
        into.add("permissions", level::error, told,
                 "chmod 0700 the directory: who else may write it could change decisions, and so "
                 "the application refuses it");
    } else if ((mode & others_may_read) != 0) {
        into.add("permissions", level::advice, told,
                 "chmod 0700 the directory: nobody else has to see which transactions there are");
    } else {
        into.add("permissions", level::ok, told);
    }
    if (seen.st_uid != ::geteuid()) {
        into.add("user", level::advice, "you are user " + std::to_string(::geteuid()),
                 "the log is its owner's: run the application, and assent recover, as that user");
    }
}

void add_view(examination& into, configuration const& from, log::log_view const& view)
{
    auto const log = describe_log(from, view);
    into.add("log", level::ok,
             "epoch " + std::to_string(log.current.epoch) + ", " + bytes(log.segment_bytes) +
                 " in " + count_of(log.segments, "segment", "segments") + ", " + log.end);
    into.add("owner", level::ok,
             log.is_owned ? name_of_owner(log) + " since " + utc(log.owner_since_ms) : "nobody");
}

/// Whether a log was ever begun there.  A mount point may hold other things.
bool has_log(std::string const& directory)
{
    std::error_code unread;
    fs::directory_iterator at{directory, unread};
    for (; !unread && at != fs::directory_iterator{}; at.increment(unread)) {
        if (at->path().extension() == ".seg" || at->path().filename() == "lock") return true;
    }
    return static_cast<bool>(unread);  // look() says why it cannot be read
}

void examine_directory(examined_log& into, configuration const& from)
{
    examination& told = into.told.seen;
    auto const directory = nearest_existing(from.log_directory);
    bool const is_there = directory == fs::path{from.log_directory};
    struct stat seen = {};
    log::posix_file_layer files{directory};
    log::directory_facts facts;
    long const attached = files.attach(false, facts);
    if (attached < 0 || ::stat(directory.c_str(), &seen) != 0) {
        int const why = attached < 0 ? static_cast<int>(-attached) : errno;
        told.add("directory", level::error, directory.string() + ": " + words_of(why),
                 "check log_directory in " + from.path + ", and run as its owner");
        told.why_no_force = "the directory cannot be opened";
        return;
    }
    told.add("directory", is_there ? level::ok : level::advice,
             is_there ? directory.string() : "not there; " + directory.string() + " was examined",
             is_there ? ""
                      : "the first start of the application makes it, if it may write there; " +
                            from.path + " may also name the wrong one");
    add_file_system(told, from, seen, facts);
    add_room(told, directory);
    if (is_there) add_permissions(told, seen);
    measure_force(told, directory);
}

}  // namespace

examined_log examine_log(configuration const& from)
{
    examined_log into;
    into.told.name = "log";
    into.told.is_examined = true;
    into.told.seen.kind = "log";
    examine_directory(into, from);
    bool const is_there = std::any_of(
        into.told.seen.findings.begin(), into.told.seen.findings.end(),
        [](finding const& each) { return each.check == "directory" && each.level == level::ok; });
    if (!is_there) return into;
    try {
        if (!has_log(from.log_directory)) {
            into.told.seen.add("log", level::ok,
                               "none yet: the first start of the application makes it");
            return into;
        }
        into.view = look(from);
        add_view(into.told.seen, from, *into.view);
    } catch (failure const& e) {
        into.told.seen.add("log", level::error, "it cannot be used", e.what());
    }
    return into;
}

}  // namespace assent::cli
