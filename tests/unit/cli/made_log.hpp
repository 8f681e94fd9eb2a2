// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// made_log.hpp -- a look at a log that is made of records, without any file.

#ifndef ASSENT_TESTS_CLI_MADE_LOG_HPP
#define ASSENT_TESTS_CLI_MADE_LOG_HPP

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "recovery/cli/look.hpp"
#include "recovery/cli/scan.hpp"

namespace cli_test {

constexpr std::uint64_t our_node = 0x0123456789abcdef;
constexpr std::uint64_t our_nonce = 0xa1b2c3;

/// The gtrid of a transaction of our node.
inline assent::gtrid transaction(std::uint32_t epoch, std::uint64_t sequence,
                                 std::uint64_t nonce = our_nonce)
{
    return assent::gtrid::make({assent::decision_place::log, 0, our_node, epoch, nonce, sequence});
}

inline assent::xid branch(assent::gtrid const& of, std::uint16_t resource_manager)
{
    return {of, assent::bqual::make({resource_manager, resource_manager, 4711})};
}

/// Epochs 1 and 2; `accounts` is resource manager 1, `orders` is 2.
class made_log
{
public:
    made_log()
    {
        view_.newest.writer = {our_node, 2, our_nonce};
        view_.newest.node_label = "shop";
        add(assent::log::opening_record{{1, our_nonce}, 1'000});
        add(assent::log::opening_record{{2, our_nonce}, 2'000});
        add(assent::ports::binding{1, "accounts", "postgresql", "server-a"});
        add(assent::ports::binding{2, "orders", "mariadb", "server-o"});
    }

    made_log& add(assent::log::record const& what)
    {
        if (!view_.image.apply(what)) throw std::logic_error{"the record contradicts the log"};
        return *this;
    }

    made_log& decide(assent::gtrid const& id, std::uint64_t finished = 0)
    {
        return add(assent::log::decision_record{
            {id, {branch(id, 1).branch, branch(id, 2).branch}}, finished, 3'000});
    }

    made_log& own(std::int64_t pid)
    {
        view_.lock = {true, {pid, 2, 2'000}};
        return *this;
    }

    assent::log::log_view const& view() const noexcept { return view_; }
    assent::cli::two_looks twice() const { return {view_, view_}; }

private:
    assent::log::log_view view_;
};

inline assent::cli::configuration both()
{
    using namespace assent::cli;
    configuration from;
    from.path = "assent.toml";
    from.log_directory = "/no/such/log";
    from.node_label = "shop";
    from.databases = {{"accounts", database_kind::postgresql, {}, false},
                      {"orders", database_kind::mariadb, {}, false}};
    return from;
}

inline assent::cli::surveyed_database listing(std::string const& name, std::string const& identity,
                                              std::vector<assent::xid> listed = {})
{
    assent::scan_result seen;
    seen.ours = std::move(listed);
    seen.identity = identity;
    seen.is_writable_primary = true;
    return {name, seen, {}, {}, {}};
}

inline std::vector<assent::cli::surveyed_database> listings(std::vector<assent::xid> in_accounts,
                                                            std::vector<assent::xid> in_orders = {})
{
    return {listing("accounts", "server-a", std::move(in_accounts)),
            listing("orders", "server-o", std::move(in_orders))};
}

}  // namespace cli_test

#endif  // ASSENT_TESTS_CLI_MADE_LOG_HPP
