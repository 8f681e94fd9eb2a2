// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reservation_contract_test.cpp -- reservations in PostgreSQL, MariaDB and MySQL, natively and
// through ODBC, and in a SQLite file, held to the contract of every adapter.

#include "tests/contract/odbc_target.hpp"
#include "tests/contract/reservation_target.hpp"
#include "tests/contract/sqlite_target.hpp"

namespace assent::contract {

namespace {

template <target_factory Inner>
std::shared_ptr<contract_target> reserved_in()
{
    static auto const target = std::make_shared<reservation_target>(Inner());
    return target;
}

template <class Target, auto... Arguments>
std::shared_ptr<contract_target> made()
{
    static auto const target = std::make_shared<Target>(Arguments...);
    return target;
}

std::string name_of_database(::testing::TestParamInfo<target_factory> const& of)
{
    constexpr char const* names[] = {"postgresql", "mariadb", "mysql",
                                     "psqlodbc",   "maodbc",  "sqlite"};
    return names[of.index];
}

auto const targets =
    ::testing::Values(&reserved_in<&made<postgresql_target, edition::newest>>,
                      &reserved_in<&made<mysql_target, server_kind::mariadb>>,
                      &reserved_in<&made<mysql_target, server_kind::mysql>>,
                      &reserved_in<&made<odbc_postgresql_target, edition::installed>>,
                      &reserved_in<&made<odbc_mysql_target, server_kind::mariadb>>,
                      &reserved_in<&made<sqlite_target>>);

}  // namespace

INSTANTIATE_TEST_SUITE_P(reserved, contract, targets, &name_of_database);

/// As tcc::attempt() begins: the row travels with the start, where the client joins messages.
class attempted : public contract
{
protected:
    void begin(driver_session& on, int key)
    {
        static_cast<reservations::session&>(on).begin_with(std::to_string(key));
    }
};

TEST_P(attempted, BeginsWithItsRowAndEndsAsTheVerbSays)
{
    auto const on = open(session_purpose::work);
    for (auto const end : {verb::rollback, verb::commit}) {
        auto const id = next_xid(*on);
        begin(*on, 1);
        ASSERT_TRUE(run(*on, verb::start, id).is_ok());
        // A file is listed when nobody writes to it.
        bool const is_file = driver().capabilities().is_always_serializable;
        EXPECT_FALSE(!is_file && is_listed(id)) << "its transaction is open";
        target().write_row(*on, 1);
        EXPECT_TRUE(is_listed(id));
        ASSERT_TRUE(run(*on, verb::prepare, id).is_ok());
        EXPECT_TRUE(run(*on, end, id).is_ok());
        EXPECT_FALSE(is_listed(id));
        EXPECT_EQ(target().count_rows(1), end == verb::commit ? 1 : 0);
        EXPECT_TRUE(on->is_reusable());
    }
}

TEST_P(attempted, ThatIsLeftBeforeItsCommitHasNoRow)
{
    auto const on = open(session_purpose::work);
    auto const id = next_xid(*on);
    begin(*on, 1);
    ASSERT_TRUE(run(*on, verb::start, id).is_ok());
    EXPECT_TRUE(run(*on, verb::rollback, id).is_ok());
    EXPECT_FALSE(is_listed(id));
    EXPECT_TRUE(on->is_reusable());
}

TEST_P(attempted, WhoseRowIsRefusedLeavesNoTransactionAndNobodyElsesRow)
{
    auto const first = start_branch(1);
    auto const on = open(session_purpose::work);
    begin(*on, 2);
    bool const has_begun = run(*on, verb::start, first.id).is_ok();
    if (has_begun) {
        EXPECT_THROW(target().write_row(*on, 2), driver_error);
        EXPECT_TRUE(run(*on, verb::rollback, first.id).is_ok());
    }
    EXPECT_TRUE(on->is_reusable());
    auto const next = next_xid(*on);
    begin(*on, 3);
    EXPECT_TRUE(run(*on, verb::start, next).is_ok());
    target().write_row(*on, 3);

    EXPECT_TRUE(is_listed(first.id));
    EXPECT_TRUE(run(*first.session, verb::prepare, first.id).is_ok());
    EXPECT_TRUE(run(*first.session, verb::commit, first.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_TRUE(run(*on, verb::rollback, next).is_ok());
    EXPECT_EQ(target().count_rows(3), 0);
}

INSTANTIATE_TEST_SUITE_P(reserved, attempted, targets, &name_of_database);

}  // namespace assent::contract
