// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_restore_test.cpp -- a server whose past is not what it was: an older copy of its data, a
// dump in a fresh one, a replica in its place.  What was decided there and is gone is a hazard; and
// nothing of it is said of a server that only stopped, crashed, or dropped its binary logs.
//
//   two managers, two logs    one lives through it, the other is opened again afterwards
//   "accounts"                on the server to which it happens
//   "orders"                  on one to which nothing happens

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <assent/assent.hpp>

#include "tests/contract/contract_suite.hpp"
#include "tests/contract/mysql_case.hpp"
#include "tests/servers/spawn.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace assent::contract {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// What one manager tells.
class told final : public observer
{
public:
    explicit told(std::function<void()> const& act) : act_(act) {}

    void on(event const& what) override
    {
        {
            std::lock_guard const held{mutex_};
            ++seen_[std::string{what.name} + "@" + std::string{what.resource_manager}];
        }
        if (what.name == std::string_view{"decision.durable"} && act_) act_();
    }
    int count(std::string const& event) const
    {
        std::lock_guard const held{mutex_};
        auto const at = seen_.find(event);
        return at == seen_.end() ? 0 : at->second;
    }

private:
    std::function<void()> const& act_;
    mutable std::mutex mutex_;
    std::map<std::string, int> seen_;
};

class mysql_restore : public mysql_case
{
protected:
    void use(std::vector<std::string> const& settings = {})
    {
        victim_ = another_server(settings);
        accounts_ = where_at(*victim_);
        auto admin = mysql_client::administrator(*victim_);
        admin.query("create table accounts.entry (k int primary key) engine=innodb");
        auto other = mysql_client::administrator(server());
        other.query("drop table if exists orders.entry");
        other.query("create table orders.entry (k int primary key) engine=innodb");
    }

    struct opened
    {
        std::unique_ptr<transaction_manager> manager;
        std::optional<mysql::resource_manager> accounts;
        std::optional<mysql::resource_manager> orders;
        std::shared_ptr<told> heard;
        int looks = 0;  ///< at who "accounts" is, before it went down; so often the lock was taken
        int locks = 0;

        /// Whether it knows the "accounts" of today: one that was down for a moment serves on.
        bool has_noticed() const
        {
            return heard->count(look) > looks && heard->count(lock) > locks;
        }
        void forget()
        {
            looks = heard->count(look);
            locks = heard->count(lock);
        }
        static constexpr char look[] = "resource_manager.bound@accounts";
        static constexpr char lock[] = "guardian.taken@accounts";
    };

    opened open_manager(testing::temporary_directory const& in)
    {
        limits bounds;
        bounds.phase2_wait = 500ms;
        bounds.rollback_wait = 500ms;
        bounds.connect = 5s;
        bounds.server_call = 5s;
        bounds.retry_max = 200ms;
        bounds.completion_retry_max = 100ms;
        bounds.scan_interval = 300ms;
        bounds.presumed_abort_delay = 0ms;
        auto const how = options{}.log_directory(in.path()).node_label("restore").limits(bounds);
        opened made;
        made.heard = std::make_shared<told>(act_);
        made.manager = std::make_unique<transaction_manager>(options{how}.observe(made.heard));
        made.accounts = made.manager->add(mysql::resource_manager{"accounts", accounts_});
        made.orders = made.manager->add(mysql::resource_manager{"orders", where("orders")});
        return made;
    }
    void open_managers()
    {
        first_ = open_manager(first_log_);
        second_ = open_manager(second_log_);
        wait_until_they_serve();
    }
    /// Before "accounts" goes down.
    void forget_accounts()
    {
        first_.forget();
        second_.forget();
    }
    void wait_until_they_serve()
    {
        for (auto* const each : {&first_, &second_}) {
            EXPECT_TRUE(eventually([&] {
                auto const all = each->manager->state().resource_managers;
                return each->has_noticed() && all.size() == 2 &&
                       std::all_of(all.begin(), all.end(),
                                   [](auto const& one) { return one.is_serving; });
            }));
        }
    }

    static outcome write_both(opened& with, int key)
    {
        auto tx = with.manager->begin();
        for (auto const* const each : {&with.accounts, &with.orders}) {
            MYSQL* const handle = tx.lease(each->value());
            std::string const sql = "insert into entry values (" + std::to_string(key) + ")";
            EXPECT_EQ(mysql_query(handle, sql.c_str()), 0) << mysql_error(handle);
        }
        return tx.commit();
    }
    static resource_manager_state accounts_of(opened const& which)
    {
        return which.manager->state().resource_managers.at(0);
    }
    /// Everything is finished, and `hazards` of it are recorded.
    static bool is_over(opened const& which, std::size_t hazards)
    {
        auto const now = accounts_of(which);
        return now.is_serving && now.branches_due == 0 &&
               which.manager->state().live_transactions == 0 &&
               which.manager->state().heuristics == hazards;
    }

    /// Both managers decide a transaction, which the server does not hear of any more.
    void decide_and_kill()
    {
        forget_accounts();
        int decided = 0;
        act_ = [&] {
            if (++decided == 1) {
                EXPECT_EQ(write_both(second_, 12), outcome::committed_pending);
            } else {
                victim_->kill();
            }
        };
        EXPECT_EQ(write_both(first_, 11), outcome::committed_pending);
        act_ = nullptr;
        EXPECT_EQ(decided, 2);
        second_.manager->close(std::chrono::steady_clock::now() + 200ms);
        second_ = {};
    }

    /// @param lost  whether the server has lost what was decided.
    void expect(bool lost)
    {
        std::size_t const hazards = lost ? 1 : 0;
        EXPECT_TRUE(eventually([&] { return is_over(first_, hazards); }))
            << accounts_of(first_).why << first_.manager->state().heuristics;
        EXPECT_EQ(first_.heard->count("resource_manager.history_changed@accounts") != 0, lost);

        second_ = open_manager(second_log_);
        EXPECT_TRUE(eventually([&] { return is_over(second_, hazards); }))
            << accounts_of(second_).why << second_.manager->state().heuristics;
        EXPECT_TRUE(
            eventually([&] { return count_in("accounts.entry", *victim_) == (lost ? "0" : "2"); }));
        EXPECT_EQ(count_in("orders.entry", server()), "2");
        // What is decided from now on is no hazard because of what was.
        wait_until_they_serve();
        EXPECT_EQ(write_both(first_, 21), outcome::committed);
        EXPECT_EQ(write_both(second_, 22), outcome::committed);
        EXPECT_TRUE(eventually([&] { return is_over(first_, hazards); }));
    }

    static std::string count_in(std::string const& table, testing::private_server const& at)
    {
        return mysql_client::administrator(at).query("select count(*) from " + table +
                                                     " where k in (11, 12)");
    }

    std::string administer(std::string const& sql)
    {
        return mysql_client::administrator(*victim_).query(sql);
    }

    /// Everything in the database, as mariadb-dump writes it.
    std::vector<std::string> dumped()
    {
        auto from = mysql_client::administrator(*victim_);
        from.query("use accounts");
        std::vector<std::string> all;
        for (auto const& [table, values] :
             {std::pair{"assent_identity", "id, ',', quote(value)"},
              std::pair{"assent_past", "quote(node), ',', kept, ',', history"},
              std::pair{"entry", "k"}}) {
            EXPECT_EQ(mysql_query(from.get(), (std::string("show create table ") + table).c_str()),
                      0);
            MYSQL_RES* const shown = mysql_store_result(from.get());
            all.emplace_back(mysql_fetch_row(shown)[1]);
            mysql_free_result(shown);
            auto const rows = from.query(std::string("select group_concat(concat('(', ") + values +
                                         ", ')')) from " + table);
            if (!rows.empty()) {
                all.push_back(std::string("insert into ") + table + " values " + rows);
            }
        }
        return all;
    }

    /// From now on that server is where the victim was, for the same account.
    void take_the_place(std::unique_ptr<testing::private_server> other)
    {
        mysql_client::administrator(*other).query("alter user shop@'127.0.0.1' identified by '" +
                                                  accounts_.password + "'");
        other->stop();
        other->start_on_port(static_cast<int>(accounts_.port));
        victim_ = std::move(other);
    }

    fs::path data() const { return fs::path{victim_->directory()} / "data"; }
    fs::path copied() const { return fs::path{victim_->directory()} / "copied"; }
    static void copy(fs::path const& from, fs::path const& to)
    {
        fs::remove_all(to);
        // With their owners: the server may run as somebody else.
        ASSERT_EQ(testing::run_process({"/bin/cp", "-a", from.string(), to.string()}).status, 0);
    }

    std::function<void()> act_;  // at each decision; set while nothing is decided
    testing::temporary_directory const first_log_;
    testing::temporary_directory const second_log_;
    std::unique_ptr<testing::private_server> victim_;
    mysql::connect_options accounts_;
    opened first_;
    opened second_;
};

TEST_P(mysql_restore, AnOlderCopyOfTheDataHasLostWhatWasDecidedSince)
{
    // MariaDB has no binary log by default.
    use(is_mariadb() ? std::vector<std::string>{} : std::vector<std::string>{"skip-log-bin=ON"});
    open_managers();
    forget_accounts();
    victim_->kill();
    copy(data(), copied());
    victim_->start();
    wait_until_they_serve();

    decide_and_kill();
    copy(copied(), data());
    victim_->start();

    expect(true);
}

TEST_P(mysql_restore, AServerThatStoppedOrCrashedHasLostNothing)
{
    use(is_mariadb() ? std::vector<std::string>{"log-bin=binlog", "server-id=1"}
                     : std::vector<std::string>{});
    open_managers();
    EXPECT_EQ(write_both(first_, 1), outcome::committed);
    forget_accounts();
    victim_->stop();
    victim_->start();
    wait_until_they_serve();
    EXPECT_EQ(write_both(first_, 2), outcome::committed);
    mysql_client::administrator(*victim_).query(is_mariadb() ? "reset master"
                                                             : "reset binary logs and gtids");

    decide_and_kill();
    victim_->start();

    expect(false);
}

TEST_P(mysql_restore, AServerWithoutABinaryLogHasLostNothingByACrash)
{
    ASSENT_ONLY_ON(mariadb, "MySQL is restored and copied without one above");
    use();
    open_managers();

    decide_and_kill();
    victim_->start();

    expect(false);
}

TEST_P(mysql_restore, ADumpInAFreshServerHasLostWhatWasDecidedSince)
{
    ASSENT_ONLY_ON(mariadb,
                   "a fresh MySQL has another server_uuid: it is not the one that is bound");
    use();
    open_managers();
    auto const dump = dumped();
    // The count is raised when a manager connects, and later while there is work.
    auto const kept = [this] { return administer("select sum(kept) from accounts.assent_past"); };
    auto const then = kept();
    EXPECT_EQ(write_both(first_, 1), outcome::committed);
    EXPECT_EQ(write_both(second_, 2), outcome::committed);
    EXPECT_TRUE(eventually([&] { return std::stoi(kept()) == std::stoi(then) + 2; }));

    decide_and_kill();
    auto fresh = another_server();
    auto into = mysql_client::administrator(*fresh);
    into.query("use accounts");
    for (auto const& each : dump)
        into.query(each);
    take_the_place(std::move(fresh));

    expect(true);
}

TEST_P(mysql_restore, AReplicaInItsPlaceMayHaveLostWhatWasDecided)
{
    ASSENT_ONLY_ON(mariadb,
                   "MySQL's replica has another server_uuid: it is not the one that is bound");
    use({"log-bin=binlog", "server-id=1"});
    auto replica = another_server({"server-id=2"});
    administer("grant replication slave on *.* to shop@'127.0.0.1'");
    auto follower = mysql_client::administrator(*replica);
    follower.query("change master to master_host = '127.0.0.1', master_port = " +
                   std::to_string(victim_->port()) + ", master_user = 'shop', master_password = '" +
                   victim_->password() +
                   "', master_log_file = 'binlog.000001', master_log_pos = 4");
    follower.query("start slave");
    open_managers();
    EXPECT_EQ(write_both(first_, 1), outcome::committed);
    auto const position = administer("select @@gtid_binlog_pos");
    ASSERT_EQ(follower.query("select master_gtid_wait('" + position + "', 10)"), "0");
    follower.query("stop slave");

    decide_and_kill();
    take_the_place(std::move(replica));

    expect(true);
}

ASSENT_ON_EACH_SERVER(mysql_restore);

}  // namespace

}  // namespace assent::contract
