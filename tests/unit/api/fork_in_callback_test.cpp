// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// fork_in_callback_test.cpp -- a callback that forks comes back twice: in the parent all goes on,
// in the child nothing does.

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

/// Forks once.
struct forking
{
    void operator()()
    {
        if (has_forked) return;
        has_forked = true;
        child = ::fork();
        if (child == 0) ::alarm(10);  // nobody else ends a child that hangs
    }
    bool has_forked = false;
    pid_t child = -1;

    /// The child's part: it was told that it has none.
    [[noreturn]] static void leave(std::function<void()> const& rest)
    {
        try {
            rest();
        } catch (assent::error const& e) {
            ::_exit(e.code() == errc::forked ? 0 : 2);
        }
        ::_exit(1);
    }
    void expect_inert_child() const
    {
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 0) << "1: it went on; 2: it was told something else";
    }
};

struct moment
{
    char const* name;
    std::function<void(assent::transaction&, doors&, forking&)> prepare;
};

TEST(ForkInCallback, TheParentGoesOnAndTheChildDoesNot)
{
    moment const all[] = {
        {"before_completion",
         [](auto& tx, auto&, auto& fork) {
             tx.register_synchronization({[&fork] { fork(); }, {}});
             tx.register_synchronization({[&fork] {
                                              if (fork.child == 0)
                                                  ::_exit(3);  // not called any more
                                          },
                                          {}});
         }},
        {"after_completion",
         [](auto& tx, auto&, auto& fork) {
             tx.register_synchronization({{}, [&fork](status) { fork(); }});
             tx.register_synchronization({{}, [&fork](status) {
                                              if (fork.child == 0) ::_exit(3);
                                          }});
         }},
        {"on_release",
         [](auto& tx, auto& at, auto& fork) {
             static std::unique_ptr<memory_connection> own;
             own = at.bank.connect();
             tx.enlist(*at.accounts, own.get(), [&fork](void*, assent::release) { fork(); });
         }},
    };
    for (auto const& each : all) {
        SCOPED_TRACE(each.name);
        doors at;
        forking fork;
        auto tx = std::make_unique<assent::transaction>(at.tm->begin());
        each.prepare(*tx, at, fork);
        tx->lease(*at.orders)->set("row", 1);
        auto how = outcome::unknown;
        auto const commit = [&] { how = tx->commit(); };

        try {
            commit();
        } catch (assent::error const&) {
            if (fork.child == 0) forking::leave([] { throw; });
            throw;
        }
        if (fork.child == 0) ::_exit(1);

        fork.expect_inert_child();
        EXPECT_EQ(how, outcome::committed);
        EXPECT_EQ(at.shop.value("row"), 1);
        at.expect_clean();
    }
}

TEST(ForkInCallback, OfAConnectionSourceToo)
{
    doors at;
    forking fork;
    memory_database vault;
    std::vector<std::unique_ptr<memory_connection>> opened;
    int given_back = 0;
    assent::connection_source<memory_connection*> pool;
    pool.acquire = [&](assent::deadline) {
        fork();
        opened.push_back(fork.child == 0 ? nullptr : vault.connect());
        return fork.child == 0 ? reinterpret_cast<memory_connection*>(&fork) : opened.back().get();
    };
    pool.give_back = [&](memory_connection*, assent::release) { ++given_back; };
    auto const lent = at.tm->add(memory_resource_manager{"vault", vault}.leases_from(pool));
    auto tx = at.tm->begin();

    try {
        tx.lease(lent)->set("row", 1);
    } catch (assent::error const&) {
        if (fork.child == 0) forking::leave([] { throw; });
        throw;
    }
    if (fork.child == 0) ::_exit(1);

    fork.expect_inert_child();
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(given_back, 1);
}

}  // namespace
