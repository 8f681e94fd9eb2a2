// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_waiting_test.cpp -- votes and commits that wait for a semi-synchronous replica, and what
// meets them there: a deadline, a KILL, a SHUTDOWN, a kill -9.
//
// Nobody is the replica, so the wait ends only when it is told to.

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

class mysql_waiting : public mysql_case
{
protected:
    void SetUp() override
    {
        mysql_case::SetUp();
        if (IsSkipped()) return;
        source_ =
            another_server(is_mariadb() ? std::vector<std::string>{"log_bin=binlog", "server_id=1",
                                                                   setting("wait_point=AFTER_SYNC")}
                                        : std::vector<std::string>{});
        root_ = std::make_unique<mysql_client>(mysql_client::administrator(*source_));
        if (!is_mariadb()) {
            root_->query("install plugin rpl_semi_sync_source soname 'semisync_source.so'");
            root_->query("grant xa_recover_admin on *.* to shop@'127.0.0.1'");
        }
        root_->query("create table accounts.t (k int primary key, v int) engine=innodb");
        its_driver_ = driver_of(where_at(*source_));
    }

    std::string setting(std::string const& name) const
    {
        return (is_mariadb() ? "rpl_semi_sync_master_" : "rpl_semi_sync_source_") + name;
    }

    /// From now on each commit waits for a replica, of which there is none.
    void make_wait()
    {
        root_->query("set global " + setting("timeout = 600000"));
        root_->query("set global " + setting("enabled = 1"));
    }
    void let_go() { root_->query("set global " + setting("enabled = 0")); }

    session_ptr worker() { return its_driver_->connect(session_purpose::work, in_ms(10'000)); }

    /// Sends a verb that is seen to wait.
    void submit_waiting(driver_session& session, verb v, xid const& x)
    {
        session.submit(v, x);
        session.collect(in_ms(0));  // both answers of a fused message are asked for
        wait_for(*source_,
                 "select count(*) from information_schema.processlist where state like 'Waiting "
                 "for semi-sync%' and id = " +
                     std::to_string(session.id()),
                 "1");
    }

    std::string committed(int key)
    {
        return root_->query("select count(*) from accounts.t where k = " + std::to_string(key));
    }
    std::size_t listed() { return root_->prepared().size(); }

    void restart(bool is_crash)
    {
        if (is_crash) source_->kill();
        if (!is_crash) source_->stop();
        source_->start();
        root_ = std::make_unique<mysql_client>(mysql_client::administrator(*source_));
    }

    std::unique_ptr<testing::private_server> source_;
    std::unique_ptr<mysql_client> root_;
    std::shared_ptr<resource_manager_driver> its_driver_;
};

TEST_P(mysql_waiting, ForAReplicaNothingIsTakenForAnAnswerAndNothingThatMeetsItUndoesIt)
{
    // A vote: the deadline comes back in time, and nothing is listed yet.
    auto const voter = worker();
    xid const vote = start(*voter, 1);
    make_wait();
    submit_waiting(*voter, verb::prepare, vote);
    EXPECT_FALSE(voter->collect(in_ms(50)));
    EXPECT_EQ(listed(), 0U);
    let_go();
    auto said = voter->collect(in_ms(10'000));
    ASSERT_TRUE(said && said->is_ok());
    EXPECT_EQ(listed(), 1U);

    // A commit: listed, and invisible; elsewhere it is not known, or waits too.
    make_wait();
    submit_waiting(*voter, verb::commit, vote);
    EXPECT_FALSE(voter->collect(in_ms(50)));
    EXPECT_EQ(listed(), 1U);
    EXPECT_EQ(committed(1), "0");
    auto const other = worker();
    other->submit(verb::commit, vote);
    auto const elsewhere = other->collect(in_ms(200));
    EXPECT_EQ(elsewhere.has_value(), is_mariadb());
    if (elsewhere) {
        EXPECT_EQ(elsewhere->code, xa_code::nota);
    }

    // Somebody's KILL ends MariaDB's wait, and not MySQL's; the branch is committed in both.
    root_->query("kill connection " + std::to_string(voter->id()));
    said = voter->collect(in_ms(10'000));
    ASSERT_TRUE(said);
    EXPECT_TRUE(is_lost(*said)) << said->text;
    if (!is_mariadb()) let_go();
    wait_for(*source_, "select count(*) from accounts.t where k = 1", "1");
    if (is_mariadb()) let_go();
    wait_for(*source_,
             "select count(*) from information_schema.processlist where state like 'Waiting for "
             "semi-sync%'",
             "0");
    // The work is seen a moment before the name goes.
    auto const until = in_ms(10'000);
    while (listed() != 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    EXPECT_EQ(listed(), 0U);

    // So does SHUTDOWN, and a crash costs nothing.
    for (bool const is_crash : {false, true}) {
        SCOPED_TRACE(is_crash ? "kill -9" : "SHUTDOWN");
        int const key = is_crash ? 3 : 2;
        auto const session = worker();
        xid const x = prepare(*session, key);
        make_wait();
        submit_waiting(*session, verb::commit, x);

        restart(is_crash);

        said = session->collect(in_ms(10'000));
        ASSERT_TRUE(said);
        // MySQL ends the wait before it ends the session, and may still say so.
        EXPECT_TRUE(is_lost(*said) || (!is_mariadb() && said->is_ok())) << said->text;
        bool const is_prepared_again = is_crash && is_mariadb();
        EXPECT_EQ(listed(), is_prepared_again ? 1U : 0U);
        EXPECT_EQ(committed(key), is_prepared_again ? "0" : "1");
        if (is_prepared_again) {
            auto const manage = its_driver_->connect(session_purpose::manage, in_ms(10'000));
            EXPECT_TRUE(run(*manage, verb::commit, x).is_ok());
            EXPECT_EQ(committed(key), "1");
        }
    }
}

ASSENT_ON_EACH_SERVER(mysql_waiting);

}  // namespace

}  // namespace assent::contract
