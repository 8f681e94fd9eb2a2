// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// bad_server_test.cpp -- servers that cannot be reached, do not let us in, or would not keep what
// they vote: the error says what to do, and no secret is ever printed.

#include <sys/stat.h>

#include <fstream>
#include <mutex>

#include "tests/integration/at_bank.hpp"

namespace {

using namespace assent::testing;
using namespace std::chrono_literals;
using assent::errc;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* canary = "canary-7f3a91";

/// Everything that was told, in one text.
class eavesdropper final : public assent::observer
{
public:
    void on(assent::event const& what) override
    {
        std::lock_guard const held{mutex_};
        for (auto const part : {what.name, what.resource_manager, what.id, what.text})
            heard_ += std::string{part} + '\n';
    }
    std::string heard() const
    {
        std::lock_guard const held{mutex_};
        return heard_;
    }

private:
    mutable std::mutex mutex_;
    std::string heard_;
};

class BadServer : public AtBank
{
protected:
    /// What a lease says when the database does not serve.
    template <class ResourceManager>
    static std::string refusal(ResourceManager rm)
    {
        auto const heard = std::make_shared<eavesdropper>();
        assent::transaction_manager tm{hasty(bank_->new_log_directory()).observe(heard)};
        auto const added = tm.add(rm);
        auto tx = tm.begin();
        auto const e = thrown_by<assent::error>([&] { tx.lease(added); });
        EXPECT_EQ(e.code(), errc::unavailable);
        EXPECT_THAT(e.what(), HasSubstr("\"" + rm.name() + "\""));
        EXPECT_THAT(e.what(), Not(HasSubstr(canary)));
        EXPECT_THAT(heard->heard(), Not(HasSubstr(canary)));
        EXPECT_THAT(tm.state().resource_managers.at(0).why, Not(HasSubstr(canary)));
        return e.what();
    }

    /// Runs with the server's settings changed, and changes them back.
    static std::string refusal_with(private_server& server, std::string const& wrong,
                                    std::string const& right,
                                    std::function<std::string()> const& ask)
    {
        server.stop();
        server.set({wrong});
        server.start();
        auto const said = ask();
        server.stop();
        server.set({right});
        server.start();
        return said;
    }
};

TEST_F(BadServer, AMalformedConnectStringIsRefusedAtOnceWithoutItsValues)
{
    auto const pg = thrown_by<assent::driver_error>([] {
        assent::postgresql::resource_manager{"accounts", std::string{"host=h pasword="} + canary};
    });
    EXPECT_THAT(pg.what(), Not(HasSubstr(canary)));
    EXPECT_THAT(pg.what(), HasSubstr("connection string"));
    auto const my = thrown_by<assent::driver_error>([] {
        assent::mysql::resource_manager{"orders", std::string{"host=h password="} + canary};
    });
    EXPECT_THAT(my.what(), Not(HasSubstr(canary)));
    EXPECT_THAT(my.what(), HasSubstr("password_file"));
}

TEST_F(BadServer, AServerThatIsNotThereIsNamedWithItsCause)
{
    auto const pg = refusal(assent::postgresql::resource_manager{
        "accounts",
        "host=127.0.0.1 port=1 dbname=accounts user=shop password=" + std::string{canary}});
    EXPECT_THAT(pg, HasSubstr("refused"));
    auto const my = refusal(assent::mysql::resource_manager{
        "orders", "host=127.0.0.1 port=1 user=shop database=orders"});
    EXPECT_THAT(my, HasSubstr("127.0.0.1"));
}

TEST_F(BadServer, AWrongPasswordIsNeverPrinted)
{
    auto const pg = refusal(assent::postgresql::resource_manager{
        "accounts", "host=127.0.0.1 port=" + std::to_string(bank_->postgresql().port()) +
                        " dbname=accounts user=shop password=" + canary});
    EXPECT_THAT(pg, HasSubstr("password authentication failed"));
    auto const file = bank_->new_log_directory() + "/wrong";
    std::ofstream{file} << canary << '\n';
    ::chmod(file.c_str(), 0600);
    auto const my = refusal(assent::mysql::resource_manager{
        "orders", "host=127.0.0.1 port=" + std::to_string(bank_->mariadb().port()) +
                      " user=shop database=orders password_file=" + file});
    EXPECT_THAT(my, HasSubstr("Access denied"));
    ::chmod(file.c_str(), 0644);
    auto const open_to_all = refusal(assent::mysql::resource_manager{
        "orders", "host=127.0.0.1 port=" + std::to_string(bank_->mariadb().port()) +
                      " user=shop database=orders password_file=" + file});
    EXPECT_THAT(open_to_all, HasSubstr("password_file"));
}

TEST_F(BadServer, PostgresqlWithoutPreparedTransactionsSaysWhichSettingToChange)
{
    auto const said = refusal_with(bank_->postgresql(), "max_prepared_transactions=0",
                                   "max_prepared_transactions=64",
                                   [] { return refusal(bank_->accounts_manager()); });

    EXPECT_THAT(said, HasSubstr("max_prepared_transactions is 0"));
    EXPECT_THAT(said, HasSubstr("restart the server"));
}

TEST_F(BadServer, PostgresqlThatDoesNotSyncSaysWhichSettingToChange)
{
    auto const said = refusal_with(bank_->postgresql(), "fsync=off", "fsync=on",
                                   [] { return refusal(bank_->accounts_manager()); });

    EXPECT_THAT(said, HasSubstr("fsync is off"));
}

TEST_F(BadServer, MariadbThatDoesNotFlushSaysWhichSettingToChange)
{
    auto const said = refusal_with(bank_->mariadb(), "innodb_flush_log_at_trx_commit=2",
                                   "innodb_flush_log_at_trx_commit=1",
                                   [] { return refusal(bank_->orders_manager()); });

    EXPECT_THAT(said, HasSubstr("innodb_flush_log_at_trx_commit"));
    EXPECT_THAT(said, HasSubstr("allow_non_durable"));
}

}  // namespace
