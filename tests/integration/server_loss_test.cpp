// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// server_loss_test.cpp -- databases that die or fall silent under a transaction: the answer is
// true, and what was decided is finished as soon as they answer again.

#include <sys/socket.h>

#include <optional>
#include <vector>

#include "tests/contract/mysql_client.hpp"
#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::outcome;

assent::options patient_for_a_moment(std::string const& log)
{
    assent::limits bounds;
    bounds.phase2_wait = 500ms;
    bounds.rollback_wait = 500ms;
    bounds.server_call = 500ms;
    bounds.connect = 500ms;
    bounds.presumed_abort_delay = 0ms;
    return assent::options{}.log_directory(log).node_label("test").limits(bounds);
}

class ServerLoss : public AtBank
{
protected:
    static void expect_finished_and_whole(assent::transaction_manager const& tm)
    {
        EXPECT_TRUE(becomes_true([&] { return tm.state().live_transactions == 0; }, tenfold(1s)));
        EXPECT_EQ(tm.state().heuristics, 0u);
        EXPECT_TRUE(tm.state().quarantined.empty());
        expect_whole();
    }
};

enum class loss { killed, frozen };

class LossBetweenTheVotesAndPhaseTwo : public ServerLoss, public ::testing::WithParamInterface<loss>
{
};

TEST_P(LossBetweenTheVotesAndPhaseTwo, IsCommittedPendingAndFinishedAfterwards)
{
    auto const how = GetParam();
    for (bool const is_mariadb : {false, true}) {
        auto& server = is_mariadb ? bank_->mariadb() : bank_->postgresql();
        auto const name = std::string{how == loss::killed ? "killed " : "frozen "} +
                          (is_mariadb ? "mariadb" : "postgresql");
        SCOPED_TRACE(name);
        // On the owner's thread, when the decision is on the disk and no COMMIT was sent.
        auto const strike = std::make_shared<on_event>("decision.durable", [&] {
            if (how == loss::killed) {
                server.kill();
            } else {
                server.freeze();
            }
        });
        assent::transaction_manager tm{
            patient_for_a_moment(bank_->new_log_directory()).observe(strike)};
        auto const accounts = tm.add(bank_->accounts_manager());
        auto const orders = tm.add(bank_->orders_manager());
        auto tx = tm.begin();
        transfer(tx.lease(accounts), tx.lease(orders), name, 3, 2);

        EXPECT_EQ(tx.commit(), outcome::committed_pending);

        EXPECT_EQ(tm.outcome(tx.id()), assent::known_outcome::committed);
        EXPECT_EQ(tm.state().live_transactions, 1u);
        if (how == loss::killed) {
            server.start();
        } else {
            server.thaw();
        }
        expect_finished_and_whole(tm);
        EXPECT_TRUE(is_transferred(name));
    }
}

INSTANTIATE_TEST_SUITE_P(Server, LossBetweenTheVotesAndPhaseTwo,
                         ::testing::Values(loss::killed, loss::frozen), [](auto const& param) {
                             return param.param == loss::killed ? "killed" : "frozen";
                         });

TEST_F(ServerLoss, BeforeTheVotesIsRolledBackAndNothingRemains)
{
    for (bool const is_mariadb : {false, true}) {
        auto& server = is_mariadb ? bank_->mariadb() : bank_->postgresql();
        auto const name = std::string{"killed before the votes "} + (is_mariadb ? "my" : "pg");
        SCOPED_TRACE(name);
        assent::transaction_manager tm{patient_for_a_moment(bank_->new_log_directory())};
        auto const accounts = tm.add(bank_->accounts_manager());
        auto const orders = tm.add(bank_->orders_manager());
        auto tx = tm.begin();
        transfer(tx.lease(accounts), tx.lease(orders), name, 3, 2);
        server.kill();

        auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

        // A connection that was closed without a word may have been closed on the way.
        EXPECT_FALSE(e.is_retryable()) << "nobody confirmed that the session is gone";
        server.start();
        expect_finished_and_whole(tm);
        EXPECT_FALSE(is_transferred(name));
        auto const commits_again = [&] {
            auto again = tm.begin();
            transfer(again.lease(accounts), again.lease(orders), name + " again", 3, 2);
            try {
                again.commit();
                return true;
            } catch (assent::rolled_back_error const&) {
                return false;  // the guardian has just noticed that its session is gone
            }
        };
        EXPECT_TRUE(becomes_true(commits_again, tenfold(1s))) << "the manager goes on";
        expect_finished_and_whole(tm);
        EXPECT_TRUE(is_transferred(name + " again"));
    }
}

struct cut
{
    bool is_mariadb;
    char const* request;
    fault what;
    std::optional<outcome> expected;  // nothing: rolled back
};

class CutConnection : public ServerLoss, public ::testing::WithParamInterface<cut>
{
};

TEST_P(CutConnection, LeavesEachTransferInBothDatabasesOrInNeither)
{
    auto const& given = GetParam();
    static int run = 0;
    auto const name = "cut " + std::to_string(++run);
    network net{*bank_};
    assent::transaction_manager tm{patient_for_a_moment(bank_->new_log_directory())};
    auto const accounts = tm.add(bank_->accounts_manager(net.wire.port(net.accounts)));
    auto const orders = tm.add(bank_->orders_manager(net.wire.port(net.orders)));
    {
        auto warm = tm.begin();
        warm.lease(accounts);
        warm.lease(orders);
    }
    std::optional<outcome> how;
    {
        auto tx = tm.begin(assent::begin_options{}.timeout(1500ms));
        net.wire.on_request(given.is_mariadb ? net.orders : net.accounts, given.request,
                            given.what);

        try {
            transfer(tx.lease(accounts), tx.lease(orders), name, 2, 4);
            how = tx.commit();
        } catch (assent::rolled_back_error const& e) {
            EXPECT_FALSE(e.is_retryable());
        } catch (assent::error const& e) {
            EXPECT_EQ(e.code(), assent::errc::rollback_only) << e.what();
        } catch (std::runtime_error const&) {
            // A statement of the work was hit; the transaction goes with its object.
        }
    }

    EXPECT_EQ(how, given.expected);
    if (!given.expected && given.what == fault::silence_before) {
        // The server still waits for a PREPARE of that session, so nothing is proved: the branch
        // counts as unfinished until the session is gone, here by the end of the silent network.
        EXPECT_FALSE(becomes_true([&] { return tm.state().live_transactions == 0; }, 1s));
        net.wire.reset(given.is_mariadb ? net.orders : net.accounts);
    }
    expect_finished_and_whole(tm);
    EXPECT_EQ(is_transferred(name), given.expected.has_value());
}

// A statement of the work that falls silent holds its own thread until the deadline ends its
// session, and longer where even that is not heard: those are the deadline's own tests.
std::vector<cut> cuts()
{
    std::vector<cut> all;
    for (bool const is_mariadb : {false, true}) {
        for (auto const what : {fault::lose_request, fault::lose_reply}) {
            all.push_back({is_mariadb, "update balance", what, {}});
        }
        for (auto const what : {fault::lose_request, fault::lose_reply, fault::silence_before,
                                fault::silence_after}) {
            all.push_back(
                {is_mariadb, is_mariadb ? "XA PREPARE" : "PREPARE TRANSACTION", what, {}});
            all.push_back({is_mariadb, is_mariadb ? "XA COMMIT" : "COMMIT PREPARED", what,
                           outcome::committed_pending});
        }
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(EveryState, CutConnection, ::testing::ValuesIn(cuts()),
                         [](auto const& param) {
                             std::string name{param.param.is_mariadb ? "mariadb_" : "postgresql_"};
                             for (char const* c = param.param.request; *c != 0; ++c)
                                 name += *c == ' ' ? '_' : *c;
                             switch (param.param.what) {
                                 case fault::lose_request:
                                     return name + "_lost";
                                 case fault::lose_reply:
                                     return name + "_reply_lost";
                                 case fault::silence_before:
                                     return name + "_silent";
                                 default:
                                     return name + "_reply_silent";
                             }
                         });

TEST_F(ServerLoss, AnOnePhaseReplyLostOnPostgresqlIsResolvedByAskingTheServer)
{
    for (auto const what :
         {fault::lose_request, fault::lose_reply, fault::silence_before, fault::silence_after}) {
        auto const name = "one phase " + std::to_string(static_cast<int>(what));
        SCOPED_TRACE(name);
        network net{*bank_};
        assent::transaction_manager tm{
            patient_for_a_moment(bank_->new_log_directory()).transaction_timeout(1500ms)};
        auto const accounts = tm.add(bank_->accounts_manager(net.wire.port(net.accounts)));
        auto tx = tm.begin();
        execute(tx.lease(accounts), "insert into ledger values ('" + name + "', 0)");
        net.wire.on_request(net.accounts, "COMMIT", what);

        std::optional<outcome> how;
        std::optional<assent::resolver> who;
        try {
            how = tx.commit();
        } catch (assent::rolled_back_error const&) {
            how = outcome::rolled_back;
        } catch (assent::in_doubt_error const& e) {
            who = e.resolved_by();
        }

        switch (what) {
            case fault::lose_request:
                EXPECT_EQ(how, outcome::rolled_back);
                break;
            case fault::silence_before:
                // The server keeps the silent session, and with it the transaction: in progress.
                EXPECT_EQ(who, assent::resolver::database);
                break;
            default:
                EXPECT_EQ(how, outcome::committed);
                EXPECT_TRUE(is_transferred(name));
        }
    }
    execute(bank_->look_accounts(), "delete from ledger where amount = 0");
}

TEST_F(ServerLoss, AnOnePhaseReplyLostWithoutAWitnessIsInDoubtAndNobodyWillKnow)
{
    for (auto const what : {fault::lose_request, fault::lose_reply}) {
        network net{*bank_};
        assent::transaction_manager tm{patient_for_a_moment(bank_->new_log_directory())};
        auto const accounts = tm.add(bank_->accounts_manager(net.wire.port(net.accounts)));
        auto tx = tm.begin(assent::begin_options{}.commit_witness(false));
        execute(tx.lease(accounts), "update ledger set amount = amount");
        net.wire.on_request(net.accounts, "COMMIT", what);

        auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

        EXPECT_EQ(e.resolved_by(), assent::resolver::nobody);
    }
}

TEST_F(ServerLoss, AnOnePhaseReplyLostOnMariadbIsInDoubtAndNobodyWillKnow)
{
    for (auto const what : {fault::lose_request, fault::lose_reply}) {
        network net{*bank_};
        assent::transaction_manager tm{patient_for_a_moment(bank_->new_log_directory())};
        auto const orders = tm.add(bank_->orders_manager(net.wire.port(net.orders)));
        auto tx = tm.begin();
        execute(tx.lease(orders), "update balance set amount = amount where id = 1");
        net.wire.on_request(net.orders, "ONE PHASE", what);

        auto const e = thrown_by<assent::in_doubt_error>([&] { tx.commit(); });

        EXPECT_EQ(e.resolved_by(), assent::resolver::nobody);
        EXPECT_FALSE(e.is_retryable());
        EXPECT_EQ(tm.outcome(tx.id()), assent::known_outcome::unknown);
        EXPECT_EQ(tx.status(), assent::status::unknown);
    }
}

// What finishes a branch by name, while MariaDB takes apart the session that prepared it, is
// answered OK and does nothing (ADR 37).  A session with thousands of prepared statements ends
// slowly.
TEST_F(ServerLoss, NoDecisionIsLostToASessionThatEnds)
{
    constexpr int transactions = 8;
    constexpr int statements = 6000;
    std::atomic<int> socket{-1};
    auto const hang_up = std::make_shared<on_event>(
        "decision.durable", [&] { ::shutdown(socket, SHUT_RDWR); }, how_often::always);
    assent::transaction_manager tm{
        patient_for_a_moment(bank_->new_log_directory()).observe(hang_up)};
    auto const accounts = tm.add(bank_->accounts_manager());
    auto const orders = tm.add(bank_->orders_manager());

    for (int i = 0; i < transactions; ++i) {
        auto tx = tm.begin();
        auto const row = "insert into ledger values ('hung up " + std::to_string(i) + "', 0)";
        MYSQL* const on_orders = tx.lease(orders);
        socket = assent::contract::socket_of(on_orders);
        execute(tx.lease(accounts), row);
        execute(on_orders, row);
        for (int n = 0; n < statements; ++n) {
            execute(on_orders, "prepare p" + std::to_string(n) + " from 'select ?'");
        }
        ASSERT_EQ(tx.commit(), outcome::committed_pending);
    }

    expect_finished_and_whole(tm);
    EXPECT_TRUE(is_transferred("hung up 0"));
}

}  // namespace
