// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_rights_test.cpp -- what MySQL wants of an account and of its settings, how one logs in, and
// how it ends sessions: each is refused, or reported, so that the reader knows what to do.

#include <string>
#include <utility>

#include "tests/contract/mysql_case.hpp"
#include "tests/servers/spawn.hpp"

namespace assent::contract {

namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class mysql_rights : public mysql_case
{
protected:
    // A global variable that is switched, until the end of its scope.
    class switched
    {
    public:
        switched(mysql_client& administrator, std::string name, bool to)
            : administrator_(administrator), name_(std::move(name)), to_(to)
        {
            administrator_.query("set global " + name_ + " = " + (to_ ? "1" : "0"));
        }
        ~switched() { administrator_.try_query("set global " + name_ + " = " + (to_ ? "0" : "1")); }
        switched(switched const&) = delete;
        switched& operator=(switched const&) = delete;

    private:
        mysql_client& administrator_;
        std::string name_;
        bool to_;
    };

    mysql::connect_options clerk(std::string const& grants)
    {
        for (auto const& sql :
             {std::string("drop user if exists clerk@'127.0.0.1'"),
              std::string("create user clerk@'127.0.0.1' identified by 'secret-word'"),
              std::string("grant all on accounts.* to clerk@'127.0.0.1'"), grants}) {
            if (!sql.empty()) administrator().query(sql);
        }
        mysql::connect_options options = where();
        options.user = "clerk";
        options.password = "secret-word";
        return options;
    }

    // The session's cipher, empty without TLS; or why there is no session.
    std::string cipher(mysql::connect_options const& options)
    {
        try {
            auto const session = driver_of(options)->connect(session_purpose::work, in_ms(10'000));
            return query(*session,
                         "select variable_value from performance_schema.session_status where "
                         "variable_name = 'Ssl_cipher'");
        } catch (driver_error const& error) {
            return error.what();
        }
    }

    // Nobody's password is known to the server any more, so that it must be sent in full.
    void forget_passwords() { administrator().query("flush privileges"); }
};

TEST_P(mysql_rights, MissingRightToListBranchesIsToldWithTheStatementToRun)
{
    auto const its_driver = driver_of(clerk(""));
    auto const manage = its_driver->connect(session_purpose::manage, in_ms(10'000));
    ASSERT_EQ(try_query(*manage, "xa recover"), 1401U) << "the server calls it a fatal error";

    std::string const why = refusal([&] { its_driver->preflight(*manage, in_ms(10'000)); });
    std::string const why_no_scan = refusal([&] { its_driver->scan(*manage, in_ms(10'000)); });

    EXPECT_EQ(why, why_no_scan);
    std::size_t const begin = why.find("GRANT XA_RECOVER_ADMIN ON *.* TO 'clerk'@'127.0.0.1'");
    ASSERT_NE(begin, why.npos) << why;
    administrator().query(why.substr(begin));
    auto const again = its_driver->connect(session_purpose::manage, in_ms(10'000));
    EXPECT_EQ(refusal([&] { its_driver->preflight(*again, in_ms(10'000)); }), "");
}

/// COM_RESET_CONNECTION alone leaves the role as it is.
TEST_P(mysql_rights, AResetGivesBackTheRoleThatTheSessionWasOpenedWith)
{
    for (auto const* sql : {"create role if not exists teller, `the other`",
                            "grant teller, `the other` to shop@'127.0.0.1'"}) {
        administrator().query(sql);
    }
    auto const session = open();
    std::string const before = query(*session, "select current_role()");
    query(*session, "set role teller");
    ASSERT_NE(query(*session, "select current_role()"), before);

    session->submit_reset();
    ASSERT_TRUE(session->collect_reset(in_ms(10'000)));
    xid const x = start(*session, 1);

    EXPECT_EQ(query(*session, "select current_role()"), before);
    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
    administrator().query("drop role teller, `the other`");
}

TEST_P(mysql_rights, DetachOffIsRefusedByNameWhereTheAccountMayNotChangeIt)
{
    switched const off{administrator(), "xa_detach_on_prepare", false};

    std::string const why = refusal([&] { open(); });

    EXPECT_THAT(why, HasSubstr("xa_detach_on_prepare"));
    EXPECT_THAT(why, HasSubstr("SET PERSIST"));
}

TEST_P(mysql_rights, DetachOffIsOverriddenWhereTheAccountMayAndRefusedByPreflight)
{
    auto const its_driver =
        driver_of(clerk("grant session_variables_admin, xa_recover_admin on *.* to "
                        "clerk@'127.0.0.1'"));
    switched const off{administrator(), "xa_detach_on_prepare", false};
    std::string seen;

    std::string const why = refusal([&] {
        auto const session = its_driver->connect(session_purpose::manage, in_ms(10'000));
        seen = query(*session, "select @@session.xa_detach_on_prepare");
        its_driver->preflight(*session, in_ms(10'000));
    });

    EXPECT_EQ(seen, "1");
    EXPECT_THAT(why, HasSubstr("xa_detach_on_prepare"));
}

TEST_P(mysql_rights, LentHandleThatDoesNotDetachIsRefusedAndCannotBeMadeSoLater)
{
    administrator().query("grant session_variables_admin on *.* to shop@'127.0.0.1'");
    auto lent = mysql_client::account(server(), "accounts");
    lent.query("set session xa_detach_on_prepare = 0");
    std::string const why = refusal([&] { borrow(lent); });
    lent.query("set session xa_detach_on_prepare = 1");
    auto const session = borrow(lent);
    xid const x = start(*session, 1);
    unsigned const later = lent.try_query("set session xa_detach_on_prepare = 0");
    administrator().query("revoke session_variables_admin on *.* from shop@'127.0.0.1'");

    EXPECT_THAT(why, HasSubstr("xa_detach_on_prepare"));
    EXPECT_EQ(later, 1766U) << "not inside a branch";
    EXPECT_TRUE(run(*session, verb::rollback, x).is_ok());
}

TEST_P(mysql_rights, TemporaryTablesCannotBeUsedInABranchAndDoNoHarm)
{
    auto const session = open();
    query(*session, "create temporary table mine (i int) engine = innodb");
    xid const x = start(*session, 1);

    EXPECT_EQ(try_query(*session, "insert into mine values (1)"), 4091U);

    EXPECT_TRUE(run(*session, verb::commit_one_phase, x).is_ok());
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_rights, SessionThatWasIdleForTooLongIsANoVoteAndKeepsWhatItPrepared)
{
    auto const active = open();
    auto const prepared = open();
    xid const first = start(*active, 1);
    xid const second = prepare(*prepared, 2);
    for (auto* const session : {active.get(), prepared.get()})
        query(*session, "set session wait_timeout = 1");
    for (auto* const session : {active.get(), prepared.get()})
        wait_until_gone(session->id());

    reply const vote = run(*active, verb::prepare, first);
    reply const said = run(*prepared, verb::commit, second);

    // The connection is seen to be closed, so that no PREPARE was sent.  The server says why, which
    // cannot be read where it is encrypted, as libmysqlclient's connections are.
#ifdef LIBMARIADB
    auto const expected = xa_code::rbcommfail;
#else
    auto const expected = xa_code::rbother;
#endif
    EXPECT_EQ(vote.code, expected) << vote.native_code << vote.text;
    EXPECT_EQ(said.detail, reply_detail::reply_lost) << said.native_code << said.text;
    for (auto const& each : {vote, said})
        EXPECT_THAT(each.native_code, AnyOf(4031, 2006, 2013));
    EXPECT_FALSE(active->is_reusable());
    EXPECT_FALSE(is_listed(first));
    finish_elsewhere(verb::commit, second);
    EXPECT_EQ(rows(2), 1);
}

TEST_P(mysql_rights, ServerThatGoesOfflineIsALostReplyAndKeepsTheBranch)
{
    auto const session = open();
    xid const x = prepare(*session, 1);
    {
        switched const offline{administrator(), "offline_mode", true};
        EXPECT_EQ(run(*session, verb::commit, x).detail, reply_detail::reply_lost);
        EXPECT_THAT(refusal([&] { open(); }), HasSubstr("offline"));
    }
    EXPECT_TRUE(is_listed(x));
    finish_elsewhere(verb::commit, x);
    EXPECT_EQ(rows(1), 1);
}

TEST_P(mysql_rights, ExpiredPasswordIsSaidAtConnect)
{
    auto const its_driver = driver_of(clerk("alter user clerk@'127.0.0.1' password expire"));

    std::string const why =
        refusal([&] { its_driver->connect(session_purpose::work, in_ms(10'000)); });

    EXPECT_THAT(why, HasSubstr("shop-db"));
    EXPECT_THAT(why, AnyOf(HasSubstr("reset your password"), HasSubstr("password has expired")));
    EXPECT_THAT(why, Not(HasSubstr("secret-word")));
}

TEST_P(mysql_rights, CachingSha2LogsInOverTcpAndOverTheSocket)
{
    ASSERT_EQ(administrator().query("select plugin from mysql.user where user = 'shop' limit 1"),
              "caching_sha2_password");
    mysql::connect_options over_socket = where();
    over_socket.host.clear();
    over_socket.port = 0;
    over_socket.socket = server().socket();
    for (auto const& options : {where(), over_socket}) {
        for (bool const is_known : {false, true}) {
            SCOPED_TRACE(options.socket + (is_known ? " again" : " for the first time"));
            if (!is_known) forget_passwords();
            EXPECT_EQ(
                refusal([&] { driver_of(options)->connect(session_purpose::work, in_ms(10'000)); }),
                "");
        }
    }
    mysql::connect_options wrong = over_socket;
    wrong.password = "not-the-password";
    // libmysqlclient may find the connection closed before it has read why.
    EXPECT_THAT(refusal([&] { driver_of(wrong)->connect(session_purpose::work, in_ms(10'000)); }),
                AnyOf(HasSubstr("Access denied"), HasSubstr("and the account")));
}

TEST_P(mysql_rights, TlsIsRequiredAndTheServersNameVerifiedWhereACertificateIsGiven)
{
    // The server's own certificate, made at its first start, has a name that is nobody's address.
    mysql::connect_options self_made = where();
    self_made.ssl_ca = server().directory() + "/data/ca.pem";
    EXPECT_THAT(cipher(self_made), HasSubstr("cannot connect"));

    std::string const directory = server().directory();
    std::string const key = directory + "/tls-key.pem";
    std::string const certificate = directory + "/tls-cert.pem";
    auto const made =
        testing::run_process({"/usr/bin/env", "openssl", "req", "-x509", "-newkey", "rsa:2048",
                              "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                              "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate});
    ASSERT_EQ(made.status, 0) << made.output;
    testing::run_process({"/bin/chmod", "644", key});  // the directory is closed to others
    for (auto const& sql :
         {"set global ssl_ca = '" + certificate + "'",
          "set global ssl_cert = '" + certificate + "'", "set global ssl_key = '" + key + "'",
          std::string("alter instance reload tls")}) {
        administrator().query(sql);
    }
    mysql::connect_options verified = where();
    verified.ssl_ca = certificate;
    forget_passwords();
    EXPECT_THAT(cipher(verified), HasSubstr("TLS"));
    EXPECT_THAT(cipher(self_made), HasSubstr("cannot connect"));
}

INSTANTIATE_TEST_SUITE_P(on, mysql_rights, ::testing::Values(server_kind::mysql));

}  // namespace

}  // namespace assent::contract
