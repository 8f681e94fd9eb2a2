// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// `assent log`: what verify, dump, stats and repair say of a log in a real directory, in words and
// in JSON.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <nlohmann/json.hpp>

#include "recovery/cli/log_dump.hpp"
#include "recovery/cli/log_records.hpp"
#include "recovery/cli/log_repair.hpp"
#include "recovery/cli/log_stats.hpp"
#include "recovery/cli/log_verify.hpp"
#include "recovery/cli/progress_line.hpp"
#include "tests/unit/log/damaged_log.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace {

using namespace assent::cli;
using assent::testing::eventful_log;
using assent::testing::file_bytes;
using assent::testing::second_segment;
using assent::testing::spoil;
using assent::testing::wipe;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A log in a directory of its own; damaged before it is written there.
class log_directory
{
public:
    explicit log_directory(std::function<void(file_bytes&)> const& damage = {})
    {
        auto segment = log.segment;
        if (damage) damage(segment);
        put(second_segment, segment);
    }

    void put(std::string const& name, file_bytes const& content) const
    {
        std::ofstream{path(name), std::ios::binary}.write(
            reinterpret_cast<char const*>(content.data()),
            static_cast<std::streamsize>(content.size()));
        ::chmod(path(name).c_str(), 0600);
    }
    std::string path(std::string const& name) const { return at_.path() + "/" + name; }
    log_target target() const { return {at_.path(), "shop-1", {}, "assent.toml"}; }

    eventful_log log;

private:
    assent::testing::temporary_directory at_;
};

std::string dumped(log_directory const& at, dump_options const& how = {})
{
    std::ostringstream out;
    dump(at.target(), how, out, painter{false});
    return out.str();
}

json dumped_json(log_directory const& at, dump_options how = {})
{
    how.is_json = true;
    return json::parse(dumped(at, how));
}

std::vector<std::string> types_of(json const& all)
{
    std::vector<std::string> types;
    for (auto const& one : all.at("records"))
        types.push_back(one.at("type"));
    return types;
}

repair_options confirmed(std::string const& salvage_into = {})
{
    repair_options how;
    how.salvage_into = salvage_into;
    how.reason = "the disk was replaced";
    how.who = "uid 1000 (ann)";
    how.is_confirmed = true;
    how.lock_wait = std::chrono::milliseconds{0};
    return how;
}

exit_code code_of(std::function<void()> const& act)
{
    try {
        act();
    } catch (failure const& e) {
        return e.code();
    }
    ADD_FAILURE() << "nothing was refused";
    return exit_code::fine;
}

// ---- verify ----------------------------------------------------------------------------------

TEST(LogVerify, ASoundLogIsFine)
{
    log_directory const at;

    auto const told = verify(at.target(), {});
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(told.verdict, "sound: closed in order");
    EXPECT_EQ(all.at("command"), "log verify");
    EXPECT_EQ(all.at("exit_code"), 0);
    EXPECT_EQ(all.at("verdict"), "sound");
    EXPECT_EQ(all.at("owner"), nullptr);
    EXPECT_EQ(all.at("node_label"), "shop-1");
    auto const& segment = all.at("segments").at(0);
    EXPECT_EQ(segment.at("number"), 2);
    EXPECT_EQ(segment.at("epoch"), 2);
    EXPECT_EQ(segment.at("state"), "sealed");
    EXPECT_EQ(segment.at("records"), 11);
    EXPECT_EQ(segment.at("chain"), "first");
    EXPECT_EQ(segment.at("damage"), json::array());
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("9 of 16  11       the one before"));
}

TEST(LogVerify, DamageIsToldWholeWithWhatToDo)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 3);
        spoil(file, 5);
        wipe(file, 6);
    }};

    auto const told = verify(at.target(), {});
    auto const all = json::parse(in_json(told));
    auto const text = in_words(told, painter{false});

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_THAT(told.verdict,
                HasSubstr("page 3 (byte 12288): its checksum is wrong; it was durable"));
    EXPECT_THAT(told.advice, HasSubstr("--salvage-into"));
    auto const& segment = all.at("segments").at(0);
    EXPECT_EQ(segment.at("state"), "corrupt");
    EXPECT_EQ(segment.at("page"), 3);
    EXPECT_EQ(segment.at("damaged_pages"), 3);
    EXPECT_EQ(segment.at("damage").at(2), json({{"first_page", 6},
                                                {"last_page", 6},
                                                {"what", "zeros"},
                                                {"why", "zeros lie where a page was written"},
                                                {"proved_durable_by_page", 7}}));
    EXPECT_EQ(segment.at("missing").at("records"), 3);
    EXPECT_EQ(segment.at("missing").at("ranges").at(1), json({{"first", 11}, {"last", 12}}));
    EXPECT_THAT(text, HasSubstr("segment 2: 3 damaged pages\n"));
    EXPECT_THAT(text, HasSubstr("segment 2: 3 missing records\n  9, 11 to 12\n"));
    EXPECT_THAT(text, HasSubstr("\n! damaged: "));
}

TEST(LogVerify, ATornEndIsNoDamage)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};

    auto const told = verify(at.target(), {});

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_THAT(told.verdict, HasSubstr("torn: "));
    EXPECT_THAT(told.verdict, HasSubstr("nothing is lost"));
    EXPECT_EQ(json::parse(in_json(told))
                  .at("segments")
                  .at(0)
                  .at("damage")
                  .at(0)
                  .at("proved_durable_by_page"),
              nullptr);
}

TEST(LogVerify, OtherFilesAreListed)
{
    log_directory const at;
    at.put("0000000000000003.seg.tmp", file_bytes(4096));
    at.put("0000000000000001.seg.torn-1767225600", file_bytes(8192));
    at.put("notes", file_bytes(1));

    auto const told = verify(at.target(), {});

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(json::parse(in_json(told)).at("other_files").at(0),
              json({{"name", "0000000000000001.seg.torn-1767225600"},
                    {"bytes", 8192},
                    {"what", "torn copy"}}));
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("kept as evidence"));
}

TEST(LogVerify, DamageInAReplacedSegmentNeedsALook)
{
    log_directory const at;
    auto older = at.log.segment;  // renamed to look like the predecessor of segment 3
    auto next = std::make_shared<assent::testing::simulated_disk>();
    next->put(second_segment, older);
    assent::testing::open_on(next, 5);
    spoil(older, 3);
    at.put(second_segment, older);
    at.put("0000000000000003.seg", next->contents("0000000000000003.seg"));

    auto const told = verify(at.target(), {});

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_EQ(told.verdict, "sound: closed in order");
    EXPECT_THAT(told.attention, ElementsAre(HasSubstr("segment 2 is damaged as well")));
}

TEST(LogVerify, RefusesWhatIsNoLogOfThisConfiguration)
{
    log_directory const at;
    auto which = at.target();
    which.node_label = "shop-2";
    EXPECT_EQ(code_of([&] { verify(which, {}); }), exit_code::misused);
    assent::testing::temporary_directory const empty;
    EXPECT_EQ(code_of([&] { verify({empty.path(), {}, {}, {}}, {}); }), exit_code::misused);
    EXPECT_EQ(code_of([&] { verify({empty.path() + "/no", {}, {}, {}}, {}); }), exit_code::misused);
}

// ---- dump ------------------------------------------------------------------------------------

TEST(LogDump, WritesEveryRecordInOrder)
{
    log_directory const at;

    auto const all = dumped_json(at);

    EXPECT_EQ(all.at("command"), "log dump");
    EXPECT_EQ(all.at("exit_code"), 0);
    EXPECT_THAT(types_of(all),
                ElementsAre("opening", "opening", "binding", "binding", "decision", "decision",
                            "binding", "decision", "heuristic", "decision", "end"));
    auto const& first = all.at("records").at(4);
    EXPECT_EQ(first.at("segment"), 2);
    EXPECT_EQ(first.at("page"), 2);
    EXPECT_EQ(first.at("lsn"), 8);
    EXPECT_EQ(first.at("gtrid"), at.log.decisions[0].global.text());
    EXPECT_EQ(first.at("is_finished"), true) << "as the end record, pages later, says";
    EXPECT_EQ(all.at("records").at(5).at("is_finished"), false);
    auto const& branch = all.at("records").at(5).at("branches").at(1);
    EXPECT_EQ(branch.at("resource_manager"), "orders");
    EXPECT_EQ(branch.at("is_finished"), false);
    EXPECT_EQ(branch.at("xid"),
              (assent::xid{at.log.decisions[1].global, at.log.decisions[1].branches[1]}.text()));
    EXPECT_EQ(all.at("records").at(8).at("seen"), "it was \x1b[31mred\x1b[0m");
    EXPECT_EQ(all.at("records").at(10).at("finished_branches"), json({1, 2}));
}

TEST(LogDump, SaysTheSameInWords)
{
    log_directory const at;
    auto const text = dumped(at);
    std::string const id{at.log.decisions[0].global.text()};

    EXPECT_THAT(text, HasSubstr("segment 2, epoch 2, nonce"));
    EXPECT_THAT(text, HasSubstr("     2           8  decision      " + id + ": commit, "));
    EXPECT_THAT(text, HasSubstr("     1           6  binding       resource manager 1 is "
                                "\"accounts\", memory, \"identity-a\""));
    EXPECT_THAT(text, HasSubstr(id + ": finished: branch 1, branch 2 of its decision"));
    EXPECT_THAT(text, HasSubstr("it was \\x1b[31mred\\x1b[0m"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(LogDump, Filters)
{
    log_directory const at;
    dump_options how;

    how.only.types = {"decision", "end"};
    EXPECT_THAT(types_of(dumped_json(at, how)),
                ElementsAre("decision", "decision", "decision", "decision", "end"));
    how.only.transaction = at.log.decisions[0].global;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre("decision", "end"));
    how.only = {};
    how.only.transaction = at.log.decisions[1].global;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre("decision", "heuristic"));
    how.only = {};
    how.only.is_unfinished_only = true;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre("decision", "decision", "decision"));
    how.only.transaction = at.log.decisions[0].global;
    EXPECT_THAT(types_of(dumped_json(at, how)), ElementsAre());
    EXPECT_EQ(dumped(at, how), "log " + at.target().directory + "\n");
}

TEST(LogDump, IsTheSameHoweverFewDecisionsFitIntoMemory)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 4); }};
    auto const whole = dumped(at);
    EXPECT_THAT(whole, HasSubstr("damaged: its checksum is wrong"));
    EXPECT_THAT(whole, HasSubstr("missing: 1 record, 10"));

    for (std::size_t const at_once : {1U, 2U, 3U, 4U}) {
        dump_options how;
        how.decisions_at_once = at_once;
        EXPECT_EQ(dumped(at, how), whole) << at_once;
    }
}

TEST(LogDump, GoesOnBehindDamage)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 5); }};

    auto const all = dumped_json(at);

    EXPECT_EQ(all.at("exit_code"), 5);
    EXPECT_THAT(types_of(all), ElementsAre("opening", "opening", "binding", "binding", "decision",
                                           "decision", "binding", "damaged page", "missing records",
                                           "heuristic", "decision", "end"));
    EXPECT_EQ(all.at("records").at(8),
              json({{"segment", 2}, {"type", "missing records"}, {"first", 11}, {"last", 11}}));
    EXPECT_EQ(all.at("attention").size(), 1U);
}

TEST(LogDump, NamesEveryTypeOfRecord)
{
    bound_names const names{{1, {1, "accounts", "memory", "a"}}};
    auto const id = eventful_log{}.decisions[0].global;
    using namespace assent;

    EXPECT_EQ(in_words(log::record{log::horizon_record{1, {2, 3}}}, names),
              "\"accounts\" is finished up to epoch 2, sequence 3");
    EXPECT_EQ(in_words(log::record{log::server_start_record{2, 3, "up"}}, names),
              "the server of \"resource manager 2\" in epoch 3: \"up\"");
    EXPECT_EQ(in_words(log::record{log::rollback_record{id}}, names), "rolled back");
    log::operator_record note;
    note.who = "ann";
    note.why = "so";
    EXPECT_EQ(in_words(log::record{note}, names), "\"ann\", -, repaired the log: \"so\"");
    note.verdict = log::operator_verdict::roll_back;
    EXPECT_EQ(in_words(log::record{note}, names), "\"ann\", -, salvaged the log: \"so\"");
    note.branch.global = id;
    EXPECT_THAT(in_words(log::record{note}, names), HasSubstr("roll back, branch asn1l"));
    EXPECT_EQ(name_of_type(8), "operator");
    EXPECT_EQ(name_of_type(200), "type 200");
    EXPECT_EQ(record_type_names().size(), 9U);
}

// ---- stats -----------------------------------------------------------------------------------

TEST(LogStats, CountsWhatIsThereAndWhatKeepsIt)
{
    log_directory const at;

    auto const told = stats(at.target(), {});
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_EQ(all.at("command"), "log stats");
    EXPECT_EQ(
        all.at("records"),
        json({{"binding", 3}, {"decision", 4}, {"end", 1}, {"heuristic", 1}, {"opening", 2}}));
    EXPECT_EQ(all.at("decisions"),
              json({{"live", 3}, {"complete", 1}, {"kept", 1}, {"droppable", 0}}));
    EXPECT_EQ(all.at("snapshot"), json({{"pages", 1}, {"records", 4}}));
    EXPECT_EQ(all.at("forces").at("count"), 7);
    EXPECT_EQ(all.at("forces").at("with_decisions"), 4);
    EXPECT_EQ(all.at("segments").at(0).at("pages_used"), 9);
    EXPECT_EQ(all.at("segments").at(0).at("pages_free"), 7);
    EXPECT_EQ(all.at("segments").at(0).at("bytes"), 16 * 4096);
    EXPECT_GT(all.at("segments").at(0).at("bytes_on_disk"), 0);
    auto const& orders = all.at("resource_managers").at(1);
    EXPECT_EQ(orders.at("name"), "orders");
    EXPECT_EQ(orders.at("unfinished"), 3);
    EXPECT_EQ(orders.at("held_back"), 1);
    EXPECT_EQ(all.at("first"), "2026-01-01T00:00:02.000Z");
    EXPECT_NE(all.at("medium").at("file_system"), "");
    EXPECT_THAT(std::string(all.at("medium").at("takes_o_direct")), ::testing::AnyOf("yes", "no"));
    EXPECT_THAT(in_words(told, painter{false}),
                HasSubstr("decisions     3 to be carried out, 1 finished: 1 kept, 0 gone"));
}

TEST(LogStats, AForceThatManyShareIsOne)
{
    auto const disk = std::make_shared<assent::testing::simulated_disk>();
    auto const log = assent::testing::open_on(disk, 1);
    log->bind("accounts", "memory", "identity-a");
    for (std::uint64_t i = 1; i <= 4; ++i) {
        log->force(assent::testing::decision_of(*log, i, 1), assent::testing::far_away());
        assent::testing::finish(*log, assent::testing::decision_of(*log, i, 1));
    }
    log->raise_horizon(1, {1, 3});
    log->close();
    log_directory const at{
        [&](file_bytes& file) { file = disk->contents("0000000000000001.seg"); }};
    std::filesystem::rename(at.path(second_segment), at.path("0000000000000001.seg"));

    auto const told = stats(at.target(), {});

    EXPECT_EQ(told.complete, 4U);
    EXPECT_EQ(told.droppable, 3U) << "up to the horizon";
    ASSERT_EQ(told.databases.size(), 1U);
    EXPECT_EQ(told.databases[0].held_back, 1U);
    EXPECT_EQ(told.databases[0].horizon, (assent::ports::position{1, 3}));
    EXPECT_EQ(told.forces.decisions, 4U);
    EXPECT_EQ(told.forces.decisions_most, 1U);
}

TEST(LogStats, CountsWhatIsSoundOfADamagedLog)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 5); }};

    auto const told = stats(at.target(), {});

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_EQ(told.live, 2U);
    EXPECT_EQ(told.records.at("decision"), 3U);
}

// ---- repair ----------------------------------------------------------------------------------

TEST(LogRepair, ASoundLogIsLeftAlone)
{
    log_directory const at;
    auto const told = repair(at.target(), confirmed());

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(in_words(told, painter{false}), HasSubstr("nothing has to be repaired"));
    EXPECT_EQ(verify(at.target(), {}).seen.segments.size(), 1U);
    EXPECT_FALSE(std::filesystem::exists(at.path("lock"))) << "nothing is written, not even that";
}

TEST(LogRepair, ATornLogIsRepairedWhenConfirmed)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};
    auto how = confirmed();
    how.is_confirmed = false;

    auto const unconfirmed = repair(at.target(), how);
    EXPECT_EQ(unconfirmed.code, exit_code::misused);
    EXPECT_EQ(unconfirmed.plan.size(), 3U);
    EXPECT_THAT(unconfirmed.attention, ElementsAre(HasSubstr("--yes")));
    how.ask = [](auto const&) { return false; };
    EXPECT_EQ(repair(at.target(), how).code, exit_code::misused);
    EXPECT_EQ(verify(at.target(), {}).seen.verdict, assent::log::log_verdict::torn);

    std::string asked;
    how.ask = [&](repair_report const& told) {
        asked = in_words(told, painter{false});
        return true;
    };
    auto const told = repair(at.target(), how);

    EXPECT_EQ(told.code, exit_code::fine);
    EXPECT_TRUE(told.has_acted);
    EXPECT_EQ(told.epoch, 3U);
    EXPECT_THAT(asked, HasSubstr("1. begin segment 3"));
    EXPECT_EQ(verify(at.target(), {}).verdict, "sound: closed in order");
    dump_options only;
    only.only.types = {"operator"};
    EXPECT_THAT(dumped(at, only), HasSubstr("\"uid 1000 (ann)\""));
    EXPECT_THAT(dumped(at, only), HasSubstr("repaired the log: \"the disk was replaced; torn"));
}

TEST(LogRepair, NeverRepairsDamageInPlace)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 3); }};

    auto const told = repair(at.target(), confirmed());

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(told.attention, Contains(HasSubstr("never repaired in place")));
    EXPECT_THAT(told.attention, Contains(HasSubstr("1 record is lost: 9")));
}

TEST(LogRepair, SalvagesIntoANewDirectory)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 3);
        spoil(file, 5);
    }};
    assent::testing::temporary_directory const parent;
    auto const into = parent.path() + "/new";

    auto const told = repair(at.target(), confirmed(into));
    auto const all = json::parse(in_json(told));

    EXPECT_EQ(told.code, exit_code::attention);
    EXPECT_TRUE(told.has_acted);
    EXPECT_EQ(all.at("lost").at("records"), 2);
    EXPECT_EQ(all.at("lost").at("ranges").at(0), json({{"first", 9}, {"last", 9}}));
    EXPECT_EQ(all.at("lost").at("resource_manager_ids_maybe"), json({{"first", 4}, {"last", 4}}));
    EXPECT_EQ(all.at("epoch"), 3);
    EXPECT_EQ(verify({into, "shop-1", {}, {}}, {}).verdict, "sound: closed in order");
    struct stat seen = {};
    ASSERT_EQ(::stat(into.c_str(), &seen), 0);
    EXPECT_EQ(seen.st_mode & 0777U, 0700U);
    EXPECT_EQ(verify(at.target(), {}).code, exit_code::damaged) << "left as it is";

    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed(into)); }), exit_code::misused)
        << "it is not empty any more";
}

TEST(LogRepair, RefusesDirectoriesThatWillNotDo)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 3); }};
    auto const self = at.target().directory;

    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed(self)); }), exit_code::misused);
    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed(self + "/x/../new")); }),
              exit_code::misused);
    EXPECT_FALSE(std::filesystem::exists(self + "/new"));

    log_directory const torn{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};
    EXPECT_EQ(code_of([&] { repair(torn.target(), confirmed("/tmp/no-such/new")); }),
              exit_code::misused);
}

TEST(LogRepair, RefusesBesideALiveOwner)
{
    log_directory const at{[](file_bytes& file) {
        spoil(file, 7);
        wipe(file, 8);
    }};
    auto options = assent::testing::repeatable(nullptr);
    assent::log::file_log const owner{at.target().directory, options};

    EXPECT_EQ(code_of([&] { repair(at.target(), confirmed()); }), exit_code::owned);
    EXPECT_THAT(verify(at.target(), {}).verdict,
                HasSubstr("process " + std::to_string(::getpid()) + " owns it"));
}

TEST(LogRepair, SaysWhyNothingCanBeSalvaged)
{
    log_directory const at{[](file_bytes& file) { spoil(file, 1); }};

    auto const told = repair(at.target(), confirmed("/tmp/no-such/new"));

    EXPECT_EQ(told.code, exit_code::damaged);
    EXPECT_FALSE(told.has_acted);
    EXPECT_THAT(told.attention, Contains(HasSubstr("which openings this log had")));
}

// ---- text, progress --------------------------------------------------------------------------

TEST(Escaped, LeavesNothingThatATerminalActsUpon)
{
    EXPECT_EQ(escaped("plain \"text\""), "plain \"text\"");
    EXPECT_EQ(escaped("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
    EXPECT_EQ(escaped("a\\x1b"), "a\\\\x1b") << "a backslash is not mistaken for an escape";
    EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
              "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(escaped("\xc2\x9b"), "\\xc2\\x9b") << "CSI in one character";
    EXPECT_EQ(escaped("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "turns the writing round";
    EXPECT_EQ(escaped("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(escaped("\xc0\x9b\xe0\x82\x9b"), "\\xc0\\x9b\\xe0\\x82\\x9b") << "longer than needed";
    EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate is no character";
    EXPECT_EQ(escaped(std::string("\0x", 2)), "\\x00x");
}

TEST(ProgressLine, TellsAFileWhatWasRead)
{
    std::ostringstream out;
    {
        progress_line line{out, false};
        line.tell({7, 4096, 8192});
        line.tell({7, 8192, 8192});
    }
    EXPECT_EQ(out.str(), "reading segment 7: 8.0 KiB of 8.0 KiB\n");
}

TEST(ProgressLine, LeavesNothingOnATerminalThatWasNeverWritten)
{
    std::ostringstream out;
    {
        progress_line line{out, true};
        line.tell({7, 4096, 8192});
    }
    EXPECT_EQ(out.str(), "");
}

}  // namespace
