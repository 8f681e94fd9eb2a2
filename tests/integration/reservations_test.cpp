// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reservations_test.cpp -- what handlers of reservations may do to real servers, and what the
// servers may do to reservations.

#include <libpq-fe.h>

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include <assent/tcc.hpp>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::errc;
using assent::outcome;
using assent::tcc::attempt;
namespace tcc = assent::tcc;
using handler = std::function<void(tcc::call&)>;

PGconn* pg(tcc::call const& of)
{
    return static_cast<PGconn*>(of.handle());
}

assent::mysql::handle_type my(tcc::call const& of)
{
    return static_cast<assent::mysql::handle_type>(of.handle());
}

void nothing(tcc::call&) {}

/// Puts back what a test has changed at the server, however it ends.
class put_back
{
public:
    put_back(PGconn* at, char const* statements) noexcept : at_(at), statements_(statements) {}
    put_back(put_back const&) = delete;
    put_back& operator=(put_back const&) = delete;
    ~put_back()
    {
        try {
            execute(at_, statements_);
        } catch (std::exception const& e) {
            ADD_FAILURE() << statements_ << ": " << e.what();
        }
    }

private:
    PGconn* const at_;
    char const* const statements_;
};

template <class Call>
errc code_of(Call&& call)
{
    return thrown_by<assent::error>(std::forward<Call>(call)).why();
}

class Reservations : public AtBank
{
protected:
    /// A manager with reservations in both databases.
    struct opened
    {
        opened(bank& at, std::string const& log, tcc::handlers in_accounts, tcc::handlers in_orders)
            : tm(test_options(log)),
              accounts(tm.add(at.accounts_manager())),
              orders(tm.add(at.orders_manager())),
              wallets(tm.add(tcc::resource_manager{"wallets", accounts, std::move(in_accounts)})),
              stock(tm.add(tcc::resource_manager{"stock", orders, std::move(in_orders)}))
        {
        }
        assent::resource_manager_state of(std::string const& name) const
        {
            auto const all = tm.state().resource_managers;
            return *std::find_if(all.begin(), all.end(),
                                 [&name](auto const& each) { return each.name == name; });
        }
        assent::resource_manager_state of_wallets() const { return of("wallets"); }
        bool becomes_drained() const
        {
            return becomes_true(
                [this] {
                    auto const all = tm.state().resource_managers;
                    return std::all_of(all.begin(), all.end(), [](auto const& rm) {
                        return rm.is_drained && rm.branches_due == 0;
                    });
                },
                tenfold(3s));
        }

        assent::transaction_manager tm;
        assent::postgresql::resource_manager accounts;
        assent::mysql::resource_manager orders;
        tcc::resource_manager wallets, stock;
    };

    static tcc::handlers doing(handler attempted, handler confirmed = &nothing,
                               handler cancelled = &nothing)
    {
        return {std::move(attempted), std::move(confirmed), std::move(cancelled)};
    }
    static std::int64_t rows_in_accounts()
    {
        return number(bank_->look_accounts(), "select count(*) from assent_branch");
    }
    static std::int64_t rows_in_orders()
    {
        return number(bank_->look_orders(), "select count(*) from assent_branch");
    }
    static bool is_in_accounts(std::string const& id)
    {
        return bank_->transfers_in_accounts().count(id) == 1;
    }
    static void write(PGconn* to, std::string const& id)
    {
        execute(to, "insert into ledger values ('" + id + "', 1)");
    }
    /// Where a test has had it made.
    template <class Client>
    static void empty_table(Client* at, std::string const& place)
    {
        bool const is_there = number(at,
                                     "select count(*) from information_schema.tables where "
                                     "table_name = 'assent_branch' and table_schema = " +
                                         place) != 0;
        if (is_there) execute(at, "delete from assent_branch");
    }
    void TearDown() override
    {
        empty_table(bank_->look_accounts(), "'public'");
        empty_table(bank_->look_orders(), "database()");
        bank_->stop_looking();
    }
};

TEST_F(Reservations, PostgresqlLetsAHandlerCommitAndThatIsAHazardAndParked)
{
    auto const log = bank_->new_log_directory();
    std::atomic<int> cancels = 0;
    auto const how = doing(
        [](tcc::call& of) {
            write(pg(of), "left by attempt");
            execute(pg(of), "commit");
        },
        &nothing, [&cancels](tcc::call&) { ++cancels; });
    {
        opened at{*bank_, log, how, doing(&nothing)};
        auto tx = at.tm.begin();
        EXPECT_EQ(code_of([&] { attempt(tx, at.wallets, "1"); }), errc::rollback_only);
        EXPECT_EQ(code_of([&] { tx.rollback(); }), errc::heuristic);
    }
    bank_->stop_looking();
    {
        opened at{*bank_, log, how, doing(&nothing)};
        EXPECT_TRUE(becomes_true([&] { return at.of_wallets().is_serving; }, 30s));
        std::this_thread::sleep_for(1s);  // it would have been listed, and cancelled
        EXPECT_EQ(at.tm.state().heuristics, 1u);
    }
    EXPECT_EQ(cancels, 0);
    EXPECT_TRUE(is_in_accounts("left by attempt"));
    EXPECT_EQ(rows_in_accounts(), 1) << "it stays, for a person to look at";
}

TEST_F(Reservations, PostgresqlLetsAConfirmLeaveItsTransactionAndItIsNeverRepeated)
{
    auto const log = bank_->new_log_directory();
    std::atomic<int> confirms = 0;
    auto const how = doing(&nothing, [&confirms](tcc::call& of) {
        execute(pg(of), "rollback");
        write(pg(of), "confirmed " + std::to_string(++confirms));
    });
    {
        opened at{*bank_, log, how, doing(&nothing)};
        auto tx = at.tm.begin();
        attempt(tx, at.wallets, "1");
        EXPECT_EQ(code_of([&] { tx.commit(); }), errc::heuristic);
    }
    bank_->stop_looking();
    opened at{*bank_, log, how, doing(&nothing)};
    EXPECT_TRUE(becomes_true([&] { return at.of_wallets().is_serving; }, 30s));
    std::this_thread::sleep_for(1s);
    EXPECT_EQ(confirms, 1);
    EXPECT_TRUE(is_in_accounts("confirmed 1"));
}

TEST_F(Reservations, MariadbRefusesToLetAHandlerEndItsTransaction)
{
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing([](tcc::call& of) {
                  execute(my(of), "insert into ledger values ('by hand', 1)");
                  execute(my(of), "commit");
              })};
    auto tx = at.tm.begin();
    EXPECT_THROW(attempt(tx, at.stock, "1"), std::runtime_error);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    EXPECT_EQ(rows_in_orders(), 0);
    EXPECT_EQ(bank_->transfers_in_orders().count("by hand"), 0u);
}

TEST_F(Reservations, WhatAHandlerDoesToItsSessionIsNotForTheNextOne)
{
    std::vector<std::string> paths;
    auto const how = doing([](tcc::call& of) { execute(pg(of), "set search_path to elsewhere"); },
                           [&paths](tcc::call& of) {
                               std::unique_ptr<PGresult, decltype(&PQclear)> const seen{
                                   PQexec(pg(of), "show search_path"), &PQclear};
                               paths.emplace_back(PQgetvalue(seen.get(), 0, 0));
                               execute(pg(of), "set search_path to nowhere");
                           });
    opened at{*bank_, bank_->new_log_directory(), how, doing(&nothing)};
    for (int i = 0; i < 4; ++i) {
        auto tx = at.tm.begin();
        attempt(tx, at.wallets, "1");
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    ASSERT_EQ(paths.size(), 4u);
    for (auto const& each : paths)
        EXPECT_NE(each, "nowhere");
}

/// The account's own commits do not wait for the disk, and the handlers have set something.
TEST_F(Reservations, AreCommittedSynchronouslyWhateverTheApplicationSet)
{
    PGconn* const look = bank_->look_accounts();
    put_back const role{look, "alter role current_user reset synchronous_commit"};
    execute(look, "alter role current_user set synchronous_commit = off");
    put_back const trigger{look,
                           "drop trigger if exists noted on ledger;"
                           "drop function if exists public.note_end;"
                           "drop table if exists public.ended"};
    execute(look,
            "create table public.ended (how text);"
            "create function public.note_end() returns trigger language plpgsql as $$ begin "
            "insert into public.ended values (current_setting('synchronous_commit')); "
            "return null; end $$;"
            "create constraint trigger noted after insert on ledger deferrable initially deferred "
            "for each row execute function public.note_end()");
    for (char const* setting : {"select 1", "set search_path to public"}) {
        std::string const id = setting;
        auto const work = [&](std::string const& end) {
            return [setting, id, end](tcc::call& of) {
                execute(pg(of), setting);
                write(pg(of), end + id.substr(0, 6));
            };
        };
        opened at{*bank_, bank_->new_log_directory(), doing(work("a"), work("c"), &nothing),
                  doing(&nothing)};
        auto tx = at.tm.begin();
        attempt(tx, at.wallets, "1");
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    EXPECT_EQ(number(look, "select count(*) from public.ended where how = 'on'"), 4);
}

TEST_F(Reservations, WhoseRowATriggerKeepsOutAreNotAttempted)
{
    PGconn* const look = bank_->look_accounts();
    std::atomic<int> attempts = 0;
    opened at{*bank_, bank_->new_log_directory(), doing([&attempts](tcc::call&) { ++attempts; }),
              doing(&nothing)};
    {
        auto tx = at.tm.begin();  // makes the table
        attempt(tx, at.wallets, "1");
        EXPECT_EQ(tx.commit(), outcome::committed);
    }
    {
        put_back const trigger{look,
                               "drop trigger if exists kept_out on public.assent_branch;"
                               "drop function if exists public.keep_out()"};
        execute(
            look,
            "create function public.keep_out() returns trigger language plpgsql as $$ begin "
            "return null; end $$;"
            "create trigger kept_out before insert on public.assent_branch for each row execute "
            "function public.keep_out()");
        auto tx = at.tm.begin();
        EXPECT_EQ(code_of([&] { attempt(tx, at.wallets, "1"); }), errc::rollback_only);
        EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
        EXPECT_EQ(attempts, 1);
    }
    EXPECT_TRUE(at.becomes_drained());
}

/// The start that carries the row finds the session dead, and so does the worker's.
TEST_F(Reservations, WhoseSessionsDiedInThePoolAreMadeOnOthers)
{
    opened at{*bank_, bank_->new_log_directory(),
              doing([](tcc::call& of) { write(pg(of), of.payload()); }), doing(&nothing)};
    for (std::string const id : {"before", "after"}) {
        auto tx = at.tm.begin();
        attempt(tx, at.wallets, id);
        EXPECT_EQ(tx.commit(), outcome::committed);
        EXPECT_TRUE(is_in_accounts(id));
        if (id == "after") break;
        // The one that attempted, and the one that confirmed, whose resets nobody waits for.
        auto const of_idle = [](std::string const& what) {
            return number(bank_->look_accounts(), "select count(" + what +
                                                      ") from pg_stat_activity where "
                                                      "query = 'DISCARD ALL' and state = 'idle'");
        };
        ASSERT_TRUE(becomes_true([&] { return of_idle("*") == 2; }, tenfold(3s)));
        EXPECT_EQ(of_idle("pg_terminate_backend(pid, 5000)"), 2);
    }
    EXPECT_EQ(rows_in_accounts(), 0);
}

TEST_F(Reservations, AServerThatRestartsBetweenAttemptAndPrepareHasThemCancelled)
{
    std::atomic<int> cancels = 0;
    opened at{*bank_, bank_->new_log_directory(),
              doing(&nothing, &nothing, [&cancels](tcc::call&) { ++cancels; }), doing(&nothing)};
    auto tx = at.tm.begin();
    attempt(tx, at.wallets, "1");
    bank_->stop_looking();
    bank_->postgresql().kill();
    bank_->postgresql().start();
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_TRUE(becomes_true([&] { return cancels == 1; }, tenfold(3s)));
    EXPECT_TRUE(at.becomes_drained());
    EXPECT_EQ(rows_in_accounts(), 0);
}

TEST_F(Reservations, OfSeveralManagersOverOneDatabaseAreDrainedInEachEpoch)
{
    auto const log = bank_->new_log_directory();
    for (int epoch = 0; epoch < 3; ++epoch) {
        bank_->stop_looking();
        opened at{*bank_, log, doing(&nothing), doing(&nothing)};
        auto tx = at.tm.begin();
        attempt(tx, at.wallets, "1");
        attempt(tx, at.stock, "1");
        write(tx.lease(at.accounts), "epoch " + std::to_string(epoch));
        EXPECT_EQ(tx.commit(), outcome::committed);
        EXPECT_TRUE(at.becomes_drained()) << epoch;
    }
    EXPECT_EQ(rows_in_accounts() + rows_in_orders(), 0);
}

TEST_F(Reservations, ATableThatWouldLoseThemIsRefusedByName)
{
    execute(bank_->look_accounts(),
            "drop table if exists assent_branch; create unlogged table assent_branch (xid text "
            "primary key, manager text, payload bytea)");
    bank_->stop_looking();
    {
        opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
        EXPECT_TRUE(becomes_true(
            [&] { return at.of_wallets().why.find("unlogged") != std::string::npos; }, 30s));
    }
    execute(bank_->look_accounts(), "drop table assent_branch");
    bank_->stop_looking();
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
    EXPECT_TRUE(at.becomes_drained());
}

/// As an administrator of PostgreSQL does something.
void administer(bank& at, std::string const& sql)
{
    std::unique_ptr<PGconn, decltype(&PQfinish)> const to{
        PQconnectdb(at.postgresql().superuser_conninfo().c_str()), &PQfinish};
    execute(to.get(), sql);
}

TEST_F(Reservations, ThatRowSecurityHidesAreNotTakenForGone)
{
    std::atomic<int> cancels = 0;
    opened at{*bank_, bank_->new_log_directory(),
              doing(&nothing, &nothing, [&cancels](tcc::call&) { ++cancels; }), doing(&nothing)};
    auto tx = at.tm.begin();
    attempt(tx, at.wallets, "1");
    administer(*bank_,
               "alter table assent_branch enable row level security; "
               "alter table assent_branch force row level security");
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_FALSE(becomes_true([&] { return at.of_wallets().branches_due == 0; }, 2s));
    EXPECT_EQ(cancels, 0);
    administer(*bank_,
               "alter table assent_branch no force row level security; "
               "alter table assent_branch disable row level security");
    EXPECT_TRUE(becomes_true([&] { return cancels == 1; }, tenfold(3s)));
    EXPECT_TRUE(at.becomes_drained());
}

TEST_F(Reservations, WhoseTableIsMissingAreNotTakenForSettled)
{
    std::atomic<int> cancels = 0;
    auto const how = doing(&nothing, &nothing, [&cancels](tcc::call&) { ++cancels; });
    auto const log = bank_->new_log_directory();
    opened at{*bank_, log, how, doing(&nothing)};
    auto tx = at.tm.begin();
    attempt(tx, at.wallets, "1");
    administer(*bank_, "alter table assent_branch rename to taken_away");
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_FALSE(becomes_true([&] { return at.of_wallets().branches_due == 0; }, 2s));
    EXPECT_EQ(number(bank_->look_accounts(),
                     "select count(*) from pg_class where relname = 'assent_branch'"),
              0)
        << "it was made anew, empty";
    administer(*bank_, "alter table taken_away rename to assent_branch");
    EXPECT_TRUE(becomes_true([&] { return cancels == 1; }, tenfold(3s)));
    EXPECT_TRUE(at.becomes_drained());
}

TEST_F(Reservations, WhoseRowSomebodyDeletedBeforeTheVoteAreAHazard)
{
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
    auto tx = at.tm.begin();
    attempt(tx, at.wallets, "1");
    execute(bank_->look_accounts(), "delete from assent_branch");
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::heuristic);
    EXPECT_EQ(at.tm.state().heuristics, 1u);
}

/// The vote is asked on the session that the handler had.
TEST_F(Reservations, WhichTheirOwnSessionDoesNotSeeAreCancelled)
{
    std::atomic<int> cancels = 0;
    auto const hide = [](tcc::call& of) {
        execute(static_cast<assent::mysql::handle_type>(of.handle()), "set sql_select_limit = 0");
    };
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing),
              doing(hide, &nothing, [&](tcc::call&) { ++cancels; })};
    auto tx = at.tm.begin();
    attempt(tx, at.stock, "1");
    EXPECT_EQ(code_of([&] { tx.commit(); }), errc::rolled_back);
    EXPECT_EQ(cancels, 1);
    EXPECT_EQ(at.tm.state().heuristics, 0u);
    EXPECT_EQ(rows_in_orders(), 0);
}

/// A worker gives up, and closes its connection, of which the server's process hears nothing while
/// it waits.
TEST_F(Reservations, WhoseRowSomebodyLocksLeaveNobodyWaiting)
{
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
    auto tx = at.tm.begin();
    attempt(tx, at.wallets, "1");
    auto const who = own_accounts(*bank_);
    execute(who.get(), "begin; select 1 from assent_branch for update");
    auto const waiting = [] {
        return number(bank_->look_accounts(),
                      "select count(*) from pg_stat_activity where wait_event_type = 'Lock'");
    };
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_TRUE(becomes_true([&] { return waiting() == 1; }, tenfold(1s)));
    EXPECT_TRUE(becomes_true([&] { return waiting() == 0; }, tenfold(3s)));
    execute(who.get(), "rollback");
    EXPECT_TRUE(at.becomes_drained());
}

TEST_F(Reservations, WhoseServerRestartsWhileAConfirmIsDueAreConfirmed)
{
    std::atomic<bool> is_repaired = false;
    std::atomic<int> confirms = 0;
    auto const confirmed = [&](tcc::call&) {
        if (!is_repaired) throw std::runtime_error("not now");
        ++confirms;
    };
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing, confirmed),
              doing(&nothing, confirmed)};
    auto tx = at.tm.begin();
    attempt(tx, at.wallets, "1");
    attempt(tx, at.stock, "1");
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    bank_->stop_looking();
    bank_->postgresql().kill();
    bank_->mariadb().kill();
    bank_->postgresql().start();
    bank_->mariadb().start();
    is_repaired = true;
    EXPECT_TRUE(becomes_true([&] { return confirms == 2; }, tenfold(3s)));
    EXPECT_TRUE(at.becomes_drained());
}

TEST_F(Reservations, WhoseConfirmsHangKeepNoManagerFromItsEnd)
{
    std::atomic<bool> may_return = false;
    auto const hang = [&may_return](tcc::call&) {
        while (!may_return)
            std::this_thread::sleep_for(5ms);
    };
    auto const log = bank_->new_log_directory();
    auto bounds = test_options(log).given().limits;
    bounds.phase2_wait = 100ms;
    bounds.close = 1s;
    steady_clock::time_point began;
    {
        assent::transaction_manager tm{test_options(log).limits(bounds)};
        auto const accounts = tm.add(bank_->accounts_manager());
        auto const wallets =
            tm.add(tcc::resource_manager{"wallets", accounts, doing(&nothing, hang)});
        for (int i = 0; i < 4; ++i) {
            auto tx = tm.begin();
            attempt(tx, wallets, "1");
            EXPECT_EQ(tx.commit(), outcome::committed_pending);
        }
        began = steady_clock::now();
    }
    EXPECT_LT(steady_clock::now() - began, tenfold(1s));
    may_return = true;
    bank_->stop_looking();
    opened at{*bank_, log, doing(&nothing), doing(&nothing)};
    EXPECT_TRUE(at.becomes_drained());
}

/// What a manager over these tables says of them.
class TableOfReservations : public Reservations
{
protected:
    void TearDown() override
    {
        administer(*bank_, "drop table if exists public.assent_branch");
        execute(bank_->look_orders(), "drop table if exists assent_branch");
        {
            bank_->stop_looking();
            opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
            EXPECT_TRUE(at.becomes_drained()) << "a table that was put right is refused still";
        }
        Reservations::TearDown();
    }
    template <class Client>
    static void make(Client* at, std::string const& columns)
    {
        execute(at, "drop table if exists assent_branch");
        execute(at, "create table assent_branch (" + columns + ")");
    }
    static void expect_refused(std::string const& name, std::string const& word)
    {
        bank_->stop_looking();
        opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
        std::string why;
        EXPECT_TRUE(becomes_true(
            [&] {
                why = at.of(name).why;
                return why.find(word) != std::string::npos &&
                       why.find("ALTER TABLE") != std::string::npos;
            },
            30s))
            << why;
    }
};

TEST_F(TableOfReservations, OfOtherTypesIsRefusedByNameOnPostgresql)
{
    for (auto const& [columns, word] :
         {std::pair{"xid varchar(60) primary key, manager text, payload bytea", "column xid"},
          std::pair{"xid text primary key, manager varchar(9), payload bytea", "column manager"},
          std::pair{"xid text primary key, manager text, payload text", "column payload"},
          std::pair{"xid text primary key, manager text", "column payload"}}) {
        make(bank_->look_accounts(), columns);
        expect_refused("wallets", word);
    }
}

TEST_F(TableOfReservations, ThatTakesTwoNamesForOneIsRefusedByNameOnPostgresql)
{
    administer(*bank_,
               "create collation public.careless (provider = icu, locale = 'und-u-ks-level2', "
               "deterministic = false)");
    make(bank_->look_accounts(),
         "xid text collate public.careless primary key, manager text, payload bytea");
    expect_refused("wallets", "column xid");
    administer(*bank_, "drop table public.assent_branch; drop collation public.careless");
}

/// Where sql_mode is not strict the server cuts what is too long, and says nothing.
TEST_F(TableOfReservations, OfOtherTypesIsRefusedByNameOnMariadb)
{
    std::string const xid = "xid varchar(82) character set ascii collate ascii_bin primary key";
    std::string const manager = "manager varchar(64) character set ascii collate ascii_bin";
    std::string const payload = "payload mediumblob not null";
    for (auto const& [columns, word] :
         {std::pair{xid + ", " + manager + ", payload blob not null", "column payload"},
          std::pair{xid + ", " + manager + ", payload longtext not null", "column payload"},
          std::pair{xid + ", manager varchar(20) character set ascii collate ascii_bin, " + payload,
                    "column manager"},
          std::pair{"xid varchar(81) character set ascii collate ascii_bin primary key, " +
                        manager + ", " + payload,
                    "column xid"},
          std::pair{"xid varchar(82) character set ascii collate ascii_general_ci primary key, " +
                        manager + ", " + payload,
                    "column xid"}}) {
        make(bank_->look_orders(), columns);
        expect_refused("stock", word);
    }
}

TEST_F(TableOfReservations, WhoseTriggerWasDroppedIsRefusedToNobody)
{
    make(bank_->look_accounts(), "xid text primary key, manager text not null, payload bytea");
    execute(bank_->look_accounts(),
            "create function public.pass() returns trigger language plpgsql as $$ begin "
            "return new; end $$;"
            "create trigger passed before insert on public.assent_branch for each row execute "
            "function public.pass();"
            "drop trigger passed on public.assent_branch; drop function public.pass();"
            "create rule kept as on insert to public.assent_branch do instead nothing;"
            "drop rule kept on public.assent_branch");
    bank_->stop_looking();
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing(&nothing)};
    EXPECT_TRUE(becomes_true([&] { return at.of("wallets").is_serving; }, 15s))
        << at.of("wallets").why;
}

/// What observers were told, in words.
class heard final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        std::lock_guard const held{mutex_};
        all_.append(what.name).append(": ").append(what.text).append("\n");
    }
    std::string all() const
    {
        std::lock_guard const held{mutex_};
        return all_;
    }

private:
    mutable std::mutex mutex_;
    std::string all_;
};

TEST_F(Reservations, WhoseAccountMayOpenNoMoreConnectionsArePendingUntilItMay)
{
    auto const told = std::make_shared<heard>();
    auto const log = bank_->new_log_directory();
    auto bounds = test_options(log).given().limits;
    bounds.phase2_wait = 500ms;
    std::atomic<int> confirms = 0;
    assent::transaction_manager tm{test_options(log).limits(bounds).observe(told)};
    auto const wallets =
        tm.add(tcc::resource_manager{"wallets", bank_->accounts_manager(),
                                     doing(&nothing, [&confirms](tcc::call&) { ++confirms; })});
    auto tx = tm.begin();
    attempt(tx, wallets, "1");
    administer(*bank_, "alter role shop connection limit 1");  // no worker is connected yet
    EXPECT_EQ(tx.commit(), outcome::committed_pending);
    EXPECT_EQ(confirms, 0);
    EXPECT_TRUE(becomes_true(
        [&] { return told->all().find("too many connections for role") != std::string::npos; },
        tenfold(1s)))
        << told->all();
    administer(*bank_, "alter role shop connection limit -1");
    EXPECT_TRUE(becomes_true([&] { return confirms == 1; }, tenfold(3s)));
    EXPECT_TRUE(becomes_true([&] { return rows_in_accounts() == 0; }, tenfold(1s)));
}

TEST_F(Reservations, OfManyManagersThatMeetAFreshDatabaseAreMadeOneTable)
{
    for (int round = 0; round < 8; ++round) {
        std::string const name = "fresh_" + std::to_string(round);
        administer(*bank_, "create database " + name + " owner shop");
        auto const told = std::make_shared<heard>();
        assent::transaction_manager tm{test_options(bank_->new_log_directory()).observe(told)};
        assent::postgresql::resource_manager const at{"fresh", bank_->postgresql().conninfo(name)};
        for (char const* manager : {"a", "b", "c", "d", "e", "f"})
            tm.add(tcc::resource_manager{manager, at, doing(&nothing)});
        EXPECT_TRUE(becomes_true(
            [&] {
                auto const all = tm.state().resource_managers;
                return std::all_of(all.begin(), all.end(),
                                   [](auto const& rm) { return rm.is_serving; });
            },
            tenfold(3s)));
        EXPECT_EQ(told->all().find("administrator"), std::string::npos) << told->all();
    }
}

/// The handler knows the name of the attempt's branch.
std::string xa_name(tcc::call const& of)
{
    return "'" + std::string{of.id().global.text()} + "','" + std::string{of.id().branch.text()} +
           "'," + std::to_string(assent::mysql_format_id);
}

TEST_F(Reservations, MariadbLetsAHandlerPrepareTheirBranchWhichIsNoVote)
{
    std::atomic<int> cancels = 0;
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing),
              doing(
                  [](tcc::call& of) {
                      execute(my(of), "insert into ledger values ('prepared by hand', 1)");
                      execute(my(of), "xa end " + xa_name(of));
                      execute(my(of), "xa prepare " + xa_name(of));
                  },
                  &nothing, [&cancels](tcc::call&) { ++cancels; })};
    auto tx = at.tm.begin();
    EXPECT_EQ(code_of([&] { attempt(tx, at.stock, "1"); }), errc::rollback_only);
    EXPECT_EQ(tx.rollback(), outcome::rolled_back);
    EXPECT_EQ(bank_->prepared_in_orders(), 0) << "its locks would stay for ever";
    EXPECT_EQ(rows_in_orders(), 0);
    EXPECT_EQ(bank_->transfers_in_orders().count("prepared by hand"), 0u);
    EXPECT_EQ(cancels, 0);
    EXPECT_TRUE(at.becomes_drained());
}

/// To end the branch is what the commit begins with.
TEST_F(Reservations, WhoseHandlerEndsTheirBranchOnMariadbAreCommitted)
{
    opened at{*bank_, bank_->new_log_directory(), doing(&nothing), doing([](tcc::call& of) {
                  execute(my(of), "insert into ledger values ('ended by hand', 1)");
                  execute(my(of), "xa end " + xa_name(of));
              })};
    auto tx = at.tm.begin();
    attempt(tx, at.stock, "1");
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(bank_->transfers_in_orders().count("ended by hand"), 1u);
    EXPECT_TRUE(at.becomes_drained());
}

TEST_F(Reservations, ATemporaryTableOfAHandlersHidesTheirTableFromNobody)
{
    for (bool const is_confirm : {false, true}) {
        std::atomic<int> confirms = 0;
        auto const hide = [](tcc::call& of) {
            execute(my(of),
                    "create temporary table assent_branch (xid varchar(82) primary key, manager "
                    "varchar(64), payload mediumblob)");
        };
        auto const confirm = [&, is_confirm](tcc::call& of) {
            ++confirms;
            if (is_confirm && of.payload() == "hides") hide(of);
        };
        auto const try_it = [&, is_confirm](tcc::call& of) {
            if (!is_confirm && of.payload() == "hides") {
                hide(of);
                throw tcc::refused{"after it hid it"};
            }
        };
        assent::transaction_manager tm{
            test_options(bank_->new_log_directory()).reset_leases(false)};
        auto const orders = tm.add(bank_->orders_manager());
        auto const stock = tm.add(tcc::resource_manager{"stock", orders, doing(try_it, confirm)});
        int expected = 0;
        for (char const* payload : {"hides", "next", "after"}) {
            auto tx = tm.begin();
            try {
                attempt(tx, stock, payload);
            } catch (tcc::refused const&) {
                tx.rollback();
                continue;
            }
            ++expected;
            EXPECT_EQ(tx.commit(), outcome::committed) << payload;
        }
        EXPECT_EQ(confirms, expected);
        EXPECT_EQ(rows_in_orders(), 0);
        EXPECT_EQ(tm.state().heuristics, 0u);
    }
}

}  // namespace
