// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_connect_test.cpp -- the connect options, each on the real servers, by each client library:
// encryption, several hosts, character set, compression, attributes.

#include <poll.h>

#include <chrono>
#include <string>

#include "tests/contract/mysql_case.hpp"

namespace assent::contract {

namespace {

using mysql::compression;
using mysql::tls_mode;
using ::testing::HasSubstr;
using ::testing::Not;

#ifdef LIBMARIADB
constexpr bool is_connector_c = true;
#else
constexpr bool is_connector_c = false;
#endif

class mysql_connect : public ::testing::TestWithParam<server_kind>
{
protected:
    void SetUp() override
    {
        if (auto const why = why_missing(GetParam()); !why.empty()) GTEST_SKIP() << why;
        server_ = &kept(0, {"tls=on", "performance_schema=ON"});
    }

    static testing::private_server& kept(int which, std::vector<std::string> const& settings)
    {
        static std::unique_ptr<testing::private_server> servers[2][2];
        auto& one = servers[static_cast<int>(GetParam())][which];
        if (!one) one = make_server(GetParam(), settings);
        return *one;
    }
    static testing::private_server& other() { return kept(1, {}); }

    mysql::connect_options where() const
    {
        mysql::connect_options options;
        options.host = "127.0.0.1";
        options.port = static_cast<unsigned>(server_->port());
        options.user = server_->account();
        options.password = server_->password();
        options.database = "accounts";
        return options;
    }
    static std::string at(testing::private_server const& which)
    {
        return "127.0.0.1:" + std::to_string(which.port());
    }

    static session_ptr open(mysql::connect_options const& options,
                            session_purpose purpose = session_purpose::work)
    {
        return mysql::resource_manager{"shop-db", options}.driver()->connect(purpose,
                                                                             in_ms(10'000));
    }
    static std::string complaint(mysql::connect_options const& options)
    {
        try {
            open(options);
        } catch (driver_error const& error) {
            EXPECT_THAT(error.what(), Not(HasSubstr(options.password)));
            return error.what();
        }
        return {};
    }
    static std::string ask(driver_session& on, std::string const& sql)
    {
        return mysql_client::query(static_cast<MYSQL*>(on.native_handle()), sql);
    }
    static bool is_encrypted(driver_session& on)
    {
        return mysql_get_ssl_cipher(static_cast<MYSQL*>(on.native_handle())) != nullptr;
    }
    static bool is_on(driver_session& on, testing::private_server const& which)
    {
        return ask(on, "select @@port") == std::to_string(which.port());
    }

    testing::private_server* server_ = nullptr;
};

TEST_P(mysql_connect, EncryptsAsTheModeSays)
{
    auto options = where();
    // MySQL's password method asks for a secure connection once; what it has seen it remembers.
    options.ssl_mode = tls_mode::required;
    EXPECT_TRUE(is_encrypted(*open(options))) << "without any certificate of an authority";
    options.ssl_mode = tls_mode::preferred;
    EXPECT_TRUE(is_encrypted(*open(options)));
    options.ssl_mode = tls_mode::disabled;
    EXPECT_FALSE(is_encrypted(*open(options)));

    options.ssl_ca = server_->authority();
    EXPECT_THAT(complaint(options), HasSubstr("ssl_mode=disabled"));
    options.ssl_mode = tls_mode::required;
    EXPECT_THAT(complaint(options), HasSubstr("verify_identity")) << "nothing would be verified";
    options.ssl_mode = tls_mode::verify_identity;
    EXPECT_TRUE(is_encrypted(*open(options)));
    options.ssl_mode = tls_mode::by_default;
    EXPECT_TRUE(is_encrypted(*open(options)));
    options.ssl_ca.clear();
    options.ssl_mode = tls_mode::verify_identity;
    EXPECT_THAT(complaint(options), HasSubstr("ssl_ca or ssl_capath"));
}

TEST_P(mysql_connect, VerifiesTheAuthorityAloneWhereTheLibraryCan)
{
    auto options = where();
    options.host = "localhost.localdomain.invalid";
    options.ssl_mode = tls_mode::verify_ca;
    options.ssl_ca = server_->authority();
    if (is_connector_c) {
        EXPECT_THAT(complaint(options), HasSubstr("cannot verify the authority without"));
        return;
    }
    options.host = "127.0.0.1";
    EXPECT_TRUE(is_encrypted(*open(options)));
    // Of somebody else's authority.
    auto const stranger = make_server(GetParam(), {"tls=on"});
    options.ssl_ca = stranger->authority();
    EXPECT_NE(complaint(options), "");
}

TEST_P(mysql_connect, RefusesAServerThatCannotEncryptWhereThatIsRequired)
{
    if (GetParam() != server_kind::mariadb) GTEST_SKIP() << "MySQL makes itself a certificate";
    auto options = where();
    options.port = static_cast<unsigned>(other().port());
    options.password = other().password();
    options.ssl_mode = tls_mode::required;
    EXPECT_THAT(complaint(options), HasSubstr("not encrypted"));
    options.ssl_mode = tls_mode::preferred;
    EXPECT_FALSE(is_encrypted(*open(options)));
}

TEST_P(mysql_connect, ShowsItsCertificateToAnAccountThatRequiresOne)
{
    auto admin = mysql_client::administrator(*server_);
    admin.query("drop user if exists certified@'127.0.0.1'");
    admin.query("create user certified@'127.0.0.1' identified by 'a certificate' require x509");
    admin.query("grant all on accounts.* to certified@'127.0.0.1'");
    auto options = where();
    options.user = "certified";
    options.password = "a certificate";
    options.ssl_ca = server_->authority();
    EXPECT_NE(complaint(options), "");

    options.ssl_cert = server_->directory() + "/tls/cert.pem";
    EXPECT_THAT(complaint(options), HasSubstr("ssl_key"));
    options.ssl_key = server_->directory() + "/tls/key.pem";
    EXPECT_TRUE(is_encrypted(*open(options)));
}

TEST_P(mysql_connect, TakesTheFirstOfSeveralHostsThatServes)
{
    auto options = where();
    options.host = "127.0.0.1:1," + at(*server_);
    EXPECT_TRUE(is_on(*open(options), *server_)) << "nobody listens at the first";

    // The same account there as here.
    mysql_client::administrator(other()).query("alter user shop@'127.0.0.1' identified by '" +
                                               options.password + "'");
    options.host = at(other()) + "," + at(*server_);
    EXPECT_TRUE(is_on(*open(options), other()));
    mysql_client::administrator(other()).query("set global read_only = 1");
    EXPECT_TRUE(is_on(*open(options), *server_)) << "the first takes no writes";
    mysql_client::administrator(other()).query("set global read_only = 0");

    other().freeze();
    auto const began = std::chrono::steady_clock::now();
    auto const driver = mysql::resource_manager{"shop-db", options}.driver();
    EXPECT_TRUE(is_on(*driver->connect(session_purpose::work, in_ms(4000)), *server_));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{4000});
    other().thaw();

    options.host = "127.0.0.1:1,127.0.0.1:2";
    EXPECT_THAT(complaint(options), HasSubstr("127.0.0.1: "));
}

TEST_P(mysql_connect, PassesByAHostThatIsAnotherServer)
{
    auto options = where();
    mysql_client::administrator(other()).query("alter user shop@'127.0.0.1' identified by '" +
                                               options.password + "'");
    options.host = at(*server_) + "," + at(other());
    auto const driver = mysql::resource_manager{"shop-db", options}.driver();
    driver->preflight(*driver->connect(session_purpose::manage, in_ms(10'000)), in_ms(10'000));
    server_->kill();

    std::string why;
    try {
        driver->connect(session_purpose::manage, in_ms(10'000));
    } catch (driver_error const& error) {
        why = error.what();
    }
    server_->start();

    EXPECT_THAT(why, HasSubstr("another server"));
    EXPECT_TRUE(is_on(*driver->connect(session_purpose::work, in_ms(10'000)), *server_));
}

TEST_P(mysql_connect, LeasesSpeakTheChosenCharacterSetAndTheManagerItsOwn)
{
    auto options = where();
    options.character_set = "latin1";
    std::string const sql = "select @@character_set_client";
    EXPECT_EQ(ask(*open(options), sql), "latin1");
    EXPECT_EQ(ask(*open(options, session_purpose::manage), sql), "utf8mb4");
    options.character_set = "klingon";
    EXPECT_THAT(complaint(options), HasSubstr("klingon"));
}

TEST_P(mysql_connect, CompressesWhatABranchSays)
{
    for (auto const how : {compression::zlib, compression::zstd}) {
        auto options = where();
        options.compress = how;
        if (is_connector_c && how == compression::zstd) {
            EXPECT_THAT(complaint(options), HasSubstr("compress=zlib"));
            continue;
        }
        auto admin = mysql_client::administrator(*server_);
        admin.query("drop table if exists t");
        admin.query("create table t (k int primary key, v longtext) engine=innodb");
        for (bool const is_encrypted : {false, true}) {
            SCOPED_TRACE(is_encrypted ? "and encrypts" : "in the clear");
            options.ssl_mode = is_encrypted ? tls_mode::required : tls_mode::disabled;
            auto const session = open(options);
            EXPECT_EQ(ask(*session,
                          "select variable_value from performance_schema.session_status "
                          "where variable_name = 'Compression'"),
                      "ON");
            int key = is_encrypted ? 10 : 0;
            for (verb const end : {verb::commit, verb::rollback, verb::commit_one_phase}) {
                xid const x = next_xid(*session);
                ASSERT_TRUE(run(*session, verb::start, x).is_ok());
                ask(*session, "insert into t values (" + std::to_string(++key) +
                                  ", repeat('assent', 200000))");
                EXPECT_EQ(ask(*session, "select length(v) from t where k = " + std::to_string(key)),
                          "1200000");
                ask(*session, "select v from t where k = " + std::to_string(key));
                if (end != verb::commit_one_phase) {
                    ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());
                }
                EXPECT_TRUE(run(*session, end, x).is_ok());
                EXPECT_EQ(admin.query("select count(*) from t where k = " + std::to_string(key)),
                          end == verb::rollback ? "0" : "1");
            }
            EXPECT_TRUE(session->is_reusable());
        }
    }
}

TEST_P(mysql_connect, AnUnreadAnswerIsNotTakenForOursThoughItIsCompressed)
{
    auto options = where();
    options.compress = compression::zlib;
    auto admin = mysql_client::administrator(*server_);
    admin.query("drop table if exists t");
    admin.query("create table t (k int primary key) engine=innodb");
    for (std::string const sql : {"insert into t values (1)", "select 1; select 2"}) {
        SCOPED_TRACE(sql);
        auto const session = open(options);
        auto* const handle = static_cast<MYSQL*>(session->native_handle());
        xid const x = next_xid(*session);
        ASSERT_TRUE(run(*session, verb::start, x).is_ok());
        ASSERT_EQ(mysql_send_query(handle, sql.c_str(), sql.size()), 0);
        pollfd arrived{socket_of(handle), POLLIN, 0};
        ASSERT_EQ(poll(&arrived, 1, 10'000), 1);
        if (sql[0] == 's') {
            ASSERT_EQ(mysql_read_query_result(handle), 0);
            mysql_free_result(mysql_store_result(handle));
        }

        EXPECT_FALSE(run(*session, verb::prepare, x).is_ok());

        EXPECT_FALSE(session->is_reusable());
        EXPECT_EQ(admin.query("select count(*) from t"), "0");
    }
}

TEST_P(mysql_connect, ItsAttributesAreShown)
{
    auto options = where();
    options.attributes = {{"program_name", "the shop"}, {"team", "pay"}};
    auto const session = open(options);
    auto const shown = [&](std::string const& name) {
        return mysql_client::administrator(*server_).query(
            "select attr_value from performance_schema.session_connect_attrs where "
            "processlist_id = " +
            std::to_string(session->id()) + " and attr_name = '" + name + "'");
    };
    EXPECT_EQ(shown("program_name"), "the shop");
    EXPECT_EQ(shown("team"), "pay");
}

ASSENT_ON_EACH_SERVER(mysql_connect);

}  // namespace

}  // namespace assent::contract
