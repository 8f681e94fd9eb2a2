// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// messages_test.cpp -- queues in real databases: PostgreSQL and MariaDB, and, as another program,
// the newest PostgreSQL that there is and MySQL.

#include <libpq-fe.h>
#include <mysql.h>

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <assent/driver.hpp>
#include <assent/examination.hpp>
#include <assent/message.hpp>

#include "ports/fnv.hpp"
#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::errc;
using assent::isolation;
using assent::outcome;
using assent::message::message;
using assent::message::queue;

assent::begin_options taking()
{
    return assent::begin_options{}.isolation_level(isolation::read_committed);
}

class Messages : public AtBank
{
protected:
    static bool taken_less(std::mutex& mutex, std::multiset<std::string> const& taken, int than)
    {
        std::lock_guard const held{mutex};
        return taken.size() < static_cast<std::size_t>(than);
    }

    static void SetUpTestSuite()
    {
#ifdef ASSENT_MESSAGES_ON_MYSQL
        if (bank_ != nullptr || !private_server::mysql_missing().empty()) return;
        bool const is_newest = private_server::newest_postgresql_missing().empty();
        keep(
            new bank{is_newest ? private_server::newest_postgresql() : private_server::postgresql(),
                     private_server::mysql()});
#else
        AtBank::SetUpTestSuite();
#endif
    }
    void TearDown() override
    {
        if (bank_ == nullptr) return;
        EXPECT_TRUE(becomes_true([] { return has_no_branches(); }, 30s));
        execute(bank_->look_accounts(), "drop table if exists assent_task, assent_key");
        execute(bank_->look_orders(), "drop table if exists assent_task, assent_key");
        bank_->stop_looking();
    }

    /// A manager that reaches both through a network, and a queue in each.
    struct opened : wired
    {
        opened() : wired(*bank_, test_options(bank_->new_log_directory())) {}

        queue const in_accounts{accounts};
        queue const in_orders{orders};

        std::vector<std::pair<queue const*, std::size_t>> both() const
        {
            return {{&in_accounts, net.accounts}, {&in_orders, net.orders}};
        }
        void put(queue const& into, std::string const& body, std::string const& key = {})
        {
            auto tx = tm.begin();
            into.put(tx, {"jobs", key, body});
            ASSERT_EQ(tx.commit(), outcome::committed);
        }
        /// The same, as often as somebody keeps the key too long.
        void put_patiently(queue const& into, std::string const& body, std::string const& key)
        {
            auto const end = steady_clock::now() + tenfold(30s);
            while (steady_clock::now() < end) {
                auto tx = tm.begin();
                into.put(tx, {"jobs", key, body});
                try {
                    EXPECT_EQ(tx.commit(), outcome::committed);
                    return;
                } catch (assent::rolled_back_error const& e) {
                    ASSERT_TRUE(e.is_retryable()) << e.what();
                }
            }
            ADD_FAILURE() << "the key was never free";
        }
        /// What one transaction takes until there is nothing more, and commits.
        std::vector<std::string> take_all(queue const& from)
        {
            std::vector<std::string> bodies;
            auto tx = tm.begin(taking());
            while (auto const one = from.take(tx, "jobs"))
                bodies.push_back(one->body);
            EXPECT_EQ(tx.commit(), outcome::committed);
            return bodies;
        }
        std::size_t sent(std::size_t database, std::string const& part) const
        {
            auto const all = net.wire.sql(database);
            return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](auto& each) {
                return each.text.find(part) != std::string::npos;
            }));
        }
        /// Names of the databases for SCOPED_TRACE.
        std::string name(std::size_t database) const
        {
            return database == net.accounts ? "accounts" : "orders";
        }
        std::string second_phase(std::size_t database) const
        {
            return database == net.accounts ? "COMMIT PREPARED" : "XA COMMIT";
        }
    };

    /// As the server sees it.
    static bool waits_for_a_lock(std::string const& database)
    {
        if (database == "accounts") {
            return number(bank_->look_accounts(),
                          "select count(*) from pg_stat_activity where wait_event_type = 'Lock'") >
                   0;
        }
        return number(bank_->look_orders(),
                      "select count(*) from information_schema.processlist where command = 'Query' "
                      "and info like '%update%assent_key%' and id <> connection_id()") > 0;
    }
    static std::int64_t messages_in_accounts()
    {
        return number(bank_->look_accounts(), "select count(*) from assent_task");
    }
    static std::int64_t messages_in_orders()
    {
        return number(bank_->look_orders(), "select count(*) from assent_task");
    }
};

TEST_F(Messages, AreThereExactlyIfTheirTransactionCommitted)
{
    opened at;
    auto const work = [&](std::string const& id) {
        auto tx = at.tm.begin();
        transfer(tx.lease(at.accounts), tx.lease(at.orders), id, 1, 0);
        at.in_accounts.put(tx, {"jobs", "k", id, {{"n", "a b"}}});
        at.in_orders.put(tx, {"jobs", "k", id});
        return tx;
    };
    auto committed = work("put 1");
    EXPECT_EQ(committed.commit(), outcome::committed);
    work("put 2").rollback();
    auto vetoed = work("put 3");
    PGconn* const pg = vetoed.lease(at.accounts);
    EXPECT_THROW(execute(pg, "select 1/0"), std::runtime_error);
    EXPECT_THROW(vetoed.commit(), assent::rolled_back_error);

    expect_in_both("put 1");
    EXPECT_EQ(messages_in_accounts(), 1);
    EXPECT_EQ(messages_in_orders(), 1);
    for (auto const& each : at.both()) {
        auto const* const from = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        auto tx = at.tm.begin(taking());
        auto const one = from->take(tx, "jobs");
        ASSERT_TRUE(one);
        EXPECT_EQ(one->body, "put 1");
        EXPECT_EQ(one->key, "k");
        EXPECT_EQ(one->gtrid, committed.id().text());
        EXPECT_EQ(one->id.size(), 32u);
        tx.rollback();
        EXPECT_EQ(at.take_all(*from), std::vector<std::string>{"put 1"}) << "it was given back";
    }
}

TEST_F(Messages, ComeAsTheyWerePut)
{
    opened at;
    std::string every;
    for (int c = 0; c < 256; ++c)
        every += static_cast<char>(c);
    message const odd{"a'\\\"`%", "it's \\ a \"key\" ", every, {{"x", every}, {"x", ""}}};
    for (auto const& each : at.both()) {
        auto const* const in = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        auto tx = at.tm.begin();
        in->put(tx, odd);
        in->put(tx, {"large", "", std::string(assent::message::body_max, '\'')});
        EXPECT_EQ(tx.commit(), outcome::committed);

        auto next = at.tm.begin(taking());
        auto const one = in->take(next, odd.to);
        ASSERT_TRUE(one);
        EXPECT_EQ(one->key, odd.key);
        EXPECT_EQ(one->body, odd.body);
        EXPECT_EQ(one->headers, odd.headers);
        auto const large = in->take(next, "large");
        ASSERT_TRUE(large);
        EXPECT_EQ(large->body.size(), assent::message::body_max);
        EXPECT_FALSE(in->take(next, "LARGE"));
        EXPECT_EQ(next.commit(), outcome::committed);
    }
}

/// Beside the same transaction without them.
TEST_F(Messages, CostOneMessageToTheServerHoweverManyAndWithKeysTwoOnMariadbAndMysql)
{
    opened at;
    at.put(at.in_accounts, "the tables are made");
    at.put(at.in_orders, "here, too");
    auto const count = [&](int messages, std::string const& key) {
        auto tx = at.tm.begin();
        tx.lease(at.accounts);
        tx.lease(at.orders);
        for (int i = 0; i < messages; ++i) {
            auto const one = key.empty() ? key : key + std::to_string(i);
            at.in_accounts.put(tx, {"jobs", one, "body"});
            at.in_orders.put(tx, {"jobs", one, "body"});
        }
        at.net.wire.clear();
        EXPECT_EQ(tx.commit(), outcome::committed);
        std::map<std::string, std::size_t> sent;
        for (auto const database : {at.net.accounts, at.net.orders}) {
            for (auto const* part : {"PREPARE", "COMMIT", "assent_task", "assent_key"})
                sent[at.name(database) + ' ' + part] = at.sent(database, part);
        }
        return sent;
    };
    auto none = count(0, "");
    EXPECT_EQ(none["accounts PREPARE"], 2u) << "itself, and COMMIT PREPARED";
    EXPECT_EQ(none["accounts assent_task"] + none["orders assent_task"], 0u);

    auto without_keys = count(50, "");
    EXPECT_EQ(without_keys["accounts assent_task"], 1u);
    EXPECT_EQ(without_keys["orders assent_task"], 1u);
    EXPECT_EQ(without_keys["accounts assent_key"] + without_keys["orders assent_key"], 0u);

    auto with_keys = count(50, "k");
    EXPECT_EQ(with_keys["accounts assent_task"], 1u);
    EXPECT_EQ(with_keys["accounts assent_key"], 1u) << "in the same message";
    EXPECT_EQ(with_keys["orders assent_task"], 1u);
    EXPECT_EQ(with_keys["orders assent_key"], 1u) << "in one before it";
    for (auto const* same : {"accounts PREPARE", "accounts COMMIT", "orders PREPARE"}) {
        EXPECT_EQ(none[same], without_keys[same]) << same;
        EXPECT_EQ(none[same], with_keys[same]) << same;
    }
    EXPECT_EQ(messages_in_accounts(), 101);
    EXPECT_EQ(messages_in_orders(), 101);
}

/// Ids alone do not keep them in order: the later one would be there, and taken, first.
TEST_F(Messages, OfOneKeyAreSeenInTheOrderOfTheirCommits)
{
    opened at;
    for (auto const& each : at.both()) {
        auto const* const in = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        at.put(*in, "0", "k");
        auto first = at.tm.begin();
        in->put(first, {"jobs", "k", "1"});
        first.lease(at.accounts);
        first.lease(at.orders);
        at.net.wire.clear();
        at.net.wire.hold(database, at.second_phase(database));
        std::jthread one{[&first] { EXPECT_EQ(first.commit(), outcome::committed); }};
        EXPECT_TRUE(becomes_true([&] { return at.sent(database, at.second_phase(database)) == 1; },
                                 tenfold(1s)));
        std::jthread two{[&] { at.put_patiently(*in, "2", "k"); }};
        EXPECT_TRUE(becomes_true([&] { return waits_for_a_lock(at.name(database)); }, tenfold(5s)));
        EXPECT_EQ(at.take_all(*in), std::vector<std::string>{"0"})
            << "the first is committed, and not there yet; the second must not be there before it";
        at.net.wire.let_go(database);
        one.join();
        two.join();
        EXPECT_EQ(at.take_all(*in), (std::vector<std::string>{"1", "2"}));
    }
}

TEST_F(Messages, WhoseKeyIsKeptTooLongAreRefusedAndMayBeRetried)
{
    opened at;
    for (auto const& each : at.both()) {
        auto const* const in = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        at.put(*in, "0", "k");
        auto first = at.tm.begin();
        in->put(first, {"jobs", "k", "1"});
        first.lease(at.accounts);
        first.lease(at.orders);
        at.net.wire.clear();
        at.net.wire.hold(database, at.second_phase(database));
        std::jthread one{[&first] { EXPECT_EQ(first.commit(), outcome::committed); }};
        EXPECT_TRUE(becomes_true([&] { return at.sent(database, at.second_phase(database)) == 1; },
                                 tenfold(1s)));
        at.put(*in, "of another key", "k2");

        auto second = at.tm.begin();
        in->put(second, {"jobs", "k", "2"});
        auto const said = thrown_by<assent::rolled_back_error>([&] { second.commit(); });
        EXPECT_TRUE(said.is_retryable());
        EXPECT_THAT(said.what(), ::testing::HasSubstr("keeps the key"));
        if (database == at.net.accounts) {
            EXPECT_THAT(said.what(), ::testing::HasSubstr(first.id().text()));
        }
        at.net.wire.let_go(database);
        one.join();
        at.put(*in, "2", "k");
        EXPECT_EQ(at.take_all(*in), (std::vector<std::string>{"0", "1", "of another key", "2"}));
    }
}

/// Puts into `which`, in a branch that no manager of this program knows, and leaves it prepared.
assent::xid leave_prepared(assent::resource_manager const& which)
{
    assent::xid const name{
        assent::gtrid::make({assent::decision_place::log, 0, 0xfeed, 1, 0xbeef, 1}),
        assent::bqual::make({1, 1, 0})};
    auto const until = steady_clock::now() + tenfold(5s);
    auto& driver = *which.driver();
    auto const session = driver.connect(assent::session_purpose::work, until);
    auto const obey = [&](assent::verb what) {
        session->submit(what, name);
        auto const said = session->collect(until);
        EXPECT_TRUE(said && said->is_ok()) << (said ? said->text : "no answer");
    };
    std::string const key = "k";
    auto const slot = assent::ports::fnv1a(key) % assent::task_slots;
    assent::task_row row;
    row.token = std::string(32, '0');
    row.to = "jobs";
    row.key = key;
    row.body = "1";
    obey(assent::verb::start);
    driver.tasks()->put_tasks(*session, {row}, {static_cast<std::uint16_t>(slot)}, until);
    obey(assent::verb::prepare);
    return name;
}

void end_prepared(assent::resource_manager const& which, assent::xid const& name)
{
    auto const until = steady_clock::now() + tenfold(5s);
    auto const session = which.driver()->connect(assent::session_purpose::manage, until);
    session->submit(assent::verb::commit, name);
    auto const said = session->collect(until);
    EXPECT_TRUE(said && said->is_ok()) << (said ? said->text : "no answer");
}

/// A lock alone would be forgotten by a server of InnoDB's that starts again.
TEST_F(Messages, OfAPreparedBranchKeepTheirKeyAlsoOverADeathOfTheServer)
{
    std::optional<assent::xid> in_accounts, in_orders;
    {
        opened at;
        at.put(at.in_accounts, "0");
        at.put(at.in_orders, "0");
        in_accounts = leave_prepared(at.accounts);
        in_orders = leave_prepared(at.orders);
    }
    bank_->stop_looking();
    for (auto* const server : {&bank_->postgresql(), &bank_->mariadb()}) {
        server->kill();
        server->start();
    }
    opened at;
    for (auto const& each : at.both()) {
        auto const* const in = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        auto tx = at.tm.begin();
        in->put(tx, {"jobs", "k", "2"});
        EXPECT_THAT(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).what(),
                    ::testing::HasSubstr("keeps the key"));
    }
    end_prepared(at.accounts, *in_accounts);
    end_prepared(at.orders, *in_orders);
    for (auto const& each : at.both()) {
        auto const* const in = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        at.put(*in, "2", "k");
        EXPECT_EQ(at.take_all(*in), (std::vector<std::string>{"0", "1", "2"}));
    }
}

TEST_F(Messages, OfManyKeysInAnyOrderDeadlockNowhere)
{
    constexpr int threads = 4;
    constexpr int transactions = 12;
    opened at;
    at.put(at.in_accounts, "made");
    at.put(at.in_orders, "made");
    std::mutex mutex;
    std::vector<std::string> failures;
    std::vector<std::thread> all;
    all.reserve(threads);
    auto const end = steady_clock::now() + tenfold(30s);
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            std::mt19937 random(static_cast<unsigned>(t));
            for (int i = 0; i < transactions;) {
                auto tx = at.tm.begin();
                bool const is_turned = random() % 2 == 0;
                for (int k = 0; k < 8; ++k) {
                    auto const& into = (k % 2 == 0) == is_turned ? at.in_accounts : at.in_orders;
                    into.put(tx, {"jobs", std::to_string(random() % 10), "body"});
                }
                try {
                    if (tx.commit() == outcome::committed) ++i;
                } catch (assent::rolled_back_error const& e) {
                    // A key that is kept too long is no deadlock, on a machine that is busy.
                    std::string const why = e.what();
                    bool const is_kept = why.find("keeps the key") != std::string::npos;
                    if (is_kept && steady_clock::now() < end) continue;
                    std::lock_guard const held{mutex};
                    failures.push_back(why);
                    return;
                }
            }
        });
    }
    for (auto& each : all)
        each.join();
    EXPECT_EQ(failures, std::vector<std::string>{});
    EXPECT_EQ(messages_in_accounts(), 1 + threads * transactions * 4);
    EXPECT_EQ(messages_in_orders(), 1 + threads * transactions * 4);
}

TEST_F(Messages, GoToOneTakerEachWhoeverRollsBack)
{
    constexpr int messages = 40;
    opened at;
    for (auto const& each : at.both()) {
        auto const* const from = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        auto tx = at.tm.begin();
        std::set<std::string> all;
        for (int i = 0; i < messages; ++i) {
            from->put(tx, {"jobs", "", std::to_string(i)});
            all.insert(std::to_string(i));
        }
        ASSERT_EQ(tx.commit(), outcome::committed);

        std::mutex mutex;
        std::multiset<std::string> taken;
        auto const end = steady_clock::now() + tenfold(30s);
        constexpr int takers_max = 4;
        std::vector<std::thread> takers;
        takers.reserve(takers_max);
        for (int t = 0; t < takers_max; ++t) {
            takers.emplace_back([&, from = from] {
                // One that was lost is never taken: somebody must stop looking for it.
                for (int i = 0; taken_less(mutex, taken, messages) && steady_clock::now() < end;
                     ++i) {
                    auto mine = at.tm.begin(taking());
                    auto const one = from->take(mine, "jobs");
                    if (!one || i % 5 == 4) {
                        mine.rollback();
                        continue;
                    }
                    EXPECT_EQ(mine.commit(), outcome::committed);
                    std::lock_guard const held{mutex};
                    taken.insert(one->body);
                }
            });
        }
        for (auto& taker : takers)
            taker.join();
        EXPECT_EQ(taken.size(), all.size());
        EXPECT_EQ((std::set<std::string>{taken.begin(), taken.end()}), all);
    }
}

TEST_F(Messages, OfAPreparedBranchArePassedOver)
{
    opened at;
    for (auto const& each : at.both()) {
        auto const* const from = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        for (char const* body : {"1", "2"})
            at.put(*from, body);
        auto tx = at.tm.begin(taking());
        tx.lease(at.accounts);
        tx.lease(at.orders);
        auto const one = from->take(tx, "jobs");
        ASSERT_TRUE(one);
        from->put(tx, {"jobs", "", "3"});
        at.net.wire.clear();
        at.net.wire.hold(database, at.second_phase(database));
        std::thread ends{[&tx] { EXPECT_EQ(tx.commit(), outcome::committed); }};
        EXPECT_TRUE(becomes_true([&] { return at.sent(database, at.second_phase(database)) == 1; },
                                 tenfold(1s)));
        EXPECT_EQ(at.take_all(*from), std::vector<std::string>{"2"});
        at.net.wire.let_go(database);
        ends.join();
        EXPECT_EQ(at.take_all(*from), std::vector<std::string>{"3"});
    }
}

TEST_F(Messages, AreTakenAtReadCommittedOnly)
{
    opened at;
    for (auto const& each : at.both()) {
        auto const* const from = each.first;
        auto const database = each.second;
        SCOPED_TRACE(at.name(database));
        at.put(*from, "stays");
        for (auto const level : {isolation::repeatable_read, isolation::serializable}) {
            auto tx = at.tm.begin(assent::begin_options{}.isolation_level(level));
            auto const said = thrown_by<assent::error>([&, in = from] { in->take(tx, "jobs"); });
            EXPECT_EQ(said.why(), errc::invalid_state);
            EXPECT_THAT(said.what(), ::testing::HasSubstr("this branch is at"));
            EXPECT_EQ(tx.commit(), outcome::committed) << "nothing was locked";
        }
    }
    auto tx = at.tm.begin();  // as the server has it
    EXPECT_TRUE(at.in_accounts.take(tx, "jobs"));
    EXPECT_EQ(thrown_by<assent::error>([&] { at.in_orders.take(tx, "jobs"); }).why(),
              errc::invalid_state);
    tx.rollback();
}

/// A level for the next transaction only is the branch's, whatever the session says of its own.
TEST_F(Messages, AreNotTakenAtALevelThatTheSessionDoesNotTell)
{
    opened at;
    at.put(at.in_orders, "stays");
    auto const my = own_orders(*bank_);
    execute(my.get(), "set session transaction isolation level read committed");
    execute(my.get(), "set transaction isolation level serializable");
    auto tx = at.tm.begin();
    tx.enlist(at.orders, my.get());
    EXPECT_EQ(thrown_by<assent::error>([&] { at.in_orders.take(tx, "jobs"); }).why(),
              errc::invalid_state);
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(messages_in_orders(), 1);
}

/// As digits they would be more than the session takes in one packet.
TEST_F(Messages, AreTakenWholeWhateverPacketsTheSessionTakes)
{
    opened at;
    std::string const body(assent::message::body_max, '\xff');
    at.put(at.in_orders, body);
    std::unique_ptr<MYSQL, decltype(&mysql_close)> const root{mysql_init(nullptr), &mysql_close};
    ASSERT_NE(mysql_real_connect(root.get(), nullptr, "root", "", nullptr, 0,
                                 bank_->mariadb().socket().c_str(), 0),
              nullptr);
    auto const before = number(root.get(), "select @@global.max_allowed_packet");
    execute(root.get(), "set global max_allowed_packet = 1048576");
    {
        auto const my = own_orders(*bank_);
        auto tx = at.tm.begin(taking());
        tx.enlist(at.orders, my.get());
        auto const one = at.in_orders.take(tx, "jobs");
        EXPECT_TRUE(one && one->body == body);
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    execute(root.get(), "set global max_allowed_packet = " + std::to_string(before));
    EXPECT_EQ(messages_in_orders(), 0);
}

TEST_F(Messages, ArePutAtAnyIsolationLevelByTheApplicationsOwnConnection)
{
    opened at;
    auto const pg = own_accounts(*bank_);
    auto const my = own_orders(*bank_);
    for (auto const level : {isolation::read_committed, isolation::serializable}) {
        auto tx = at.tm.begin(assent::begin_options{}.isolation_level(level));
        tx.enlist(at.accounts, pg.get());
        tx.enlist(at.orders, my.get());
        at.in_accounts.put(tx, {"jobs", "k", "own"});
        at.in_orders.put(tx, {"jobs", "k", "own"});
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    EXPECT_EQ(at.take_all(at.in_accounts), (std::vector<std::string>{"own", "own"}));
    EXPECT_EQ(at.take_all(at.in_orders), (std::vector<std::string>{"own", "own"}));
}

/// Outside of its branch an INSERT would be permanent at once.
TEST_F(Messages, AreNotWrittenWhereTheSessionHasLeftItsBranch)
{
    opened at;
    at.put(at.in_accounts, "1", "k");
    at.put(at.in_orders, "1", "k");
    for (std::string const left : {"commit", "commit and chain", "rollback"}) {
        SCOPED_TRACE(left);
        auto tx = at.tm.begin();
        execute(tx.lease(at.accounts), left);
        at.in_accounts.put(tx, {"jobs", "k", "never"});
        EXPECT_THROW(tx.commit(), assent::error);
        EXPECT_EQ(messages_in_accounts(), 1);
    }
    {
        auto tx = at.tm.begin();
        assent::mysql::handle_type const my = tx.lease(at.orders);
        EXPECT_EQ(mysql_reset_connection(my), 0);
        at.in_orders.put(tx, {"jobs", "k", "never"});
        EXPECT_THROW(tx.commit(), assent::error);
        EXPECT_EQ(messages_in_orders(), 1);
    }
}

/// Before the commit point an answer that does not come is a reason not to commit.
TEST_F(Messages, AreRolledBackWhereTheNetworkLosesThem)
{
    opened at;
    at.put(at.in_accounts, "1");
    at.put(at.in_orders, "1");
    for (auto const& each : at.both()) {
        auto const* const into = each.first;
        auto const database = each.second;
        for (auto const what : {fault::lose_request, fault::lose_reply}) {
            SCOPED_TRACE(at.name(database) + ' ' + std::to_string(static_cast<int>(what)));
            auto tx = at.tm.begin();
            transfer(tx.lease(at.accounts), tx.lease(at.orders), "lost", 1, 0);
            into->put(tx, {"jobs", "k", "never"});
            at.net.wire.on_request(database, "assent_task", what);
            EXPECT_THROW(tx.commit(), assent::rolled_back_error);
            at.net.wire.clear();
            EXPECT_TRUE(becomes_true([] { return has_no_branches(); }, 30s));
            EXPECT_FALSE(is_transferred("lost"));
        }
    }
    EXPECT_EQ(messages_in_accounts(), 1);
    EXPECT_EQ(messages_in_orders(), 1);
    expect_whole();
}

TEST_F(Messages, AreRefusedWhereAResultIsUnread)
{
    opened at;
    auto tx = at.tm.begin();
    at.in_accounts.put(tx, {"jobs", "k", "never"});
    PGconn* const pg = tx.lease(at.accounts);
    ASSERT_EQ(PQsendQuery(pg, "select 1"), 1);
    EXPECT_THAT(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).what(),
                ::testing::HasSubstr("was not read to its end"));
    EXPECT_EQ(messages_in_accounts(), 0);
}

/// What we say then may meet the application's query: nothing of it can be committed.
TEST_F(Messages, AreNotTakenBehindAQueryWhoseAnswerIsStillToCome)
{
    opened at;
    at.put(at.in_orders, "1");
    auto tx = at.tm.begin(taking());
    assent::mysql::handle_type const my = tx.lease(at.orders);
    std::string const slow = "select sleep(1)";
    ASSERT_EQ(mysql_send_query(my, slow.data(), static_cast<unsigned long>(slow.size())), 0);
    EXPECT_EQ(thrown_by<assent::error>([&] { at.in_orders.take(tx, "jobs"); }).why(),
              errc::rollback_only);
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    EXPECT_EQ(messages_in_orders(), 1);
}

/// Who comes later finds the session's limit as it was.
TEST_F(Messages, LeaveTheSessionItsOwnLimitOfAWait)
{
    opened at;
    at.put(at.in_orders, "0", "k");
    auto first = at.tm.begin();
    at.in_orders.put(first, {"jobs", "k", "1"});
    first.lease(at.accounts);
    first.lease(at.orders);
    at.net.wire.clear();
    at.net.wire.hold(at.net.orders, "XA COMMIT");
    std::jthread one{[&first] { EXPECT_EQ(first.commit(), outcome::committed); }};
    EXPECT_TRUE(
        becomes_true([&] { return at.sent(at.net.orders, "XA COMMIT") == 1; }, tenfold(1s)));
    auto const my = own_orders(*bank_);
    execute(my.get(), "set session innodb_lock_wait_timeout = 49");
    auto second = at.tm.begin();
    second.enlist(at.orders, my.get());
    at.in_orders.put(second, {"jobs", "k", "2"});
    EXPECT_THROW(second.commit(), assent::rolled_back_error);
    EXPECT_EQ(number(my.get(), "select @@session.innodb_lock_wait_timeout"), 49);
    at.net.wire.let_go(at.net.orders);
    one.join();
}

/// What `assent doctor` says of the tables; empty where it says nothing.
std::string examined(assent::resource_manager const& which)
{
    auto const until = steady_clock::now() + tenfold(5s);
    auto& driver = *which.driver();
    auto const session = driver.connect(assent::session_purpose::manage, until);
    auto const told = dynamic_cast<assent::examined_driver&>(driver).examine(*session, until);
    for (auto const& each : told.findings) {
        if (each.check == "tables of messages") return each.seen + each.advice;
    }
    return {};
}

TEST_F(Messages, HaveTheirTablesExamined)
{
    opened at;
    EXPECT_EQ(examined(at.accounts), "");
    EXPECT_EQ(examined(at.orders), "");
    at.put(at.in_accounts, "1");
    at.put(at.in_orders, "1");
    EXPECT_EQ(examined(at.accounts), "there, and fit for use");
    EXPECT_EQ(examined(at.orders), "there, and fit for use");
    execute(bank_->look_accounts(), "alter table assent_task set unlogged");
    execute(bank_->look_orders(), "delete from assent_key where slot = 7");
    EXPECT_THAT(examined(at.accounts), ::testing::HasSubstr("unlogged"));
    EXPECT_THAT(examined(at.orders), ::testing::HasSubstr("rows 0 to 4095"));
}

TEST_F(Messages, AreRefusedByTablesThatWouldLoseThemOrTheirOrder)
{
    opened at;
    at.put(at.in_accounts, "1");
    at.put(at.in_orders, "1");
    auto const why = [&](assent::resource_manager const& home) {
        queue const anew{home};
        auto tx = at.tm.begin();
        auto const said = thrown_by<assent::error>([&] { anew.put(tx, {"jobs", "", "never"}); });
        EXPECT_EQ(said.why(), errc::unavailable);
        EXPECT_EQ(tx.commit(), outcome::committed) << "the transaction goes on";
        return std::string{said.what()};
    };
    auto* const pg = bank_->look_accounts();
    execute(pg, "alter table assent_task set unlogged");
    EXPECT_THAT(why(at.accounts), ::testing::HasSubstr("unlogged"));
    execute(pg, "alter table assent_task set logged");
    execute(pg, "alter table assent_task alter column id set cache 20");
    EXPECT_THAT(why(at.accounts), ::testing::HasSubstr("SET CACHE 1"));
    execute(pg, "alter table assent_task alter column id set cache 1");
    execute(pg, "delete from assent_key where slot = 7");
    EXPECT_THAT(why(at.accounts), ::testing::HasSubstr("rows 0 to 4095"));

    auto* const my = bank_->look_orders();
    execute(my, "alter table assent_key engine=myisam");
    EXPECT_THAT(why(at.orders), ::testing::HasSubstr("engine is not InnoDB"));
    execute(my, "alter table assent_key engine=innodb");
    execute(my, "alter table assent_task engine=myisam");
    EXPECT_THAT(why(at.orders), ::testing::HasSubstr("engine is not InnoDB"));
    execute(my, "alter table assent_task engine=innodb");
    execute(my, "alter table assent_task rename index assent_task_taking to another");
    EXPECT_THAT(why(at.orders), ::testing::HasSubstr("index assent_task_taking"));
    execute(my, "alter table assent_task rename index another to assent_task_taking");
    execute(my, "alter table assent_task modify id bigint unsigned not null");
    EXPECT_THAT(why(at.orders), ::testing::HasSubstr("AUTO_INCREMENT"));
}

}  // namespace
