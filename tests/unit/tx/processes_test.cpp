// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// processes_test.cpp -- a forked child has no part in the transactions of its parent.

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;

/// Runs `what` in a child, which ends at once.  @return what it returned; -1 where it crashed.
int in_a_child(std::function<int()> const& what)
{
    pid_t const child = ::fork();
    if (child == 0) {
        ::alarm(60);  // nobody else ends a child that hangs
        ::_exit(what());
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Processes, AChildHasNoPartInItsParentsTransaction)
{
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();

        EXPECT_EQ(in_a_child([] {
                      void* handle = nullptr;
                      int wrong = 0;
                      for (int const answer :
                           {tx_info(nullptr), tx_commit(), tx_rollback(), tx_begin(), tx_close(),
                            tx_set_transaction_timeout(1), assent_tx_lease("accounts", &handle)}) {
                          if (answer != TX_FAIL) ++wrong;
                      }
                      if (tx_open() != TX_ERROR) ++wrong;  // there may be a service later
                      if (tx_commit() != TX_FAIL) ++wrong;
                      return wrong;
                  }),
                  0);

        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(Processes, AChildMayServeForItself)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer lets no forked child start threads";
#endif
    served at;
    on_a_thread([&] {
        ASSERT_EQ(tx_open(), TX_OK);
        ASSERT_EQ(tx_begin(), TX_OK);
        served::work();

        EXPECT_EQ(in_a_child([] {
                      int wrong = 0;
                      {
                          served own;
                          if (tx_begin() != TX_FAIL) ++wrong;
                          if (tx_open() != TX_OK) ++wrong;
                          if (tx_info(nullptr) != 0) ++wrong;
                          if (tx_begin() != TX_OK) ++wrong;
                          served::work("child");
                          if (tx_commit() != TX_OK) ++wrong;
                          if (own.bank.value("child") != 1) ++wrong;
                      }
                      return wrong;
                  }),
                  0);

        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

}  // namespace
