// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_desk.hpp -- where the operator sits: the program, its configuration, and an application that
// can be killed in the middle of a commit.

#ifndef ASSENT_TESTS_INTEGRATION_CLI_DESK_HPP
#define ASSENT_TESTS_INTEGRATION_CLI_DESK_HPP

#include <sys/types.h>

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/integration/bank.hpp"

namespace assent::testing {

/// What the program wrote, and how it ended.
struct answer
{
    int status = -1;
    std::string out;
    std::string err;

    /// @throws  when it is not exactly one JSON value.
    nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// A directory with files for the program; removed at the end.
class desk
{
public:
    desk();
    desk(desk const&) = delete;
    desk& operator=(desk const&) = delete;
    ~desk();

    /// Writes a file of that mode.  @return its path.
    std::string file(std::string const& name, std::string const& text, unsigned mode = 0600) const;

    std::string path(std::string const& name) const { return directory_ + "/" + name; }

private:
    std::string directory_;
};

/// Runs the program.
answer run_assent(std::vector<std::string> const& words);

/// The program while it runs.
class running_assent
{
public:
    explicit running_assent(std::vector<std::string> const& words);
    running_assent(running_assent const&) = delete;
    running_assent& operator=(running_assent const&) = delete;
    ~running_assent();

    pid_t pid() const noexcept { return pid_; }
    void interrupt() const;  ///< as Ctrl-C does

    /// Waits for one more line.
    std::string line() const;
    /// Waits for its end.  Standard output and error stand together in `out`.
    answer finish();

private:
    pid_t pid_ = -1;
    int output_ = -1;
};

/// A configuration of both of the bank's databases.
std::string both_databases(std::string const& log_directory, bank const& of);

/// An application that makes one transfer; see cli_victim.cpp.
class victim
{
public:
    /// Runs it until it has killed itself.  @return the gtrid of its transaction.
    static std::string killed_at(bank const& of, std::string const& log, std::string const& event,
                                 int occurrence = 1);
    /// The same, with a transaction that a commit row of accounts decides.
    static std::string killed_with_row_at(bank const& of, std::string const& log,
                                          std::string const& event);

    /// Runs it until it waits there.
    victim(bank const& of, std::string const& log, std::string const& event,
           std::string const& how = "hold");
    /// One that makes no transfer, and kills itself when it is told that event.
    static victim serving(bank const& of, std::string const& log, std::string const& event = "-")
    {
        return victim{of, log, event, "serve"};
    }
    victim(victim const&) = delete;
    victim& operator=(victim const&) = delete;
    ~victim();

    std::string const& id() const noexcept { return id_; }
    pid_t pid() const noexcept { return pid_; }

    /// Lets it go on, and waits for its end.  @return its exit status; 128 and more: killed.
    int finish();

private:
    static std::string run_until_killed(bank const& of, std::vector<std::string> const& words);

    pid_t pid_ = -1;
    int input_ = -1;
    std::string id_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_CLI_DESK_HPP
