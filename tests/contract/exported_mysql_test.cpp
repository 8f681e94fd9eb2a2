// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_mysql_test.cpp -- assent_mysql_switch, on each server that the client library reaches.

#include <assent/mysql_switch.h>
#include <assent/xid.hpp>

#include "tests/contract/exported_secret.hpp"
#include "tests/contract/exported_switch_suite.hpp"
#include "tests/contract/mysql_target.hpp"

namespace assent::contract {

namespace {

class exported_mysql final : public exported_target
{
public:
    explicit exported_mysql(server_kind kind) : native_(kind) {}

    std::string why_missing() const override { return native_.why_missing(); }
    testing::private_server& server() override { return native_.server(); }
    void reset() override { native_.reset(); }

    xa_switch_t& entries() override { return assent_mysql_switch; }
    void* handle(int rmid) override { return assent_mysql_switch_handle(rmid); }
    char const* message() override { return assent_mysql_switch_message(); }

    std::string info(int port) override
    {
        auto text = text_for(server(), port, right_.path(server().password()));
        // Who stands in between must be able to read it.
        return port == 0 ? text : text + " ssl_mode=disabled";
    }
    std::string info_with_wrong_password() override
    {
        return text_for(server(), 0, wrong_.path("wrong"));
    }
    std::string malformed_info() override { return "host=db1 password=in_the_open"; }
    std::unique_ptr<testing::private_server> make_forgetful() override
    {
        return make_server(native_.kind(), {"innodb_flush_log_at_trx_commit=2"});
    }
    std::string info_of(testing::private_server& other) override
    {
        return text_for(other, 0, of_other_.path(other.password()));
    }

    void insert(int rmid, int key) override
    {
        mysql_client::query(static_cast<MYSQL*>(handle(rmid)), mysql_target::insert(key));
    }
    bool accepts(void* handle, std::string const& sql) override
    {
        return mysql_client::try_query(static_cast<MYSQL*>(handle), sql) == 0;
    }
    void leave_branch(int rmid, XID const& x) override
    {
        auto const hexadecimal = [](char const* from, long bytes) {
            std::string text = "X'";
            for (long i = 0; i < bytes; ++i) {
                constexpr char digits[] = "0123456789abcdef";
                auto const byte = static_cast<unsigned char>(from[i]);
                text.append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
            }
            return text + "'";
        };
        std::string const name = hexadecimal(x.data, x.gtrid_length) + "," +
                                 hexadecimal(x.data + x.gtrid_length, x.bqual_length) + "," +
                                 std::to_string(x.formatID);
        mysql_client::query(static_cast<MYSQL*>(handle(rmid)), "XA END " + name);
        mysql_client::query(static_cast<MYSQL*>(handle(rmid)), "XA COMMIT " + name + " ONE PHASE");
    }
    int count(int key) override { return native_.count_rows(key); }
    void prepare_others() override
    {
        // Of ours.  Everything else is a name that a monitor may have given.
        auto other = mysql_client::account(server(), "accounts");
        std::string const ours =
            "'asn1l0000" + std::string(48, '0') + "','" + std::string(24, '0') + "',1";
        other.query("xa start " + ours);
        other.query(mysql_target::insert(99));
        other.query("xa end " + ours);
        other.query("xa prepare " + ours);
    }
    bool keeps_prepared() const override { return native_.kind() == server_kind::mariadb; }
    bool sees_prepared_names() const override { return true; }
    long format_id_max() const override
    {
        return native_.kind() == server_kind::mariadb ? 0x7fffffffL : 0x7fffffffffffffffL;
    }

private:
    static std::string text_for(testing::private_server& of, int port, std::string const& secret)
    {
        return "host=" + of.host() + " port=" + std::to_string(port == 0 ? of.port() : port) +
               " user=shop database=accounts password_file=" + secret;
    }

    mysql_target native_;
    secret_file right_, wrong_, of_other_;
};

template <server_kind Kind>
std::shared_ptr<exported_target> the_only()
{
    static auto const target = std::make_shared<exported_mysql>(Kind);
    return target;
}

TEST(ExportedSwitch, RefusesANameThatWouldBeOurs)
{
    auto const target = the_only<server_kind::mysql>();
    if (auto const why = target->why_missing(); !why.empty()) GTEST_SKIP() << why;
    target->reset();
    foreign_monitor bank{assent_mysql_switch, target->info(0), 1};
    ASSERT_EQ(bank.open(), XA_OK) << target->message();
    auto const gtrid =
        std::string{assent::gtrid::make({decision_place::log, 0, 1, 2, 3, 4}).text()};
    auto const bqual = std::string{assent::bqual::make({5, 6, 7}).text()};

    EXPECT_EQ(bank.start(foreign_name(mysql_format_id, gtrid, bqual)), XAER_INVAL);
    EXPECT_EQ(target->handle(1), nullptr);
    XID const by_switch = foreign_name(assent_format_id, gtrid, bqual);
    EXPECT_EQ(bank.start(by_switch), XA_OK) << target->message();
    EXPECT_EQ(bank.end(by_switch), XA_OK);
    EXPECT_EQ(bank.rollback(by_switch), XA_OK) << target->message();

    EXPECT_EQ(bank.close(), XA_OK);
}

}  // namespace

#ifdef LIBMARIADB  // MySQL's library does not reach MariaDB
INSTANTIATE_TEST_SUITE_P(mariadb, exported_switch,
                         ::testing::Values(&the_only<server_kind::mariadb>));
#endif
INSTANTIATE_TEST_SUITE_P(mysql, exported_switch, ::testing::Values(&the_only<server_kind::mysql>));

}  // namespace assent::contract
