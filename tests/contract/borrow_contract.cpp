// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// borrow_contract.cpp -- connections that the application lends, and processes that fork.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

namespace {

/// Closes the application's handle at the end of a test.
class lent_handle
{
public:
    lent_handle(contract_target& target, handle_kind kind)
        : target_(target), handle_(target.open_handle(kind))
    {
    }
    lent_handle(lent_handle const&) = delete;
    lent_handle& operator=(lent_handle const&) = delete;
    ~lent_handle() { target_.close_handle(handle_); }

    void* get() const noexcept { return handle_; }

private:
    contract_target& target_;
    void* handle_;
};

}  // namespace

TEST_P(contract, ABorrowedHandleServesABranchAndStaysItsOwners)
{
    ASSENT_NEEDS(two_phase);
    ASSENT_NEEDS(borrowed_handles);
    lent_handle const handle{target(), handle_kind::good};
    auto session = driver().borrow(handle.get(), facts(), in_seconds(10));
    xid const x = next_xid(*session);

    EXPECT_EQ(session->native_handle(), handle.get());
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());
    target().write_row(*session, 1);
    ASSERT_TRUE(run(*session, verb::prepare, x).is_ok());
    ASSERT_TRUE(run(*session, verb::commit, x).is_ok());
    EXPECT_TRUE(session->is_reusable());
    session.reset();

    EXPECT_TRUE(target().is_usable(handle.get()));
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, ABorrowedSocketIsClosedOnExec)
{
    ASSENT_NEEDS(borrowed_handles);
    ASSENT_NEEDS(sockets);
    lent_handle const handle{target(), handle_kind::good};

    auto const session = driver().borrow(handle.get(), facts(), in_seconds(10));

    ASSERT_GE(session->descriptor(), 0);
    EXPECT_NE(::fcntl(session->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_P(contract, AHandleInATransactionIsRefusedAndUntouched)
{
    ASSENT_NEEDS(borrowed_handles);
    lent_handle const handle{target(), handle_kind::in_transaction};

    try {
        driver().borrow(handle.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a handle inside a transaction";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find("transaction"), std::string::npos);
        EXPECT_FALSE(error.must_close());
    }
    EXPECT_TRUE(target().is_usable(handle.get()));
}

TEST_P(contract, ABusyHandleIsRefused)
{
    ASSENT_NEEDS(busy_handles);
    ASSENT_NEEDS(borrowed_handles);
    lent_handle const handle{target(), handle_kind::busy};

    try {
        driver().borrow(handle.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a busy handle";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find("busy"), std::string::npos);
    }
}

TEST_P(contract, AHandleToAnotherServerIsRefused)
{
    ASSENT_NEEDS(borrowed_handles);
    lent_handle const handle{target(), handle_kind::other_server};

    try {
        driver().borrow(handle.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a handle to another server";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find("server"), std::string::npos);
    }
    EXPECT_TRUE(target().is_usable(handle.get()));
}

TEST_P(contract, AHandleToAnotherDatabaseIsRefused)
{
    ASSENT_NEEDS(borrowed_handles);
    lent_handle const handle{target(), handle_kind::other_database};

    try {
        driver().borrow(handle.get(), facts(), in_seconds(10));
        ADD_FAILURE() << "borrowed a handle to another database";
    } catch (driver_error const& error) {
        EXPECT_NE(std::string{error.what()}.find("database"), std::string::npos);
    }
    EXPECT_TRUE(target().is_usable(handle.get()));
}

TEST_P(contract, ANullHandleIsRefused)
{
    ASSENT_NEEDS(borrowed_handles);

    EXPECT_THROW(driver().borrow(nullptr, facts(), in_seconds(10)), driver_error);
}

TEST_P(contract, ASeveredBorrowedHandleIsStillItsOwnersToClose)
{
    ASSENT_NEEDS(borrowed_handles);
    ASSENT_NEEDS(session_ids);  // without a server there is nothing to cut
    lent_handle const handle{target(), handle_kind::good};
    auto session = driver().borrow(handle.get(), facts(), in_seconds(10));
    xid const x = next_xid(*session);
    ASSERT_TRUE(run(*session, verb::start, x).is_ok());

    session->sever();
    EXPECT_FALSE(session->is_reusable());
    session.reset();

    EXPECT_FALSE(target().is_usable(handle.get()));
}

TEST_P(contract, AnAbandonedSessionInAForkedChildSendsNothing)
{
    ASSENT_NEEDS(two_phase);
    auto branch = start_branch(1);

    pid_t const child = ::fork();
    if (child == 0) {
        branch.session->abandon();
        branch.session.reset();
        ::_exit(0);
    }
    ASSERT_GT(child, 0);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);

    EXPECT_TRUE(run(*branch.session, verb::prepare, branch.id).is_ok());
    EXPECT_TRUE(run(*branch.session, verb::commit, branch.id).is_ok());
    EXPECT_EQ(target().count_rows(1), 1);
}

TEST_P(contract, AnAbandonedSessionAnswersNothingButLost)
{
    auto const branch = start_branch(1);

    pid_t const child = ::fork();
    if (child == 0) {
        branch.session->abandon();
        branch.session->submit(verb::rollback, branch.id);
        auto const answer = branch.session->collect(in_seconds(1));
        ::_exit(answer && !answer->is_ok() && branch.session->descriptor() == -1 ? 0 : 1);
    }
    ASSERT_GT(child, 0);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);

    EXPECT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());
}

}  // namespace assent::contract
