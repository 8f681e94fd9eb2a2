// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/file_broker.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace assent::testing {

namespace {

namespace fs = std::filesystem;

/// @return false where there is no such file.
bool is_done(int answer, char const* what)
{
    if (answer == 0) return true;
    if (errno == ENOENT) return false;
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

file_broker::file_broker(std::string directory, std::shared_ptr<point_watch> watch)
    : directory_(std::move(directory)), watch_(std::move(watch))
{
    fs::create_directories(directory_ + "/halves");
    fs::create_directories(directory_ + "/shown");
}

void file_broker::step(char const* name) const
{
    if (is_deaf_) throw std::runtime_error{"the broker was not heard"};
    if (!watch_) return;
    event what;
    what.name = name;
    watch_->on(what);
}

void file_broker::half(xid const& name, half::message const& what, deadline)
{
    step("half.begin");
    auto const made = directory_ + "/" + name.text();
    std::ofstream{made} << what.body;
    fs::rename(made, half_at(name.text()));
    step("half.stored");
}

bool file_broker::release(xid const& name, deadline)
{
    step("release.begin");
    auto const text = name.text();
    bool const was_there =
        is_done(std::rename(half_at(text).c_str(), shown_at(text).c_str()), "rename");
    step("release.done");
    return was_there;
}

bool file_broker::drop(xid const& name, deadline)
{
    step("drop.begin");
    bool const was_there = is_done(::unlink(half_at(name.text()).c_str()), "unlink");
    step("drop.done");
    return was_there;
}

half::listing file_broker::list(deadline)
{
    step("list.begin");
    auto const all = halves();
    return {"file-broker", {all.begin(), all.end()}};
}

void file_broker::settle(std::string const& name, bool is_shown) const
{
    if (is_shown) {
        is_done(std::rename(half_at(name).c_str(), shown_at(name).c_str()), "rename");
    } else {
        is_done(::unlink(half_at(name).c_str()), "unlink");
    }
}

std::set<std::string> file_broker::halves() const
{
    std::set<std::string> names;
    for (auto const& each : fs::directory_iterator{directory_ + "/halves"})
        names.insert(each.path().filename());
    return names;
}

std::set<std::string> file_broker::shown() const
{
    std::set<std::string> bodies;
    for (auto const& each : fs::directory_iterator{directory_ + "/shown"}) {
        std::string body;
        std::ifstream{each.path()} >> body;
        if (!bodies.insert(body).second) throw std::runtime_error{body + " was shown twice"};
    }
    return bodies;
}

}  // namespace assent::testing
