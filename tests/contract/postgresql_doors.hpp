// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_doors.hpp -- global transactions over several databases of one PostgreSQL cluster,
// through the public doors: what a user sees of all that the adapter does.
//
//   accounts, orders    two databases, two resource managers; each has a table entry(key)

#ifndef ASSENT_TESTS_CONTRACT_POSTGRESQL_DOORS_HPP
#define ASSENT_TESTS_CONTRACT_POSTGRESQL_DOORS_HPP

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/assent.hpp>
#include <assent/postgresql.hpp>

#include "tests/contract/postgresql_target.hpp"
#include "tests/thrown_by.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace assent::contract {

using log_directory = testing::temporary_directory;

/// What an observer was told: "event@resource manager", in order.
class told final : public observer
{
public:
    void on(event const& what) override;
    bool has(std::string const& event) const;

    /// Runs `what` at each `event`, on the thread to which it happens.
    void at(std::string event, std::function<void()> what);

private:
    mutable std::mutex mutex_;
    std::vector<std::string> events_;
    std::string awaited_;
    std::function<void()> act_;
};

/// The limits of these tests: nothing waits long for what will not come.
options quick_options(std::string const& directory, std::shared_ptr<told> const& to = {});

using assent::testing::thrown_by;

resource_manager_state state_of(transaction_manager const& tm, std::string const& name);

/// Writes row `key`.
void write_row(PGconn* on, int key);

/// Looks again and again until nothing of the manager is alive.
bool becomes_idle(transaction_manager const& tm);

class postgresql_doors : public postgresql_case
{
protected:
    void SetUp() override;
    void TearDown() override;

    /// Opens the manager with both databases, and waits until they serve.
    void open_manager();
    void open_manager(postgresql::resource_manager first, postgresql::resource_manager second);

    std::string conninfo(std::string const& database, int port = 0)
    {
        return pg().server().conninfo(database, port);
    }
    transaction begin(std::chrono::milliseconds life = std::chrono::seconds(30))
    {
        return tm_->begin(begin_options{}.timeout(life));
    }
    /// Rows `key` that are committed in either.
    std::pair<int, int> rows(int key);
    std::string prepared() { return pg().administer("SELECT count(*) FROM pg_prepared_xacts"); }

    log_directory log_;
    std::shared_ptr<told> told_ = std::make_shared<told>();
    std::optional<transaction_manager> tm_;
    std::optional<postgresql::resource_manager> accounts_;
    std::optional<postgresql::resource_manager> orders_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_POSTGRESQL_DOORS_HPP
