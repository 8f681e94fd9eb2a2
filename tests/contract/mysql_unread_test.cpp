// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_unread_test.cpp -- the application leaves something unread on its handle, and commits.
//
// A reply is read, or it is lost.  What an application has left in the client library or in the
// socket must never be taken for the answer to a verb of ours: told committed means that the row is
// there, told rolled back that it is not and never will be; another connection looks.

#include <poll.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include <assent/assent.hpp>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

void send(MYSQL* handle, std::string const& sql)
{
    ASSERT_EQ(mysql_send_query(handle, sql.data(), static_cast<unsigned long>(sql.size())), 0);
}

void wait_for_bytes(MYSQL* handle)
{
    pollfd one{socket_of(handle), POLLIN, 0};
    ASSERT_EQ(poll(&one, 1, 10'000), 1);
}

/// What the application does last on its handle.
struct habit
{
    char const* name;
    std::function<void(MYSQL*)> act;
    bool is_harmless = false;      ///< everything was read: the transaction must commit
    bool may_be_in_doubt = false;  ///< nothing shows that an answer is due
};

// Left suspended: begun, and never continued.
void begin_suspended(MYSQL* handle, std::string const& sql)
{
#ifdef LIBMARIADB
    int said = 0;
    mysql_options(handle, MYSQL_OPT_NONBLOCK, nullptr);
    mysql_real_query_start(&said, handle, sql.data(), static_cast<unsigned long>(sql.size()));
#else
    mysql_real_query_nonblocking(handle, sql.data(), static_cast<unsigned long>(sql.size()));
#endif
}

void run_prepared(MYSQL* handle, std::string const& sql, bool store)
{
    MYSQL_STMT* const statement = mysql_stmt_init(handle);
    ASSERT_EQ(mysql_stmt_prepare(statement, sql.data(), sql.size()), 0);
    ASSERT_EQ(mysql_stmt_execute(statement), 0);
    if (store) {
        ASSERT_EQ(mysql_stmt_store_result(statement), 0);
    }
    mysql_stmt_close(statement);
}

std::vector<habit> const& habits()
{
    static std::string const slow = "select sleep(0.05)";
    static std::string const quiet = "set @a = 1";
    static std::string const wrong = "insert into t values (-9, 0)";  // a duplicate: 1062
    static std::vector<habit> const all = {
        {"reads everything", [](MYSQL* h) { mysql_client::query(h, "select 1"); }, true},
        {"runs a prepared query", [](MYSQL* h) { run_prepared(h, "select 1", true); }, true},
        {"runs a prepared insert",
         [](MYSQL* h) { run_prepared(h, "insert into t values (-7, 0)", false); }, true},
        {"reads row by row",
         [](MYSQL* h) {
             ASSERT_EQ(mysql_query(h, "select 1 union select 2"), 0);
             MYSQL_RES* const rows = mysql_use_result(h);
             while (mysql_fetch_row(rows) != nullptr) {
             }
             mysql_free_result(rows);
         },
         true},
        {"pings", [](MYSQL* h) { ASSERT_EQ(mysql_ping(h), 0); }, true},
        {"meets an error", [](MYSQL* h) { ASSERT_EQ(mysql_client::try_query(h, wrong), 1062U); },
         true},
        {"leaves an answer that came",
         [](MYSQL* h) {
             send(h, quiet);
             wait_for_bytes(h);
         }},
        {"leaves rows that came",
         [](MYSQL* h) {
             send(h, "select 1");
             wait_for_bytes(h);
         }},
        {"leaves an error that came",
         [](MYSQL* h) {
             send(h, wrong);
             wait_for_bytes(h);
         }},
        {"leaves an answer that is yet to come", [](MYSQL* h) { send(h, slow); }},
        {"leaves an error that is yet to come",
         [](MYSQL* h) { send(h, "insert into t select -9, sleep(0.05)"); }},
        {"leaves an OK that is yet to come", [](MYSQL* h) { send(h, "do sleep(0.05)"); }},
        // Its first bytes come at once, the rest takes its time.
        {"leaves rows that come slowly",
         [](MYSQL* h) {
             send(h,
                  "select repeat('x', 20000), sleep(1) from information_schema.columns limit 60");
         }},
        {"leaves a suspended call", [](MYSQL* h) { begin_suspended(h, "do sleep(0.05)"); }},
#ifdef LIBMARIADB
        // Pipelined: the second answer may be in the library's buffer, or yet to come.
        {"reads one answer of two",
         [](MYSQL* h) {
             send(h, quiet);
             send(h, "set @b = 2");
             std::this_thread::sleep_for(std::chrono::milliseconds(100));
             ASSERT_EQ(mysql_read_query_result(h), 0);
         }},
        {"reads one answer of two, the other is slow",
         [](MYSQL* h) {
             send(h, quiet);
             send(h, "do sleep(0.05)");
             ASSERT_EQ(mysql_read_query_result(h), 0);
         },
         false, true},
#endif
    };
    return all;
}

class mysql_unread : public mysql_case
{
protected:
    void SetUp() override
    {
        mysql_case::SetUp();
        if (IsSkipped()) return;
        for (std::string const database : {"accounts", "orders"}) {
            administrator().query("create table if not exists " + database +
                                  ".t (k int primary key, v int) engine=innodb");
            administrator().query("delete from " + database + ".t");
            administrator().query("insert into " + database + ".t values (-9, 0)");
        }
        char pattern[] = "/tmp/assent-unread-XXXXXX";
        ASSERT_NE(mkdtemp(pattern), nullptr);
        directory_ = pattern;
        manager_ = std::make_unique<transaction_manager>(
            options{}
                .log_directory(directory_ + "/log")
                .node_label("unread")
                .presumed_abort_delay(std::chrono::milliseconds{0}));
        manager_->add(accounts_.emplace("accounts", where("accounts")));
        manager_->add(orders_.emplace("orders", where("orders")));
    }
    void TearDown() override
    {
        manager_.reset();
        if (!directory_.empty()) std::filesystem::remove_all(directory_);
    }

    int rows_in(std::string const& database, int key)
    {
        return std::stoi(administrator().query("select count(*) from " + database +
                                               ".t where k = " + std::to_string(key)));
    }

    /// As `wanted`, at once or when recovery has come by; a rollback must also stay so.
    bool becomes(std::vector<std::string> const& databases, int key, int wanted)
    {
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(8);
        for (;;) {
            bool all = administrator().prepared().empty();
            for (auto const& each : databases)
                all = all && rows_in(each, key) == wanted;
            if (all) return true;
            if (std::chrono::steady_clock::now() > until) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

    void run_one(habit const& last, bool two, bool borrowed, bool killed, int key);

    std::string directory_;
    std::optional<mysql::resource_manager> accounts_;
    std::optional<mysql::resource_manager> orders_;
    std::unique_ptr<transaction_manager> manager_;
};

void mysql_unread::run_one(habit const& last, bool two, bool borrowed, bool killed, int key)
{
    auto lent = mysql_client::account(server(), "accounts");
    auto tx = manager_->begin();
    MYSQL* handle = lent.get();
    if (borrowed) {
        tx.enlist(*accounts_, handle);
    } else {
        handle = tx.lease(*accounts_);
    }
    std::vector<std::string> databases{"accounts"};
    if (two) {
        databases.emplace_back("orders");
        mysql_client::query(tx.lease(*orders_), insert(key));
    }
    mysql_client::query(handle, insert(key));
    auto const number = mysql_thread_id(handle);
    last.act(handle);
    if (HasFatalFailure()) return;
    if (killed) {
        administrator().try_query("kill connection " + std::to_string(number));
        wait_until_gone(number);
    }

    std::error_code ec;
    diagnostics said;
    auto const began = std::chrono::steady_clock::now();
    auto const outcome = tx.commit(ec, said);

    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(7));
    bool const is_committed =
        outcome == outcome::committed || outcome == outcome::committed_pending;
    if (last.may_be_in_doubt && ec == errc::in_doubt) return;
    EXPECT_TRUE(is_committed || ec == errc::rolled_back) << ec.message() << ": " << said.what;
    EXPECT_TRUE(becomes(databases, key, is_committed ? 1 : 0)) << "it said " << said.what;
    if (last.is_harmless) {
        EXPECT_EQ(is_committed, !killed) << said.what;
        // Its client heard no word of the KILL: it might have been cut off on the way.
        EXPECT_FALSE(said.is_retryable) << said.what;
    }
    if (!is_committed) {
        EXPECT_NE(said.what.find("accounts"), std::string::npos) << said.what;
    }
}

TEST_P(mysql_unread, IsNeverTakenForAnAnswerOfOurs)
{
    int key = 100;
    for (habit const& last : habits()) {
        for (unsigned how = 0; how < 8; ++how) {
            bool const two = (how & 1U) != 0;
            bool const borrowed = (how & 2U) != 0;
            bool const killed = (how & 4U) != 0;
            SCOPED_TRACE(std::string(last.name) + (two ? ", two databases" : ", one database") +
                         (borrowed ? ", borrowed" : ", leased") + (killed ? ", killed" : ""));
            administrator().query("delete from accounts.t where k in (-7)");
            run_one(last, two, borrowed, killed, ++key);
            if (HasFatalFailure()) return;
        }
    }
}

ASSENT_ON_EACH_SERVER(mysql_unread);

}  // namespace

}  // namespace assent::contract
