// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What the doctor makes of what adapters tell, and of the log's directory: levels, exit status,
// words and JSON.

#include "recovery/cli/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <atomic>
#include <set>
#include <utility>

#include <assent/driver.hpp>
#include <assent/testing.hpp>
#include <nlohmann/json.hpp>

#include "recovery/cli/json.hpp"
#include "recovery/cli/log_medium.hpp"
#include "recovery/cli/words.hpp"
#include "tests/unit/cli/log_directory.hpp"
#include "tests/unit/cli/made_log.hpp"

namespace {

using namespace assent;
using namespace assent::cli;
using namespace cli_test;
using namespace std::chrono_literals;
using level = finding_level;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A session of the driver below; nothing is ever asked of it.
class empty_session final : public driver_session
{
public:
    explicit empty_session(std::atomic<int>& open) : open_(open) { ++open_; }
    ~empty_session() override { --open_; }
    std::uint64_t id() const noexcept override { return 0; }
    void* native_handle() noexcept override { return nullptr; }
    int descriptor() const noexcept override { return -1; }
    void declare(branch_modes const&) noexcept override {}
    void submit(verb, xid const&) noexcept override { ADD_FAILURE() << "a verb was sent"; }
    std::optional<reply> collect(deadline) noexcept override { return reply{}; }
    bool is_reusable() const noexcept override { return true; }
    void sever() noexcept override {}
    void abandon() noexcept override {}

private:
    std::atomic<int>& open_;
};

/// A driver that can be connected to and examined; whatever else is asked fails the test.
class patient : public resource_manager_driver, public examined_driver
{
public:
    explicit patient(std::string name) : name_(std::move(name)) {}

    examination seen;
    std::string refusal;  ///< of the examination
    std::atomic<int> open{0};

    std::string const& name() const noexcept override { return name_; }
    driver_capabilities capabilities() const noexcept override { return {}; }
    std::unique_ptr<driver_session> connect(session_purpose purpose, deadline) override
    {
        EXPECT_EQ(purpose, session_purpose::manage);
        return std::make_unique<empty_session>(open);
    }
    examination examine(driver_session&, deadline until) override
    {
        EXPECT_GT(until, std::chrono::steady_clock::now());
        if (!refusal.empty()) throw driver_error(refusal);
        return seen;
    }

    std::unique_ptr<driver_session> borrow(void*, server_facts const&, deadline) override
    {
        return unexpected();
    }
    server_facts preflight(driver_session&, deadline) override
    {
        return (unexpected(), server_facts{});
    }
    scan_result scan(driver_session&, deadline) override { return (unexpected(), scan_result{}); }
    bool try_guard(driver_session&, std::uint64_t, deadline) override
    {
        return unexpected() != nullptr;
    }
    void heartbeat(driver_session&, deadline) override { unexpected(); }
    session_presence presence(driver_session&, std::uint64_t, deadline) override
    {
        return (unexpected(), session_presence::unknown);
    }
    session_presence sessions_before(driver_session&, std::uint64_t, deadline) override
    {
        return (unexpected(), session_presence::unknown);
    }
    void cancel_statement(driver_session&, std::uint64_t, deadline) override { unexpected(); }
    void end_session(driver_session&, std::uint64_t, deadline) override { unexpected(); }
    witness_state ask_witness(driver_session&, std::string const&, deadline) override
    {
        return (unexpected(), witness_state::unknown);
    }

private:
    static std::nullptr_t unexpected()
    {
        ADD_FAILURE() << "an examination needs none of these";
        return nullptr;
    }

    std::string name_;
};

examined found(std::string name, std::string kind, std::string identity)
{
    examined one;
    one.name = std::move(name);
    one.is_examined = true;
    one.seen.kind = std::move(kind);
    one.seen.version = "15.20";
    one.seen.identity = std::move(identity);
    one.seen.add("version", level::ok, "15.20");
    one.seen.round_trip = median_time{213us, 21};
    one.seen.force = median_time{1'500us, 7};
    return one;
}

std::vector<examined> sound()
{
    return {found("accounts", "postgresql", "server-a"), found("orders", "mariadb", "server-o")};
}

examined sound_directory()
{
    auto one = found("log", "", "");
    one.seen.version.clear();
    one.seen.round_trip.reset();
    return one;
}

doctor_report told_of(std::vector<examined> databases)
{
    return diagnose(both(), made_log{}.view(), sound_directory(), std::move(databases));
}

finding const* find(examined const& in, std::string const& check)
{
    for (auto const& each : in.seen.findings) {
        if (each.check == check) return &each;
    }
    return nullptr;
}

level level_of(examined const& in, std::string const& check)
{
    auto const* const one = find(in, check);
    if (one != nullptr) return one->level;
    ADD_FAILURE() << "no finding " << check;
    return level::ok;
}

// ---- the whole -------------------------------------------------------------------------------

TEST(Doctor, IsFineWhereNothingIsWorseThanAdvice)
{
    auto all = sound();
    all[0].seen.add("client", level::advice, "an old one", "take a newer one");

    auto const told = told_of(std::move(all));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.attention, IsEmpty());
    EXPECT_THAT(told.counts, ElementsAre(10, 1, 0, 0));
}

TEST(Doctor, WarningsAndErrorsNeedAttentionAndTheWorstComesFirst)
{
    auto all = sound();
    all[0].seen.add("wait_timeout", level::warning, "5", "raise it");
    all[0].seen.add("fsync", level::error, "off", "set it on");

    auto const told = told_of(std::move(all));

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre("\"accounts\", fsync (off): set it on",
                                            "\"accounts\", wait_timeout (5): raise it"));
    EXPECT_EQ(told.databases[0].seen.findings[0].check, "fsync");
    EXPECT_EQ(told.databases[0].seen.findings[1].check, "wait_timeout");
    EXPECT_EQ(told.databases[0].seen.findings[2].check, "version");
}

TEST(Doctor, WhatDidNotAnswerIsAFailureAndSomethingWrongElsewhereOutranksIt)
{
    auto all = sound();
    all[1] = {};
    all[1].name = "orders";
    all[1].problem = "connection refused";
    auto const failed = told_of(all);
    all[0].seen.add("fsync", level::error, "off", "set it on");
    auto const worse = told_of(all);

    EXPECT_EQ(failed.code, exit_code::failed);
    EXPECT_THAT(failed.attention, ElementsAre("\"orders\": connection refused"));
    EXPECT_EQ(worse.code, exit_code::attention);
    EXPECT_THAT(worse.attention, ElementsAre("\"orders\": connection refused", HasSubstr("fsync")));
}

// ---- databases and the log -------------------------------------------------------------------

TEST(Doctor, AnotherDatabaseThanTheLogHasBoundIsAnError)
{
    auto all = sound();
    all[0].seen.identity = "server-b";
    all[1].seen.identity.clear();

    auto const told = told_of(std::move(all));

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_EQ(level_of(told.databases[0], "binding"), level::error);
    EXPECT_THAT(find(told.databases[0], "binding")->seen,
                AllOf(HasSubstr("server-a"), HasSubstr("server-b")));
    EXPECT_EQ(level_of(told.databases[1], "binding"), level::error);
}

TEST(Doctor, ADatabaseThatTheLogDoesNotKnowYetIsFine)
{
    auto all = sound();
    all.push_back(found("archive", "postgresql", "server-c"));
    auto from = both();
    from.databases.push_back({"archive", database_kind::odbc, {}, false});

    auto const told = diagnose(from, made_log{}.view(), sound_directory(), std::move(all));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(told.databases[2].kind, "odbc");
    EXPECT_THAT(find(told.databases[2], "binding")->seen, HasSubstr("none yet"));
}

TEST(Doctor, WithoutALogNothingIsSaidOfBindings)
{
    auto const told = diagnose(both(), std::nullopt, sound_directory(), sound());

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(find(told.databases[0], "binding"), nullptr);
}

TEST(Doctor, TwoNamesForOneDatabaseAreAnErrorOfBoth)
{
    auto all = sound();
    all[1] = found("orders", "postgresql", "server-a");

    auto const told = told_of(std::move(all));

    EXPECT_EQ(level_of(told.databases[0], "same database"), level::error);
    EXPECT_THAT(find(told.databases[0], "same database")->seen, HasSubstr("\"orders\""));
    EXPECT_THAT(find(told.databases[1], "same database")->seen, HasSubstr("\"accounts\""));
}

TEST(Doctor, AResourceManagerThatOnlyTheLogKnowsNeedsAttention)
{
    auto from = both();
    from.databases.pop_back();

    auto const told = diagnose(from, made_log{}.view(), sound_directory(), {sound().front()});

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("\"orders\"")));
}

// ---- times -----------------------------------------------------------------------------------

TEST(Doctor, TimesThatPeopleWillNoticeOrThatCannotBeTrueAreAdvice)
{
    auto all = sound();
    all[0].seen.round_trip = median_time{30ms, 21};
    all[0].seen.force = median_time{25ms, 7};
    all[1].seen.force = median_time{3us, 7};

    auto const told = told_of(std::move(all));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(level_of(told.databases[0], "round trip"), level::advice);
    EXPECT_EQ(find(told.databases[0], "round trip")->seen, "30.000 ms, the median of 21");
    EXPECT_EQ(level_of(told.databases[0], "force"), level::advice);
    EXPECT_EQ(level_of(told.databases[1], "force"), level::advice);
    EXPECT_THAT(find(told.databases[1], "force")->advice, HasSubstr("power loss erases"));
}

TEST(Doctor, AForceThatWasNotMeasuredSaysWhy)
{
    auto all = sound();
    all[0].seen.force.reset();
    all[0].seen.why_no_force = "there is nothing to write to";

    auto const told = told_of(std::move(all));

    EXPECT_EQ(find(told.databases[0], "force")->seen, "not measured: there is nothing to write to");
}

// ---- asking ----------------------------------------------------------------------------------

TEST(Doctor, ExaminesEachAndClosesItsSession)
{
    auto const accounts = std::make_shared<patient>("accounts");
    auto const orders = std::make_shared<patient>("orders");
    accounts->seen.identity = "server-a";
    orders->refusal = "it is being repaired";
    std::set<std::string> done;

    auto const seen = examine({resource_manager{accounts}, resource_manager{orders}}, 5s,
                              [&](std::string const& name) { done.insert(name); });

    ASSERT_EQ(seen.size(), 2u);
    EXPECT_TRUE(seen[0].is_examined);
    EXPECT_EQ(seen[0].seen.identity, "server-a");
    EXPECT_THAT(seen[0].seen.findings.front().check, "connection");
    EXPECT_FALSE(seen[1].is_examined);
    EXPECT_EQ(seen[1].problem, "it is being repaired");
    EXPECT_THAT(done, ElementsAre("accounts", "orders"));
    EXPECT_EQ(accounts->open, 0);
    EXPECT_EQ(orders->open, 0);
}

TEST(Doctor, AnAdapterThatCannotBeExaminedIsSaidToBeSo)
{
    assent::testing::memory_database const accounts;

    auto const seen = examine({assent::testing::memory_resource_manager{"accounts", accounts}}, 5s);

    EXPECT_FALSE(seen[0].is_examined);
    EXPECT_THAT(seen[0].problem, HasSubstr("cannot be examined"));
    EXPECT_THAT(accounts.sessions(), IsEmpty());
}

// ---- words and JSON --------------------------------------------------------------------------

doctor_report troubled()
{
    auto all = sound();
    all[0].seen.add("fsync", level::error, "off", "set it on");
    all[0].seen.add("client", level::advice, "an old one", "take \x1b[31m a newer one");
    all[1] = {};
    all[1].name = "orders";
    all[1].problem = "connection refused";
    return told_of(std::move(all));
}

TEST(DoctorWords, SayWhatIsWrongAndCountTheRest)
{
    auto const text = in_words(troubled(), painter{false});

    EXPECT_THAT(text, StartsWith("findings  1 error, 0 warnings, 1 to advise, 6 ok; "
                                 "NOT EXAMINED: 1\n"));
    EXPECT_THAT(text, HasSubstr("accounts (postgresql 15.20)\n  LEVEL   CHECK       SEEN\n"
                                "  error   fsync       off\n  advice  client      an old one\n"));
    EXPECT_THAT(text, HasSubstr("  ok      2 more checks\n"));
    EXPECT_THAT(text, HasSubstr("  - client: take  [31m a newer one\n"));
    EXPECT_THAT(text, HasSubstr("orders (mariadb): nothing can be said: connection refused\n"));
    EXPECT_THAT(text, HasSubstr("! \"accounts\", fsync (off): set it on\n"));
    EXPECT_THAT(text, Not(HasSubstr("version")));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(DoctorWords, AllShowsAlsoWhatIsOk)
{
    auto told = troubled();
    told.is_all = true;

    auto const text = in_words(told, painter{false});

    EXPECT_THAT(text, HasSubstr("  ok      version     15.20\n"));
    EXPECT_THAT(text, Not(HasSubstr("more checks")));
}

TEST(DoctorWords, ColoursAreForTerminals)
{
    EXPECT_THAT(in_words(troubled(), painter{true}), HasSubstr("\x1b[31moff\x1b[0m"));
}

TEST(DoctorJson, IsWhole)
{
    auto const all = json::parse(in_json(troubled()));

    EXPECT_EQ(all.at("command"), "doctor");
    EXPECT_EQ(all.at("exit_code"), 4);
    EXPECT_EQ(all.at("counts"), json({{"ok", 6}, {"advice", 1}, {"warning", 0}, {"error", 1}}));
    auto const& accounts = all.at("databases").at(0);
    EXPECT_EQ(accounts.at("name"), "accounts");
    EXPECT_EQ(accounts.at("kind"), "postgresql");
    EXPECT_EQ(accounts.at("version"), "15.20");
    EXPECT_EQ(accounts.at("identity"), "server-a");
    EXPECT_EQ(accounts.at("is_examined"), true);
    EXPECT_EQ(accounts.at("problem"), nullptr);
    EXPECT_EQ(accounts.at("round_trip"), json({{"median_us", 213}, {"count", 21}}));
    EXPECT_EQ(
        accounts.at("findings").at(0),
        json({{"check", "fsync"}, {"level", "error"}, {"seen", "off"}, {"advice", "set it on"}}));
    auto const& orders = all.at("databases").at(1);
    EXPECT_EQ(orders.at("is_examined"), false);
    EXPECT_EQ(orders.at("problem"), "connection refused");
    EXPECT_EQ(orders.at("force"), nullptr);
    EXPECT_EQ(all.at("log").at("kind"), nullptr);
}

// ---- the log's directory ---------------------------------------------------------------------

configuration log_at(std::string const& directory, std::string allowed = "tmpfs")
{
    auto from = both();
    from.log_directory = directory;
    from.node_label = "shop-1";
    from.allow_file_system = std::move(allowed);
    from.databases.clear();
    return from;
}

TEST(LogMedium, TellsOfAGoodDirectory)
{
    assent::testing::temporary_directory const at;

    auto const seen = examine_log(log_at(at.path()));

    ASSERT_TRUE(seen.told.is_examined);
    EXPECT_FALSE(seen.view.has_value());
    EXPECT_EQ(level_of(seen.told, "directory"), level::ok);
    EXPECT_EQ(level_of(seen.told, "permissions"), level::ok);
    EXPECT_EQ(level_of(seen.told, "room"), level::ok);
    EXPECT_THAT(find(seen.told, "log")->seen, HasSubstr("none yet"));
    ASSERT_TRUE(seen.told.seen.force.has_value()) << seen.told.seen.why_no_force;
    EXPECT_EQ(seen.told.seen.force->count, 15u);
    EXPECT_TRUE(std::filesystem::is_empty(at.path())) << "nothing is left behind";
}

TEST(LogMedium, LooksAtALogAndChangesNothing)
{
    log_directory const at;
    auto const before = std::filesystem::last_write_time(at.target().directory);

    auto const seen = examine_log(log_at(at.target().directory));

    ASSERT_TRUE(seen.view.has_value());
    EXPECT_EQ(level_of(seen.told, "log"), level::ok);
    EXPECT_EQ(find(seen.told, "owner")->seen, "nobody");
    EXPECT_EQ(std::filesystem::last_write_time(at.target().directory), before);
}

TEST(LogMedium, ADamagedLogAndThatOfAnotherNodeAreErrors)
{
    log_directory const damaged{[](auto& segment) { wipe(segment, 1); }};
    log_directory const sound_one;
    auto other = log_at(sound_one.target().directory);
    other.node_label = "shop-2";

    EXPECT_EQ(level_of(examine_log(log_at(damaged.target().directory)).told, "log"), level::error);
    auto const seen = examine_log(other);
    EXPECT_EQ(level_of(seen.told, "log"), level::error);
    EXPECT_THAT(find(seen.told, "log")->advice, HasSubstr("shop-1"));
}

TEST(LogMedium, WhoElseMayWriteItIsAnErrorAndWhoMayReadItIsAdvice)
{
    assent::testing::temporary_directory const at;

    ::chmod(at.path().c_str(), 0770);
    auto const written = examine_log(log_at(at.path()));
    ::chmod(at.path().c_str(), 0755);
    auto const read = examine_log(log_at(at.path()));

    EXPECT_EQ(level_of(written.told, "permissions"), level::error);
    EXPECT_THAT(find(written.told, "permissions")->seen, StartsWith("0770"));
    EXPECT_EQ(level_of(read.told, "permissions"), level::advice);
}

TEST(LogMedium, AFileSystemThatMayLoseTheLogIsAnErrorUnlessItIsAllowed)
{
    std::string const memory = "/dev/shm";
    if (!std::filesystem::is_directory(memory)) GTEST_SKIP() << "no " << memory;

    auto const refused = examine_log(log_at(memory, ""));
    auto const allowed = examine_log(log_at(memory, "tmpfs"));

    EXPECT_EQ(level_of(refused.told, "file system"), level::error);
    EXPECT_THAT(find(refused.told, "file system")->seen, HasSubstr("tmpfs"));
    EXPECT_EQ(level_of(allowed.told, "file system"), level::warning);
}

TEST(LogMedium, BeforeTheFirstStartWhatIsAboveIsExamined)
{
    assent::testing::temporary_directory const at;

    auto const seen = examine_log(log_at(at.path() + "/txlog/deeper"));

    EXPECT_EQ(level_of(seen.told, "directory"), level::advice);
    EXPECT_THAT(find(seen.told, "directory")->seen, HasSubstr(at.path()));
    EXPECT_TRUE(seen.told.seen.force.has_value());
    EXPECT_FALSE(std::filesystem::exists(at.path() + "/txlog"));
}

}  // namespace
