// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_tasks_test.cpp -- what is sent for messages, and what is made of answers that a server of
// the tests would not give.

#include "adapters/dialects/mysql/tasks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/dialects/examined.hpp"

namespace {

using namespace assent;
using namespace assent::mysql_dialect;
using assent::testing::has;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A session in its branch, at a server that answers by its script: whoever has a part of the
/// statement first.  What the script does not know is done, and changes one row.
class scripted final : public question, public tasks::branch_question
{
public:
    struct rule
    {
        char const* part;
        table rows;
        unsigned error = 0;
    };

    explicit scripted(bool mariadb, std::vector<rule> by = {})
        : question("orders"), rules(std::move(by)), is_mariadb_(mariadb)
    {
    }

    std::vector<rule> rules;
    std::optional<isolation> level = isolation::read_committed;
    std::uint64_t changes = 1;
    std::vector<std::string> sent;

    table ask(std::string const& sql) override
    {
        sent.push_back(sql);
        for (auto const& each : rules) {
            if (!has(sql, each.part)) continue;
            if (each.error != 0) {
                throw driver_error("error " + std::to_string(each.error), {},
                                   static_cast<int>(each.error));
            }
            return each.rows;
        }
        return {};
    }
    std::vector<table> ask_branches(std::string const&) override { return {}; }
    bool is_mariadb() const override { return is_mariadb_; }
    unsigned server_version() const override { return is_mariadb_ ? 101119U : 90704U; }
    std::uint64_t session_id() const override { return 4711; }

    question& of() override { return *this; }
    std::string_view gtrid() const override { return "g"; }
    std::optional<isolation> declared_level() const override { return level; }
    std::uint64_t changed() const override { return changes; }
    void require_branch() const override {}

    int count(char const* part) const
    {
        int n = 0;
        for (auto const& sql : sent)
            n += has(sql, part) ? 1 : 0;
        return n;
    }

private:
    bool const is_mariadb_;
};

row row_with(std::optional<std::string> body)
{
    return {"7", "token", "3", "key", "n=v\n", std::move(body), "gtrid"};
}

std::string thrown_by_take(scripted& at)
{
    try {
        tasks::take(at, "db", "jobs");
    } catch (driver_error const& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(MysqlTasks, AreTakenWithWhateverBytesTheyHave)
{
    scripted at{true};
    std::string const odd{"\0\xff'", 3};
    for (auto const& body : {odd, std::string{}}) {
        at.rules = {{"select id", {row_with(body)}}};
        auto const taken = tasks::take(at, "db", "jobs");
        ASSERT_TRUE(taken);
        EXPECT_EQ(taken->body, body);
        EXPECT_EQ(taken->token, "token");
        EXPECT_EQ(taken->lane, 3);
        EXPECT_EQ(taken->key, "key");
        EXPECT_EQ(taken->headers, "n=v\n");
        EXPECT_EQ(taken->gtrid, "gtrid");
    }
    EXPECT_EQ(at.count("where id = 7"), 2);
    EXPECT_EQ(at.count("hex("), 0) << "NULL where the digits are more than max_allowed_packet";
}

/// NULL is an answer that the server gave up on, and no empty text.
TEST(MysqlTasks, AreNotDeletedWhereAColumnIsMissing)
{
    row short_of_one = row_with("body");
    short_of_one.pop_back();
    row without_headers = row_with("body");
    without_headers[4].reset();
    for (auto const& seen : {row_with(std::nullopt), short_of_one, without_headers}) {
        scripted at{true};
        at.rules = {{"select id", {seen}}};
        EXPECT_THAT(thrown_by_take(at), HasSubstr("cannot be read"));
        EXPECT_EQ(at.count("delete"), 0);
    }
}

TEST(MysqlTasks, AreNotTakenWhereTheyAreNotDeleted)
{
    scripted at{true};
    at.rules = {{"select id", {row_with("body")}}};
    at.changes = 0;
    EXPECT_THAT(thrown_by_take(at), HasSubstr("is there still"));
}

/// What the session says is not what the branch has: SET TRANSACTION is for one transaction only.
TEST(MysqlTasks, AreTakenWhereTheBranchWasBegunAtReadCommittedAndNobodyIsAskedElsewhere)
{
    using level_of = std::optional<isolation>;
    for (auto const level :
         {level_of{}, level_of{isolation::read_uncommitted}, level_of{isolation::repeatable_read},
          level_of{isolation::serializable}}) {
        scripted at{true};
        at.level = level;
        at.rules = {{"isolation", {{"READ-COMMITTED"}}}};
        try {
            tasks::take(at, "db", "jobs");
            ADD_FAILURE() << "it was taken";
        } catch (driver_error const& error) {
            EXPECT_EQ(error.why(), errc::invalid_state);
            EXPECT_THAT(error.what(), HasSubstr("READ COMMITTED"));
        }
        EXPECT_THAT(at.sent, IsEmpty());
    }
}

constexpr unsigned is_busy = 3572;
constexpr unsigned waited_in_vain = 1205;
constexpr unsigned deadlock = 1213;
constexpr unsigned interrupted = 1317;

/// A MySQL where somebody keeps the slot; what waits for it fails.
std::vector<scripted::rule> where_a_slot_is_kept(unsigned error)
{
    return {{"nowait", {}, is_busy},
            {"select @@session.innodb_lock_wait_timeout", {{"50"}}},
            {"set turn = turn + 1", {}, error}};
}

driver_error thrown_by_put(scripted& at)
{
    task_row row;
    row.token = std::string(32, '0');
    row.to = "jobs";
    try {
        tasks::put(at, "db", {row}, {7}, std::chrono::seconds{2});
    } catch (driver_error const& error) {
        return error;
    }
    return driver_error{"nothing was thrown"};
}

TEST(MysqlTasks, LeaveTheSessionItsOwnLimitWhateverComesOfTheWait)
{
    for (auto const error : {0U, waited_in_vain, deadlock, interrupted}) {
        scripted at{false, where_a_slot_is_kept(error)};
        auto const said = thrown_by_put(at);
        EXPECT_EQ(said.native_code(), static_cast<int>(error)) << said.what();
        EXPECT_EQ(at.count("set session innodb_lock_wait_timeout = 2"), 1);
        EXPECT_EQ(at.count("set session innodb_lock_wait_timeout = 50"), 1);
        EXPECT_EQ(at.count("insert"), error == 0 ? 1 : 0);
    }
}

TEST(MysqlTasks, TellWhyTheyWaitedInVainAlsoWhereTheLimitCannotBeGivenBack)
{
    scripted at{false, where_a_slot_is_kept(interrupted)};
    at.rules.push_back({"innodb_lock_wait_timeout = 50", {}, 2013});
    EXPECT_EQ(thrown_by_put(at).native_code(), static_cast<int>(interrupted));
}

/// It has rolled back what the branch had done; a key that is kept has not.
TEST(MysqlTasks, CallNothingAKeyThatIsKeptButTheWaitForIt)
{
    scripted kept{false, where_a_slot_is_kept(waited_in_vain)};
    auto const said = thrown_by_put(kept);
    EXPECT_EQ(said.sqlstate(), "55P03");
    EXPECT_THAT(said.what(), HasSubstr("keeps the key"));
    for (auto const error : {deadlock, interrupted}) {
        scripted at{false, where_a_slot_is_kept(error)};
        EXPECT_THAT(thrown_by_put(at).what(), Not(HasSubstr("keeps the key")));
    }
}

/// A session may have chosen to see fewer rows than there are.
TEST(MysqlTasks, LockAsManySlotsAsTheyHave)
{
    scripted at{false};
    at.changes = 2;
    task_row row;
    row.token = std::string(32, '0');
    tasks::put(at, "db", {row, row}, {7, 9}, std::chrono::seconds{2});
    EXPECT_THAT(at.sent, ElementsAre(HasSubstr("limit 2 for update nowait"), HasSubstr("insert")));
}

/// A server whose tables are there.
std::vector<scripted::rule> with_tables(char const* index, char const* extra)
{
    table const columns = {
        {"token", "char", "32", "ascii_bin"},    {"kind", "char", "1", "ascii_bin"},
        {"state", "char", "1", "ascii_bin"},     {"dest", "varbinary", "64", ""},
        {"key", "varbinary", "255", ""},         {"headers", "text", "65535", "ascii_bin"},
        {"body", "mediumblob", "16777215", ""},  {"gtrid", "char", "57", "ascii_bin"},
        {"position", "char", "40", "ascii_bin"}, {"previous", "char", "40", "ascii_bin"}};
    return {{"seq_in_index", {{index, extra}}},
            {"information_schema.columns", columns},
            {"table_name = 'assent_task'", {{"BASE TABLE", "InnoDB", "id", "0"}}},
            {"table_name = 'assent_key'", {{"BASE TABLE", "InnoDB", "slot", "0"}}},
            {"binlog_format", {{"0", "ROW"}}},
            {"max_allowed_packet", {{"16777216"}}},
            {"count(*) from assent_key", {{"4096"}}}};
}

/// What the column `name` is instead, and whether it will do.
TEST(MysqlTasks, AreRefusedByATableThatWouldCutThem)
{
    auto const with = [](row const& other) {
        auto rules = with_tables("dest,kind,state,id", "auto_increment");
        for (auto& each : rules[1].rows) {
            if (each[0] == other[0]) each = other;
        }
        return scripted{true, rules};
    };
    for (row const& fit :
         {row{"body", "longblob", "4294967295", ""}, row{"gtrid", "varchar", "80", "utf8mb4_bin"},
          row{"headers", "longtext", "4294967295", "utf8mb4_general_ci"},
          row{"token", "varbinary", "32", ""}}) {
        auto at = with(fit);
        EXPECT_TRUE(tasks::is_fit(at));
    }
    for (row const& unfit :
         {row{"body", "blob", "65535", ""}, row{"body", "longtext", "4294967295", "ascii_bin"},
          row{"gtrid", "char", "56", "ascii_bin"}, row{"gtrid", "char", "57", "ascii_general_ci"},
          row{"dest", "varchar", "64", "ascii_bin"},
          row{"lacking", "varchar", "64", "ascii_bin"}}) {
        auto at = with(unfit);
        if (unfit[0] == "lacking") at.rules[1].rows.pop_back();
        try {
            tasks::is_fit(at);
            ADD_FAILURE() << *unfit[0] << " was taken";
        } catch (driver_error const& error) {
            EXPECT_THAT(error.what(), HasSubstr("ALTER TABLE assent_task MODIFY `"));
        }
    }
}

TEST(MysqlTasks, AreRefusedByATableWithoutTheirOrder)
{
    constexpr char index[] = "dest,kind,state,id";
    constexpr char extra[] = "auto_increment";
    scripted fit{true, with_tables(index, extra)};
    EXPECT_TRUE(tasks::is_fit(fit));
    for (auto const& [seen, word] :
         {std::pair{std::pair{"dest,id", extra}, "index assent_task_taking"},
          std::pair{std::pair{"", extra}, "index assent_task_taking"},
          std::pair{std::pair{static_cast<char const*>(index), ""}, "AUTO_INCREMENT"}}) {
        scripted at{true, with_tables(seen.first, seen.second)};
        for (auto const look : {true, false}) {
            try {
                look ? static_cast<void>(tasks::is_fit(at)) : tasks::ensure(at);
                ADD_FAILURE() << "it was taken";
            } catch (driver_error const& error) {
                EXPECT_THAT(error.what(), HasSubstr(word));
            }
        }
    }
}

}  // namespace
