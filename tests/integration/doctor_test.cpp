// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// `assent doctor` beside a live owner of the log, on several databases at once, through ODBC, and
// where nobody answers.

#include <chrono>
#include <filesystem>

#include "tests/contract/mysql_client.hpp"
#include "tests/contract/odbc_client.hpp"
#include "tests/integration/at_bank.hpp"
#include "tests/integration/consulting_room.hpp"

namespace {

using namespace assent::testing;
using assent::contract::odbc_client;
using assent::contract::odbc_drivers;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Doctor : public AtBank
{
protected:
    void SetUp() override
    {
        room_.keep_secret(bank_->mariadb().password());
        room_.keep_secret(bank_->postgresql().password());
        bank_->stop_looking();  // an older session of the account would keep a recovery waiting
    }
    void admit_both()
    {
        room_.admit("accounts", "postgresql", bank_->accounts_conninfo());
        room_.admit("orders", "mariadb", bank_->orders_connect_string());
    }

    consulting_room room_;
};

// ---- the log ---------------------------------------------------------------------------------

TEST_F(Doctor, WorksBesideTheOwnerAndDisturbsNobody)
{
    auto const log = bank_->new_log_directory();
    admit_both();
    room_.take_log(log);
    victim owner{*bank_, log, "decision.force"};

    auto const pid = std::to_string(owner.pid());
    auto const told = room_.examine();
    int const ended = owner.finish();

    EXPECT_EQ(told.status(), 0) << told.json();
    EXPECT_THAT(told.seen("log", "owner"), HasSubstr("process " + pid));
    EXPECT_THAT(told.seen("accounts", "binding"), HasSubstr("the log knows it"));
    EXPECT_THAT(told.seen("orders", "binding"), HasSubstr("the log knows it"));
    EXPECT_GT(told.patient("orders").at("force").at("median_us"), 0) << "by its table of identity";
    EXPECT_EQ(ended, 0) << "the transaction was not disturbed";
    EXPECT_EQ(bank_->transfers_in_accounts().count(owner.id()), 1u);
    EXPECT_EQ(bank_->transfers_in_orders().count(owner.id()), 1u);
    bank_->stop_looking();
}

TEST_F(Doctor, TheWrongDatabaseUnderANameOfTheLogIsAnError)
{
    auto const log = bank_->new_log_directory();
    victim::killed_at(*bank_, log, "decision.durable");
    room_.take_log(log);
    room_.admit("accounts", "postgresql", bank_->postgresql().conninfo("orders"));

    auto const told = room_.examine();

    EXPECT_EQ(told.status(), 4);
    EXPECT_THAT(told.at_level("accounts", "error"), ElementsAre("binding"));
    EXPECT_THAT(told.json().at("attention").dump(), HasSubstr("orders")) << "it is not configured";
    consulting_room after;
    after.take_log(log);
    after.admit("accounts", "postgresql", bank_->accounts_conninfo());
    after.admit("orders", "mariadb", bank_->orders_connect_string());
    EXPECT_EQ(after.run({"recover", "--presumed-abort-delay", "0"}).status, 0);
}

TEST_F(Doctor, TwoNamesForOneDatabaseAreAnError)
{
    room_.admit("accounts", "postgresql", bank_->accounts_conninfo());
    room_.admit("ledger", "postgresql", bank_->accounts_conninfo());

    auto const told = room_.examine();

    EXPECT_EQ(told.status(), 4);
    EXPECT_THAT(told.at_level("accounts", "error"), ElementsAre("same database"));
    EXPECT_THAT(told.at_level("ledger", "error"), ElementsAre("same database"));
}

// ---- words -----------------------------------------------------------------------------------

TEST_F(Doctor, WordsAreShortUnlessAllIsAskedFor)
{
    admit_both();

    auto const brief = room_.run({"doctor"});
    auto const all = room_.run({"doctor", "--all"});

    EXPECT_EQ(brief.status, 0) << brief.out;
    EXPECT_EQ(brief.err, "");
    EXPECT_THAT(brief.out, HasSubstr("findings  0 errors, 0 warnings"));
    EXPECT_THAT(brief.out, HasSubstr("round trip"));
    EXPECT_THAT(brief.out, ::testing::Not(HasSubstr("full_page_writes")));
    EXPECT_THAT(all.out, HasSubstr("full_page_writes"));
    EXPECT_THAT(all.out, HasSubstr("innodb_flush_log_at_trx_commit"));
}

// ---- nobody answers --------------------------------------------------------------------------

TEST_F(Doctor, AServerThatIsGoneIsSaidToBeSoAndTheOthersAreExamined)
{
    room_.admit("gone", "mariadb",
                "host=127.0.0.1 port=1 user=shop password_file=" + bank_->mariadb().directory() +
                    "/password database=orders");
    room_.admit("accounts", "postgresql", bank_->accounts_conninfo());

    auto const told = room_.examine();

    EXPECT_EQ(told.status(), 1);
    EXPECT_EQ(told.patient("gone").at("is_examined"), false);
    EXPECT_EQ(told.patient("accounts").at("is_examined"), true);
}

TEST_F(Doctor, AServerThatIsSilentHoldsNobodyUp)
{
    room_.admit("accounts", "postgresql", bank_->accounts_conninfo());
    bank_->postgresql().freeze();
    auto const begun = std::chrono::steady_clock::now();

    auto const told = room_.examine();
    auto const took = std::chrono::steady_clock::now() - begun;
    bank_->postgresql().thaw();

    EXPECT_EQ(told.status(), 1);
    EXPECT_LT(took, std::chrono::seconds(15));
    EXPECT_EQ(told.patient("accounts").at("is_examined"), false);
}

// ---- ODBC ------------------------------------------------------------------------------------

TEST_F(Doctor, PostgresqlAndMariadbThroughOdbc)
{
    if (odbc_drivers::postgresql().empty() || odbc_drivers::mariadb().empty()) {
        GTEST_SKIP() << "no ODBC drivers";
    }
    room_.admit("accounts", "odbc", assent::contract::postgresql_string(bank_->postgresql()));
    room_.admit("orders", "odbc", assent::contract::mysql_string(bank_->mariadb(), "orders"));

    auto const told = room_.examine();

    EXPECT_EQ(told.status(), 0) << told.json();
    EXPECT_THAT(told.seen("accounts", "client"), HasSubstr("psqlodbc"));
    EXPECT_THAT(told.seen("orders", "client"), HasSubstr("maodbc"));
    EXPECT_EQ(told.level_of("accounts", "client"), "advice");
    EXPECT_GT(told.patient("accounts").at("force").at("median_us"), 0);
    execute(bank_->look_accounts(),
            "ALTER ROLE shop SET idle_in_transaction_session_timeout = '5s'");
    auto const hurried = room_.examine();
    execute(bank_->look_accounts(), "ALTER ROLE shop RESET idle_in_transaction_session_timeout");
    bank_->stop_looking();
    EXPECT_EQ(hurried.status(), 4);
    EXPECT_THAT(hurried.at_level("accounts", "warning"),
                ElementsAre("idle_in_transaction_session_timeout"));
}

TEST_F(Doctor, ByOdbcTheProcedureOfMysqlIsNotMade)
{
    if (!private_server::mysql_missing().empty()) GTEST_SKIP() << private_server::mysql_missing();
    if (odbc_drivers::mariadb().empty()) GTEST_SKIP() << "no ODBC driver";
    auto const& server = assent::contract::shared_server(assent::contract::server_kind::mysql);
    room_.keep_secret(server.password());
    auto const connect = assent::contract::mysql_string(server);
    room_.admit("orders", "odbc", connect);

    auto const told = room_.examine();

    EXPECT_EQ(told.status(), 0) << told.json();
    EXPECT_THAT(told.at_level("orders", "advice"),
                UnorderedElementsAre("client", "list of branches"));
    odbc_client look{connect};
    EXPECT_EQ(look.query("select count(*) from information_schema.routines where routine_schema = "
                         "'accounts'"),
              "0");
}

TEST_F(Doctor, SqliteThroughOdbc)
{
    if (odbc_drivers::sqlite().empty()) GTEST_SKIP() << "no ODBC driver";
    auto const connect = assent::contract::sqlite_string(room_.files().path("shop.db"));
    odbc_client look{connect};
    look.query("create table t (k integer)");
    room_.admit("sound", "odbc", connect);
    room_.admit("unsafe", "odbc", connect + "JournalMode=MEMORY;");

    auto const told = room_.examine();

    EXPECT_EQ(told.status(), 4);
    EXPECT_THAT(told.at_level("sound", "error"), IsEmpty());
    EXPECT_THAT(told.at_level("sound", "advice"), ElementsAre("two phases"));
    EXPECT_THAT(told.at_level("unsafe", "error"), ElementsAre("journal_mode"));
    EXPECT_EQ(look.query("select count(*) from sqlite_master"), "1") << "nothing was made";
}

}  // namespace
