// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// deadline_test.cpp -- deadlines on real servers: a sleeping owner's locks go, a running statement
// is cancelled, and around the instant of commit() nothing is cancelled that must not be.

#include <libpq-fe.h>
#include <mysql.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <vector>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::release;

constexpr auto life = 1s;  // long enough for the work, on a slow and busy machine
constexpr auto grace = 200ms;

assent::options quick_options(assent::limits::duration chosen_grace)
{
    assent::limits bounds;
    bounds.deadline_grace = chosen_grace;
    bounds.presumed_abort_delay = 0ms;
    return assent::options{}.limits(bounds);
}

class Deadline : public AtBank
{
protected:
    void open(assent::limits::duration chosen_grace)
    {
        tm.emplace(quick_options(chosen_grace)
                       .log_directory(bank_->new_log_directory())
                       .node_label("test"));
        accounts.emplace(tm->add(bank_->accounts_manager()));
        orders.emplace(tm->add(bank_->orders_manager()));
        // Both serve before any deadline begins to run.
        auto warm = tm->begin();
        warm.lease(*accounts);
        warm.lease(*orders);
        warm.rollback();
    }
    assent::transaction begin() { return tm->begin(assent::begin_options{}.timeout(life)); }

    std::optional<assent::transaction_manager> tm;
    std::optional<assent::postgresql::resource_manager> accounts;
    std::optional<assent::mysql::resource_manager> orders;
};

TEST_F(Deadline, ASleepingOwnersLocksAreGoneAfterDeadlineAndGrace)
{
    open(grace);
    for (bool const is_borrowed : {false, true}) {
        SCOPED_TRACE(is_borrowed);
        auto const pg = own_accounts(*bank_);
        auto const my = own_orders(*bank_);
        std::vector<release> given;
        auto const on_release = [&](void*, release what) { given.push_back(what); };
        auto const begun = steady_clock::now();
        auto tx = begin();
        if (is_borrowed) {
            tx.enlist(*accounts, pg.get(), on_release);
            tx.enlist(*orders, my.get(), on_release);
            transfer(pg.get(), my.get(), "sleeper", 5, 3);
        } else {
            transfer(tx.lease(*accounts), tx.lease(*orders), "sleeper", 5, 3);
        }

        // This thread waits for the lock; the owner does nothing about its deadline.
        execute(bank_->look_accounts(), "update balance set amount = amount where id = 3");
        auto const pg_free = steady_clock::now() - begun;
        execute(bank_->look_orders(), "update balance set amount = amount where id = 3");
        auto const my_free = steady_clock::now() - begun;

        EXPECT_GE(pg_free, life + grace) << "not before the grace is over";
        EXPECT_LE(pg_free, tenfold(life + grace));
        EXPECT_LE(my_free, tenfold(life + grace));
        EXPECT_EQ(tx.status(), assent::status::marked_rollback);
        auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });
        EXPECT_FALSE(e.is_retryable());
        EXPECT_THAT(e.what(), ::testing::HasSubstr("its deadline passed"));
        if (is_borrowed) {
            EXPECT_EQ(given, (std::vector<release>{release::must_close, release::must_close}));
        }
        EXPECT_TRUE(becomes_true([&] { return tm->state().live_transactions == 0; }, tenfold(1s)))
            << "confirmed by a scan";
        expect_whole();
    }
}

TEST_F(Deadline, AStatementThatRunsIsCancelled)
{
    open(60s);  // only a cancel can end it
    {
        auto tx = begin();
        PGconn* const pg = tx.lease(*accounts);
        auto const begun = steady_clock::now();
        std::unique_ptr<PGresult, void (*)(PGresult*)> const result{
            PQexec(pg, "select pg_sleep(50)"), &PQclear};
        EXPECT_STREQ(PQresultErrorField(result.get(), PG_DIAG_SQLSTATE), "57014");
        EXPECT_LE(steady_clock::now() - begun, tenfold(life));
        EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    }
    {
        auto tx = begin();
        MYSQL* const my = tx.lease(*orders);
        auto const begun = steady_clock::now();
        // In an update the interrupted SLEEP is an error; in a plain select it would answer 1.
        EXPECT_NE(mysql_query(my, "update balance set amount = amount + sleep(50) where id = 1"),
                  0);
        EXPECT_EQ(mysql_errno(my), 1317u);
        EXPECT_LE(steady_clock::now() - begun, tenfold(life));
        EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    }
    EXPECT_TRUE(becomes_true([&] { return tm->state().live_transactions == 0; }, tenfold(1s)));
    expect_whole();
}

// ---- the deadline, swept across the instant of commit() ----------------------------------------

struct sweep_counts
{
    int committed = 0;
    int rolled_back = 0;  // nothing of the work was cancelled
    int cancelled = 0;    // a statement of the work was
    int statements_after_release = 0;

    bool is_enough(int each) const
    {
        return committed >= each && rolled_back >= each && cancelled >= each;
    }
};

/// In the order in which they come, the later the last statement ends.
enum class swept : std::uint8_t { committed, rolled_back, cancelled };

/// Where the last statement must end, as seen from the deadline, so that one or the other comes
/// out.  Between the latest end after which it commits and the earliest at which it is cancelled,
/// the deadline strikes within commit().  That instant may be less than a millisecond wide, or as
/// long as two disks need for a force; it differs between clients, and moves with the machine's
/// load.  So both its ends are followed: whatever was aimed at and missed moves one of them, in
/// large steps while it is far, in small ones where it was passed.
class instant_of_commit
{
public:
    std::chrono::milliseconds life = 20ms;

    /// Aims at whatever came out least so far: before, in, or after the instant.
    std::chrono::microseconds offset_for(sweep_counts const& counts)
    {
        if (counts.committed <= counts.cancelled && counts.committed < counts.rolled_back) {
            aim_ = swept::committed;
            return begin_.at;
        }
        if (counts.cancelled < counts.rolled_back) {
            aim_ = swept::cancelled;
            return end_.at;
        }
        aim_ = swept::rolled_back;
        return (begin_.at + end_.at) / 2;
    }

    void learn(swept what)
    {
        if (what == aim_) return;
        if (aim_ == swept::committed) begin_.move(false);
        if (aim_ == swept::cancelled) end_.move(true);
        if (aim_ == swept::rolled_back && what == swept::committed) begin_.move(true);
        if (aim_ == swept::rolled_back && what == swept::cancelled) end_.move(false);
    }

    /// The statement could not even begin.
    void learn_to_begin_earlier() { life = std::min<std::chrono::milliseconds>(life * 9 / 8, 1s); }

private:
    struct moving_edge
    {
        std::chrono::microseconds at;
        std::chrono::microseconds step = 150us;
        bool was_later = true;

        void move(bool is_later)
        {
            step = is_later == was_later ? std::min<std::chrono::microseconds>(step * 2, 10ms)
                                         : std::max<std::chrono::microseconds>(step / 3, 20us);
            was_later = is_later;
            at += is_later ? step : -step;
        }
    };
    moving_edge begin_{-10'000us};
    moving_edge end_{2'000us};
    swept aim_ = swept::rolled_back;
};

bool is_statement_cancelled(PGconn* pg, std::chrono::microseconds sleep)
{
    auto const sql =
        "select pg_sleep(" + std::to_string(static_cast<double>(sleep.count()) / 1e6) + ")";
    std::unique_ptr<PGresult, void (*)(PGresult*)> const result{PQexec(pg, sql.c_str()), &PQclear};
    if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) return false;
    char const* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    EXPECT_STREQ(state, "57014") << PQerrorMessage(pg);
    return true;
}

bool is_statement_cancelled(MYSQL* my, std::chrono::microseconds sleep)
{
    // An interrupted SLEEP answers 1, or error 1317.
    auto const sql =
        "select sleep(" + std::to_string(static_cast<double>(sleep.count()) / 1e6) + ")";
    if (mysql_query(my, sql.c_str()) != 0) {
        EXPECT_EQ(mysql_errno(my), 1317u) << mysql_error(my);
        return true;
    }
    std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> const result{mysql_store_result(my),
                                                                  &mysql_free_result};
    if (result == nullptr) {
        EXPECT_EQ(mysql_errno(my), 1317u) << mysql_error(my);
        return true;
    }
    return std::string{mysql_fetch_row(result.get())[0]} != "0";
}

TEST_F(Deadline, SweptAcrossCommitNeverHitsWhatComesAfterTheRelease)
{
    constexpr int wanted = 50;
    constexpr int attempts_max = 4000;
    open(10s);
    auto pg = own_accounts(*bank_);
    auto my = own_orders(*bank_);
    sweep_counts counts;
    int attempts = 0;
    std::array<instant_of_commit, 2> aims;  // at the end of PostgreSQL's statement, of MariaDB's
    auto const before = bank_->transfers_in_accounts().size();

    // A branch that keeps its rows costs every later attempt its whole life.
    auto const give_up = steady_clock::now() + tenfold(10s);

    for (int i = 0; i < attempts_max && !counts.is_enough(wanted) && steady_clock::now() < give_up;
         ++i) {
        SCOPED_TRACE(i);
        ++attempts;
        bool keep_pg = false;
        bool keep_my = false;
        bool is_late = true;
        instant_of_commit& aimed = aims[static_cast<std::size_t>(i % 2)];
        auto const short_life = aimed.life;
        auto const until = steady_clock::now() + short_life;
        auto tx = tm->begin(assent::begin_options{}.timeout(short_life));
        bool is_cancelled = false;
        bool is_committed = false;
        try {
            tx.enlist(*accounts, pg.get(),
                      [&](void*, release what) { keep_pg = what == release::keep; });
            tx.enlist(*orders, my.get(),
                      [&](void*, release what) { keep_my = what == release::keep; });
            transfer(pg.get(), my.get(), "sweep-" + std::to_string(i), 1, 5);
            auto const left = std::chrono::duration_cast<std::chrono::microseconds>(
                until + aimed.offset_for(counts) - steady_clock::now());
            is_late = left <= 0us;
            if (!is_late) {
                is_cancelled = i % 2 == 0 ? is_statement_cancelled(pg.get(), left)
                                          : is_statement_cancelled(my.get(), left);
            }
            tx.commit();
            is_committed = true;
        } catch (assent::rolled_back_error const&) {
        } catch (assent::error const& e) {
            // The deadline struck before the work was even begun.
            EXPECT_TRUE(e.code() == assent::errc::rollback_only ||
                        e.code() == assent::errc::bad_argument)
                << e.what();
            if (tx.status() == assent::status::active ||
                tx.status() == assent::status::marked_rollback) {
                tx.rollback();
            }
        } catch (std::runtime_error const&) {
            is_cancelled = true;  // one of the transfer's own statements was
            tx.rollback();
        }
        EXPECT_FALSE(is_committed && is_cancelled) << "a cancelled transaction never commits";
        counts.committed += is_committed;
        counts.cancelled += is_cancelled;
        counts.rolled_back += !is_committed && !is_cancelled;
        if (is_late) {
            aimed.learn_to_begin_earlier();
        } else {
            aimed.learn(is_committed   ? swept::committed
                        : is_cancelled ? swept::cancelled
                                       : swept::rolled_back);
        }

        // A cancel that comes too late would hit these.
        if (keep_pg) {
            EXPECT_FALSE(is_statement_cancelled(pg.get(), 3ms));
            ++counts.statements_after_release;
        } else {
            pg = own_accounts(*bank_);
        }
        if (keep_my) {
            EXPECT_FALSE(is_statement_cancelled(my.get(), 3ms));
            ++counts.statements_after_release;
        } else {
            my = own_orders(*bank_);
        }
    }

    std::cout << "swept in " << attempts << ": committed " << counts.committed << ", rolled back "
              << counts.rolled_back << ", cancelled " << counts.cancelled
              << "; statements after a release " << counts.statements_after_release << '\n';
    EXPECT_TRUE(counts.is_enough(wanted));
    EXPECT_TRUE(becomes_true([&] { return tm->state().live_transactions == 0; }, tenfold(2s)));
    EXPECT_EQ(bank_->transfers_in_accounts().size(),
              before + static_cast<std::size_t>(counts.committed));
    expect_whole();
}

}  // namespace
