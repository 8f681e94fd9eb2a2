// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/box_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string_view>
#include <system_error>

#include "ports/descriptor.hpp"
#include "ports/standard_descriptors.hpp"
#include "recovery/request.hpp"

namespace assent::recovery {

namespace {

using ports::descriptor;

constexpr mode_t owner_alone = 0600;
constexpr mode_t others = 0077;
constexpr std::size_t id_digits = 16;
constexpr std::string_view incomplete = ".new";

std::string_view word_of(box_kind kind) noexcept
{
    switch (kind) {
        case box_kind::request:
            return "request.";
        case box_kind::taken:
            return "taken.";
        case box_kind::answer:
            break;
    }
    return "answer.";
}

std::string name_of(box_kind kind, std::string const& id)
{
    return std::string{word_of(kind)} + id;
}

/// The id in a name of that kind; empty: it is none.
std::string id_in(std::string_view name, box_kind kind)
{
    auto const word = word_of(kind);
    if (!name.starts_with(word) || name.size() != word.size() + id_digits) return {};
    auto const id = name.substr(word.size());
    bool const is_hex = id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return is_hex ? std::string{id} : std::string{};
}

bool is_incomplete(std::string_view name)
{
    if (!name.ends_with(incomplete)) return false;
    auto const whole = name.substr(0, name.size() - incomplete.size());
    return !id_in(whole, box_kind::request).empty() || !id_in(whole, box_kind::answer).empty();
}

[[noreturn]] void fail(std::string const& what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

/// Why the file is not believed; empty: it is.
std::string fault_of(struct stat const& seen)
{
    if (!S_ISREG(seen.st_mode)) return "it is no plain file";
    if (seen.st_uid != ::geteuid()) return "it belongs to another user";
    if ((seen.st_mode & others) != 0) return "others may read or write it";
    if (seen.st_nlink != 1) return "it has more than one name";
    if (seen.st_size > static_cast<off_t>(request_bytes_max)) return "it is too long";
    return {};
}

/// As much as there is, up to one byte more than may be there.
std::string read_all(int file)
{
    std::string text(request_bytes_max + 1, '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        auto const got = ::read(file, text.data() + done, text.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail("a request cannot be read");
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
}

}  // namespace

box_directory::box_directory(std::string const& path)
{
    ports::standard_descriptors const kept;
    directory_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_ < 0) fail("cannot open \"" + path + "\"");
    in_child_ = ports::inherited_descriptor{directory_};
}

box_directory::~box_directory()
{
    in_child_ = {};
    ::close(directory_);
}

bool box_directory::is_own() const
{
    struct stat seen = {};
    return ::fstat(directory_, &seen) == 0 && seen.st_uid == ::geteuid();
}

std::vector<std::string> box_directory::names() const
{
    ports::standard_descriptors const kept;
    int const listed = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (listed < 0) fail("the log's directory cannot be listed");
    std::unique_ptr<DIR, int (*)(DIR*)> const open{::fdopendir(listed), ::closedir};
    if (!open) {
        ::close(listed);
        fail("the log's directory cannot be listed");
    }
    std::vector<std::string> all;
    while (auto const* const each = ::readdir(open.get()))
        all.emplace_back(each->d_name);
    return all;
}

std::vector<std::string> box_directory::ids(box_kind of) const
{
    std::vector<std::string> all;
    for (auto const& name : names()) {
        if (auto id = id_in(name, of); !id.empty()) all.push_back(std::move(id));
    }
    std::sort(all.begin(), all.end());
    return all;
}

box_content box_directory::read(box_kind kind, std::string const& id) const
{
    ports::standard_descriptors const kept;
    // It may be anything: neither a link is followed, nor a pipe waited for.
    descriptor const file{::openat(directory_, name_of(kind, id).c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    box_content content;
    if (*file < 0 && errno == ENOENT) return content;
    content.is_there = true;
    struct stat seen = {};
    if (*file < 0) {
        content.fault = errno == ELOOP ? "it is a link" : "it cannot be opened";
    } else if (::fstat(*file, &seen) != 0) {
        content.fault = "it cannot be looked at";
    } else {
        content.fault = fault_of(seen);
    }
    if (content.fault.empty()) content.text = read_all(*file);
    return content;
}

void box_directory::write(box_kind kind, std::string const& id, std::string const& text)
{
    auto const name = name_of(kind, id);
    auto const half = name + std::string{incomplete};
    // Left there by somebody who was killed with the same in hand.
    if (::unlinkat(directory_, half.c_str(), 0) != 0 && errno != ENOENT) fail(half);
    {
        ports::standard_descriptors const kept;
        descriptor const file{::openat(directory_, half.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                       owner_alone)};
        if (*file < 0) fail("cannot make " + half);
        try {
            if (!ports::write_all(*file, text)) fail("it cannot be written");
            if (::fsync(*file) != 0) fail("cannot force " + half);
        } catch (std::system_error const&) {
            ::unlinkat(directory_, half.c_str(), 0);
            throw;
        }
    }
    if (::renameat(directory_, half.c_str(), directory_, name.c_str()) == 0) return;
    auto const why = errno;
    ::unlinkat(directory_, half.c_str(), 0);
    errno = why;
    fail("cannot make " + name);
}

bool box_directory::rename(box_kind from, box_kind to, std::string const& id)
{
    auto const now = name_of(from, id);
    if (::renameat(directory_, now.c_str(), directory_, name_of(to, id).c_str()) == 0) return true;
    if (errno != ENOENT) fail("cannot rename " + now);
    return false;
}

bool box_directory::remove(box_kind kind, std::string const& id)
{
    auto const name = name_of(kind, id);
    if (::unlinkat(directory_, name.c_str(), 0) == 0) return true;
    if (errno != ENOENT) fail("cannot remove " + name);
    return false;
}

void box_directory::remove_older_than(std::chrono::seconds age)
{
    for (auto const& name : names()) {
        if (id_in(name, box_kind::answer).empty() && !is_incomplete(name)) continue;
        struct stat seen = {};
        bool const is_seen = ::fstatat(directory_, name.c_str(), &seen, AT_SYMLINK_NOFOLLOW) == 0;
        if (!is_seen || !fault_of(seen).empty()) continue;
        if (std::time(nullptr) - seen.st_mtime > age.count()) {
            ::unlinkat(directory_, name.c_str(), 0);
        }
    }
}

}  // namespace assent::recovery
