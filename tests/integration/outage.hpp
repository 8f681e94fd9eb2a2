// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outage.hpp -- a bad night: what a person finds who is called when all of this has happened at
// once.
//
//   yesterday   somebody rolled back one branch against its decision     one heuristic outcome
//   then        the application died in the middle of 500 transactions   300 decided, 200 not
//   then        accounts (PostgreSQL) went down                          it can be started again
//   and         orders (MariaDB) was lost, and a replica was promoted    another identity, and it
//                                                                        lacks the newest branches

#ifndef ASSENT_TESTS_INTEGRATION_OUTAGE_HPP
#define ASSENT_TESTS_INTEGRATION_OUTAGE_HPP

#include <cstddef>
#include <string>
#include <vector>

#include "estate.hpp"
#include "shop.hpp"
#include "tests/integration/cli_desk.hpp"

namespace assent::testing {

class outage
{
public:
    static constexpr std::size_t decided = 300;
    static constexpr std::size_t undecided = 200;
    static constexpr std::size_t lost = 3;  ///< of the decided ones, in orders

    /// @throws std::runtime_error  the night could not be set up.
    outage();

    std::string const& config() const noexcept { return config_; }
    std::string const& ended_by_hand() const noexcept { return ended_by_hand_; }
    void start_accounts() { shop_.postgresql().start(); }
    /// As PostgreSQL's administrator would, in words that a shell takes.
    std::string how_to_start_accounts();

    std::size_t rows_in_accounts() const;
    std::size_t rows_in_orders() const;
    bool is_anything_prepared() const;

private:
    void lose_the_newest(std::vector<xid> const& in_orders);
    std::string configuration();

    bench::shop shop_{1, bench::wire::in_the_clear, decided + undecided + 1};
    bench::addresses const where_{shop_.directly().front()};
    desk desk_;
    std::string const log_{desk_.path("log")};
    std::string config_;
    std::string ended_by_hand_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_OUTAGE_HPP
