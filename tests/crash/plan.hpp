// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// plan.hpp -- what a victim is told to do: `key=value` lines in a file that only its owner reads,
// since connection strings hold passwords and command lines are seen by everybody.
//
//   mode            work, recover, hold: see victim.cpp
//   log             the log's directory
//   accounts        PostgreSQL's connection string        orders   MariaDB's
//   prefix          of the names of its transfers
//   answers         file: what commit() and rollback() returned, one line each, forced to disk
//   points          file: the points that were reached, with their counts, at a clean end
//   strike          the point at which it kills itself    occurrence
//   short           1: two transactions only
//   borrowed        1: connections of its own are enlisted; 0: leases
//   program         another victim than victim.cpp
//   row             accounts, orders: transactions are decided by a commit row there

#ifndef ASSENT_TESTS_CRASH_PLAN_HPP
#define ASSENT_TESTS_CRASH_PLAN_HPP

#include <map>
#include <string>

namespace assent::testing {

class plan
{
public:
    plan& set(std::string const& key, std::string const& value);
    plan& set(std::string const& key, long value) { return set(key, std::to_string(value)); }

    bool has(std::string const& key) const { return values_.count(key) != 0; }
    /// @throws std::runtime_error  the key is missing, or is not a number.
    std::string const& text(std::string const& key) const;
    long number(std::string const& key) const;
    long number_or(std::string const& key, long otherwise) const;

    /// Writes a file of mode 0600.  @throws std::system_error
    void write(std::string const& path) const;
    static plan read(std::string const& path);

private:
    std::map<std::string, std::string> values_;
};

/// Appends lines that are on disk when add() returns.
class durable_lines
{
public:
    explicit durable_lines(std::string const& path);
    ~durable_lines();
    durable_lines(durable_lines const&) = delete;
    durable_lines& operator=(durable_lines const&) = delete;

    /// Thread safety: may be called from several threads at once.
    void add(std::string const& line);

private:
    int file_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_PLAN_HPP
