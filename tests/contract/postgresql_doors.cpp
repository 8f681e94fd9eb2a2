// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/postgresql_doors.hpp"

#include <algorithm>
#include <utility>

namespace assent::contract {

using namespace std::chrono_literals;

void told::on(event const& what)
{
    std::function<void()> act;
    {
        std::lock_guard const held{mutex_};
        events_.push_back(std::string{what.name} + "@" + std::string{what.resource_manager});
        if (what.name == awaited_) act = act_;
    }
    if (act) act();
}

void told::at(std::string event, std::function<void()> what)
{
    std::lock_guard const held{mutex_};
    awaited_ = std::move(event);
    act_ = std::move(what);
}

bool told::has(std::string const& event) const
{
    std::lock_guard const held{mutex_};
    return std::find(events_.begin(), events_.end(), event) != events_.end();
}

options quick_options(std::string const& directory, std::shared_ptr<told> const& to)
{
    limits bounds;
    bounds.phase2_wait = 500ms;
    bounds.rollback_wait = 500ms;
    bounds.connect = 2s;
    bounds.server_call = 1s;
    bounds.retry_max = 200ms;
    bounds.completion_retry_max = 100ms;
    bounds.scan_interval = 500ms;
    bounds.presumed_abort_delay = 0ms;
    return options{}.log_directory(directory).node_label("test").limits(bounds).observe(to);
}

resource_manager_state state_of(transaction_manager const& tm, std::string const& name)
{
    for (auto const& each : tm.state().resource_managers) {
        if (each.name == name) return each;
    }
    return {};
}

void write_row(PGconn* on, int key)
{
    plain_connection::run(on, "INSERT INTO entry VALUES (" + std::to_string(key) + ")");
}

bool becomes_idle(transaction_manager const& tm)
{
    auto const is_idle = [&] { return tm.state().live_transactions == 0; };
    return eventually(is_idle) || eventually(is_idle);  // each waits for ten seconds
}

void postgresql_doors::SetUp()
{
    postgresql_case::SetUp();
    if (IsSkipped()) return;
    plain_connection orders{conninfo("orders")};
    orders.run("CREATE TABLE IF NOT EXISTS entry(key int PRIMARY KEY)");
    orders.run("TRUNCATE entry");
}

void postgresql_doors::TearDown()
{
    tm_.reset();
    postgresql_case::TearDown();
}

void postgresql_doors::open_manager()
{
    open_manager({"accounts", conninfo("accounts")}, {"orders", conninfo("orders")});
}

void postgresql_doors::open_manager(postgresql::resource_manager first,
                                    postgresql::resource_manager second)
{
    tm_.emplace(quick_options(log_.path(), told_));
    accounts_ = tm_->add(std::move(first));
    orders_ = tm_->add(std::move(second));
    auto warm = begin();
    warm.lease(*accounts_);
    warm.lease(*orders_);
    warm.rollback();
}

std::pair<int, int> postgresql_doors::rows(int key)
{
    std::string const sql = "SELECT count(*) FROM entry WHERE key = " + std::to_string(key);
    return {std::stoi(pg().administer(sql)), std::stoi(pg().administer(sql, "orders"))};
}

}  // namespace assent::contract
