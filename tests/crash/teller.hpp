// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// teller.hpp -- does transfers in one thread, on leases or on connections of its own.
//
//   teller at_work{tm, {accounts, orders}, where, handles::borrowed};
//   at_work.transfer("t-1", 7, 3)   ->   "committed"

#ifndef ASSENT_TESTS_CRASH_TELLER_HPP
#define ASSENT_TESTS_CRASH_TELLER_HPP

#include <string>

#include "tests/crash/plan.hpp"
#include "tests/integration/bank.hpp"

namespace assent::testing {

enum class handles { leased, borrowed };

/// Both databases, as one transaction manager knows them.
struct both
{
    postgresql::resource_manager accounts;
    mysql::resource_manager orders;
};

/// Options for tests that recover often: they scan at once instead of after ten seconds.
options crash_options(std::string const& log_directory);

/// Adds both to `tm`, by the connection strings of `where`.
both add_both(transaction_manager& tm, plan const& where);

/// Two plain connections, as an application has them.
class own_connections
{
public:
    /// `where` says `accounts` and `orders`.
    explicit own_connections(plan const& where) : where_(where) {}
    ~own_connections();
    own_connections(own_connections const&) = delete;
    own_connections& operator=(own_connections const&) = delete;

    /// Connects where nothing is connected.  @throws std::runtime_error
    PGconn* accounts();
    mysql::handle_type orders();

    void released(void* handle, release how);

    void close() noexcept;

    /// Forgets both without closing them.
    void leak() noexcept;

private:
    plan const where_;
    PGconn* accounts_ = nullptr;
    mysql::handle_type orders_ = nullptr;
};

/// Thread safety: distinct objects safe.
class teller
{
public:
    teller(transaction_manager& tm, both databases, plan const& where, handles which);

    /// The handles of both databases in `tx`.
    struct pair
    {
        PGconn* accounts;
        mysql::handle_type orders;
    };
    pair enlist(transaction& tx);

    /// One transfer, committed.
    /// @return what commit() said: "committed", "pending", "rolled_back", "in_doubt", "heuristic",
    ///         or "failed" where the work did not even reach it.
    std::string transfer(std::string const& id, std::int64_t amount, int account);
    /// One transfer, rolled back by rollback().
    std::string give_up(std::string const& id, std::int64_t amount, int account);
    /// One transfer that PostgreSQL votes against: a statement of it fails before commit().
    std::string refused(std::string const& id, std::int64_t amount, int account);
    /// A row in the table `single` of PostgreSQL only: one phase.
    std::string single(std::string const& id);

    own_connections& own() noexcept { return own_; }

private:
    transaction begin();
    template <class Work>
    std::string commit(Work const& work);

    transaction_manager& tm_;
    both databases_;
    handles which_;
    begin_options how_;
    own_connections own_;
    bool is_suspect_ = false;  // something failed on a connection that was not released
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_TELLER_HPP
