// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_account_test.cpp -- the fewest rights with which each phase works, and a server that has
// shut its door to the machine that the manager is on.

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <assent/assent.hpp>
#include <assent/examination.hpp>

#include "tests/contract/mysql_case.hpp"
#include "tests/servers/proxy.hpp"
#include "tests/servers/sockets.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace assent::contract {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class mysql_account : public mysql_case
{
protected:
    /// An account that may do nothing at all but what `grants` say.
    mysql::connect_options least(std::vector<std::string> const& grants)
    {
        administrator().query("drop user if exists least@'127.0.0.1'");
        administrator().query("create user least@'127.0.0.1' identified by 'secret-word'");
        for (auto const& each : grants)
            administrator().query("grant " + each + " to least@'127.0.0.1'");
        mysql::connect_options options = where();
        options.user = "least";
        options.password = "secret-word";
        return options;
    }

    /// The work of the application, and those of the manager: docs/adapters/{mariadb,mysql}.md.
    std::vector<std::string> fewest() const
    {
        std::vector<std::string> grants{"insert on accounts.t",
                                        "select, insert, update on accounts.assent_past",
                                        "select, insert, update, delete on "
                                        "accounts.assent_decision"};
        if (is_mariadb()) {
            grants.push_back("select on accounts.assent_identity");
        } else {
            grants.push_back("xa_recover_admin on *.*");
        }
        return grants;
    }

    /// Hears what the server says first, and goes away.  @return whether it was no error.
    static bool is_greeted(int port)
    {
        testing::descriptor const hasty = testing::tcp_socket();
        sockaddr_in const address = testing::loopback(port);
        std::array<unsigned char, 5> said{};  // four bytes of a header, and the packet's kind
        bool const is_heard = ::connect(hasty.get(), reinterpret_cast<sockaddr const*>(&address),
                                        sizeof address) == 0 &&
                              ::recv(hasty.get(), said.data(), said.size(), MSG_WAITALL) == 5;
        if (!is_heard) throw std::runtime_error("the server said nothing");
        return said[4] != 0xff;
    }

    /// What an administrator has made, since such an account cannot.
    void make_tables()
    {
        auto const manage = open(session_purpose::manage);
        driver().preflight(*manage, in_ms(10'000));
        driver().decisions()->ensure(*manage, in_ms(10'000));
        administrator().query(
            "create table if not exists assent_past (node char(16) character set ascii not null "
            "primary key, kept bigint unsigned not null, history bigint unsigned not null) "
            "engine=innodb");
    }
};

TEST_P(mysql_account, WithTheFewestRightsWorksInEveryPhase)
{
    make_tables();
    auto const its = driver_of(least(fewest()));
    auto const manage = its->connect(session_purpose::manage, in_ms(10'000));
    auto const facts = its->preflight(*manage, in_ms(10'000));
    auto const guardian = its->connect(session_purpose::guardian, in_ms(10'000));
    ASSERT_TRUE(its->try_guard(*guardian, 77, in_ms(10'000)));
    its->heartbeat(*guardian, in_ms(10'000));

    auto session = its->connect(session_purpose::work, in_ms(10'000));
    xid const prepared = start(*session, 1);
    ASSERT_TRUE(run(*session, verb::prepare, prepared).is_ok());
    EXPECT_EQ(its->scan(*manage, in_ms(10'000)).ours, std::vector<xid>{prepared});
    std::uint64_t const id = session->id();
    its->end_session(*manage, id, in_ms(10'000));
    auto const until = in_ms(10'000);
    while (its->presence(*manage, id, in_ms(10'000)) != session_presence::gone &&
           std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(2ms);
    EXPECT_EQ(its->presence(*manage, id, in_ms(10'000)), session_presence::gone);
    EXPECT_EQ(its->sessions_before(*manage, manage->id(), in_ms(10'000)), session_presence::gone);
    EXPECT_TRUE(run(*manage, verb::commit, prepared).is_ok());
    EXPECT_EQ(rows(1), 1);

    auto const other = its->connect(session_purpose::work, in_ms(10'000));
    EXPECT_TRUE(run(*other, verb::rollback, start(*other, 2)).is_ok());
    EXPECT_TRUE(run(*other, verb::commit_one_phase, start(*other, 2)).is_ok());
    EXPECT_EQ(rows(2), 1);

    auto& table = *its->decisions();
    table.ensure(*manage, in_ms(10'000));
    gtrid const name = gtrid::make({decision_place::commit_row, 1, 0xfeed, 1, 1, 1});
    xid const with_row = start(*other, 3);
    table.carry(*other, {name, row_kind::commit, std::string(48, '0')});
    EXPECT_TRUE(run(*other, verb::commit_one_phase, with_row).is_ok());
    auto const seen = table.fence(*manage, name, in_ms(10'000));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->kind, row_kind::commit);
    EXPECT_EQ(table.list(*manage, name.text(), 1, in_ms(10'000)).size(), 1U);
    auto parts = name.parts();
    parts.epoch = 0;
    parts.nonce = parts.sequence = 0;
    table.prune(*manage, {gtrid::make(parts), row_kind::horizon, {}}, {name}, in_ms(10'000));
    EXPECT_FALSE(facts.identity.empty());

    auto* const examined = dynamic_cast<examined_driver*>(its.get());
    ASSERT_NE(examined, nullptr);
    for (auto const& each : examined->examine(*manage, in_ms(10'000)).findings)
        EXPECT_LT(each.level, finding_level::warning) << each.check << ": " << each.advice;
}

TEST_P(mysql_account, WithoutOneOfThemIsToldWhich)
{
    make_tables();
    auto const all = fewest();
    for (std::size_t without = 2; without < all.size(); ++without) {
        auto grants = all;
        grants.erase(grants.begin() + static_cast<std::ptrdiff_t>(without));
        SCOPED_TRACE(all[without]);

        std::string const why = refusal([&] {
            auto const its = driver_of(least(grants));
            auto const manage = its->connect(session_purpose::manage, in_ms(10'000));
            its->preflight(*manage, in_ms(10'000));
            its->decisions()->ensure(*manage, in_ms(10'000));
        });

        EXPECT_THAT(why, HasSubstr(without == 2   ? "assent_decision"
                                   : is_mariadb() ? "assent_identity"
                                                  : "XA_RECOVER_ADMIN"));
    }
}

/// Whoever goes away before he has said who he is counts as an error of his machine, and a frozen
/// server makes everybody go away so.  No retry opens the door again, and none is needed once an
/// administrator has.
TEST_P(mysql_account, OnAMachineThatTheServerHasBlockedIsToldSoAndGoesOnOnceItIsNot)
{
    ASSENT_ONLY_ON(mariadb, "MySQL counts no errors of any address of its own machine");
    auto const careful = another_server({"max_connect_errors=3", "skip-name-resolve=OFF"});
    auto root = mysql_client::administrator(*careful);
    root.query("create user shop@'127.0.0.2' identified by '" + careful->password() + "'");
    root.query("grant all on accounts.* to shop@'127.0.0.2'");
    testing::proxy wire;
    auto const there = wire.add(testing::wire_protocol::mysql, careful->port());
    wire.come_from(there, 2);
    testing::temporary_directory const in;
    auto through = where_at(*careful);
    through.port = static_cast<unsigned>(wire.port(there));
    bool is_blocked = false;
    for (int i = 0; i < 100 && !is_blocked; ++i)
        is_blocked = !is_greeted(wire.port(there));
    ASSERT_TRUE(is_blocked);

    {
        transaction_manager manager{options{}.log_directory(in.path() + "/log").node_label("door")};
        manager.add(mysql::resource_manager{"shop-db", through});
        auto const why = [&] { return manager.state().resource_managers.front().why; };
        auto const until = std::chrono::steady_clock::now() + 20s;
        while (why().find("blocked") == std::string::npos &&
               std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(20ms);
        EXPECT_THAT(why(), HasSubstr("because of many connection errors"));
        root.query("flush hosts");
        while (!manager.state().resource_managers.front().is_serving &&
               std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(20ms);
        EXPECT_TRUE(manager.state().resource_managers.front().is_serving) << why();
    }
}

ASSENT_ON_EACH_SERVER(mysql_account);

}  // namespace

}  // namespace assent::contract
