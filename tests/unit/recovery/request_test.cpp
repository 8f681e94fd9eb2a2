// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// What a request and an answer look like, what is none, and which files are believed.

#include "recovery/request.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <system_error>
#include <variant>

#include "recovery/box_file.hpp"
#include "tests/unit/log/temporary_directory.hpp"

namespace {

using namespace assent::recovery;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

request example()
{
    request what;
    what.deed = request_deed::resolve;
    what.transaction = "asn1l0000";
    what.resource_manager = "orders";
    what.is_commit = true;
    what.seen = "against";
    what.until_ms = 1'796'049'931'369;
    what.who = "uid 1000 (ann)";
    what.why = "order 4711 was cancelled";
    return what;
}

std::string fault_of(std::string const& text)
{
    auto const parsed = parse_request(text);
    auto const* const fault = std::get_if<std::string>(&parsed);
    return fault == nullptr ? "" : *fault;
}

TEST(Request, IsReadAsItWasWritten)
{
    auto const parsed = parse_request(text_of(example()));
    ASSERT_TRUE(std::holds_alternative<request>(parsed)) << fault_of(text_of(example()));
    auto const& what = std::get<request>(parsed);
    EXPECT_EQ(what.deed, request_deed::resolve);
    EXPECT_EQ(what.transaction, "asn1l0000");
    EXPECT_EQ(what.resource_manager, "orders");
    EXPECT_TRUE(what.is_commit);
    EXPECT_EQ(what.seen, "against");
    EXPECT_EQ(what.until_ms, 1'796'049'931'369);
    EXPECT_EQ(what.who, "uid 1000 (ann)");
    EXPECT_EQ(what.why, "order 4711 was cancelled");
}

TEST(Request, AReasonOfSeveralLinesStaysInItsLine)
{
    auto what = example();
    what.why = "first\nuntil 0\r\tand\x01more";
    auto const parsed = parse_request(text_of(what));
    ASSERT_TRUE(std::holds_alternative<request>(parsed));
    EXPECT_EQ(std::get<request>(parsed).why, "first until 0  and more");
}

TEST(Request, WhateverIsNotExactlyOneIsNone)
{
    auto const whole = text_of(example());
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
        EXPECT_NE(fault_of(whole.substr(0, bytes)), "") << bytes;
    EXPECT_THAT(fault_of(whole + "more"), HasSubstr("end"));
    EXPECT_THAT(fault_of(std::string(request_bytes_max + 1, 'x')), HasSubstr("too long"));
    EXPECT_THAT(fault_of("assent request 2\n"), HasSubstr("assent request 1"));
    auto const with = [&](std::string const& from, std::string const& to) {
        auto text = whole;
        return fault_of(text.replace(text.find(from), from.size(), to));
    };
    EXPECT_THAT(with("deed resolve", "deed drop"), HasSubstr("cannot do that"));
    EXPECT_THAT(with("commit 1", "commit 2"), HasSubstr("commit"));
    EXPECT_THAT(with("commit 1", "commit -1"), HasSubstr("commit"));
    EXPECT_THAT(with("until 1796049931369", "until 99999999999999999999"), HasSubstr("until"));
    EXPECT_THAT(with("who uid", "who\x07uid"), HasSubstr("who"));
    EXPECT_THAT(with("seen against\n", ""), HasSubstr("seen"));
}

TEST(Request, AnAnswerIsReadAsItWasWritten)
{
    answer const said{act_status::attention, true, 7, std::string(20'000, 'x')};
    auto const parsed = parse_answer(text_of(said));
    ASSERT_TRUE(std::holds_alternative<answer>(parsed));
    EXPECT_EQ(std::get<answer>(parsed).status, act_status::attention);
    EXPECT_TRUE(std::get<answer>(parsed).has_acted);
    EXPECT_EQ(std::get<answer>(parsed).epoch, 7U);
    EXPECT_THAT(std::get<answer>(parsed).text, HasSubstr("xxx"));
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_answer("assent answer 1\n")));
}

/// A directory with files for a box.
class BoxFile : public ::testing::Test
{
protected:
    std::string path(std::string const& name) const { return at_.path() + "/" + name; }
    void make(std::string const& name, std::string const& text = "x") const
    {
        std::ofstream{path(name)} << text;
        ::chmod(path(name).c_str(), 0600);
    }
    std::string fault() const { return box_.read(box_kind::request, id_).fault; }

    std::string const id_ = "0123456789abcdef";
    assent::testing::temporary_directory at_;
    box_directory box_{at_.path()};
};

TEST_F(BoxFile, IsWrittenWholeAndReadBack)
{
    box_.write(box_kind::request, id_, "text");

    auto const content = box_.read(box_kind::request, id_);
    EXPECT_TRUE(content.is_there);
    EXPECT_EQ(content.fault, "");
    EXPECT_EQ(content.text, "text");
    EXPECT_THAT(box_.ids(box_kind::request), ElementsAre(id_));
    EXPECT_TRUE(box_.rename(box_kind::request, box_kind::taken, id_));
    EXPECT_FALSE(box_.remove(box_kind::request, id_)) << "whoever came second is told so";
    EXPECT_FALSE(box_.rename(box_kind::request, box_kind::taken, id_));
    EXPECT_TRUE(box_.remove(box_kind::taken, id_));
    EXPECT_FALSE(box_.read(box_kind::request, id_).is_there);
    EXPECT_TRUE(box_.is_own());
}

TEST_F(BoxFile, OtherNamesAreNotSeen)
{
    for (auto const* name : {"request.", "request.0123", "request.0123456789ABCDEF",
                             "request.0123456789abcdef.new", "0000000000000001.seg", "lock"})
        make(name);
    EXPECT_THAT(box_.ids(box_kind::request), IsEmpty());
}

TEST_F(BoxFile, WhatIsNoPlainFileOfOnesOwnIsNotBelieved)
{
    auto const name = path("request." + id_);
    ::mkdir(name.c_str(), 0700);
    EXPECT_THAT(fault(), HasSubstr("plain file"));
    ::rmdir(name.c_str());

    make("elsewhere");
    ASSERT_EQ(::symlink(path("elsewhere").c_str(), name.c_str()), 0);
    EXPECT_THAT(fault(), HasSubstr("link"));
    ::unlink(name.c_str());

    ASSERT_EQ(::link(path("elsewhere").c_str(), name.c_str()), 0);
    EXPECT_THAT(fault(), HasSubstr("more than one name"));
    ::unlink(name.c_str());

    ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
    EXPECT_THAT(fault(), HasSubstr("plain file")) << "and nobody waits for a writer";
    ::unlink(name.c_str());

    make("request." + id_);
    ::chmod(name.c_str(), 0640);
    EXPECT_THAT(fault(), HasSubstr("others"));
    ::chmod(name.c_str(), 0600);
    EXPECT_EQ(fault(), "");

    make("request." + id_, std::string(request_bytes_max + 1, 'x'));
    EXPECT_THAT(fault(), HasSubstr("too long"));

    make("request." + id_);
    if (::chown(name.c_str(), 12'345, static_cast<gid_t>(-1)) == 0) {
        EXPECT_THAT(fault(), HasSubstr("another user"));
    }
}

TEST_F(BoxFile, OldAnswersAndHalfWrittenOnesGo)
{
    box_.write(box_kind::answer, id_, "old");
    box_.write(box_kind::answer, "00000000000000aa", "fresh");
    box_.write(box_kind::request, id_, "a request stays");
    make("answer.00000000000000bb.new");
    make("0000000000000001.seg");
    timespec const ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
    for (auto const& name :
         {"answer." + id_, "request." + id_, std::string{"answer.00000000000000bb.new"},
          std::string{"0000000000000001.seg"}})
        ASSERT_EQ(::utimensat(AT_FDCWD, path(name).c_str(), ago, 0), 0);

    box_.remove_older_than(1h);

    EXPECT_THAT(box_.ids(box_kind::answer), ElementsAre("00000000000000aa"));
    EXPECT_THAT(box_.ids(box_kind::request), ElementsAre(id_));
    EXPECT_NE(::access(path("answer.00000000000000bb.new").c_str(), F_OK), 0);
    EXPECT_EQ(::access(path("0000000000000001.seg").c_str(), F_OK), 0);
}

TEST_F(BoxFile, ADirectoryThatIsNotThereIsAnError)
{
    EXPECT_THROW(box_directory{path("not-there")}, std::system_error);
}

}  // namespace
