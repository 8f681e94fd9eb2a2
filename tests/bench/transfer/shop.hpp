// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// shop.hpp -- the databases between which money is transferred, and the addresses by which they are
// reached: pairs of accounts, in a private PostgreSQL, and orders, in a private MariaDB.
//
//   each database:  balance(id, amount)   as many rows of its own for each thread, so that nobody
//                                         waits for anybody's row lock

#ifndef ASSENT_TESTS_BENCH_TRANSFER_SHOP_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_SHOP_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <assent/mysql.hpp>

#include "tests/servers/private_server.hpp"

namespace assent::bench {

enum class wire : std::uint8_t { in_the_clear, encrypted };

/// How clients reach the databases of a pair.
struct addresses
{
    std::string accounts;  ///< for libpq
    mysql::connect_options orders;
};
using places = std::vector<addresses>;  ///< of all pairs

class shop
{
public:
    static constexpr std::size_t threads_max = 64;
    static constexpr std::size_t rows_per_thread = 16;

    /// Starts both servers, makes `pairs` databases on each, and fills the tables.  PostgreSQL has
    /// room for `prepared_max` prepared branches for each pair.
    explicit shop(std::size_t pairs = 1, wire how = wire::in_the_clear,
                  std::size_t prepared_max = 200);

    /// By unix sockets; where the wire is encrypted, by TCP.
    places directly() const;
    /// Through whatever listens at these ports of 127.0.0.1.
    places by_port(int accounts, int orders) const;

    testing::private_server& postgresql() { return *postgresql_; }
    testing::private_server& mariadb() { return *mariadb_; }

    /// @throws std::runtime_error  money was made or lost, or a branch is left prepared.
    void require_whole() const;

    /// The row of the `sequence`th transfer of a thread.
    static int row_of(std::size_t thread, std::uint64_t sequence)
    {
        return static_cast<int>(thread * rows_per_thread + sequence % rows_per_thread);
    }

private:
    addresses pair_by_port(std::size_t pair, int accounts, int orders) const;

    std::size_t const pairs_;
    wire const how_;
    std::unique_ptr<testing::private_server> postgresql_;
    std::unique_ptr<testing::private_server> mariadb_;
};

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_SHOP_HPP
