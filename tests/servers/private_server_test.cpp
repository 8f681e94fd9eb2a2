// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// private_server_test.cpp -- the servers that every other integration test stands on.

#include "tests/servers/private_server.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/servers/spawn.hpp"
#include "tests/servers/test_clients.hpp"

namespace assent::testing {
namespace {

using factory = std::unique_ptr<private_server> (*)(std::vector<std::string> const&);

struct kind
{
    char const* name;
    factory make;
    /// Runs SQL as `shop` over TCP and gives the first column of the first row.
    std::string (*query)(private_server const&, std::string const& sql);
    /// Why there is none here, or nothing.
    std::string (*missing)();
};

void PrintTo(kind const& what, std::ostream* out)
{
    *out << what.name;
}

class PrivateServer : public ::testing::TestWithParam<kind>
{
protected:
    void SetUp() override
    {
        if (auto const why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    }

    std::unique_ptr<private_server> make(std::vector<std::string> const& settings = {}) const
    {
        return GetParam().make(settings);
    }
    std::string query(private_server const& server, std::string const& sql) const
    {
        return GetParam().query(server, sql);
    }
};

// What a script of its own does, and what common.bash does for all.
class EveryPrivateServer : public PrivateServer
{
};

// A zombie is gone: who reaps it is not the server's matter.
bool exists(pid_t process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string line;
    return std::getline(file, line) && line.find(") Z ") == std::string::npos;
}

// Polls, because the watchdog is another process; the bound only says when to give up.
bool eventually(std::function<bool()> const& holds)
{
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

TEST_P(EveryPrivateServer, AnswersAsPlainAccountInBothDatabases)
{
    auto const server = make();

    EXPECT_TRUE(server->is_running());
    EXPECT_EQ(query(*server, "SELECT 40 + 2"), "42");
    query(*server, "CREATE TABLE t (v INT)");
}

TEST_P(EveryPrivateServer, KeepsCommittedRowsOverStopKillAndAnotherPort)
{
    auto const server = make();
    query(*server, "CREATE TABLE t (v INT)");
    query(*server, "INSERT INTO t VALUES (7)");
    int const first_port = server->port();

    server->stop();
    EXPECT_FALSE(server->is_running());
    EXPECT_THROW(query(*server, "SELECT 1"), std::runtime_error);
    server->start();
    EXPECT_EQ(server->port(), first_port);
    EXPECT_EQ(query(*server, "SELECT v FROM t"), "7");

    pid_t const killed = server->pid();
    server->kill();
    EXPECT_FALSE(exists(killed));
    server->start();
    EXPECT_NE(server->pid(), killed);
    EXPECT_EQ(query(*server, "SELECT v FROM t"), "7");

    auto const other = make();
    int const freed = other->port();
    other->stop();
    server->kill();
    server->start_on_port(freed);
    EXPECT_EQ(server->port(), freed);
    EXPECT_EQ(query(*server, "SELECT v FROM t"), "7");
}

TEST_P(PrivateServer, RefusesAPortThatIsTaken)
{
    auto const first = make();
    auto const second = make();

    second->stop();

    EXPECT_THROW(second->start_on_port(first->port()), std::runtime_error);
    EXPECT_EQ(query(*first, "SELECT 1"), "1");
}

TEST_P(PrivateServer, StartsAgainAfterItDiedByItself)
{
    auto const server = make();
    pid_t const dead = server->pid();

    ASSERT_EQ(::kill(dead, SIGKILL), 0);
    ASSERT_TRUE(eventually([&] { return !server->is_running(); }));
    server->start();

    EXPECT_EQ(query(*server, "SELECT 1"), "1");
}

TEST_P(PrivateServer, AnswersNothingWhileFrozen)
{
    auto const server = make();

    server->freeze();
    std::string answer;
    std::thread asking([&] { answer = query(*server, "SELECT 5"); });
    // A frozen server can only be seen by its not answering for a while.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_TRUE(answer.empty());
    server->thaw();
    asking.join();

    EXPECT_EQ(answer, "5");
}

TEST_P(EveryPrivateServer, IsClosedToOtherUsersAndNeverRoot)
{
    auto const server = make();

    struct stat directory
    {
    };
    struct stat password
    {
    };
    struct stat process
    {
    };
    ASSERT_EQ(::stat(server->directory().c_str(), &directory), 0);
    ASSERT_EQ(::stat((server->directory() + "/password").c_str(), &password), 0);
    ASSERT_EQ(::stat(("/proc/" + std::to_string(server->pid())).c_str(), &process), 0);

    EXPECT_EQ(directory.st_mode & 0777, 0700u);
    EXPECT_EQ(password.st_mode & 0777, 0600u);
    EXPECT_NE(process.st_uid, 0u);
    EXPECT_GE(server->password().size(), 32u);
}

TEST_P(EveryPrivateServer, NamesTheBadSetting)
{
    try {
        make({"no_such_setting_of_any_server=1"});
        FAIL() << "the server started";
    } catch (std::runtime_error const& error) {
        EXPECT_NE(std::string(error.what()).find("no_such_setting_of_any_server"),
                  std::string::npos)
            << error.what();
    }
}

TEST_P(PrivateServer, LeavesNothingWhenItIsDestroyed)
{
    std::string directory;
    pid_t process = 0;
    {
        auto const server = make();
        directory = server->directory();
        process = server->pid();
    }

    EXPECT_FALSE(std::filesystem::exists(directory));
    EXPECT_FALSE(exists(process));
}

// This program again, told to hold a server until it is killed.
class PrivateServerHeld : public PrivateServer
{
protected:
    void SetUp() override
    {
        PrivateServer::SetUp();
        if (IsSkipped()) return;
        ASSERT_EQ(::pipe2(said_, O_CLOEXEC), 0);
        std::string const note = ::testing::TempDir() + "held-" + std::to_string(::getpid());
        ::setenv("ASSENT_TEST_HOLD", note.c_str(), 1);
        holder_ = spawn({"/proc/self/exe", "--gtest_also_run_disabled_tests",
                         std::string("--gtest_filter=*DISABLED_HoldsAServer/") + GetParam().name},
                        -1, said_[1]);
        ::unsetenv("ASSENT_TEST_HOLD");
        ::close(said_[1]);
        ASSERT_TRUE(eventually([&] { return std::filesystem::exists(note); }));
        std::ifstream file(note);
        ASSERT_TRUE(file >> server_ >> directory_);
        std::filesystem::remove(note);
        ASSERT_TRUE(exists(server_));
    }
    void TearDown() override
    {
        if (IsSkipped()) return;
        end(holder_);
        ::close(said_[0]);
    }

    void expect_nothing_is_left() const
    {
        EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(directory_); }));
        EXPECT_FALSE(exists(server_));
    }
    // As CTest does when a test has run out of time: stops the parent, so that it makes no more of
    // them, ends all its children in the same way, then it.
    static void kill_tree(pid_t parent)
    {
        ::kill(parent, SIGSTOP);
        for (pid_t const child : children_of(parent))
            kill_tree(child);
        ::kill(parent, SIGKILL);
    }
    static std::vector<pid_t> children_of(pid_t parent)
    {
        std::vector<pid_t> all;
        for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
            std::string const name = entry.path().filename().string();
            if (name.find_first_not_of("0123456789") != std::string::npos) continue;
            std::ifstream in(entry.path() / "stat");
            std::string stat;
            if (!std::getline(in, stat)) continue;   // it ended meanwhile
            auto const name_end = stat.rfind(") ");  // ") S 17": the name may hold anything
            if (std::stol(stat.substr(name_end + 4)) == parent) {
                all.push_back(static_cast<pid_t>(std::stol(name)));
            }
        }
        return all;
    }
    static void end(pid_t& process)
    {
        if (process <= 0) return;
        ::kill(process, SIGKILL);
        ::waitpid(std::exchange(process, 0), nullptr, 0);
    }

    pid_t holder_ = 0;
    int said_[2] = {-1, -1};  ///< what the holder writes, as to CTest
    pid_t server_ = 0;
    std::string directory_;
};

TEST_P(PrivateServerHeld, LeavesNothingWhenTheTestIsKilled)
{
    end(holder_);

    expect_nothing_is_left();
}

TEST_P(PrivateServerHeld, LeavesNothingWhenTheTestIsKilledWithAllItsChildren)
{
    kill_tree(holder_);

    expect_nothing_is_left();
}

// Whoever reads a test's output until its end would wait for them.
TEST_P(PrivateServerHeld, HoldsNothingThatTheTestWritesTo)
{
    auto const pipe = [&](pid_t of, char const* end) {
        std::error_code gone;
        auto const path = "/proc/" + std::to_string(of) + "/fd/" + end;
        return std::filesystem::read_symlink(path, gone).string();
    };
    auto const output = pipe(holder_, "1");
    ASSERT_EQ(output, pipe(::getpid(), std::to_string(said_[0]).c_str()));
    std::set<std::string> holders;
    for (auto const& entry : std::filesystem::directory_iterator("/proc")) {
        std::string const name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        std::error_code other;  // of another account, or gone
        for (auto const& open : std::filesystem::directory_iterator(entry.path() / "fd", other)) {
            if (std::filesystem::read_symlink(open.path(), other) == output) holders.insert(name);
        }
    }

    EXPECT_EQ(holders,
              (std::set<std::string>{std::to_string(holder_), std::to_string(::getpid())}));
}

// Not a test: the other half of those above.
TEST_P(PrivateServer, DISABLED_HoldsAServer)
{
    char const* note = std::getenv("ASSENT_TEST_HOLD");
    if (note == nullptr) GTEST_SKIP() << "only run by PrivateServerHeld";
    auto const server = make();
    std::string const draft = std::string(note) + ".draft";
    std::ofstream(draft) << server->pid() << ' ' << server->directory() << '\n';
    std::filesystem::rename(draft, note);
    for (;;)
        ::pause();
}

std::string nothing()
{
    return {};
}

std::string postgresql_query(private_server const& server, std::string const& sql)
{
    return query_postgresql(server.conninfo(), sql);
}

std::string mariadb_query(private_server const& server, std::string const& sql)
{
    return mariadb_session(server, "accounts").query(sql);
}

constexpr kind postgresql{"postgresql", &private_server::postgresql, &postgresql_query, &nothing};
constexpr kind mariadb{"mariadb", &private_server::mariadb, &mariadb_query, &nothing};
constexpr kind mysql{"mysql", &private_server::mysql, &mariadb_query,
                     &private_server::mysql_missing};

std::string name_of(::testing::TestParamInfo<kind> const& of)
{
    return of.param.name;
}

INSTANTIATE_TEST_SUITE_P(Servers, PrivateServer, ::testing::Values(postgresql, mariadb), name_of);
INSTANTIATE_TEST_SUITE_P(Servers, PrivateServerHeld, ::testing::Values(postgresql, mariadb),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Servers, EveryPrivateServer, ::testing::Values(postgresql, mariadb, mysql),
                         name_of);

TEST(PostgresqlServer, PreparesTransactionsByDefaultAndNotWhenToldSo)
{
    auto const willing = private_server::postgresql();
    auto const unwilling = private_server::postgresql({"max_prepared_transactions=0"});

    EXPECT_EQ(query_postgresql(willing->conninfo(), "SHOW max_prepared_transactions"), "64");
    EXPECT_EQ(query_postgresql(willing->conninfo(), "SHOW fsync"), "on");
    EXPECT_EQ(query_postgresql(unwilling->conninfo(), "SHOW max_prepared_transactions"), "0");
}

TEST(PostgresqlServer, LetsTheSuperuserInOverTheSocketOnly)
{
    auto const server = private_server::postgresql();

    EXPECT_EQ(query_postgresql(server->superuser_conninfo(), "SELECT current_user"), "postgres");
    EXPECT_EQ(query_postgresql(server->conninfo("orders"),
                               "SELECT current_database() || ' ' || usesuper::text "
                               "FROM pg_user WHERE usename = current_user"),
              "orders false");
    EXPECT_THROW(query_postgresql("host=127.0.0.1 user=postgres dbname=accounts port=" +
                                      std::to_string(server->port()),
                                  "SELECT 1"),
                 std::runtime_error);
    EXPECT_THROW(query_postgresql("host=127.0.0.1 user=shop password=wrong dbname=accounts port=" +
                                      std::to_string(server->port()),
                                  "SELECT 1"),
                 std::runtime_error);
}

TEST(MariadbServer, PlainAccountMayLockSeeAndKillItsOwnSessions)
{
    auto const server = private_server::mariadb();
    mariadb_session first(*server, "accounts");
    mariadb_session second(*server, "orders");
    std::string const id = first.query("SELECT CONNECTION_ID()");

    EXPECT_EQ(second.query("SELECT GET_LOCK('assent:test', 0)"), "1");
    EXPECT_EQ(first.query("SELECT GET_LOCK('assent:test', 0)"), "0");
    EXPECT_EQ(second.query("SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + id),
              "1");
    second.query("KILL CONNECTION " + id);
    EXPECT_THROW(first.query("SELECT 1"), std::runtime_error);
}

TEST(MariadbServer, PlainAccountMayNeitherReadOthersNorTheGrantTables)
{
    auto const server = private_server::mariadb();
    mariadb_session session(*server, "accounts");

    EXPECT_THROW(session.query("SELECT COUNT(*) FROM mysql.global_priv"), std::runtime_error);
    EXPECT_THROW(session.query("CREATE DATABASE elsewhere"), std::runtime_error);
}

TEST(MysqlServer, HasABinaryLogUnlessToldOtherwiseAndAnIdentityOfItsOwn)
{
    if (auto const why = private_server::mysql_missing(); !why.empty()) GTEST_SKIP() << why;
    auto const logged = private_server::mysql();
    auto const unlogged = private_server::mysql({"skip-log-bin=ON"});

    EXPECT_EQ(mariadb_query(*logged, "SELECT @@log_bin"), "1");
    EXPECT_EQ(mariadb_query(*unlogged, "SELECT @@log_bin"), "0");
    EXPECT_NE(mariadb_query(*logged, "SELECT @@server_uuid"),
              mariadb_query(*unlogged, "SELECT @@server_uuid"));
}

TEST(NewestPostgresql, IsNewerThanTheInstalledOne)
{
    if (auto const why = private_server::newest_postgresql_missing(); !why.empty()) {
        GTEST_SKIP() << why;
    }
    auto const newest = private_server::newest_postgresql();
    auto const installed = private_server::postgresql();
    auto const version = [](private_server const& of) {
        return std::stoi(postgresql_query(of, "SHOW server_version_num"));
    };

    EXPECT_GT(version(*newest), version(*installed));
    newest->kill();
    newest->start();
    EXPECT_EQ(postgresql_query(*newest, "SHOW max_prepared_transactions"), "64");
}

}  // namespace
}  // namespace assent::testing
