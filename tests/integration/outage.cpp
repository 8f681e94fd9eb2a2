// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/integration/outage.hpp"

#include <stdexcept>

#include "accounts_session.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "orders_session.hpp"

namespace assent::testing {

namespace {

constexpr auto count_rows = "select count(*) from left_behind";

}  // namespace

outage::outage() : config_(desk_.file("shop.toml", configuration()))
{
    bench::make_room(where_);
    bench::bind_all(where_, log_);
    auto const yesterday = bench::leave_behind(where_, log_, 1, bench::ending::commit);
    ended_by_hand_ = yesterday.accounts.front().global.text();
    auto const by_hand =
        run_assent({"--config", config_, "resolve", ended_by_hand_, "--branch", "orders",
                    "--rollback", "--yes", "--reason", "the customer called"});
    if (by_hand.status != 0) throw std::runtime_error{by_hand.out + by_hand.err};
    auto const committed =
        bench::leave_behind(where_, log_, decided, bench::ending::commit, yesterday.orders.size());
    bench::leave_behind(where_, log_, undecided, bench::ending::rollback,
                        yesterday.orders.size() + decided);
    lose_the_newest(committed.orders);
    shop_.postgresql().stop();
}

/// Another server in its place, with all but those.
void outage::lose_the_newest(std::vector<xid> const& in_orders)
{
    bench::orders_session orders(where_.orders);
    for (std::size_t i = 0; i < lost; ++i)
        orders.run("XA ROLLBACK " + mysql_dialect::render(in_orders.rbegin()[i]).value());
    orders.run("update assent_identity set value = lower(hex(random_bytes(16)))");
}

std::string outage::configuration()
{
    auto const& orders = shop_.mariadb();
    return "log_directory = \"" + log_ +
           "\"\n"
           "node_label = \"bench\"\n\n"
           "[[resource_manager]]\n"
           "name = \"accounts\"\n"
           "kind = \"postgresql\"\n"
           "connect = \"" +
           where_.accounts +
           "\"\n\n"
           "[[resource_manager]]\n"
           "name = \"orders\"\n"
           "kind = \"mariadb\"\n"
           "connect = \"host=127.0.0.1 port=" +
           std::to_string(orders.port()) + " user=" + orders.account() +
           " password_file=" + orders.directory() + "/password database=" + where_.orders.database +
           "\"\n";
}

std::string outage::how_to_start_accounts()
{
    return ASSENT_ROOT "/tests/servers/postgresql start " + shop_.postgresql().directory();
}

std::size_t outage::rows_in_accounts() const
{
    return std::stoul(bench::accounts_session{where_.accounts}.ask(count_rows));
}

std::size_t outage::rows_in_orders() const
{
    return std::stoul(bench::orders_session{where_.orders}.ask(count_rows));
}

bool outage::is_anything_prepared() const
{
    bench::accounts_session accounts(where_.accounts);
    bench::orders_session orders(where_.orders);
    return accounts.ask("select count(*) from pg_prepared_xacts") != "0" ||
           !orders.ask("xa recover").empty();
}

}  // namespace assent::testing
