// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// odbc_sqlite_rows_test.cpp -- commit rows in a file: its one writer, its locks, what may happen to
// it while it is open, and who is still to be trusted then.

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "tests/contract/sqlite_target.hpp"

namespace assent::contract {

namespace {

using ::testing::HasSubstr;

constexpr char some_content[] = "00010001000000000000000a";

/// A file has other permissions, and this process is nobody who may ignore them.
class without_rights
{
public:
    without_rights(std::string path, std::filesystem::perms of)
        : path_(std::move(path)), before_(std::filesystem::status(path_).permissions())
    {
        std::filesystem::permissions(directory(), std::filesystem::perms{0755});
        std::filesystem::permissions(path_, of);
        if (was_root_ && ::seteuid(65534) != 0) throw std::runtime_error("seteuid");
    }
    without_rights(without_rights const&) = delete;
    without_rights& operator=(without_rights const&) = delete;
    ~without_rights()
    {
        if (was_root_ && ::seteuid(0) != 0) std::abort();
        std::filesystem::permissions(path_, before_);
    }

private:
    std::string directory() const
    {
        bool const is_directory = std::filesystem::is_directory(path_);
        return is_directory ? path_ : std::filesystem::path{path_}.parent_path().string();
    }

    std::string const path_;
    std::filesystem::perms const before_;
    bool const was_root_ = ::geteuid() == 0;
};

}  // namespace

class odbc_sqlite_rows : public contract
{
protected:
    void SetUp() override
    {
        contract::SetUp();
        if (IsSkipped()) return;
        manage_ = open(session_purpose::manage);
        driver().preflight(*manage_, in_seconds(10));
        rows().ensure(*manage_, in_seconds(10));
    }
    void TearDown() override
    {
        manage_.reset();
        contract::TearDown();
    }

    sqlite_target& lite() { return *the_sqlite(); }
    decision_table& rows() { return *driver().decisions(); }
    driver_session& manage() { return *manage_; }
    std::string other(std::string const& sql)
    {
        return odbc_client{sqlite_string(lite().path())}.query(sql);
    }

    static gtrid next_name()
    {
        static std::uint64_t sequence = 0;
        auto const node = static_cast<std::uint64_t>(::getpid());
        return gtrid::make({decision_place::commit_row, 9, node, 1, 0x11, ++sequence});
    }
    void carry(driver_session& session, gtrid const& name,
               std::string const& content = some_content)
    {
        rows().carry(session, {name, row_kind::commit, content});
    }
    reply commit(started const& branch, gtrid const& name,
                 std::string const& content = some_content)
    {
        carry(*branch.session, name, content);
        return run(*branch.session, verb::commit_one_phase, branch.id);
    }
    /// Nothing: ask again later.  Where that is expected, it is not waited for long.
    std::optional<row_kind> fence(gtrid const& name, int seconds = 10)
    {
        auto const row = rows().fence(manage(), name, in_seconds(seconds));
        return row ? std::optional{row->kind} : std::nullopt;
    }
    bool has_row(gtrid const& name)
    {
        return !rows().list(manage(), name.text(), 1, in_seconds(10)).empty();
    }
    std::string borrow_refusal(std::string const& journal_mode, std::string const& synchronous,
                               resource_manager_driver& from)
    {
        odbc_client client{sqlite_string(lite().path())};
        client.query("PRAGMA journal_mode = " + journal_mode);
        client.query("PRAGMA synchronous = " + synchronous);
        return refusal([&] { from.borrow(client.get(), facts(), in_seconds(10)); });
    }

private:
    session_ptr manage_;
};
INSTANTIATE_TEST_SUITE_P(sqliteodbc, odbc_sqlite_rows, ::testing::Values(&make_sqlite_target));

// ---- its table -------------------------------------------------------------------------------

TEST_P(odbc_sqlite_rows, AReservationsTableThatWouldNotKeepThemIsRefusedByName)
{
    auto* const table = driver().branches();
    ASSERT_NE(table, nullptr);
    auto const ensure = [&] { table->ensure_branches(manage(), in_seconds(10)); };
    for (auto const& [columns, word] :
         {std::pair{"xid TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, manager TEXT, payload BLOB",
                    "takes two texts for one"},
          std::pair{"xid TEXT NOT NULL PRIMARY KEY, manager INTEGER, payload BLOB",
                    "of another type"},
          std::pair{"xid TEXT NOT NULL PRIMARY KEY, manager TEXT", "a column is missing"}}) {
        other("DROP TABLE IF EXISTS assent_branch");
        other(std::string{"CREATE TABLE assent_branch ("} + columns + ")");
        EXPECT_THAT(refusal(ensure), HasSubstr(word));
    }
    other("DROP TABLE assent_branch");
    EXPECT_NO_THROW(ensure());
}

// ---- what the application sees ---------------------------------------------------------------

TEST_P(odbc_sqlite_rows, LastIdAndChangesAfterACommitAreTheApplications)
{
    constexpr char seen[] = "SELECT last_insert_rowid() || ' ' || changes()";
    other("CREATE TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY, v INTEGER)");
    for (char const* const work :
         {"INSERT INTO seen VALUES (42, 1)", "INSERT INTO seen (v) VALUES (1), (2), (3)",
          "INSERT INTO seen VALUES (-7, 1)", "UPDATE seen SET v = v + 1",
          "UPDATE seen SET v = 0 WHERE id = 4711", "SELECT * FROM seen", "DELETE FROM seen"}) {
        odbc_client by_hand{sqlite_string(lite().path())};
        by_hand.query("BEGIN IMMEDIATE");
        by_hand.query("INSERT INTO seen VALUES (1000, 1)");
        by_hand.query(work);
        std::string const expected = by_hand.query(seen);
        by_hand.query("ROLLBACK");
        odbc_client lent{sqlite_string(lite().path())};
        lent.query("PRAGMA synchronous = EXTRA");
        auto const session = driver().borrow(lent.get(), facts(), in_seconds(10));
        xid const id = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, id).is_ok());
        lent.query("INSERT INTO seen VALUES (1000, 1)");
        lent.query(work);
        auto const name = next_name();
        carry(*session, name);

        ASSERT_TRUE(run(*session, verb::commit_one_phase, id).is_ok());

        EXPECT_EQ(lent.query(seen), expected) << work;
        EXPECT_EQ(lent.query("SELECT count(*) FROM temp.sqlite_master"), "0") << "nothing is left";
        EXPECT_TRUE(has_row(name));
        other("DELETE FROM seen");
    }
    other("DROP TABLE seen");
}

TEST_P(odbc_sqlite_rows, WorkOfASessionThatWasMadeReadOnlySinceIsCommittedWithItsRow)
{
    odbc_client lent{sqlite_string(lite().path())};
    lent.query("PRAGMA synchronous = EXTRA");
    auto const session = driver().borrow(lent.get(), facts(), in_seconds(10));
    xid const id = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, id).is_ok());
    target().write_row(*session, 1);
    lent.query("PRAGMA query_only = 1");
    auto const name = next_name();
    carry(*session, name);

    EXPECT_TRUE(run(*session, verb::commit_one_phase, id).is_ok()) << "as COMMIT by hand is";

    EXPECT_EQ(target().count_rows(1), 1);
    EXPECT_TRUE(has_row(name));
    EXPECT_EQ(lent.query("PRAGMA query_only"), "1") << "that is the application's";
}

// ---- one writer ------------------------------------------------------------------------------

TEST_P(odbc_sqlite_rows, AFenceWaitsForEveryBranchThatMayStillCommitItsRow)
{
    for (std::string const journal_mode : {"DELETE", "WAL"}) {
        other("PRAGMA journal_mode = " + journal_mode);
        auto const committed = next_name();
        auto const given_up = next_name();

        auto const first = start_branch(journal_mode == "WAL" ? 1 : 2);
        EXPECT_EQ(fence(committed, 3), std::nullopt) << "it may still commit";
        EXPECT_TRUE(commit(first, committed).is_ok());
        EXPECT_EQ(fence(committed), row_kind::commit);

        auto const second = start_branch(3);
        EXPECT_EQ(fence(given_up, 3), std::nullopt);
        EXPECT_TRUE(run(*second.session, verb::rollback, second.id).is_ok());
        EXPECT_EQ(fence(given_up), row_kind::abort);
        EXPECT_TRUE(manage().is_reusable());
    }
}

TEST_P(odbc_sqlite_rows, ABranchThatFindsTheFileLockedHasNotBegun)
{
    odbc_client writer{sqlite_string(lite().path())};
    writer.query("BEGIN IMMEDIATE");
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);

    EXPECT_EQ(run(*session, verb::start, x).code, xa_code::retry);
    EXPECT_TRUE(session->is_reusable());

    writer.query("ROLLBACK");
    EXPECT_TRUE(run(*session, verb::start, x).is_ok());
    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
}

TEST_P(odbc_sqlite_rows, ABranchThatOnlyReadsKeepsNobodyFromWriting)
{
    other("PRAGMA journal_mode = WAL");
    auto const session = open(session_purpose::work);
    xid const x = next_xid(*session);
    session->declare({{}, access::read_only});
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    run_sql(*session, "SELECT count(*) FROM entry");

    EXPECT_EQ(fence(next_name()), row_kind::abort);
    EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
}

TEST_P(odbc_sqlite_rows, ALockOfSomebodyElseMakesTheFenceSayLater)
{
    auto const name = next_name();
    for (char const* lock : {"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"}) {
        odbc_client stranger{sqlite_string(lite().path())};
        stranger.query(lock);

        EXPECT_EQ(fence(name, 3), std::nullopt) << lock;
        EXPECT_TRUE(manage().is_reusable());
        stranger.query("ROLLBACK");
    }
    EXPECT_FALSE(has_row(name));
    EXPECT_EQ(fence(name), row_kind::abort);
}

TEST_P(odbc_sqlite_rows, ARowThatCannotBeCommittedForReadersIsRolledBackWithItsWork)
{
    auto const name = next_name();
    auto const branch = start_branch(1);
    odbc_client reader{sqlite_string(lite().path())};
    reader.query("BEGIN");
    reader.query("SELECT count(*) FROM entry");

    auto const said = commit(branch, name);

    EXPECT_EQ(said.code, xa_code::rbtransient) << said.text;
    EXPECT_EQ(fence(name, 3), std::nullopt) << "the fence waits for the reader as well";
    reader.query("ROLLBACK");
    EXPECT_EQ(fence(name), row_kind::abort);
    EXPECT_EQ(lite().count_rows(1), 0);
}

TEST_P(odbc_sqlite_rows, ACommitThatIsCutWhileItWaitsLeavesNoLockBehind)
{
    auto const name = next_name();
    odbc_client mine{sqlite_string(lite().path())};
    mine.query("PRAGMA synchronous = EXTRA");
    odbc_client reader{sqlite_string(lite().path())};
    reader.query("BEGIN");
    reader.query("SELECT count(*) FROM entry");
    {
        started branch{driver().borrow(mine.get(), facts(), in_seconds(10)), {}};
        branch.id = next_xid(*branch.session);
        ASSERT_TRUE(run(*branch.session, verb::start, branch.id).is_ok());
        lite().write_row(*branch.session, 1);
        carry(*branch.session, name);
        branch.session->submit(verb::commit_one_phase, branch.id);
        EXPECT_FALSE(branch.session->collect(std::chrono::steady_clock::now() +
                                             std::chrono::milliseconds{50}));
        branch.session->sever();
        auto const said = branch.session->collect(in_seconds(10));
        ASSERT_TRUE(said);
        EXPECT_EQ(said->detail, reply_detail::reply_lost) << "COMMIT had been sent";
    }
    reader.query("ROLLBACK");

    EXPECT_EQ(fence(name), row_kind::abort) << "its owner has not closed it yet";
    EXPECT_EQ(lite().count_rows(1), 0);
}

// ---- rows ------------------------------------------------------------------------------------

TEST_P(odbc_sqlite_rows, NoRowIsInsertedWhereTheBranchWasLeftBehind)
{
    auto const name = next_name();
    auto const branch = start_branch(1);
    run_sql(*branch.session, "COMMIT");

    EXPECT_EQ(commit(branch, name).detail, reply_detail::left_behind);
    EXPECT_FALSE(has_row(name));
}

TEST_P(odbc_sqlite_rows, ATriggerThatKeepsTheRowOutFailsTheCommit)
{
    for (char const* const trigger :
         {"BEFORE INSERT ON main.assent_decision BEGIN SELECT RAISE(IGNORE); END",
          "AFTER INSERT ON main.assent_decision BEGIN DELETE FROM assent_decision; END"}) {
        auto const name = next_name();
        auto const session = open(session_purpose::work);
        run_sql(*session, std::string{"CREATE TEMP TRIGGER spoil "} + trigger);
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        lite().write_row(*session, 1);
        carry(*session, name);

        auto const said = run(*session, verb::commit_one_phase, x);

        EXPECT_TRUE(is_rolled_back(said));
        EXPECT_THAT(said.text, HasSubstr("kept the commit row out"));
        EXPECT_EQ(lite().count_rows(1), 0);
        EXPECT_EQ(fence(name), row_kind::abort);
    }
}

TEST_P(odbc_sqlite_rows, ATemporaryTableOfThatNameIsNotTaken)
{
    auto const name = next_name();
    auto const session = open(session_purpose::work);
    run_sql(*session, "CREATE TEMP TABLE assent_decision (gtrid, kind, content)");
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    carry(*session, name);

    EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
    EXPECT_TRUE(has_row(name));
}

TEST_P(odbc_sqlite_rows, ADatabaseThatIsFullRollsBackWorkAndRow)
{
    auto const name = next_name();
    auto const branch = start_branch(1);
    run_sql(*branch.session, "PRAGMA max_page_count = 1");  // as small as it is now
    std::string content;
    for (int i = 0; i < 1000; ++i)
        content += some_content;

    auto const said = commit(branch, name, content);

    EXPECT_TRUE(is_rolled_back(said)) << said.text;
    EXPECT_THAT(said.text, HasSubstr("full"));
    EXPECT_FALSE(has_row(name));
    EXPECT_EQ(lite().count_rows(1), 0);
}

TEST_P(odbc_sqlite_rows, ATableThatWouldLoseRowsIsRefusedByName)
{
    auto const ensure = [&] { rows().ensure(manage(), in_seconds(10)); };
    other("CREATE TRIGGER spoil BEFORE INSERT ON assent_decision BEGIN SELECT RAISE(IGNORE); END");
    EXPECT_THAT(refusal(ensure), HasSubstr("triggers"));
    other("DROP TABLE assent_decision");
    other("CREATE TABLE assent_decision (gtrid TEXT, kind TEXT, content TEXT)");
    EXPECT_THAT(refusal(ensure), HasSubstr("primary key"));
    other("DROP TABLE assent_decision");
    other("CREATE VIEW assent_decision AS SELECT 'a' AS gtrid");
    EXPECT_THAT(refusal(ensure), HasSubstr("no plain table"));
    other("DROP VIEW assent_decision");
    EXPECT_EQ(refusal(ensure), "");
}

TEST_P(odbc_sqlite_rows, ATableThatIsMissingAnswersNothing)
{
    other("DROP TABLE assent_decision");

    EXPECT_THAT(refusal([&] { fence(next_name()); }), HasSubstr("missing"));
    EXPECT_TRUE(rows().list(manage(), "asn1", 10, in_seconds(10)).empty());
    EXPECT_EQ(other("SELECT count(*) FROM sqlite_master WHERE name = 'assent_decision'"), "0");
}

// ---- the file --------------------------------------------------------------------------------

TEST_P(odbc_sqlite_rows, AFileThatWasMovedIsNeitherCommittedToNorAsked)
{
    for (std::string const journal_mode : {"DELETE", "WAL"}) {
        other("PRAGMA journal_mode = " + journal_mode);
        auto const fresh = driver().connect(session_purpose::manage, in_seconds(10));
        auto const name = next_name();
        auto const branch = start_branch(1);
        auto const away = lite().path() + "-away";
        std::filesystem::rename(lite().path(), away);

        auto const said = commit(branch, name);
        EXPECT_TRUE(is_rolled_back(said)) << said.text;
        EXPECT_THAT(refusal([&] { rows().fence(*fresh, name, in_seconds(10)); }),
                    HasSubstr("was moved"));
        EXPECT_THAT(refusal([&] { driver().scan(*fresh, in_seconds(10)); }),
                    HasSubstr("was moved"));

        std::filesystem::rename(away, lite().path());
        EXPECT_FALSE(has_row(name));
    }
}

TEST_P(odbc_sqlite_rows, AFileThatIsMissingIsNotMade)
{
    auto const nowhere = lite().path() + "-missing";
    auto const of = odbc::resource_manager{"ledger", sqlite_string(nowhere)}.driver();

    EXPECT_THAT(refusal([&] { of->connect(session_purpose::manage, in_seconds(10)); }),
                HasSubstr("whether the file is there"));
    EXPECT_FALSE(std::filesystem::exists(nowhere));
}

TEST_P(odbc_sqlite_rows, AFileThatMayOnlyBeReadIsNoPrimary)
{
    auto const is_primary = [&] {
        return driver().scan(manage(), in_seconds(10)).is_writable_primary;
    };
    {
        without_rights const now{lite().path(), std::filesystem::perms{0444}};
        EXPECT_FALSE(is_primary());
    }
    EXPECT_TRUE(is_primary());
}

/// What is committed in the page cache only, since its process was killed right then, may go with
/// the power.
TEST_P(odbc_sqlite_rows, ARowThatCannotBeSyncedDecidesNothing)
{
    auto const name = next_name();
    ASSERT_TRUE(commit(start_branch(1), name).is_ok());
    {
        // The directory may be entered, and not opened.
        without_rights const now{lite().directory(), std::filesystem::perms{0311}};
        EXPECT_THAT(refusal([&] { fence(name); }), HasSubstr("cannot sync"));
        EXPECT_THAT(refusal([&] { has_row(name); }), HasSubstr("cannot sync"));
    }
    EXPECT_EQ(fence(name), row_kind::commit);
}

TEST_P(odbc_sqlite_rows, ALentHandleMustSyncWhatItCommits)
{
    auto& strict = driver();
    EXPECT_EQ(borrow_refusal("DELETE", "EXTRA", strict), "");
    EXPECT_THAT(borrow_refusal("DELETE", "FULL", strict), HasSubstr("synchronous is 2"));
    EXPECT_EQ(borrow_refusal("TRUNCATE", "FULL", strict), "");
    EXPECT_THAT(borrow_refusal("MEMORY", "EXTRA", strict), HasSubstr("journal_mode is memory"));
    EXPECT_EQ(borrow_refusal("WAL", "FULL", strict), "");
    EXPECT_THAT(borrow_refusal("WAL", "NORMAL", strict), HasSubstr("synchronous is 1"));

    auto const lax = lite().driver_with("ALLOW_NON_DURABLE=yes;");
    EXPECT_EQ(borrow_refusal("WAL", "NORMAL", *lax), "");
}

TEST_P(odbc_sqlite_rows, ACopyOfTheFileIsAnotherDatabaseToALentHandle)
{
    auto const copy = lite().path() + "-copy";
    std::filesystem::copy_file(lite().path(), copy,
                               std::filesystem::copy_options::overwrite_existing);
    odbc_client client{sqlite_string(copy)};
    client.query("PRAGMA synchronous = EXTRA");

    EXPECT_THAT(refusal([&] { driver().borrow(client.get(), facts(), in_seconds(10)); }),
                HasSubstr("another database"));
}

}  // namespace assent::contract
