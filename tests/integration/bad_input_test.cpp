// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bad_input_test.cpp -- what users get wrong with logs, names and handles: each is refused by an
// error that says what to do, and nothing that was there is lost.

#include <libpq-fe.h>
#include <mysql.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::errc;
using assent::outcome;
using ::testing::HasSubstr;
using ::testing::Not;

class BadInput : public AtBank
{
protected:
    /// The right configuration still works on that log, and remembers `earlier`.
    static void expect_log_is_intact(std::string const& log, assent::gtrid const& earlier)
    {
        assent::transaction_manager tm{hasty(log)};
        EXPECT_EQ(tm.outcome(earlier), assent::known_outcome::committed);
    }

    static assent::gtrid commit_one(std::string const& log, std::string const& name)
    {
        assent::transaction_manager tm{hasty(log)};
        auto const accounts = tm.add(bank_->accounts_manager());
        auto const orders = tm.add(bank_->orders_manager());
        auto tx = tm.begin();
        transfer(tx.lease(accounts), tx.lease(orders), name, 1, 1);
        EXPECT_EQ(tx.commit(), outcome::committed);
        tm.close(steady_clock::now() + tenfold(1s));  // the log is opened again at once
        return tx.id();
    }
};

TEST_F(BadInput, ASecondManagerOnTheSameLogNamesTheOwner)
{
    auto const log = bank_->new_log_directory();
    assent::transaction_manager first{hasty(log)};
    auto const accounts = first.add(bank_->accounts_manager());
    auto const orders = first.add(bank_->orders_manager());

    auto const e =
        thrown_by<assent::error>([&] { assent::transaction_manager second{hasty(log)}; });

    EXPECT_EQ(e.code(), errc::log_unusable);
    EXPECT_THAT(e.what(), HasSubstr("process " + std::to_string(::getpid())));
    EXPECT_THAT(e.what(), HasSubstr("stop it, or use a directory of your own"));
    auto tx = first.begin();
    transfer(tx.lease(accounts), tx.lease(orders), "first goes on", 1, 1);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST_F(BadInput, ALogOfAnotherNodeLabelIsRefusedAndKept)
{
    auto const log = bank_->new_log_directory();
    auto const earlier = commit_one(log, "labelled");

    auto const e = thrown_by<assent::error>(
        [&] { assent::transaction_manager other{hasty(log).node_label("other")}; });

    EXPECT_EQ(e.code(), errc::log_unusable);
    EXPECT_THAT(e.what(), HasSubstr("\"test\""));
    EXPECT_THAT(e.what(), HasSubstr("\"other\""));
    expect_log_is_intact(log, earlier);
}

TEST_F(BadInput, OptionsThatCannotBeUsedAreRefused)
{
    auto const no_directory =
        thrown_by<assent::error>([] { assent::transaction_manager tm{assent::options{}}; });
    EXPECT_EQ(no_directory.code(), errc::bad_argument);
    EXPECT_THAT(no_directory.what(), HasSubstr("log_directory"));
    auto const log = bank_->new_log_directory();
    for (auto const& label : {std::string{}, std::string(65, 'x'), std::string{"a\nb"}}) {
        auto const e = thrown_by<assent::error>(
            [&] { assent::transaction_manager tm{hasty(log).node_label(label)}; });
        EXPECT_EQ(e.code(), errc::bad_argument);
        EXPECT_THAT(e.what(), HasSubstr("1 to 64 printable"));
    }
    EXPECT_TRUE(std::filesystem::is_empty(log)) << "nothing was begun there";
}

TEST_F(BadInput, ALogInMemoryIsRefusedUnlessAskedFor)
{
    std::string path = "/dev/shm/assent-bad-input-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);

    auto const e = thrown_by<assent::error>([&] { assent::transaction_manager tm{hasty(path)}; });
    EXPECT_EQ(e.code(), errc::log_unusable);
    EXPECT_THAT(e.what(), HasSubstr("tmpfs"));
    EXPECT_THAT(e.what(), HasSubstr("allow_file_system"));
    EXPECT_NO_THROW(assent::transaction_manager{hasty(path).allow_file_system("tmpfs")});

    std::filesystem::remove_all(path);
}

TEST_F(BadInput, ALogDirectoryThatOthersCanWriteIsRefused)
{
    auto const log = bank_->new_log_directory();
    auto const earlier = commit_one(log, "guarded directory");
    for (::mode_t const mode : {0702U, 0777U}) {
        ::chmod(log.c_str(), mode);
        auto const e =
            thrown_by<assent::error>([&] { assent::transaction_manager tm{hasty(log)}; });
        EXPECT_EQ(e.code(), errc::log_unusable);
        EXPECT_THAT(e.what(), HasSubstr("chmod 0700"));
    }

    ::chmod(log.c_str(), 0700);
    expect_log_is_intact(log, earlier);
}

/// As some platforms mount each volume, each time.
TEST_F(BadInput, ALogDirectoryOfOurOwnThatTheGroupMayWriteIsPutRight)
{
    auto const log = bank_->new_log_directory();
    auto const earlier = commit_one(log, "mounted directory");
    ::chmod(log.c_str(), 0770);

    expect_log_is_intact(log, earlier);

    struct ::stat seen = {};
    ASSERT_EQ(::stat(log.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0700U);
}

TEST_F(BadInput, ANameThatCannotBeUsedIsRefused)
{
    std::string const where = "host=127.0.0.1 dbname=accounts";
    for (auto const& name :
         {std::string{}, std::string(65, 'n'), std::string{"a\x01z"}, std::string{"caf\xc3\xa9"}}) {
        auto const pg = thrown_by<assent::driver_error>([&] {
            assent::postgresql::resource_manager{name, where};
        });
        EXPECT_THAT(pg.what(), HasSubstr("1 to 64 printable ASCII"));
        auto const my = thrown_by<assent::driver_error>([&] {
            assent::mysql::resource_manager{name, "host=h database=d"};
        });
        EXPECT_THAT(my.what(), HasSubstr("1 to 64 printable ASCII"));
    }
    assent::transaction_manager tm{hasty(bank_->new_log_directory())};
    tm.add(bank_->accounts_manager());
    auto const taken = thrown_by<assent::error>([&] { tm.add(bank_->accounts_manager()); });
    EXPECT_EQ(taken.code(), errc::bad_argument);
    EXPECT_THAT(taken.what(), HasSubstr("added already"));
}

TEST_F(BadInput, ALeaseUsedAfterTheEndThrowsAndTouchesNothing)
{
    assent::transaction_manager tm{hasty(bank_->new_log_directory())};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    auto tx = tm.begin();
    auto const pg = tx.lease(accounts);
    auto const my = tx.lease(orders);
    tx.commit();

    auto const e =
        thrown_by<assent::error>([&] { execute(pg, "insert into ledger values ('late', 1)"); });
    EXPECT_EQ(e.code(), errc::lease_ended);
    EXPECT_THAT(e.what(), HasSubstr("take a new one"));
    EXPECT_EQ(thrown_by<assent::error>([&] { mysql_ping(my); }).code(), errc::lease_ended);

    EXPECT_FALSE(is_transferred("late"));
}

TEST_F(BadInput, ABusyBorrowedHandleIsRefusedByNameAndStaysItsOwners)
{
    assent::transaction_manager tm{hasty(bank_->new_log_directory())};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    auto const pg = own_accounts(*bank_);
    auto const my = own_orders(*bank_);
    int releases = 0;
    auto const on_release = [&](void*, assent::release) { ++releases; };
    auto tx = tm.begin();
    auto const refuse = [&](auto const& rm, auto* handle, char const* why) {
        auto const e = thrown_by<assent::error>([&] { tx.enlist(rm, handle, on_release); });
        EXPECT_EQ(e.code(), errc::bad_argument);
        EXPECT_THAT(e.what(), HasSubstr(why));
        EXPECT_THAT(e.what(), Not(HasSubstr("must be closed")));
        EXPECT_EQ(tx.status(), assent::status::active);
    };

    ASSERT_EQ(PQsendQuery(pg.get(), "select 1"), 1);
    refuse(accounts, pg.get(), "accounts");
    while (PGresult* const result = PQgetResult(pg.get()))
        PQclear(result);
    execute(pg.get(), "begin");
    refuse(accounts, pg.get(), "transaction");
    execute(pg.get(), "rollback");
    ASSERT_EQ(mysql_query(my.get(), "select * from balance"), 0);
    refuse(orders, my.get(), "busy");
    mysql_free_result(mysql_store_result(my.get()));
    execute(my.get(), "begin");
    refuse(orders, my.get(), "in a transaction");
    execute(my.get(), "rollback");

    EXPECT_EQ(releases, 0);
    tx.enlist(accounts, pg.get(), on_release);
    tx.enlist(orders, my.get(), on_release);
    transfer(pg.get(), my.get(), "busy no more", 1, 1);
    EXPECT_EQ(tx.commit(), outcome::committed) << "the same handles and transaction go on";
    EXPECT_EQ(releases, 2);
    expect_whole();
}

TEST_F(BadInput, AHandleOfAnotherDatabaseOrAccountIsRefused)
{
    assent::transaction_manager tm{hasty(bank_->new_log_directory())};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());
    auto const elsewhere = own_orders(*bank_);
    ASSERT_EQ(mysql_select_db(elsewhere.get(), "accounts"), 0);
    std::unique_ptr<PGconn, void (*)(PGconn*)> const other_database{
        PQconnectdb(bank_->postgresql().conninfo("orders").c_str()), &PQfinish};
    std::unique_ptr<PGconn, void (*)(PGconn*)> const other_account{
        PQconnectdb(bank_->postgresql().superuser_conninfo("accounts").c_str()), &PQfinish};
    auto tx = tm.begin();

    EXPECT_THAT(thrown_by<assent::error>([&] { tx.enlist(orders, elsewhere.get()); }).what(),
                HasSubstr("database"));
    EXPECT_THAT(thrown_by<assent::error>([&] { tx.enlist(accounts, other_database.get()); }).what(),
                HasSubstr("database"));
    EXPECT_THAT(thrown_by<assent::error>([&] { tx.enlist(accounts, other_account.get()); }).what(),
                HasSubstr("shop"));

    EXPECT_EQ(tx.commit(), outcome::committed);
}

}  // namespace
