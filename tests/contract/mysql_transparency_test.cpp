// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_transparency_test.cpp -- what the application sees of its connection is what it would see
// without us: one-shot settings, flags, names, literals, what the administrator set.
//
// Each has its control: the same work by hand, on the same server.

#include <array>
#include <map>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;

using variables = std::map<std::string, std::string>;

/// All of a session, but for what no two moments have in common.
variables remembered(MYSQL* on)
{
    variables all;
    if (mysql_query(on, "show session variables") != 0) throw std::runtime_error(mysql_error(on));
    MYSQL_RES* const rows = mysql_store_result(on);
    while (MYSQL_ROW const row = mysql_fetch_row(rows))
        all[row[0]] = row[1];
    mysql_free_result(rows);
    for (char const* const moving :
         {"timestamp", "pseudo_thread_id", "statement_id", "last_gtid", "in_transaction",
          "rand_seed1", "rand_seed2", "gtid_executed", "gtid_binlog_pos", "gtid_binlog_state",
          "gtid_current_pos", "error_count", "warning_count", "insert_id", "identity",
          "last_insert_id"}) {
        all.erase(moving);
    }
    return all;
}

/// The names of what differs.
std::string differences(variables const& a, variables const& b)
{
    std::string text;
    for (auto const& [name, value] : a) {
        auto const other = b.find(name);
        if (other == b.end() || other->second != value) text += name + " ";
    }
    return text;
}

class mysql_transparency : public mysql_case
{
protected:
    mysql_client client(char const* database = "accounts")
    {
        return mysql_client::account(server(), database);
    }

    /// A branch on `handle`, by hand or by the adapter, whose session is put into `held`.
    xid begin(mysql_client& handle, session_ptr& held, bool by_hand)
    {
        static std::uint64_t sequence = 1'000'000;
        if (by_hand) {
            xid const x{gtrid::make({decision_place::log, 0, 0xfeedbeef, 1, 0x5a5a5a, ++sequence}),
                        bqual::make({1, 1, 0})};
            handle.query("xa start " + xa_name(x));
            return x;
        }
        held = borrow(handle);
        xid const x = next_xid(*held);
        reply const said = run(*held, verb::start, x);
        if (!said.is_ok()) throw std::runtime_error("start failed: " + said.text);
        return x;
    }

    static void undo(mysql_client& handle, session_ptr& held, xid const& x)
    {
        if (held) {
            EXPECT_TRUE(run(*held, verb::rollback, x).is_ok());
            held.reset();
            return;
        }
        handle.query("xa end " + xa_name(x));
        handle.query("xa rollback " + xa_name(x));
    }
};
ASSENT_ON_EACH_SERVER(mysql_transparency);

// --- one-shot settings ---

TEST_P(mysql_transparency, WriteSkewIsStoppedByASerializableThatIsChosenForTheBranchAlone)
{
    administrator().query("insert into t values (1, 1), (2, 1)");
    for (bool const by_hand : {true, false}) {
        std::array<mysql_client, 2> doctors{client(), client()};
        std::array<session_ptr, 2> held;
        std::array<xid, 2> branches;
        for (std::size_t i = 0; i < 2; ++i) {
            doctors[i].query("set innodb_lock_wait_timeout = 1");
            doctors[i].query("set transaction isolation level serializable");
            branches[i] = begin(doctors[i], held[i], by_hand);
            EXPECT_EQ(doctors[i].query("select sum(v) from t"), "2");
        }

        EXPECT_EQ(doctors[0].try_query("update t set v = 0 where k = 1"), 1205U) << by_hand;
        EXPECT_EQ(doctors[1].try_query("update t set v = 0 where k = 2"), 1205U) << by_hand;

        for (std::size_t i = 0; i < 2; ++i)
            undo(doctors[i], held[i], branches[i]);
    }
}

TEST_P(mysql_transparency, AModeThatIsChosenForTheBranchAloneHoldsInIt)
{
    struct choice
    {
        char const* session;
        char const* once;
        unsigned insertion;
    };
    for (bool const by_hand : {true, false}) {
        for (auto const& each :
             {choice{"read write", "read only", 1792U}, choice{"read only", "read write", 0U}}) {
            auto application = client();
            session_ptr held;
            application.query(std::string("set session transaction ") + each.session);
            application.query(std::string("set transaction ") + each.once);
            xid const x = begin(application, held, by_hand);

            EXPECT_EQ(application.try_query(insert(1)), each.insertion) << each.once << by_hand;

            undo(application, held, x);
        }
    }
}

TEST_P(mysql_transparency, AnIsolationLevelThatIsChosenForTheBranchAloneHoldsInIt)
{
    struct choice
    {
        char const* level;
        char const* sees;  // of what another session changed, uncommitted and committed
    };
    administrator().query("insert into t values (1, 0)");
    for (bool const by_hand : {true, false}) {
        for (auto const& each :
             {choice{"read uncommitted", "0 1 1"}, choice{"read committed", "0 0 1"},
              choice{"repeatable read", "0 0 0"}}) {
            auto application = client();
            auto other = client();
            session_ptr held;
            application.query(std::string("set transaction isolation level ") + each.level);
            xid const x = begin(application, held, by_hand);

            std::string seen = application.query("select v from t");
            other.query("begin");
            other.query("update t set v = 1");
            seen += " " + application.query("select v from t");
            other.query("commit");
            seen += " " + application.query("select v from t");

            EXPECT_EQ(seen, each.sees) << each.level << by_hand;
            undo(application, held, x);
            other.query("update t set v = 0");
        }
    }
}

TEST_P(mysql_transparency, TheSnapshotIsTakenByTheApplicationsFirstQuery)
{
    for (bool const by_hand : {true, false}) {
        administrator().query("delete from t");
        auto application = client();
        session_ptr held;
        xid const x = begin(application, held, by_hand);
        administrator().query(insert(1));

        EXPECT_EQ(application.query("select count(*) from t"), "1") << by_hand;

        undo(application, held, x);
    }
}

TEST_P(mysql_transparency, ACommitRowInATransactionThatIsReadOnlyIsRefusedByName)
{
    auto const manage = open(session_purpose::manage);
    driver().preflight(*manage, in_ms(10'000));
    driver().decisions()->ensure(*manage, in_ms(10'000));
    for (char const* const chosen :
         {"set transaction read only", "set session transaction read only"}) {
        auto application = client();
        application.query(chosen);
        session_ptr held;
        xid const x = begin(application, held, false);
        application.query("select * from t");
        driver().decisions()->carry(*held, {x.global, row_kind::commit, "00"});

        reply const said = run(*held, verb::commit_one_phase, x);

        EXPECT_TRUE(is_rolled_back(said)) << chosen;
        EXPECT_THAT(said.text, HasSubstr("READ ONLY"));
        EXPECT_THAT(said.text, HasSubstr("read_only(false)"));
        EXPECT_TRUE(held->is_reusable());
    }
}

// --- flags that only the client remembers ---

TEST_P(mysql_transparency, FlagsThatTheClientRemembersOfATransactionThatIsOverAreNotBelieved)
{
    struct past
    {
        char const* name;
        std::vector<char const*> statements;
    };
    for (auto const& each : {past{"begin", {"begin", "insert into t values (7, 7)"}},
                             past{"autocommit", {"set autocommit = 0", "select * from t"}},
                             past{"branch", {"xa start 'its own'"}}}) {
        auto application = client();
        for (char const* const statement : each.statements)
            application.query(statement);
        ASSERT_EQ(mysql_reset_connection(application.get()), 0);
        session_ptr held;

        ASSERT_NO_THROW(undo(application, held, begin(application, held, false))) << each.name;

        EXPECT_EQ(rows(7), 0);
    }
}

TEST_P(mysql_transparency, ATransactionThatTheServerRolledBackIsNotBelievedToBeOpen)
{
    auto application = client();
    session_ptr held = borrow(application);
    application.query("begin");
    lose_deadlock(*held);
    held.reset();

    EXPECT_NO_THROW(undo(application, held, begin(application, held, false)));
}

// --- what the administrator gave a session ---

TEST_P(mysql_transparency, ALeaseIsAsTheAdministratorWantsSessionsToBe)
{
    std::vector<std::string> settings = {"wait_timeout = 4711", "lc_messages = 'de_DE'",
                                         "innodb_lock_wait_timeout = 7"};
    settings.emplace_back(is_mariadb() ? "max_statement_time = 17" : "max_execution_time = 17000");
    for (auto const& each : settings)
        administrator().query("set global " + each);
    auto by_hand = client();
    mysql::resource_manager const given{"shop-db", [&] {
                                            auto opened = client();
                                            opened.query("set session sort_buffer_size = 65536");
                                            return opened.release();
                                        }};

    auto const own = open();
    auto const theirs = given.driver()->connect(session_purpose::work, in_ms(10'000));

    for (auto const& each : settings) {
        administrator().query("set global " + each.substr(0, each.find(' ')) + " = default");
    }
    auto const expected = remembered(by_hand.get());
    auto leased = remembered(handle_of(*own));
    for (char const* const name : {"character_set_client", "character_set_connection",
                                   "character_set_results", "collation_connection"}) {
        leased[name] = expected.at(name);  // a lease speaks utf8mb4
    }
    EXPECT_EQ(differences(expected, leased), "");
    EXPECT_EQ(differences(expected, remembered(handle_of(*theirs))), "sort_buffer_size ");
}

TEST_P(mysql_transparency, ASecondLeaseFindsWhatTheFirstOneFound)
{
    struct login
    {
        std::string statements;
        bool is_told;  // again, after a reset
    };
    for (auto const& each :
         {login{"", true},
          login{"set sql_mode = 'PIPES_AS_CONCAT', time_zone = '+03:00'; set session transaction "
                "isolation level read committed; SET @@session.innodb_lock_wait_timeout = 7",
                true},
          login{"set names latin1", true}, login{"set @mine = 5", false},
          login{"do get_lock('mine', 0)", false}}) {
        administrator().query("set global init_connect = \"" + each.statements + "\"");
        auto const session = open();
        auto const first = remembered(handle_of(*session));
        auto const mine = query(*session, "select concat('a' || 'b', ifnull(@mine, 'none'))");
        xid x = start(*session, 1);
        for (char const* const sql :
             {"set sql_mode = 'ansi_quotes'", "set time_zone = '+09:00'", "set @mine = 1",
              "set session wait_timeout = 77", "set lc_messages = 'de_DE'", "use orders",
              "set session transaction isolation level serializable", "set autocommit = 1",
              "set collation_connection = 'latin1_bin'", "set character_set_results = 'latin1'",
              "set innodb_lock_wait_timeout = 9"}) {
            query(*session, sql);
        }
        ASSERT_TRUE(run(*session, verb::rollback, x).is_ok());
        ASSERT_TRUE(session->is_reusable());

        session->submit_reset();
        bool const is_kept = session->collect_reset(in_ms(10'000));

        EXPECT_EQ(is_kept, each.is_told) << each.statements;
        if (is_kept) {
            x = start(*session, 2);
            EXPECT_EQ(differences(first, remembered(handle_of(*session))), "") << each.statements;
            EXPECT_EQ(query(*session, "select concat('a' || 'b', ifnull(@mine, 'none'))"), mine);
            EXPECT_EQ(query(*session, "select database()"), "accounts");
            EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
        }
        administrator().query("set global init_connect = ''");
    }
}

// --- what the application may set inside a branch ---

TEST_P(mysql_transparency, ABranchEndsWhateverTheApplicationMadeOfMessagesAndLiterals)
{
    int key = 0;
    for (verb const end : {verb::prepare, verb::commit_one_phase, verb::rollback}) {
        for (char const* const change :
             {"", "set collation_connection = 'utf16_general_ci'",
              "set collation_connection = "
              "'ucs2_general_ci'",
              "set character_set_client = 'sjis'",
              "set character_set_results "
              "= 'utf16'",
              "set sql_select_limit = 0", "set sql_mode = 'ansi_quotes'"}) {
            auto const session = open();
            xid const x = start(*session, ++key);
            if (*change != 0) {
                query(*session, change);
            } else {
                ASSERT_EQ(
                    mysql_set_server_option(handle_of(*session), MYSQL_OPTION_MULTI_STATEMENTS_OFF),
                    0);
            }

            reply const said = run(*session, end, x);

            EXPECT_TRUE(said.is_ok()) << change << said.text;
            if (end == verb::prepare) {
                EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
            }
            EXPECT_EQ(rows(key), end == verb::rollback ? 0 : 1) << change;
        }
    }
}

TEST_P(mysql_transparency, ALentSessionMayHaveWhateverLiteralsAndResults)
{
    int key = 100;
    for (char const* const before :
         {"set collation_connection = 'utf16_general_ci'", "set character_set_results = 'utf16'",
          "set sql_select_limit = 0", "set character_set_results = null"}) {
        auto application = client();
        application.query(before);
        auto const session = borrow(application);
        ASSERT_NE(session->id(), 0U) << before;
        xid const x = start(*session, ++key);

        EXPECT_TRUE(run(*session, verb::prepare, x).is_ok()) << before;
        EXPECT_TRUE(run(*session, verb::commit, x).is_ok()) << before;
        EXPECT_EQ(rows(key), 1);
    }
}

TEST_P(mysql_transparency, ReconnectingThatTheApplicationSwitchedOnIsOnAgainAfterTheBranch)
{
    for (verb const end : ends) {
        auto application = client();
        auto const session = borrow(application);
        xid const x = start(*session, static_cast<int>(end) + 200);
        client_bool const on = 1;
        mysql_options(application.get(), MYSQL_OPT_RECONNECT, &on);

        EXPECT_TRUE(run(*session, end, x).is_ok());
        if (end == verb::prepare) {
            EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
        }

        EXPECT_TRUE(reconnects(application.get()));
    }
}

// --- names ---

TEST_P(mysql_transparency, NamesOutsideOfAsciiAreTheSameInEveryCharacterSet)
{
    auto& root = administrator();
    ASSERT_EQ(mysql_set_character_set(root.get(), "utf8mb4"), 0);
    root.query("create database if not exists `d\xc3\xa9p\xc3\xb4t`");
    root.query("create table if not exists `d\xc3\xa9p\xc3\xb4t`.t (k int primary key, v int)");
    root.query("create user if not exists 'j\xc3\xb6rg'@'127.0.0.1' identified by 'A word of 9'");
    root.query("grant all on `d\xc3\xa9p\xc3\xb4t`.* to 'j\xc3\xb6rg'@'127.0.0.1'");
    if (!is_mariadb()) root.query("grant xa_recover_admin on *.* to 'j\xc3\xb6rg'@'127.0.0.1'");
    auto options = where("d\xc3\xa9p\xc3\xb4t");
    options.user = "j\xc3\xb6rg";
    options.password = "A word of 9";
    auto const theirs = driver_of(options);
    auto const manage = theirs->connect(session_purpose::manage, in_ms(10'000));
    auto const expected = theirs->preflight(*manage, in_ms(10'000));
    theirs->decisions()->ensure(*manage, in_ms(10'000));
    std::unique_ptr<MYSQL, decltype(&mysql_close)> const lent{mysql_init(nullptr), &mysql_close};
    mysql_options(lent.get(), MYSQL_SET_CHARSET_NAME, "latin1");
    ASSERT_NE(mysql_real_connect(lent.get(), "127.0.0.1", "j\xf6rg", "A word of 9", "d\xe9p\xf4t",
                                 static_cast<unsigned>(server().port()), nullptr, 0),
              nullptr)
        << mysql_error(lent.get());

    auto const session = theirs->borrow(lent.get(), expected, in_ms(10'000));
    xid x = start(*session, 1);
    EXPECT_TRUE(run(*session, verb::prepare, x).is_ok());
    EXPECT_TRUE(run(*session, verb::commit, x).is_ok());
    x = start(*session, 2);
    theirs->decisions()->carry(*session, {x.global, row_kind::commit, "00"});
    reply const said = run(*session, verb::commit_one_phase, x);

    EXPECT_TRUE(said.is_ok()) << said.text;
    EXPECT_EQ(root.query("select count(*) from `d\xc3\xa9p\xc3\xb4t`.t"), "2");
    root.query("drop database `d\xc3\xa9p\xc3\xb4t`");
    root.query("drop user 'j\xc3\xb6rg'@'127.0.0.1'");
}

TEST_P(mysql_transparency, ARefusalNamesWhatIsWrongInWhole)
{
    server_facts const expected = facts();
    auto application = client("orders");
    application.query("set character_set_results = 'utf16'");

    EXPECT_THAT(refusal([&] { driver().borrow(application.get(), expected, in_ms(10'000)); }),
                HasSubstr("uses the database orders, not accounts"));
    auto nowhere = client(nullptr);
    EXPECT_THAT(refusal([&] { driver().borrow(nowhere.get(), expected, in_ms(10'000)); }),
                HasSubstr("no database"));
}

}  // namespace

}  // namespace assent::contract
