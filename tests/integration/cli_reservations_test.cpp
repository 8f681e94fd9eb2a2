// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// cli_reservations_test.cpp -- the operator's program at reservations: it lists them, says what
// they wait for, and ends none.

#include <libpq-fe.h>

#include <assent/tcc.hpp>

#include "tests/integration/at_bank.hpp"
#include "tests/integration/cli_desk.hpp"

namespace {

using namespace assent::testing;
using ::testing::HasSubstr;

class CliReservations : public AtBank
{
protected:
    /// A decided reservation whose confirm has failed, with a payload that is a secret.
    void SetUp() override
    {
        log_ = bank_->new_log_directory();
        {
            assent::limits brief;
            brief.close = brief.phase2_wait = std::chrono::milliseconds{200};
            assent::transaction_manager tm{test_options(log_).limits(brief)};
            assent::tcc::handlers how;
            how.attempt = how.cancel = [](assent::tcc::call&) {};
            how.confirm = [](assent::tcc::call&) { throw std::runtime_error{"hunter2"}; };
            auto const wallets =
                tm.add(assent::tcc::resource_manager{"wallets", bank_->accounts_manager(), how});
            auto tx = tm.begin();
            assent::tcc::attempt(tx, wallets, "hunter2");
            EXPECT_EQ(tx.commit(), assent::outcome::committed_pending);
        }
        configuration_ = "log_directory = '" + log_ +
                         "'\nnode_label = 'test'\n[[resource_manager]]\nname = 'wallets'\n"
                         "kind = 'postgresql'\nconnect_file = '" +
                         desk_.file("accounts", bank_->accounts_conninfo()) +
                         "'\nreservations = true\n";
        bank_->stop_looking();
    }
    void TearDown() override
    {
        execute(bank_->look_accounts(), "delete from assent_branch");
        bank_->stop_looking();
    }
    answer assent(std::vector<std::string> words) const
    {
        words.insert(words.begin(), {"--config", desk_.file("assent.toml", configuration_)});
        auto told = run_assent(words);
        EXPECT_EQ((told.out + told.err).find("hunter2"), std::string::npos);
        return told;
    }

    std::string log_, configuration_;
    desk desk_;
};

TEST_F(CliReservations, AreListedWithWhatTheyWaitFor)
{
    auto const told = assent({"scan"});
    EXPECT_THAT(told.out, HasSubstr("its confirm is a handler of the application's")) << told.err;
    auto const seen = assent({"--json", "scan"});
    EXPECT_THAT(seen.out, HasSubstr("not_confirmed"));
}

TEST_F(CliReservations, AreNotEndedByRecovery)
{
    auto const told = assent({"recover", "--presumed-abort-delay", "0", "--timeout", "5"});
    EXPECT_NE(told.status, 0) << told.out;
    EXPECT_EQ(number(bank_->look_accounts(), "select count(*) from assent_branch"), 1);
}

/// Its record would be a heuristic that nobody can carry out, and park the branch for ever.
TEST_F(CliReservations, AreNotResolvedByWhoHasNoHandlersAndNothingIsRecorded)
{
    auto const seen = assent({"--json", "scan"}).out;
    auto const at = seen.find("asn1");
    ASSERT_NE(at, std::string::npos) << seen;
    auto const name = seen.substr(at, assent::gtrid::length);
    for (char const* end : {"--commit", "--rollback"}) {
        auto const told =
            assent({"resolve", name, "--branch", "wallets", end, "--reason", "tidying", "--yes"});
        EXPECT_NE(told.status, 0) << told.out;
        EXPECT_THAT(told.out + told.err, HasSubstr("a process that has the handlers"));
    }
    EXPECT_THAT(assent({"--json", "show", name}).out, Not(HasSubstr("tidying")));
    EXPECT_EQ(number(bank_->look_accounts(), "select count(*) from assent_branch"), 1);
}

TEST_F(CliReservations, AreExaminedWithTheirTable)
{
    auto const told = assent({"--json", "doctor"});
    EXPECT_THAT(told.out, HasSubstr("1 are pending")) << told.err;
}

}  // namespace
