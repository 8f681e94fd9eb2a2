// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// acting.hpp -- a log in a real directory for the commands that act, and a program that is killed
// in the middle of one.

#ifndef ASSENT_TESTS_CLI_ACTING_HPP
#define ASSENT_TESTS_CLI_ACTING_HPP

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log/file_log.hpp"
#include "recovery/cli/act.hpp"
#include "recovery/cli/look.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace cli_test {

/// Of the databases `accounts` and `orders`, whose kinds they tell themselves.
class acting_desk
{
public:
    acting_desk()
    {
        from.path = "assent.toml";
        from.log_directory = at_.path() + "/log";
        from.node_label = "shop";
        using assent::cli::database_kind;
        from.databases = {{"accounts", database_kind::odbc, {}, false},
                          {"orders", database_kind::odbc, {}, false}};
    }

    std::unique_ptr<assent::log::file_log> open_log() const
    {
        assent::log::file_log_options how;
        how.node_label = "shop";
        return std::make_unique<assent::log::file_log>(from.log_directory, how);
    }

    assent::log::log_view seen() const { return assent::cli::look(from); }

    /// As a person who has confirmed it.
    static assent::cli::act_options confirmed()
    {
        assent::cli::act_options how;
        how.who = "uid 1000 (ann)";
        how.reason = "compared and repaired";
        how.is_confirmed = true;
        how.lock_wait = std::chrono::milliseconds{0};
        how.patience = std::chrono::milliseconds{50};
        how.owner_wait = std::chrono::milliseconds{50};
        return how;
    }

    assent::cli::configuration from;

private:
    assent::testing::temporary_directory at_;
};

/// What `act` refuses with.
inline assent::cli::failure refused(std::function<void()> const& act)
{
    try {
        act();
    } catch (assent::cli::failure const& e) {
        return e;
    }
    ADD_FAILURE() << "nothing was refused";
    return {assent::cli::exit_code::fine, ""};
}

/// Runs `act` in a process of its own, which is killed (kill -9) at the `nth` step of that name.
/// @return whether it came so far.
inline bool is_killed_at(std::string const& name, int nth,
                         std::function<void(assent::cli::act_options const&)> const& act)
{
    pid_t const child = ::fork();
    if (child == 0) {
        auto how = acting_desk::confirmed();
        how.on_step = [&, left = nth](char const* step) mutable {
            if (step == std::string_view{name} && --left == 0) ::kill(::getpid(), SIGKILL);
        };
        try {
            act(how);
        } catch (std::exception const&) {
            ::_exit(1);
        }
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// The names of the steps that `act` takes, each as often as it takes it.
inline std::vector<std::string> steps_of(
    std::function<void(assent::cli::act_options const&)> const& act)
{
    std::vector<std::string> all;
    auto how = acting_desk::confirmed();
    how.on_step = [&](char const* step) { all.emplace_back(step); };
    act(how);
    return all;
}

}  // namespace cli_test

#endif  // ASSENT_TESTS_CLI_ACTING_HPP
