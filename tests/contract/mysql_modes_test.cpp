// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_modes_test.cpp -- isolation level and access of a branch on real servers: they hold in it,
// together with what the application chose, and cost no round trip where messages are fused.

#include <array>

#include "tests/contract/mysql_case.hpp"
#include "tests/servers/proxy.hpp"

namespace assent::contract {

using ::testing::HasSubstr;

class mysql_modes : public mysql_case
{
protected:
    mysql_client client() { return mysql_client::account(server(), "accounts"); }

    decision_table& table()
    {
        auto const manage = open(session_purpose::manage);
        driver().preflight(*manage, in_ms(10'000));
        driver().decisions()->ensure(*manage, in_ms(10'000));
        return *driver().decisions();
    }
    xid begin(driver_session& on, branch_modes const& modes)
    {
        xid const x = next_xid(on);
        on.declare(modes);
        reply const said = run(on, verb::start, x);
        if (!said.is_ok()) throw std::runtime_error("start failed: " + said.text);
        return x;
    }
};
ASSENT_ON_EACH_SERVER(mysql_modes);

TEST_P(mysql_modes, WriteSkewIsStoppedByASerializableThatIsAskedFor)
{
    administrator().query("insert into t values (1, 1), (2, 1)");
    for (bool const is_asked : {true, false}) {
        std::array<mysql_client, 2> doctors{client(), client()};
        std::array<session_ptr, 2> held;
        std::array<xid, 2> branches;
        for (std::size_t i = 0; i < 2; ++i) {
            doctors[i].query("set innodb_lock_wait_timeout = 1");
            held[i] = borrow(doctors[i]);
            branch_modes modes;
            if (is_asked) modes.level = isolation::serializable;
            branches[i] = begin(*held[i], modes);
            EXPECT_EQ(doctors[i].query("select sum(v) from t"), "2");
        }

        unsigned const expected = is_asked ? 1205U : 0U;
        EXPECT_EQ(doctors[0].try_query("update t set v = 0 where k = 1"), expected);
        EXPECT_EQ(doctors[1].try_query("update t set v = 0 where k = 2"), expected);

        for (std::size_t i = 0; i < 2; ++i)
            EXPECT_TRUE(run(*held[i], verb::rollback, branches[i]).is_ok());
    }
}

/// What is asked for wins; what is not asked for stays as the application chose it.
TEST_P(mysql_modes, TheyCombineWithWhatTheApplicationChoseForItsNextTransaction)
{
    struct choice
    {
        char const* once;
        branch_modes modes;
        unsigned insertion;
        char const* level;
    };
    for (auto const& each :
         {choice{"set transaction read only", {isolation::serializable, {}}, 1792U, "SERIALIZABLE"},
          choice{"set transaction read only",
                 {isolation::read_committed, access::read_write},
                 0U,
                 "READ COMMITTED"},
          choice{"set transaction isolation level serializable",
                 {{}, access::read_only},
                 1792U,
                 "SERIALIZABLE"},
          choice{"set transaction isolation level serializable, read only",
                 {isolation::read_uncommitted, access::read_write},
                 0U,
                 "READ UNCOMMITTED"}}) {
        auto application = client();
        application.query(each.once);
        auto const held = borrow(application);
        xid const x = begin(*held, each.modes);

        EXPECT_EQ(application.try_query(insert(1)), each.insertion) << each.once;
        application.query("select count(*) from t");
        EXPECT_EQ(level_of(server(), held->id()), each.level) << each.once;

        EXPECT_TRUE(run(*held, verb::rollback, x).is_ok());
        EXPECT_EQ(application.try_query(insert(1)), 0U) << "nothing is left of it";
        application.query("delete from t");
    }
}

TEST_P(mysql_modes, ACommitRowIsRefusedAtTheStartWhereTheApplicationChoseReadOnly)
{
    auto& rows = table();
    for (char const* const chosen :
         {"set transaction read only", "set session transaction read only"}) {
        auto application = client();
        application.query(chosen);
        auto const held = borrow(application);
        xid const x = next_xid(*held);
        rows.announce(*held);

        reply const said = run(*held, verb::start, x);

        EXPECT_FALSE(said.is_ok()) << chosen;
        EXPECT_THAT(said.text, HasSubstr("READ ONLY"));
        EXPECT_THAT(said.text, HasSubstr("commit row"));
        EXPECT_TRUE(held->is_reusable());
        EXPECT_EQ(application.query("select @@autocommit"), "1");
    }
}

TEST_P(mysql_modes, AnAnnouncedRowOpensNoReadViewAndLeavesWhatTheApplicationReads)
{
    auto& rows = table();
    for (bool const is_safe : {false, true}) {
        administrator().query("delete from t");
        auto application = client();
        if (is_safe) application.query("set sql_safe_updates = 1");
        application.query("select last_insert_id(55)");
        application.query("select 1 union select 2 union select 3");
        auto const held = borrow(application);
        rows.announce(*held);
        xid const x = begin(*held, {isolation::repeatable_read, {}});

        EXPECT_EQ(application.query("select concat(last_insert_id(), ' ', row_count())"), "55 0");
        administrator().query(insert(1));
        EXPECT_EQ(application.query("select count(*) from t"), "1");

        EXPECT_TRUE(run(*held, verb::rollback, x).is_ok());
    }
}

TEST_P(mysql_modes, TheMessagesOfAStartAreCounted)
{
    testing::proxy network;
    auto const number = network.add(testing::wire_protocol::mysql, server().port());
    auto options = where();
    options.host = "127.0.0.1";
    options.port = static_cast<unsigned>(network.port(number));
    table();
    auto const behind = driver_of(options);
    auto const manage = behind->connect(session_purpose::manage, in_ms(10'000));
    behind->preflight(*manage, in_ms(10'000));
    auto const session = behind->connect(session_purpose::work, in_ms(10'000));
    auto const count = [&](branch_modes const& modes, bool is_row) {
        xid const x = next_xid(*session);
        if (is_row) behind->decisions()->announce(*session);
        session->declare(modes);
        network.clear();
        EXPECT_TRUE(run(*session, verb::start, x).is_ok());
        std::size_t sent = 0;
        for (auto const& each : network.messages(number))
            sent += each.is_request ? 1 : 0;
        EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
        return sent;
    };

    std::size_t const plain = count({}, false);
    if (plain == 0) GTEST_SKIP() << "this client library encrypts, and nobody can count";
    EXPECT_EQ(plain, 1u);
    EXPECT_EQ(count({isolation::serializable, access::read_only}, false), 1u);
    EXPECT_EQ(count({isolation::serializable, access::read_write}, true), 1u);
    EXPECT_EQ(count({}, true), 1u);
}

}  // namespace assent::contract
