// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/examination.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/dialects/examined.hpp"

namespace {

using namespace assent;
using namespace assent::mysql_dialect;
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
    explicit made_up(bool mariadb) : question("orders"), is_mariadb_(mariadb)
    {
        version = mariadb ? "10.11.19-MariaDB" : "9.7.4";
        settings = {
            {"innodb_flush_log_at_trx_commit", "1"}, {"log_bin", "OFF"}, {"max_connections", "80"}};
        if (!mariadb) settings["xa_detach_on_prepare"] = "ON";
    }

    std::string version;
    std::map<std::string, std::string> settings;
    std::string database = "orders";
    std::string session = "4711";
    std::string host = "localhost";
    std::string cipher;
    bool is_refused = false;  ///< listing branches
    bool is_listed = false;   ///< branches were asked for
    std::vector<std::string> written;

    table ask(std::string const& sql) override
    {
        if (has(sql, "show global variables")) {
            table all;
            for (auto const& [name, value] : settings) {
                EXPECT_THAT(sql, HasSubstr("'" + name + "'"));
                all.push_back({name, value});
            }
            return all;
        }
        if (has(sql, "@@read_only"))
            return {{"one", database, "0", "0", "0", "1/here/3306", "1767225600", "1"}};
        if (has(sql, "Threads_connected")) {
            return {{version, database, session, host, "2", cipher}};
        }
        if (has(sql, "user_privileges")) return {{"1"}};
        if (has(sql, "table_name = 'assent_past'")) return {{"1"}};
        if (has(sql, "information_schema.tables")) return {};
        if (sql == "select 1") return {{"1"}};
        written.push_back(sql);
        return {};
    }
    std::vector<table> ask_branches(std::string const&) override
    {
        is_listed = true;
        if (is_refused) throw driver_error("refused", "XAE03", 1401);
        return {{{"one", database, "0", "0", "0", "1/here/3306", "1767225600", "1"}}, {}};
    }
    bool is_mariadb() const override { return is_mariadb_; }
    unsigned server_version() const override { return version_number(version); }
    std::uint64_t session_id() const override { return 4711; }

private:
    bool is_mariadb_;
};

examination examined(made_up& server, bool may_list = true)
{
    examination_settings how;
    how.may_list = may_list;
    how.client = {"a library", {}};
    return examine(server, how);
}

std::vector<std::string> errors_with(bool mariadb, std::string const& name,
                                     std::string const& value)
{
    made_up server{mariadb};
    server.settings[name] = value;
    return at_level(examined(server), finding_level::error);
}

TEST(MysqlExamination, OfASoundServerIsAllOk)
{
    for (bool const mariadb : {true, false}) {
        made_up server{mariadb};

        auto const told = examined(server);

        EXPECT_THAT(worse_than_ok(told), IsEmpty());
        EXPECT_EQ(told.kind, mariadb ? "mariadb" : "mysql");
        EXPECT_EQ(told.identity, told.kind + ":one/orders");
        EXPECT_EQ(told.round_trip->count, 21u);
    }
}

TEST(MysqlExamination, OldVersionsAreErrorsAndNewerOnesAreTold)
{
    for (auto const& [mariadb, old, newer] :
         {std::tuple{true, "10.4.34", "12.1.0"}, std::tuple{false, "8.0.29", "10.0.0"}}) {
        made_up server{mariadb};
        server.version = old;
        EXPECT_THAT(at_level(examined(server), finding_level::error), ElementsAre("version"));
        server.version = newer;
        EXPECT_THAT(at_level(examined(server), finding_level::advice), ElementsAre("version"));
    }
}

TEST(MysqlExamination, ClustersAndSwitchesThatEndBranchesAreNamed)
{
    EXPECT_THAT(errors_with(true, "wsrep_on", "ON"), ElementsAre("wsrep_on"));
    EXPECT_THAT(errors_with(true, "wsrep_provider", "/usr/lib/galera/libgalera_smm.so"),
                ElementsAre("wsrep_provider"));
    EXPECT_THAT(errors_with(true, "legacy_xa_rollback_at_disconnect", "ON"),
                ElementsAre("legacy_xa_rollback_at_disconnect"));
    EXPECT_THAT(errors_with(false, "xa_detach_on_prepare", "OFF"),
                ElementsAre("xa_detach_on_prepare"));
    made_up group{false};
    group.settings["group_replication_group_name"] = "4f2c";
    EXPECT_THAT(at_level(examined(group), finding_level::warning),
                ElementsAre("group_replication_group_name"));
}

TEST(MysqlExamination, AnOpenWayToAnotherMachineIsToldAndAnEncryptedOneIsNot)
{
    made_up server{false};
    server.host = "10.0.0.7";

    EXPECT_THAT(worse_than_ok(examined(server)), ElementsAre("transport"));
    server.cipher = "TLS_AES_256_GCM_SHA384";
    EXPECT_THAT(worse_than_ok(examined(server)), IsEmpty());
}

TEST(MysqlExamination, AnotherSessionNumberThanTheClientsIsAProxy)
{
    made_up server{false};
    server.session = "12";

    EXPECT_THAT(at_level(examined(server), finding_level::warning), ElementsAre("proxy"));
}

TEST(MysqlExamination, ASessionWithoutADatabaseIsAnError)
{
    made_up server{false};
    server.database.clear();

    EXPECT_THAT(at_level(examined(server), finding_level::error), ElementsAre("database"));
}

TEST(MysqlExamination, BranchesAreNotAskedForWhereThatWouldMakeSomething)
{
    made_up server{false};

    auto const told = examined(server, false);

    EXPECT_FALSE(server.is_listed);
    EXPECT_EQ(found(told, "list of branches").level, finding_level::advice);
}

TEST(MysqlExamination, AForceLeavesNoRow)
{
    made_up server{true};

    auto const told = examined(server);

    ASSERT_EQ(told.force->count, 7u);
    ASSERT_EQ(server.written.size(), 28u);
    server.written.resize(4);
    EXPECT_THAT(
        server.written,
        ElementsAre("start transaction", "insert into assent_identity (id, value) values (2, '')",
                    "delete from assent_identity where id = 2", "commit and no chain no release"));
}

}  // namespace
