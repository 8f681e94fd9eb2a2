// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_failover_test.cpp -- the primary is lost with a decided branch prepared, and its replica is
// promoted: MariaDB is the same database and goes on, MySQL is another one, and says so.

#include <mysql.h>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace assent::testing;
using nlohmann::json;
using ::testing::HasSubstr;

// root of a server, over its unix socket.
class root
{
public:
    explicit root(private_server const& of)
    {
        if (mysql_real_connect(handle_, "localhost", "root", "", "orders", 0, of.socket().c_str(),
                               0) == nullptr) {
            throw std::runtime_error{mysql_error(handle_)};
        }
    }
    root(root const&) = delete;
    root& operator=(root const&) = delete;
    ~root() { mysql_close(handle_); }

    MYSQL* get() const noexcept { return handle_; }
    void run(std::string const& sql) const { execute(handle_, sql); }

    /// The first row, as texts; empty: there is none.
    std::vector<std::string> row(std::string const& sql) const
    {
        if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) {
            throw std::runtime_error{mysql_error(handle_)};
        }
        MYSQL_RES* const all = mysql_store_result(handle_);
        std::vector<std::string> seen;
        if (MYSQL_ROW const first = mysql_fetch_row(all)) {
            for (unsigned i = 0; i < mysql_num_fields(all); ++i)
                seen.emplace_back(first[i] == nullptr ? "" : first[i]);
        }
        mysql_free_result(all);
        return seen;
    }

private:
    MYSQL* const handle_ = mysql_init(nullptr);
};

json by_name(json const& list, std::string const& name)
{
    for (auto const& each : list) {
        if (each.at("name") == name) return each;
    }
    ADD_FAILURE() << name << " is not in " << list;
    return json::object();
}

class CliFailover : public ::testing::TestWithParam<bool>
{
protected:
    void SetUp() override
    {
        is_mariadb_ = GetParam();
        if (!is_mariadb_ && !private_server::mysql_missing().empty()) {
            GTEST_SKIP() << private_server::mysql_missing();
        }
        std::vector<std::string> primary{"server_id=1"};
        if (is_mariadb_) primary.push_back("log_bin=binlog");
        auto const make = is_mariadb_ ? &private_server::mariadb : &private_server::mysql;
        auto first = make(primary);
        replica_ = make({"server_id=2"});
        follow(*first);
        bank_ = std::make_unique<bank>(private_server::postgresql(), std::move(first));
        log_ = bank_->new_log_directory();
    }

    void follow(private_server const& primary) const
    {
        root const source{primary};
        root const follower{*replica_};
        source.run("create user follower@'127.0.0.1' identified by 'secret-word'");
        source.run("grant replication slave on *.* to follower@'127.0.0.1'");
        auto const at = source.row(is_mariadb_ ? "show master status" : "show binary log status");
        std::string const word = is_mariadb_ ? "master" : "source";
        follower.run((is_mariadb_ ? "change master to " : "change replication source to ") + word +
                     "_host = '127.0.0.1', " + word + "_port = " + std::to_string(primary.port()) +
                     ", " + word + "_user = 'follower', " + word + "_password = 'secret-word', " +
                     word + "_log_file = '" + at.at(0) + "', " + word + "_log_pos = " + at.at(1) +
                     (is_mariadb_ ? "" : ", get_source_public_key = 1"));
        follower.run(is_mariadb_ ? "start slave" : "start replica");
    }

    void promote() const
    {
        root const follower{*replica_};
        ASSERT_TRUE(becomes_true([&] { return !follower.row("xa recover").empty(); },
                                 std::chrono::seconds{60}))
            << "the prepared branch has not come over";
        bank_->mariadb().kill();
        follower.run(is_mariadb_ ? "stop slave" : "stop replica");
        follower.run(is_mariadb_ ? "reset slave all" : "reset replica all");
    }

    /// After the failover.
    answer assent(std::vector<std::string> words) const
    {
        auto text = both_databases(log_, *bank_);
        auto const before = bank_->orders_connect_string();
        auto const& was = bank_->mariadb();
        auto after = before;
        auto const replace = [&after](std::string const& what, std::string const& by) {
            auto const at = after.find(what);
            if (at == std::string::npos) throw std::runtime_error{"no " + what};
            after.replace(at, what.size(), by);
        };
        replace(std::to_string(was.port()), std::to_string(replica_->port()));
        replace(was.directory(), replica_->directory());
        text.replace(text.find(before), before.size(), after);
        if (!is_mariadb_) text.replace(text.find("\"mariadb\""), 9, "\"mysql\"");
        words.insert(words.begin(), {"--config", desk_.file("assent.toml", text)});
        return run_assent(words);
    }

    bool is_mariadb_ = true;
    std::unique_ptr<private_server> replica_;
    std::unique_ptr<bank> bank_;
    desk desk_;
    std::string log_;
};

TEST_P(CliFailover, APromotedReplicaGoesOnOrIsNamed)
{
    auto const id = victim::killed_at(*bank_, log_, "decision.durable");
    bank_->stop_looking();
    promote();

    auto const scan = assent({"--json", "scan"});
    auto const done = assent({"--json", "recover", "--presumed-abort-delay", "0", "--timeout",
                              is_mariadb_ ? "30" : "8"});
    auto const show = assent({"--json", "show", id});
    auto const doctor = assent({"--json", "doctor"});

    root const there{*replica_};
    auto const branch = there.row("xa recover");
    if (is_mariadb_) {
        EXPECT_EQ(done.status, 0) << done.out << done.err;
        EXPECT_EQ(by_name(done.json().at("recovered"), "orders").at("committed"), 1);
        EXPECT_TRUE(branch.empty());
    } else {
        // Each place where somebody looks has the reason, and nothing was decided.
        EXPECT_EQ(scan.status, 4);
        EXPECT_THAT(by_name(scan.json().at("databases"), "orders").at("problem").get<std::string>(),
                    HasSubstr("it is not the database that it was"));
        EXPECT_EQ(done.status, 4);
        EXPECT_THAT(by_name(done.json().at("recovered"), "orders").at("why").get<std::string>(),
                    HasSubstr("not the server"));
        EXPECT_NE(doctor.status, 0);
        EXPECT_THAT(doctor.out, HasSubstr("identity"));
        EXPECT_THAT(show.json().at("outcome").get<std::string>(), HasSubstr("committing"));
        ASSERT_EQ(branch.size(), 4u);
        // By hand, as the page says.
        auto const split = static_cast<std::size_t>(std::stoi(branch[1]));
        there.run("xa commit '" + branch[3].substr(0, split) + "', '" + branch[3].substr(split) +
                  "'");
    }
    EXPECT_EQ(there.row("select count(*) from ledger where transfer = '" + id + "'").at(0), "1");
    EXPECT_EQ(bank_->transfers_in_accounts().count(id), 1u) << "which was committed meanwhile";
}

INSTANTIATE_TEST_SUITE_P(of, CliFailover, ::testing::Bool(),
                         [](auto const& of) { return of.param ? "mariadb" : "mysql"; });

}  // namespace
