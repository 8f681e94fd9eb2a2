// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_contract_test.cpp -- the contract, on the database in memory, in each personality.
//
// What the other tests rest on behaves as the real databases do.

#include <map>

#include <assent/testing.hpp>

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

namespace {

using assent::testing::memory_connection;
using assent::testing::memory_database;
using assent::testing::memory_options;
using assent::testing::memory_resource_manager;
using assent::testing::personality;

class memory_target : public contract_target
{
public:
    explicit memory_target(personality acts_as) { chosen_.acts_as = acts_as; }

    bool has(feature what) const override
    {
        return what != feature::blocked_statement && what != feature::sockets;
    }

    void reset() override
    {
        db_ = memory_database{chosen_};
        foreign_.clear();
    }

    std::shared_ptr<resource_manager_driver> driver() override
    {
        return memory_resource_manager{"memory", db_}.driver();
    }

    void write_row(driver_session& session, int key) override
    {
        static_cast<memory_connection*>(session.native_handle())->add(std::to_string(key), 1);
    }

    int count_rows(int key) override
    {
        return static_cast<int>(db_.value(std::to_string(key)).value_or(0));
    }

    bool runs_at(driver_session& session, isolation level) override
    {
        std::optional<isolation> asked;
        for (auto const& each : db_.history()) {
            if (each.what == verb::start && each.session == session.id()) asked = each.modes.level;
        }
        return asked.value_or(default_level()) == level;
    }
    isolation default_level() const override { return isolation::read_committed; }
    void make_read_only(driver_session& session) override
    {
        static_cast<memory_connection*>(session.native_handle())->read_only(true);
    }

    void prepare_foreign(int key) override
    {
        foreign_ = "foreign " + std::to_string(key);
        db_.prepare_foreign(foreign_, std::to_string(key), 1);
    }
    void commit_foreign() override { db_.commit_foreign(foreign_); }

    void kill_session(std::uint64_t id) override { db_.cut(id); }
    void freeze() override { db_.freeze(); }
    void thaw() override { db_.thaw(); }
    void crash() override { db_.crash_server(); }
    void start() override { db_.restart(); }
    void restart() override { db_.restart(); }
    void restart_elsewhere() override { db_.restart(); }

    void* open_handle(handle_kind kind) override
    {
        memory_options other = chosen_;
        if (kind == handle_kind::other_database) {
            other.identity = db_.identity();
            other.database = "other";
        }
        bool const is_here =
            kind != handle_kind::other_server && kind != handle_kind::other_database;
        auto opened = is_here ? db_.connect() : memory_database{other}.connect();
        memory_connection* const handle = opened.release();
        if (kind == handle_kind::in_transaction) handle->begin();
        if (kind == handle_kind::busy) keep_busy(handle);
        return handle;
    }

    bool is_usable(void* handle) override
    {
        auto& connection = *static_cast<memory_connection*>(handle);
        try {
            return connection.get("none") == std::nullopt;
        } catch (driver_error const&) {
            return false;
        }
    }

    void close_handle(void* handle) override { delete static_cast<memory_connection*>(handle); }

private:
    /// Leaves a reply outstanding on the connection.
    void keep_busy(memory_connection* handle)
    {
        auto const whole = driver();
        auto const manage = whole->connect(session_purpose::manage, in_seconds(10));
        auto const facts = whole->preflight(*manage, in_seconds(10));
        auto const user = whole->borrow(handle, facts, in_seconds(10));
        db_.script().on(verb::start).hang();
        user->submit(verb::start, {gtrid::make({}), bqual::make({1, 1, handle->id()})});
    }

    memory_options chosen_;
    memory_database db_;
    std::string foreign_;
};

template <personality acts_as>
std::shared_ptr<contract_target> make_target()
{
    static auto const target = std::make_shared<memory_target>(acts_as);
    return target;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(plain, contract, ::testing::Values(&make_target<personality::plain>));
INSTANTIATE_TEST_SUITE_P(mariadb, contract, ::testing::Values(&make_target<personality::mariadb>));
INSTANTIATE_TEST_SUITE_P(postgresql, contract,
                         ::testing::Values(&make_target<personality::postgresql>));

}  // namespace assent::contract
