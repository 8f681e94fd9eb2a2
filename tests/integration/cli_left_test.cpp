// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_left_test.cpp -- what recovery leaves on real servers after a failover, with another account,
// and where a server will not finish a branch; and where a person reads why.

#include <libpq-fe.h>
#include <mysql.h>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace assent::testing;
using nlohmann::json;
using ::testing::HasSubstr;

json at(json const& list, std::string const& name)
{
    for (auto const& each : list) {
        auto const key = each.contains("name") ? "name" : "resource_manager";
        if (each.at(key) == name) return each;
    }
    ADD_FAILURE() << name << " is not in " << list;
    return json::object();
}

std::string replaced(std::string text, std::string const& what, std::string const& by)
{
    text.replace(text.find(what), what.size(), by);
    return text;
}

// Why recovery did not end the only branch that `database` lists.
std::string left(answer const& of, std::string const& database)
{
    auto const branches = at(of.json().at("remaining"), database).at("branches");
    if (branches.size() != 1 || branches[0].at("left_because") == nullptr) return branches.dump();
    return branches[0].at("left_because");
}

class CliLeft : public AtBank
{
protected:
    void SetUp() override
    {
        log_ = bank_->new_log_directory();
        all_ = both_databases(log_, *bank_);
        bank_->stop_looking();
    }

    answer assent(std::string const& configuration, std::vector<std::string> words) const
    {
        words.insert(words.begin(), {"--config", desk_.file("assent.toml", configuration)});
        return run_assent(words);
    }
    answer recover(std::string const& configuration, char const* seconds = "10") const
    {
        return assent(configuration,
                      {"--json", "recover", "--presumed-abort-delay", "0", "--timeout", seconds});
    }

    void expect_done(std::string const& id)
    {
        auto const done = recover(all_);
        EXPECT_EQ(done.status, 0) << done.out << done.err;
        expect_in_both(id);
        bank_->stop_looking();
    }

    desk desk_;
    std::string log_;
    std::string all_;
};

TEST_F(CliLeft, ABranchOfAnotherRoleIsSaidToBeSoBeforeAndAfter)
{
    std::unique_ptr<PGconn, void (*)(PGconn*)> const root{
        PQconnectdb(bank_->postgresql().superuser_conninfo().c_str()), &PQfinish};
    execute(root.get(), "create role clerk login");
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    auto const rotated =
        replaced(all_, bank_->accounts_conninfo(),
                 bank_->postgresql().superuser_conninfo("accounts") + " user=clerk");

    auto const scan = assent(rotated, {"--json", "scan"});
    auto const words = assent(rotated, {"recover", "--timeout", "6"});
    auto const done = recover(rotated, "6");
    auto const doctor = assent(rotated, {"--json", "doctor"});

    std::string const reason = "\"shop\", which alone can end it: log in as that";
    EXPECT_EQ(scan.status, 4);
    auto const branches = at(scan.json().at("databases"), "accounts").at("branches");
    ASSERT_EQ(branches.size(), 1u) << scan.out;
    EXPECT_EQ(branches[0].at("action"), "quarantine");
    EXPECT_THAT(branches[0].at("why").get<std::string>(), HasSubstr(reason));
    EXPECT_EQ(done.status, 4);
    EXPECT_THAT(left(done, "accounts"), HasSubstr(reason));
    EXPECT_THAT(words.out, HasSubstr("LEFT BECAUSE"));
    EXPECT_THAT(words.out, HasSubstr(reason));
    EXPECT_NE(doctor.status, 0);
    EXPECT_THAT(doctor.out, HasSubstr("branches of another role"));
    expect_done(id);
}

TEST_F(CliLeft, WhatTheServerWouldNotFinishIsSaidInItsOwnWords)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    answer done;
    {
        std::unique_ptr<MYSQL, void (*)(MYSQL*)> const backup{mysql_init(nullptr), &mysql_close};
        ASSERT_NE(mysql_real_connect(backup.get(), "localhost", "root", "", "", 0,
                                     bank_->mariadb().socket().c_str(), 0),
                  nullptr);
        execute(backup.get(), "backup stage start");
        execute(backup.get(), "backup stage block_commit");
        done = recover(all_, "20");
    }

    EXPECT_EQ(done.status, 4) << done.out;
    EXPECT_THAT(left(done, "orders"), HasSubstr("ock wait timeout"));
    expect_done(id);
}

TEST_F(CliLeft, AbortThatIsNotPresumedYetIsSaidToBeSo)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.force");

    auto const early =
        assent(all_, {"--json", "recover", "--timeout", "6", "--presumed-abort-delay", "60"});

    EXPECT_EQ(early.status, 4);
    EXPECT_THAT(left(early, "orders"), HasSubstr("--presumed-abort-delay"));
    EXPECT_EQ(recover(all_).status, 0);
    EXPECT_FALSE(is_transferred(id));
    bank_->stop_looking();
}

}  // namespace
