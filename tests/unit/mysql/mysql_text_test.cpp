// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_text_test.cpp -- xids as statements, error numbers as meanings, connect strings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <assent/mysql.hpp>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

xid example()
{
    return {gtrid::make({decision_place::log, 0, 1, 2, 3, 4}), bqual::make({5, 6, 7})};
}

answer error(unsigned number, std::string text = {})
{
    answer said;
    said.code = number;
    said.text = std::move(text);
    return said;
}

TEST(MysqlXidText, RendersGtridBqualAndTheServersOwnFormatId)
{
    EXPECT_EQ(render("az09", "0"), "X'617a3039',X'30',1");
    EXPECT_EQ(render(example()), hexadecimal(example().global.text()) + "," +
                                     hexadecimal(example().branch.text()) + ",1");
}

TEST(MysqlXidText, RefusesEveryByteThatOursNeverHave)
{
    for (int byte = 0; byte < 256; ++byte) {
        char const c = static_cast<char>(byte);
        bool const is_ours = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        EXPECT_EQ(render(std::string("a") + c, "0").has_value(), is_ours) << byte;
        EXPECT_EQ(render("a", std::string(1, c) + "0").has_value(), is_ours) << byte;
    }
    EXPECT_FALSE(render("", "0"));
    EXPECT_FALSE(render("0", ""));
}

TEST(MysqlXidText, ReadsWhatItWrote)
{
    std::string const data =
        std::string(example().global.text()) + std::string(example().branch.text());

    EXPECT_EQ(read_listed("1", "57", "24", data), example());
}

TEST(MysqlXidText, TakesEverythingElseForForeign)
{
    std::string const data =
        std::string(example().global.text()) + std::string(example().branch.text());

    EXPECT_FALSE(read_listed("7", "57", "24", data));
    EXPECT_FALSE(read_listed("1", "56", "25", data));
    EXPECT_FALSE(read_listed("1", "57", "25", data));
    EXPECT_FALSE(read_listed("1", "99999999999999999999", "24", data));
    EXPECT_FALSE(read_listed("1", "-1", "82", data));
    EXPECT_FALSE(read_listed("", "", "", ""));
    EXPECT_FALSE(read_listed("1", "58", "24", data + "x"));
}

TEST(MysqlError, MapsByMeaningNotByTheServersNames)
{
    struct expectation
    {
        unsigned number;
        verb v;
        bool is_owner;
        xa_code code;
        reply_detail detail;
    };
    using c = xa_code;
    using d = reply_detail;
    constexpr expectation table[] = {
        {1397, verb::commit, false, c::nota, d::none},
        {1397, verb::rollback, true, c::nota, d::none},
        {1398, verb::prepare, true, c::inval, d::none},
        {1399, verb::commit, true, c::proto, d::none},
        {1400, verb::start, false, c::outside, d::none},
        {3, verb::commit, true, c::nota, d::may_be_undone},
        {1026, verb::commit, false, c::nota, d::may_be_undone},
        {3, verb::prepare, true, c::proto, d::none},
        {1401, verb::commit, true, c::retry, d::busy},
        {1401, verb::prepare, true, c::rmerr, d::none},
        {1401, verb::commit_one_phase, true, c::proto, d::none},
        {1402, verb::commit, false, c::rbrollback, d::read_only_owner_left},
        {1402, verb::rollback, false, c::rbrollback, d::read_only_owner_left},
        {1402, verb::commit, true, c::rbrollback, d::none},
        {1440, verb::start, false, c::dupid, d::none},
        {1613, verb::prepare, true, c::rbtimeout, d::none},
        {1614, verb::prepare, true, c::rbdeadlock, d::none},
        {1205, verb::commit, false, c::retry, d::busy},
        {1205, verb::rollback, false, c::retry, d::busy},
        {1205, verb::prepare, true, c::proto, d::none},
        {3197, verb::commit, false, c::retry, d::busy},
        {3197, verb::rollback, true, c::retry, d::busy},
        {3197, verb::prepare, true, c::proto, d::none},
        {1317, verb::commit, false, c::rmfail, d::none},
        {1317, verb::prepare, false, c::rmfail, d::none},
        {1290, verb::commit, false, c::rmfail, d::none},
        {2006, verb::prepare, true, c::rmfail, d::reply_lost},
        {2013, verb::commit, true, c::rmfail, d::reply_lost},
        {2055, verb::commit, true, c::rmfail, d::reply_lost},
        {4031, verb::start, true, c::rmfail, d::reply_lost},
        {3032, verb::commit, true, c::rmfail, d::reply_lost},
        {3168, verb::prepare, true, c::rmfail, d::reply_lost},
        {3169, verb::commit_one_phase, true, c::rmfail, d::reply_lost},
        {1820, verb::commit, false, c::rmfail, d::none},
        {1927, verb::commit, true, c::rmfail, d::reply_lost},
        {1053, verb::commit, true, c::rmfail, d::reply_lost},
    };
    for (expectation const& row : table) {
        reply const said = to_reply(error(row.number), row.v, row.is_owner);
        EXPECT_EQ(said.code, row.code) << row.number;
        EXPECT_EQ(said.detail, row.detail) << row.number;
        EXPECT_EQ(said.native_code, static_cast<int>(row.number));
    }
}

TEST(MysqlVersion, OlderServersThanThoseThatKeepPreparedBranchesAreRefused)
{
    for (char const* const version : {"8.0.30", "8.0.36-28", "8.4.0", "9.7.4-2", "10.0.0"}) {
        EXPECT_EQ(why_unsafe(false, version), "") << version;
    }
    for (char const* const version : {"10.5.0-MariaDB", "10.11.19-MariaDB-0+deb12u1", "11.8.9"}) {
        EXPECT_EQ(why_unsafe(true, version), "") << version;
    }
    for (char const* const version : {"8.0.29", "8.0.4", "5.7.44-log", "8", "", "unknown"}) {
        EXPECT_THAT(why_unsafe(false, version), HasSubstr("8.0.30")) << version;
    }
    for (char const* const version : {"10.4.99-MariaDB", "5.5.68-MariaDB"}) {
        EXPECT_THAT(why_unsafe(true, version), HasSubstr("10.5")) << version;
    }
}

TEST(MysqlError, UnknownNumbersAreNeverSuccessAndNeverRolledBack)
{
    for (unsigned number = 1; number < 10'000; ++number) {
        if (number == 1402 || number == 1613 || number == 1614) continue;
        for (verb const v :
             {verb::start, verb::prepare, verb::commit, verb::commit_one_phase, verb::rollback}) {
            reply const said = to_reply(error(number), v, true);
            EXPECT_FALSE(said.is_ok());
            EXPECT_LT(static_cast<int>(said.code), 100) << number;
            EXPECT_FALSE(v == verb::commit && said.code == xa_code::rmerr) << number;
        }
    }
}

TEST(MysqlError, StateWordIsFoundInEveryLanguage)
{
    EXPECT_EQ(state_in(error(1399, "... in the  NON-EXISTING state")), session_state::non_existing);
    EXPECT_EQ(state_in(error(1399, "... im Zustand ROLLBACK ONLY ist")),
              session_state::rollback_only);
    EXPECT_EQ(state_in(error(1399, "IDLE")), session_state::idle);
    EXPECT_EQ(state_in(error(1399, "PREPARED")), session_state::prepared);
    EXPECT_EQ(state_in(error(1399, "ACTIVE")), session_state::active);
    EXPECT_EQ(state_in(error(1399, "a new word")), session_state::unnamed);
    EXPECT_EQ(state_in(error(1062, "Duplicate entry 'ROLLBACK ONLY'")), session_state::unnamed);
}

TEST(MysqlError, OnlyLostRacesAreRetryable)
{
    for (unsigned number : {1020U, 1205U, 1213U, 1613U, 1614U}) {
        EXPECT_TRUE(is_retryable(number, "")) << number;
    }
    EXPECT_TRUE(is_retryable(1399, "in the  ROLLBACK ONLY state"));
    EXPECT_FALSE(is_retryable(1399, "in the  ACTIVE state"));
    for (unsigned number : {0U, 1062U, 1317U, 1397U, 2006U, 2013U}) {
        EXPECT_FALSE(is_retryable(number, "")) << number;
    }
}

std::string complaint(std::string const& text)
{
    try {
        mysql::parse_connect_string(text);
    } catch (driver_error const& error) {
        return error.what();
    }
    return {};
}

TEST(MysqlConnectString, ReadsEveryKey)
{
    auto const where = mysql::parse_connect_string(
        "host=db1 port=3307 socket=/run/x user=shop database=orders password_file=/etc/p "
        "ssl_mode=verify_ca ssl_ca=/ca.pem ssl_capath=/ca ssl_cert=/cert.pem ssl_key=/key.pem "
        "character_set=latin1 compress=zlib program_name=shop attributes='team=pay,site=a=b' "
        "allow_non_durable=no");

    EXPECT_EQ(where.host, "db1");
    EXPECT_EQ(where.port, 3307U);
    EXPECT_EQ(where.socket, "/run/x");
    EXPECT_EQ(where.user, "shop");
    EXPECT_EQ(where.database, "orders");
    EXPECT_EQ(where.password_file, "/etc/p");
    EXPECT_EQ(where.ssl_mode, mysql::tls_mode::verify_ca);
    EXPECT_EQ(where.ssl_ca, "/ca.pem");
    EXPECT_EQ(where.ssl_capath, "/ca");
    EXPECT_EQ(where.ssl_cert, "/cert.pem");
    EXPECT_EQ(where.ssl_key, "/key.pem");
    EXPECT_EQ(where.character_set, "latin1");
    EXPECT_EQ(where.compress, mysql::compression::zlib);
    EXPECT_EQ(where.attributes, (std::vector<std::pair<std::string, std::string>>{
                                    {"program_name", "shop"}, {"team", "pay"}, {"site", "a=b"}}));
    EXPECT_FALSE(where.safety.allow_non_durable);
}

std::string refusal(std::string const& connect_string)
{
    try {
        mysql::resource_manager{"orders", connect_string + " database=orders"};
    } catch (driver_error const& error) {
        return error.what();
    }
    return {};
}

TEST(MysqlConnectString, HostsMayHavePortsOfTheirOwn)
{
    for (char const* const good : {"host=db1", "host=db1:3307,db2", "host=::1", "host=[::1]:3307",
                                   "host=[::1],db2:1", "socket=/run/x"}) {
        EXPECT_EQ(refusal(good), "") << good;
    }
    for (char const* const bad : {"host=db1:", "host=db1:x", "host=db1:70000", "host=[::1",
                                  "host=[::1]x", "host=db1,", "host=,db1"}) {
        EXPECT_THAT(refusal(bad), HasSubstr("host: ")) << bad;
    }
}

TEST(MysqlConnectString, QuotesAndBackslashesKeepBytes)
{
    auto const where = mysql::parse_connect_string(
        " host=db1\tdatabase='my \\'db\\' \\\\' password_file=/etc/p\\ q "
        "allow_non_durable=yes ");

    EXPECT_EQ(where.host, "db1");
    EXPECT_EQ(where.database, "my 'db' \\");
    EXPECT_EQ(where.password_file, "/etc/p q");
    EXPECT_TRUE(where.safety.allow_non_durable);
    EXPECT_FALSE(mysql::parse_connect_string("").safety.allow_non_durable);
}

TEST(MysqlConnectString, RefusesWithoutShowingValues)
{
    EXPECT_THAT(complaint("password=hunter2"), HasSubstr("password_file"));
    EXPECT_THAT(complaint("password=hunter2"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(complaint("passwort=hunter2"), HasSubstr("passwort"));
    EXPECT_THAT(complaint("tls=on"), HasSubstr("known are host, port"));
    EXPECT_THAT(complaint("ssl_mode=on"), HasSubstr("verify_identity"));
    EXPECT_THAT(complaint("compress=yes"), HasSubstr("zlib"));
    EXPECT_THAT(complaint("attributes=team"), HasSubstr("name=value"));
    EXPECT_THAT(complaint("attributes=a=b,"), HasSubstr("name=value"));
    EXPECT_THAT(complaint("host=a hunter2"), Not(HasSubstr("hunter2")));
    EXPECT_THAT(complaint("host='a"), HasSubstr("closing quote"));
    EXPECT_THAT(complaint("host='a'b"), HasSubstr("blank"));
    EXPECT_THAT(complaint("host=a\\"), HasSubstr("backslash"));
    EXPECT_THAT(complaint("host=a host=b"), HasSubstr("twice"));
    for (std::string const port : {"0", "65536", "x", "-1", "1x", "''"}) {
        EXPECT_THAT(complaint("port=" + port), HasSubstr("port")) << port;
    }
    EXPECT_THAT(complaint("allow_non_durable=perhaps"), HasSubstr("yes or no"));
    EXPECT_NE(complaint(std::string("host=a\0b", 8)), "");
}

TEST(MysqlResourceManager, RefusesWhatCannotBeUsed)
{
    EXPECT_THROW((mysql::resource_manager{"", "database=d"}), driver_error);
    EXPECT_THROW((mysql::resource_manager{"two words", "database=d"}), driver_error);
    EXPECT_THROW((mysql::resource_manager{std::string(65, 'n'), "database=d"}), driver_error);
    EXPECT_THROW((mysql::resource_manager{"orders", "host=db1"}), driver_error);
    EXPECT_NO_THROW((mysql::resource_manager{"orders", "database=d"}));
}

}  // namespace

}  // namespace assent::mysql_dialect
