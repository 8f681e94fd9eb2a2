// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/plan.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace assent::testing {

namespace {

int open_or_throw(std::string const& path, int flags)
{
    int const file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (file < 0) throw std::system_error(errno, std::generic_category(), "open " + path);
    return file;
}

void write_whole(int file, std::string const& text)
{
    auto const written = ::write(file, text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
        throw std::system_error(written < 0 ? errno : ENOSPC, std::generic_category(), "write");
    }
}

}  // namespace

plan& plan::set(std::string const& key, std::string const& value)
{
    values_[key] = value;
    return *this;
}

std::string const& plan::text(std::string const& key) const
{
    auto const found = values_.find(key);
    if (found == values_.end()) throw std::runtime_error{"the plan does not say " + key};
    return found->second;
}

long plan::number(std::string const& key) const
{
    return std::stol(text(key));
}

long plan::number_or(std::string const& key, long otherwise) const
{
    return has(key) ? number(key) : otherwise;
}

void plan::write(std::string const& path) const
{
    std::string all;
    for (auto const& [key, value] : values_)
        all += key + "=" + value + "\n";
    int const file = open_or_throw(path, O_WRONLY | O_CREAT | O_TRUNC);
    write_whole(file, all);
    ::close(file);
}

plan plan::read(std::string const& path)
{
    std::ifstream lines{path};
    if (!lines) throw std::runtime_error{"cannot read the plan " + path};
    plan made;
    for (std::string line; std::getline(lines, line);) {
        auto const equal = line.find('=');
        if (equal == std::string::npos) throw std::runtime_error{"not a plan: " + path};
        made.set(line.substr(0, equal), line.substr(equal + 1));
    }
    return made;
}

durable_lines::durable_lines(std::string const& path)
    : file_(open_or_throw(path, O_WRONLY | O_CREAT | O_APPEND))
{
}

durable_lines::~durable_lines()
{
    ::close(file_);
}

void durable_lines::add(std::string const& line)
{
    write_whole(file_, line + "\n");
    if (::fdatasync(file_) != 0) {
        throw std::system_error(errno, std::generic_category(), "fdatasync");
    }
}

}  // namespace assent::testing
