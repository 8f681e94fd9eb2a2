// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// `assent log` through the real program: every verdict and exit status, beside a live owner, with a
// terminal and without, and with memory that does not grow with the log.  No servers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "log/log_opening.hpp"
#include "log/posix_file_layer.hpp"
#include "tests/integration/cli_desk.hpp"
#include "tests/servers/spawn.hpp"
#include "tests/unit/log/damaged_log.hpp"

namespace {

using namespace assent::testing;
using nlohmann::json;
using ::testing::HasSubstr;

#if defined(ASSENT_SANITIZED)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

class CliLog : public ::testing::Test
{
protected:
    std::string log() const { return desk_.path("log"); }

    /// Makes the log, damaged, in a directory.
    void make(std::function<void(file_bytes&)> const& damage = {}) const
    {
        auto segment = eventful_log{}.segment;
        if (damage) damage(segment);
        std::filesystem::create_directory(log());
        ::chmod(log().c_str(), 0700);
        desk_.file("log/" + second_segment,
                   {reinterpret_cast<char const*>(segment.data()), segment.size()});
    }

    answer run(std::string const& command, std::vector<std::string> more = {}) const
    {
        more.insert(more.begin(), {"log", command, "--directory", log()});
        return run_assent(more);
    }

    /// The same, in JSON; the exit status is in it.
    json ask(std::string const& command, int status, std::vector<std::string> more = {}) const
    {
        more.push_back("--json");
        auto const told = run(command, more);
        EXPECT_EQ(told.status, status) << command << ": " << told.out << told.err;
        EXPECT_EQ(told.err, "") << "quiet when nobody looks";
        auto all = told.json();
        EXPECT_EQ(all.at("command"), "log " + command);
        EXPECT_EQ(all.at("exit_code"), status);
        return all;
    }

    std::vector<std::string> acting() const { return {"--reason", "a test", "--yes"}; }
    std::vector<std::string> salvaging() const
    {
        return {"--reason", "a test", "--yes", "--salvage-into", desk_.path("new")};
    }

    desk desk_;
};

TEST_F(CliLog, ASoundLog)
{
    make();

    EXPECT_EQ(ask("verify", 0).at("verdict"), "sound");
    EXPECT_EQ(ask("dump", 0).at("records").size(), 13U);
    EXPECT_EQ(ask("stats", 0).at("decisions").at("live"), 3);
    auto const repaired = ask("repair", 0);
    EXPECT_EQ(repaired.at("has_acted"), false);
    EXPECT_EQ(repaired.at("plan"), json::array());
    EXPECT_FALSE(std::filesystem::exists(log() + "/lock")) << "nothing is written";
}

TEST_F(CliLog, AnUnsealedLog)
{
    make([](file_bytes& file) { wipe(file, 8); });

    EXPECT_THAT(std::string(ask("verify", 0).at("state")), HasSubstr("its owner was killed"));
    EXPECT_EQ(ask("repair", 0).at("has_acted"), false);
}

TEST_F(CliLog, ATornLog)
{
    make([](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    });

    EXPECT_EQ(ask("verify", 0).at("verdict"), "torn");
    EXPECT_EQ(ask("stats", 0).at("decisions").at("live"), 3);
    EXPECT_EQ(ask("dump", 0).at("records").back().at("type"), "damaged page");
    EXPECT_EQ(ask("repair", 2).at("has_acted"), false) << "no reason was given";
    EXPECT_THAT(std::string(ask("repair", 2, {"--reason", "x"}).at("attention").at(0)),
                HasSubstr("--yes"));
    auto const done = ask("repair", 0, acting());
    EXPECT_EQ(done.at("has_acted"), true);
    EXPECT_EQ(done.at("epoch"), 3);
    EXPECT_EQ(ask("verify", 0).at("verdict"), "sound");
    EXPECT_EQ(ask("verify", 0).at("other_files").at(0).at("what"), "torn copy");
}

TEST_F(CliLog, ADamagedLogAndItsSalvage)
{
    make([](file_bytes& file) { spoil(file, 3); });

    auto const seen = ask("verify", 5);
    EXPECT_EQ(seen.at("verdict"), "damaged");
    EXPECT_EQ(seen.at("segments").at(0).at("damage").at(0).at("proved_durable_by_page"), 4);
    EXPECT_EQ(ask("dump", 5).at("records").size(), 14U);
    EXPECT_EQ(ask("stats", 5).at("decisions").at("live"), 2);
    EXPECT_EQ(ask("repair", 5, acting()).at("has_acted"), false);

    auto const done = ask("repair", 4, salvaging());
    EXPECT_EQ(done.at("has_acted"), true);
    EXPECT_EQ(done.at("lost").at("records"), 1);
    EXPECT_EQ(ask("verify", 5).at("segments"), seen.at("segments")) << "left as it is";
    auto const fresh =
        run_assent({"log", "verify", "--directory", desk_.path("new"), "--json"}).json();
    EXPECT_EQ(fresh.at("verdict"), "sound");
    EXPECT_EQ(fresh.at("node"), seen.at("node"));

    // All other commands take the new log.
    auto const config = desk_.file(
        "new.toml", "log_directory = \"" + desk_.path("new") + "\"\nnode_label = \"shop-1\"\n");
    auto const status = run_assent({"--config", config, "status", "--json"});
    EXPECT_EQ(status.status, 4);
    EXPECT_EQ(status.json().at("to_be_finished").size(), 2U);
    auto const note = status.json().at("operator_records").at(0);
    EXPECT_EQ(note.at("decided"), "salvage the log");
    EXPECT_EQ(note.at("branch"), nullptr);
    EXPECT_THAT(std::string(note.at("who")), HasSubstr("uid " + std::to_string(::getuid())));
    EXPECT_EQ(run_assent({"--config", config, "log", "stats"}).status, 0);
    EXPECT_EQ(run_assent({"--config", config, "scan", "--json"}).json().at("log").at("epoch"), 3);

    EXPECT_EQ(run("repair", salvaging()).status, 2) << "it is not empty any more";
}

TEST_F(CliLog, ALostIdIsListedAsNotConfigured)
{
    make([](file_bytes& file) { spoil(file, 4); });
    ask("repair", 4, salvaging());
    auto const config = desk_.file(
        "new.toml", "log_directory = \"" + desk_.path("new") + "\"\nnode_label = \"shop-1\"\n");

    auto const status = run_assent({"--config", config, "status"});

    EXPECT_EQ(status.status, 4);
    EXPECT_THAT(status.out, HasSubstr("lost 3 "));
    EXPECT_THAT(status.out, HasSubstr("a damaged log lost the binding of a resource manager"));
}

TEST_F(CliLog, ADamagedSnapshotIsNotSalvaged)
{
    make([](file_bytes& file) { spoil(file, 1); });

    EXPECT_EQ(ask("verify", 5).at("segments").at(0).at("damage").at(0).at("proved_durable_by_page"),
              0);
    auto const told = ask("repair", 5, salvaging());
    EXPECT_EQ(told.at("has_acted"), false);
    EXPECT_THAT(std::string(told.at("attention").at(1)), HasSubstr("it cannot be salvaged"));
    EXPECT_FALSE(std::filesystem::exists(desk_.path("new")));
}

TEST_F(CliLog, AMissingSegmentAndAStranger)
{
    make();
    desk_.file("log/0000000000000004.seg.tmp", "");
    EXPECT_EQ(ask("verify", 5).at("verdict"), "missing");
    EXPECT_EQ(ask("repair", 5, salvaging()).at("has_acted"), false);
    desk_.file("log/x.seg", "");
    EXPECT_EQ(ask("verify", 5).at("verdict"), "foreign");
}

TEST_F(CliLog, ALaterVersion)
{
    make([](file_bytes& file) {
        page_of(file, 4)[10] |= std::byte{2};
        reseal(file, 4);
    });

    EXPECT_EQ(ask("verify", 1).at("verdict"), "newer");
    EXPECT_EQ(run("repair", acting()).status, 1);
}

TEST_F(CliLog, NoLogAtAll)
{
    EXPECT_EQ(run("verify").status, 2);
    std::filesystem::create_directory(log());
    for (auto const* command : {"verify", "dump", "stats", "repair"}) {
        auto const told = run(command, {"--json"});
        EXPECT_EQ(told.status, 2) << command;
        EXPECT_EQ(told.json().at("exit_code"), 2);
        EXPECT_THAT(std::string(told.json().at("error")), HasSubstr("there is no log in"));
    }
    EXPECT_EQ(run("dump", {"--gtrid", "nonsense"}).status, 2);
    EXPECT_EQ(run("dump", {"--type", "nonsense"}).status, 2);
}

TEST_F(CliLog, ProgressIsToldWhereItIsAskedFor)
{
    make();

    EXPECT_EQ(run("verify").err, "");
    EXPECT_THAT(run("verify", {"--progress"}).err,
                HasSubstr("reading segment 2: 64.0 KiB of 64.0 KiB\n"));
}

TEST_F(CliLog, ATypedConfirmationOnATerminal)
{
    make([](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    });
    auto const on_terminal = [&](std::string const& typed) {
        // script(1) gives the program a terminal.
        return run_process({"/bin/sh", "-c", "echo \"$0\" | script -qec \"$1\" /dev/null", typed,
                            std::string{ASSENT_PROGRAM} + " log repair --directory " + log() +
                                " --reason 'a test'"});
    };

    auto const refused = on_terminal("no");
    EXPECT_EQ(refused.status, 2) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("Type yes to go on: "));
    EXPECT_THAT(refused.output, HasSubstr("1. begin segment 3"));
    EXPECT_EQ(ask("verify", 0).at("verdict"), "torn");

    auto const done = on_terminal("yes");
    EXPECT_EQ(done.status, 0) << done.output;
    EXPECT_EQ(ask("verify", 0).at("verdict"), "sound");
}

// ---- beside a live owner ---------------------------------------------------------------------

TEST_F(CliLog, BesideALiveOwnerThatCommitsAllTheTime)
{
    auto options = repeatable(nullptr);
    options.random = nullptr;
    options.makes_segments_ahead = true;
    options.idle_seal_wait = std::chrono::milliseconds{1};
    assent::log::file_log owner{log(), options};
    std::atomic<bool> is_over{false};
    std::thread busy{[&] {
        // Small segments: one is filled, and removed, every dozen commits.
        for (std::uint64_t i = 1; !is_over; ++i) {
            auto const what = decision_of(owner, i);
            if (!owner.reserve()) continue;
            owner.force(what, far_away());
            owner.release();
            finish(owner, what);
            owner.raise_horizon(1, {owner.current().epoch, i});
            owner.raise_horizon(2, {owner.current().epoch, i});
        }
    }};
    struct stopper
    {
        std::atomic<bool>& is_over;
        std::thread& busy;
        ~stopper()
        {
            is_over = true;
            if (busy.joinable()) busy.join();
        }
    } const stops{is_over, busy};
    for (int i = 0; i < 8; ++i) {
        auto const seen = ask("verify", 0);
        EXPECT_EQ(seen.at("owner").at("pid"), ::getpid());
        EXPECT_EQ(seen.at("verdict"), "sound") << seen;
        EXPECT_EQ(seen.at("segments").back().at("state"), "live");
        ask("dump", 0);
        ask("stats", 0);
    }
    auto const refused = run("repair", {"--reason", "x", "--yes", "--json"});
    is_over = true;
    busy.join();

    EXPECT_EQ(refused.status, 3);
    EXPECT_THAT(std::string(refused.json().at("error")),
                HasSubstr("process " + std::to_string(::getpid())));
    owner.close();
    EXPECT_EQ(ask("verify", 0).at("segments").back().at("state"), "sealed");
}

// ---- large logs ------------------------------------------------------------------------------

/// A log with so many decisions, half of them finished, written with two forces.
void make_large(std::string const& directory, unsigned decisions)
{
    namespace lg = assent::log;
    lg::posix_file_layer files{directory};
    lg::attach_safely(files, true, {"tmpfs", "overlay"});
    lg::log_image image;
    lg::generation const mine{0x1122334455667788, 1, 0xa1b2c3};
    image.apply(lg::record{lg::opening_record{{mine.epoch, mine.nonce}, 1'767'225'600'000}});
    for (std::uint16_t id = 1; id <= 2; ++id) {
        image.apply(lg::record{assent::ports::binding{id, "database " + std::to_string(id),
                                                      "memory", "i" + std::to_string(id)}});
    }
    assent::gtrid::fields parts;
    parts.node = mine.node;
    parts.epoch = mine.epoch;
    parts.nonce = mine.nonce;
    for (unsigned i = 1; i <= decisions; ++i) {
        parts.sequence = i;
        lg::decision_record what;
        what.what.global = assent::gtrid::make(parts);
        what.what.branches = {assent::bqual::make({1, 1, 1}), assent::bqual::make({2, 1, 1})};
        what.finished = i % 2 == 0 ? 3 : 0;
        what.unix_ms = 1'767'225'600'000 + i;
        image.apply(lg::record{what});
    }
    lg::log_writer writer{files, {mine, "large", [] { return std::int64_t{1}; }}, {}};
    auto const spare =
        lg::make_spare(files, 1, lg::pages_for(lg::segment_pages_min, image.snapshot_pages_max()));
    auto packed = writer.pack(image, lg::segment_end::none, spare);
    writer.begin_segment(packed, spare);
}

/// The most memory that the program used, in KiB; its output is thrown away.
long memory_of(std::vector<std::string> words)
{
    words.insert(words.begin(), {ASSENT_PEAK_MEMORY, ASSENT_PROGRAM});
    auto const done = run_process(words);
    EXPECT_EQ(done.status, 0) << done.output;
    return std::stol(done.output);
}

TEST_F(CliLog, MemoryDoesNotGrowWithTheLog)
{
    if (is_sanitized) GTEST_SKIP() << "a sanitizer keeps what is freed, to find who uses it still";
    // More than are watched at once, and half as many again.
    auto const small = desk_.path("small");
    auto const large = desk_.path("large");
    make_large(small, 100'000);
    make_large(large, 150'000);
    make();
    auto const memory_for = [&](std::string const& command, std::string const& directory) {
        return memory_of({"log", command, "--json", "--directory", directory});
    };
    long const nothing = memory_for("verify", log());

    for (std::string const command : {"verify", "dump", "stats"}) {
        long const first = memory_for(command, small);
        long const second = memory_for(command, large);

        EXPECT_LT(first - nothing, 16 * 1024) << command;
        EXPECT_LT(second - first, 2 * 1024) << command;
        RecordProperty(command + "_kib", static_cast<int>(second));
    }
    auto const told = run_assent({"log", "stats", "--directory", large, "--json"}).json();
    EXPECT_EQ(told.at("decisions"),
              json({{"live", 75'000}, {"complete", 75'000}, {"kept", 75'000}, {"droppable", 0}}));
    auto const dumped = run_process(
        {"/bin/sh", "-c",
         "\"$0\" log dump --directory \"$1\" --unfinished | grep -c 'commit, .*: to be finished'",
         ASSENT_PROGRAM, large});
    EXPECT_EQ(dumped.output, "75000\n");
}

}  // namespace
