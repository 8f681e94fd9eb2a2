// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/identity_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "adapters/dialects/subject.hpp"

namespace assent::xopen_switch {

namespace {

constexpr std::size_t identity_max = 100;

class file
{
public:
    file(std::string const& path, int flags)
        : number_(::open(path.c_str(), flags | O_CLOEXEC, 0644))
    {
    }
    ~file()
    {
        if (number_ >= 0) ::close(number_);
    }
    file(file const&) = delete;
    file& operator=(file const&) = delete;

    bool is_open() const noexcept { return number_ >= 0; }
    bool is_forced() const noexcept { return ::fsync(number_) == 0; }
    int number() const noexcept { return number_; }

private:
    int const number_;
};

std::string random_identity()
{
    constexpr char digits[] = "0123456789abcdef";
    std::random_device from;
    std::string text;
    for (int i = 0; i < 32; ++i)
        text += digits[from() & 15];
    return text;
}

std::string folder_of(std::string const& path)
{
    auto const folder = std::filesystem::path{path}.parent_path().string();
    return folder.empty() ? "." : folder;
}

[[noreturn]] void fail(std::string const& resource_manager, std::string const& path,
                       std::string const& what)
{
    throw driver_error(dialects::subject(resource_manager) + "its identity file \"" + path + "\" " +
                       what);
}

[[noreturn]] void fail_by_system(std::string const& resource_manager, std::string const& path,
                                 std::string const& what)
{
    fail(resource_manager, path, what + ": " + std::strerror(errno));
}

}  // namespace

bool is_good_identity(std::string const& text) noexcept
{
    return !text.empty() && text.size() <= identity_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<std::string> known_identity_in(std::string const& resource_manager,
                                             std::string const& path)
{
    file const known{path, O_RDONLY};
    if (!known.is_open()) {
        if (errno == ENOENT) return std::nullopt;
        fail_by_system(resource_manager, path, "cannot be opened");
    }
    char room[identity_max + 2];
    auto const got = ::read(known.number(), room, sizeof room);
    if (got < 0) fail_by_system(resource_manager, path, "cannot be read");
    std::string text(room, static_cast<std::size_t>(got));
    if (!text.empty() && text.back() == '\n') text.pop_back();
    if (!is_good_identity(text)) {
        fail(resource_manager, path, "holds no identity: one line, 1 to 100 characters");
    }
    return text;
}

std::string identity_in(std::string const& resource_manager, std::string const& path)
{
    auto const refuse = [&](char const* what) { fail_by_system(resource_manager, path, what); };
    for (;;) {
        if (auto known = known_identity_in(resource_manager, path)) return *known;
        // Made whole under another name, so that nobody reads half of it, and linked, so that of
        // two who make it at once one wins.
        std::string const text = random_identity();
        std::string const next = path + "." + text.substr(0, 8);
        {
            file const made{next, O_WRONLY | O_CREAT | O_EXCL};
            if (!made.is_open()) refuse("cannot be made");
            std::string const line = text + '\n';
            bool const is_whole = ::write(made.number(), line.data(), line.size()) ==
                                  static_cast<ssize_t>(line.size());
            if (!is_whole || !made.is_forced()) refuse("cannot be written");
        }
        bool const is_linked = ::link(next.c_str(), path.c_str()) == 0;
        int const why = errno;
        ::unlink(next.c_str());
        errno = why;
        if (!is_linked && why != EEXIST) refuse("cannot be made");
        file const folder{folder_of(path), O_RDONLY | O_DIRECTORY};
        if (!folder.is_open() || !folder.is_forced()) refuse("cannot be kept");
    }
}

}  // namespace assent::xopen_switch
