// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_directory.hpp -- a log in a real directory, damaged before it is written there.

#ifndef ASSENT_TESTS_CLI_LOG_DIRECTORY_HPP
#define ASSENT_TESTS_CLI_LOG_DIRECTORY_HPP

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "recovery/cli/log_dump.hpp"
#include "recovery/cli/log_target.hpp"
#include "tests/unit/log/damaged_log.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace cli_test {

using assent::testing::eventful_log;
using assent::testing::file_bytes;
using assent::testing::second_segment;
using assent::testing::spoil;
using assent::testing::wipe;

class log_directory
{
public:
    explicit log_directory(std::function<void(file_bytes&)> const& damage = {})
    {
        auto segment = log.segment;
        if (damage) damage(segment);
        put(second_segment, segment);
    }

    void put(std::string const& name, file_bytes const& content) const
    {
        std::ofstream{path(name), std::ios::binary}.write(
            reinterpret_cast<char const*>(content.data()),
            static_cast<std::streamsize>(content.size()));
        ::chmod(path(name).c_str(), 0600);
    }
    std::string path(std::string const& name) const { return at_.path() + "/" + name; }
    assent::cli::log_target target() const { return {at_.path(), "shop-1", {}, "assent.toml"}; }

    eventful_log log;

private:
    assent::testing::temporary_directory at_;
};

inline std::string dumped(log_directory const& at, assent::cli::dump_options const& how = {})
{
    std::ostringstream out;
    dump(at.target(), how, out, assent::cli::painter{false});
    return out.str();
}

inline assent::cli::exit_code code_of(std::function<void()> const& act)
{
    try {
        act();
    } catch (assent::cli::failure const& e) {
        return e.code();
    }
    ADD_FAILURE() << "nothing was refused";
    return assent::cli::exit_code::fine;
}

}  // namespace cli_test

#endif  // ASSENT_TESTS_CLI_LOG_DIRECTORY_HPP
