// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// monitor.hpp -- three strict switches and a manager over them, in one directory: what is in that
// can be copied at any moment, and is then what a process that is killed leaves behind.

#ifndef ASSENT_TESTS_UNIT_XOPEN_MONITOR_HPP
#define ASSENT_TESTS_UNIT_XOPEN_MONITOR_HPP

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/xopen/expected_answers.hpp"
#include "tests/unit/xopen/xopen_fixture.hpp"

namespace xopen_test {

inline constexpr std::array<char const*, 3> bank_names = {"first", "middle", "last"};
inline constexpr int banks = 3;
inline constexpr int strangers = 64;  // one page of a list

class monitor
{
public:
    explicit monitor(std::string const& home, assent::testing::switch_options like = {});

    void open();
    void close() { tm_.reset(); }

    strict_switch& bank(int i) const { return *banks_.at(i); }
    assent::transaction_manager& tm() const { return *tm_; }

    bool becomes_serving() const;
    /// Nothing is left, but for what strangers prepared, and of `struck` every fault was met.
    bool becomes_finished(int of_strangers, int struck) const;

    /// Work of a branch in each of `at`, which writes two rows, so that a part of it can be told.
    void work(assent::transaction& tx, std::string const& what, std::vector<int> const& at) const;
    effect effect_of(std::string const& what, int i) const;

private:
    std::string home_;
    std::vector<std::unique_ptr<strict_switch>> banks_;
    std::vector<assent::xopen::resource_manager> rms_;
    std::unique_ptr<assent::transaction_manager> tm_;
};

/// Copies what a process that is killed now would leave.
void take_picture(std::string const& of, std::string const& into);
/// Prepares branches of others there, on a thread of its own.
void add_strangers(strict_switch& at);

/// Logs and switches as crashes left them, with which cells begin: a transaction of three branches
/// that was prepared, and also decided or not, when its process died.
class wreckage
{
public:
    wreckage();

    assent::gtrid const& id() const noexcept { return id_; }
    std::string decided() const { return home_.path() + "/decided"; }
    std::string undecided() const { return home_.path() + "/undecided"; }

private:
    api_test::temporary_directory home_;
    assent::gtrid id_;
};

}  // namespace xopen_test

#endif  // ASSENT_TESTS_UNIT_XOPEN_MONITOR_HPP
