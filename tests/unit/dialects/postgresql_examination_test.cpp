// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/examination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/dialects/examined.hpp"

namespace {

using namespace assent;
using namespace assent::postgresql_dialect;
using assent::testing::at_level;
using assent::testing::found;
using assent::testing::has;
using assent::testing::worse_than_ok;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A server on this machine with which nothing is wrong, until a test says otherwise.
class made_up final : public question
{
public:
    // In the order of the query.
    row facts{"15.20", "150020", "0",   "100", "0",  "0", "0", "0", "1",
              "0",     "",       "100", "2",   "-1", "1", "0", "1"};
    static constexpr std::size_t version = 0;
    static constexpr std::size_t version_number = 1;
    static constexpr std::size_t taken = 4;
    static constexpr std::size_t oldest_s = 5;
    static constexpr std::size_t is_encrypted = 15;
    static constexpr std::size_t is_local = 16;

    std::string process = "4711";
    bool is_lost_at_force = false;
    bool is_refused_at_force = false;
    bool pools_by_session = false;

    table ask(std::string const& sql, std::string const&) override
    {
        if (has(sql, "server_version_num")) return {facts};
        if (has(sql, "reset_val")) return {{"fsync", "on"}, {"full_page_writes", "on"}};
        for (auto const* each : {"assent_decision", "assent_task", "assent_branch"})
            if (has(sql, each)) return {};
        if (has(sql, "pg_logical_emit_message")) {
            if (is_lost_at_force) throw driver_error("gone", "", 0, true);
            if (is_refused_at_force) throw driver_error("permission denied", "42501");
            return {{"local", "0/1"}};
        }
        if (has(sql, "pg_backend_pid")) return {{process}};
        EXPECT_EQ(sql, "SELECT 1");
        return {{"1"}};
    }

    examination examine()
    {
        session_identity who;
        who.server = "7000/5";
        who.user = "shop";
        who.process = 4711;
        return postgresql_dialect::examine(*this, who, {false, pools_by_session},
                                           {"libpq 15.20", {}});
    }
};

TEST(PostgresqlExamination, OfASoundServerIsAllOk)
{
    made_up server;

    auto const told = server.examine();

    EXPECT_THAT(worse_than_ok(told), IsEmpty());
    EXPECT_EQ(told.kind, "postgresql");
    EXPECT_EQ(told.identity, "7000/5");
    EXPECT_EQ(told.round_trip->count, 21u);
    EXPECT_EQ(told.force->count, 7u);
}

TEST(PostgresqlExamination, OldVersionsAreErrorsAndNewerOnesAreTold)
{
    made_up old;
    old.facts[made_up::version] = "13.22";
    old.facts[made_up::version_number] = "130022";
    made_up newer;
    newer.facts[made_up::version_number] = "190000";

    EXPECT_THAT(at_level(old.examine(), finding_level::error), ElementsAre("version"));
    EXPECT_THAT(at_level(newer.examine(), finding_level::advice), ElementsAre("version"));
}

TEST(PostgresqlExamination, WhatIsPreparedForAnHourIsAWarning)
{
    made_up server;
    server.facts[made_up::taken] = "1";
    server.facts[made_up::oldest_s] = "3600";

    auto const told = server.examine();

    EXPECT_THAT(at_level(told, finding_level::warning), ElementsAre("prepared for long"));
    EXPECT_EQ(found(told, "prepared for long").seen, "the oldest for 3600 s");
}

TEST(PostgresqlExamination, AnOpenWayToAnotherMachineIsToldAndAnEncryptedOneIsNot)
{
    made_up open;
    open.facts[made_up::is_local] = "0";
    made_up encrypted;
    encrypted.facts = open.facts;
    encrypted.facts[made_up::is_encrypted] = "1";

    EXPECT_THAT(worse_than_ok(open.examine()), ElementsAre("transport"));
    EXPECT_THAT(worse_than_ok(encrypted.examine()), IsEmpty());
}

TEST(PostgresqlExamination, AnotherProcessIdThanTheClientsIsAProxy)
{
    made_up server;
    server.process = "12";

    EXPECT_THAT(at_level(server.examine(), finding_level::error), ElementsAre("proxy"));
    server.pools_by_session = true;
    EXPECT_THAT(at_level(server.examine(), finding_level::warning), ElementsAre("proxy"));
}

TEST(PostgresqlExamination, AForceThatIsRefusedIsToldAndAConnectionThatIsLostEndsIt)
{
    made_up refused;
    refused.is_refused_at_force = true;
    made_up lost;
    lost.is_lost_at_force = true;

    auto const told = refused.examine();

    EXPECT_FALSE(told.force.has_value());
    EXPECT_THAT(told.why_no_force, HasSubstr("permission denied"));
    EXPECT_THROW(lost.examine(), driver_error);
}

}  // namespace
