// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_postgresql_test.cpp -- assent_postgresql_switch, on each edition.

#include <assent/postgresql_switch.h>

#include "tests/contract/exported_switch_suite.hpp"
#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

namespace {

class exported_postgresql final : public exported_target
{
public:
    explicit exported_postgresql(edition which) : native_(which) {}

    std::string why_missing() const override { return native_.why_missing(); }
    testing::private_server& server() override { return native_.server(); }
    void reset() override { native_.reset(); }

    xa_switch_t& entries() override { return assent_postgresql_switch; }
    void* handle(int rmid) override { return assent_postgresql_switch_handle(rmid); }
    char const* message() override { return assent_postgresql_switch_message(); }

    std::string info(int port) override { return server().conninfo("accounts", port); }
    std::string info_with_wrong_password() override
    {
        return "host=127.0.0.1 port=" + std::to_string(server().port()) +
               " dbname=accounts user=shop password=wrong";
    }
    std::string malformed_info() override { return "host=db1 no_such_word=1"; }
    std::unique_ptr<testing::private_server> make_forgetful() override
    {
        return make_server(native_.which(), {"fsync=off"});
    }
    std::string info_of(testing::private_server& other) override { return other.conninfo(); }

    void insert(int rmid, int key) override
    {
        plain_connection::run(assent_postgresql_switch_handle(rmid),
                              postgresql_target::insert(key));
    }
    bool accepts(void* handle, std::string const& sql) override
    {
        PGresult* const said = PQexec(static_cast<PGconn*>(handle), sql.c_str());
        auto const status = PQresultStatus(said);
        PQclear(said);
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    }
    void leave_branch(int rmid, XID const&) override
    {
        plain_connection::run(assent_postgresql_switch_handle(rmid), "COMMIT");
    }
    int count(int key) override { return native_.count_rows(key); }
    testing::wire_protocol protocol() const override { return testing::wire_protocol::postgresql; }
    std::string prepare_words() const override { return "PREPARE TRANSACTION"; }
    void prepare_others() override
    {
        plain_connection other{server().conninfo()};
        // Of a person; of ours; and such that are not written as a switch would.
        std::string const ours = "asn1l0000" + std::string(48, '0') + "." + std::string(24, '0');
        std::vector<std::string> const gids{
            "by hand",     ours,           "7_Z3Q_YnE=", "07_Z3Q=_YnE=",
            "7_Z3R=_YnE=", "-1_Z3Q=_YnE=", "7__YnE="};
        for (auto const& gid : gids) {
            other.run("BEGIN");
            other.run("SELECT txid_current()");
            other.run("PREPARE TRANSACTION '" + gid + "'");
        }
    }
    bool fails_whole() const override { return true; }
    long format_id_max() const override { return 0x7fffffffffffffffL; }

private:
    postgresql_target native_;
};

template <edition Which>
std::shared_ptr<exported_target> the_only()
{
    static auto const target = std::make_shared<exported_postgresql>(Which);
    return target;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(installed, exported_switch,
                         ::testing::Values(&the_only<edition::installed>));
INSTANTIATE_TEST_SUITE_P(newest, exported_switch, ::testing::Values(&the_only<edition::newest>));

}  // namespace assent::contract
