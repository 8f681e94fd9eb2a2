// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_odbc_test.cpp -- assent_odbc_switch, before each database that can prepare.

#include <assent/odbc_switch.h>

#include "tests/contract/exported_secret.hpp"
#include "tests/contract/exported_switch_suite.hpp"
#include "tests/contract/odbc_target.hpp"
#include "tests/contract/sqlite_target.hpp"

namespace assent::contract {

namespace {

/// What is the same whatever is behind it.
template <class Native>
class exported_odbc : public exported_target
{
public:
    template <class Kind>
    explicit exported_odbc(Kind kind) : native_(kind)
    {
    }

    std::string why_missing() const override { return native_.why_missing(); }
    testing::private_server& server() override { return native_.server(); }
    void reset() override { native_.reset(); }

    xa_switch_t& entries() override { return assent_odbc_switch; }
    void* handle(int rmid) override { return assent_odbc_switch_handle(rmid); }
    char const* message() override { return assent_odbc_switch_message(); }

    std::string info(int port) override { return native_.connect_string(port); }
    std::string info_with_wrong_password() override
    {
        return without_password(server()) + "PASSWORD_FILE=" + wrong_.path("wrong");
    }
    std::string malformed_info() override { return "AUTO_RECONNECT=1;" + info(0); }
    std::string info_of(testing::private_server& other) override
    {
        return without_password(other) + "PASSWORD_FILE=" + of_other_.path(other.password());
    }

    void insert(int rmid, int key) override
    {
        odbc_client::query(handle(rmid), Native::insert(key));
    }
    bool accepts(void* handle, std::string const& sql) override
    {
        return odbc_client::try_query(handle, sql).sqlstate.empty();
    }
    int count(int key) override { return native_.count_rows(key); }
    bool ends_silent_sessions() const override { return true; }

protected:
    virtual std::string string_of(testing::private_server& other) = 0;
    Native& native() { return native_; }
    Native const& native() const { return native_; }

private:
    std::string without_password(testing::private_server& of)
    {
        std::string text = string_of(of);
        auto const at = text.find("PWD=");
        auto const end = text.find(';', at);
        text.erase(at, end == std::string::npos ? end : end + 1 - at);
        if (text.back() != ';') text += ';';
        return text;
    }

    Native native_;
    secret_file wrong_, of_other_;
};

class exported_psqlodbc final : public exported_odbc<odbc_postgresql_target>
{
public:
    using exported_odbc::exported_odbc;

    std::unique_ptr<testing::private_server> make_forgetful() override
    {
        return make_server(native().which(), {"fsync=off"});
    }
    void leave_branch(int rmid, XID const&) override { odbc_client::query(handle(rmid), "COMMIT"); }
    testing::wire_protocol protocol() const override { return testing::wire_protocol::postgresql; }
    std::string prepare_words() const override { return "PREPARE TRANSACTION"; }
    void prepare_others() override
    {
        plain_connection other{server().conninfo()};
        for (auto const* words :
             {"BEGIN", "SELECT txid_current()", "PREPARE TRANSACTION 'by hand'"})
            other.run(words);
    }
    // psqlODBC goes back to a savepoint of its own before the statement.
    bool fails_whole() const override { return false; }
    long format_id_max() const override { return 0x7fffffffffffffffL; }

protected:
    std::string string_of(testing::private_server& other) override
    {
        return postgresql_string(other);
    }
};

class exported_maodbc final : public exported_odbc<odbc_mysql_target>
{
public:
    using exported_odbc::exported_odbc;

    std::unique_ptr<testing::private_server> make_forgetful() override
    {
        return make_server(native().kind(), {"innodb_flush_log_at_trx_commit=2"});
    }
    void leave_branch(int rmid, XID const& x) override
    {
        // Printable in these tests.
        auto const gtrid = static_cast<std::size_t>(x.gtrid_length);
        auto const bqual = static_cast<std::size_t>(x.bqual_length);
        std::string const name = "'" + std::string(x.data, gtrid) + "','" +
                                 std::string(x.data + gtrid, bqual) + "'," +
                                 std::to_string(x.formatID);
        odbc_client::query(handle(rmid), "XA END " + name);
        odbc_client::query(handle(rmid), "XA COMMIT " + name + " ONE PHASE");
    }
    void prepare_others() override {}  // all names that are not ours may be a monitor's
    bool keeps_prepared() const override { return native().kind() == server_kind::mariadb; }
    bool sees_prepared_names() const override { return true; }
    long format_id_max() const override
    {
        return native().kind() == server_kind::mariadb ? 0x7fffffffL : 0x7fffffffffffffffL;
    }

protected:
    std::string string_of(testing::private_server& other) override { return mysql_string(other); }
};

template <class Target, auto Kind>
std::shared_ptr<exported_target> the_only_of()
{
    static auto const target = std::make_shared<Target>(Kind);
    return target;
}

TEST(ExportedSwitch, RefusesADatabaseThatCannotPrepare)
{
    if (odbc_drivers::sqlite().empty()) GTEST_SKIP() << "there is no driver for SQLite";
    secret_file file;  // its path; SQLite takes an empty file for a new database
    std::string info = sqlite_string(file.path(""));

    EXPECT_EQ(assent_odbc_switch.xa_open_entry(info.data(), 9, TMNOFLAGS), XAER_INVAL);

    EXPECT_NE(std::string{assent_odbc_switch_message()}.find("cannot prepare"), std::string::npos)
        << assent_odbc_switch_message();
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(postgresql, exported_switch,
                         ::testing::Values(&the_only_of<exported_psqlodbc, edition::installed>));
INSTANTIATE_TEST_SUITE_P(mariadb, exported_switch,
                         ::testing::Values(&the_only_of<exported_maodbc, server_kind::mariadb>));
INSTANTIATE_TEST_SUITE_P(mysql, exported_switch,
                         ::testing::Values(&the_only_of<exported_maodbc, server_kind::mysql>));

}  // namespace assent::contract
