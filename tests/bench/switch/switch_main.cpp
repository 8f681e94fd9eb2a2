// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// switch_main.cpp -- the program `assent_switch_bench`: what an exported switch costs, against the
// adapter beneath it, on a PostgreSQL and a MariaDB of its own.
//
//   assent_switch_bench [--rounds N] [--seconds S] [--blink]
//
// The sides of a pair take turns, transaction by transaction, so that both meet the same disk.  The
// ratio of their medians in a round is one value; printed is the median of these, with its interval
// of 95 %.  Above 1 the switch is the faster.  What could not do its work makes the program fail;
// what is slow never does.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/mysql_switch.h>
#include <assent/postgresql_switch.h>
#include <xopen/xa.h>
#include <assent/assent.hpp>
#include <assent/driver.hpp>
#include <assent/postgresql.hpp>
#include <assent/xopen.hpp>

#include "accounts_session.hpp"
#include "bench.hpp"
#include "orders_session.hpp"
#include "shop.hpp"
#include "statistics.hpp"

namespace assent::bench {

namespace {

using namespace std::chrono_literals;
using work = std::function<void()>;  // one transaction, or one branch, each time

struct contest
{
    std::string name;
    work native;
    work exported;
};

struct wishes
{
    std::size_t rounds = 21;
    double seconds = 0.5;
};

void require(bool holds, std::string const& what)
{
    if (!holds) throw std::runtime_error(what);
}

std::string orders_info(shop& at)
{
    auto const& server = at.mariadb();
    return "socket=" + server.socket() + " user=" + server.account() +
           " database=" + at.directly().front().orders.database +
           " password_file=" + server.directory() + "/password";
}

/// The work of a branch: nothing is left of it in sum.
template <class Handle>
void work_on(Handle* database)
{
    static std::uint64_t sequence = 0;
    int const row = shop::row_of(0, ++sequence);
    add_by_text(database, row, -1);
    add_by_text(database, row, 1);
}

// ---- a branch in two phases, without a manager
// ---------------------------------------------------

/// By the adapter's session, as the engine drives it.
template <class Handle>
class native_branch
{
public:
    explicit native_branch(std::shared_ptr<resource_manager_driver> driver)
        : driver_(std::move(driver))
    {
        auto const until = clock::now() + 10s;
        auto const asking = driver_->connect(session_purpose::manage, until);
        driver_->preflight(*asking, until);
        session_ = driver_->connect(session_purpose::work, until);
    }
    void operator()()
    {
        xid const x{gtrid::make({decision_place::log, 0, 1, 2, 3, ++number_}),
                    bqual::make({1, 1, session_->id()})};
        run(verb::start, x);
        work_on(static_cast<Handle>(session_->native_handle()));
        run(verb::prepare, x);
        run(verb::commit, x);
    }

private:
    void run(verb v, xid const& x)
    {
        session_->submit(v, x);
        auto const said = session_->collect(clock::now() + 60s);
        require(said && said->is_ok(), "a branch has another outcome");
    }

    std::shared_ptr<resource_manager_driver> driver_;
    std::unique_ptr<driver_session> session_;
    std::uint64_t number_ = 0;
};

/// By the switch's routines, as a monitor drives it.
template <class Handle, xa_switch_t& Entries, auto HandleOf>
class exported_branch
{
public:
    explicit exported_branch(std::string info)
    {
        require(Entries.xa_open_entry(info.data(), rmid, TMNOFLAGS) == XA_OK,
                "the switch is not opened");
        name_.formatID = assent_format_id;
        name_.gtrid_length = 57;
        name_.bqual_length = 24;
        std::memset(name_.data, 'x', 57 + 24);
    }
    void operator()()
    {
        std::snprintf(name_.data, 24, "%023llu", ++number_);
        require(Entries.xa_start_entry(&name_, rmid, TMNOFLAGS) == XA_OK, "xa_start");
        work_on(static_cast<Handle>(HandleOf(rmid)));
        require(Entries.xa_end_entry(&name_, rmid, TMSUCCESS) == XA_OK, "xa_end");
        require(Entries.xa_prepare_entry(&name_, rmid, TMNOFLAGS) == XA_OK, "xa_prepare");
        require(Entries.xa_commit_entry(&name_, rmid, TMNOFLAGS) == XA_OK, "xa_commit");
    }

private:
    static constexpr int rmid = 999;
    XID name_{};
    unsigned long long number_ = 0;
};

// ---- transactions of the manager
// -----------------------------------------------------------------

options options_for(std::string const& directory)
{
    return options{}
        .log_directory(directory)
        .node_label("bench")
        .presumed_abort_delay(limits::duration{0})
        .reset_leases(false)  // a switch resets nothing either
        .allow_file_system("overlay");
}

/// Two databases, natively or by our own switches.
template <class Accounts, class Orders>
struct desk
{
    desk(std::string const& directory, Accounts of_accounts, Orders of_orders)
        : tm(options_for(directory)),
          accounts(tm.add(std::move(of_accounts))),
          orders(tm.add(std::move(of_orders)))
    {
    }

    template <class... ResourceManagers>
    void commit(ResourceManagers const&... all)
    {
        auto tx = tm.begin(begin_options{}.commit_witness(false));
        (work_in(tx, all), ...);
        require(tx.commit() == outcome::committed, "a transaction has another outcome");
    }

    transaction_manager tm;
    Accounts const accounts;
    Orders const orders;

private:
    static void work_in(transaction& tx, postgresql::resource_manager const& in)
    {
        work_on(static_cast<PGconn*>(tx.lease(in)));
    }
    static void work_in(transaction& tx, mysql::resource_manager const& in)
    {
        work_on(static_cast<MYSQL*>(tx.lease(in)));
    }
    void work_in(transaction& tx, xopen::resource_manager const& in) const
    {
        tx.lease(in);
        if (in.name() == "accounts") return work_on(assent_postgresql_switch_handle(in.rmid()));
        work_on(static_cast<MYSQL*>(assent_mysql_switch_handle(in.rmid())));
    }
};

xopen::resource_manager by_switch(char const* name, xa_switch_t const& entries,
                                  std::string const& info)
{
    return {name, entries, info,
            xopen::options{}.identity(name).unguarded().sessions_end_within(500ms)};
}

// ---- measuring
// -----------------------------------------------------------------------------------

double microseconds_of(work const& one)
{
    auto const begun = clock::now();
    one();
    return 1e6 * seconds_since(begun);
}

void measure(contest const& of, wishes const& how, std::mt19937_64& random)
{
    std::vector<double> ratios;
    std::vector<double> native_us;
    std::vector<double> exported_us;
    for (std::size_t round = 0; round < how.rounds; ++round) {
        std::vector<double> native;
        std::vector<double> exported;
        for (auto const begun = clock::now(); seconds_since(begun) < how.seconds;) {
            bool const is_native_first = (random() & 1U) != 0;
            if (is_native_first) native.push_back(microseconds_of(of.native));
            exported.push_back(microseconds_of(of.exported));
            if (!is_native_first) native.push_back(microseconds_of(of.native));
        }
        native_us.push_back(median(native));
        exported_us.push_back(median(exported));
        ratios.push_back(native_us.back() / exported_us.back());
    }
    auto const found = median_of(ratios);
    std::printf("%-44s %6.3f  (%.3f to %.3f)  %8.0f us native, %8.0f us by the switch\n",
                of.name.c_str(), found.median, found.low, found.high, median(native_us),
                median(exported_us));
}

void run(wishes const& how)
{
    require_disk();
    scratch const in;
    shop at;
    auto const where = at.directly().front();
    {
        desk native{in.path() + "/native", postgresql::resource_manager{"accounts", where.accounts},
                    mysql::resource_manager{"orders", where.orders}};
        desk exported{in.path() + "/exported",
                      by_switch("accounts", assent_postgresql_switch, where.accounts),
                      by_switch("orders", assent_mysql_switch, orders_info(at))};
        auto const& as = native;
        auto const& bs = exported;
        native_branch<PGconn*> accounts{as.accounts.driver()};
        native_branch<MYSQL*> orders{as.orders.driver()};
        exported_branch<PGconn*, assent_postgresql_switch, assent_postgresql_switch_handle>
            accounts_by_switch{where.accounts};
        exported_branch<MYSQL*, assent_mysql_switch, assent_mysql_switch_handle> orders_by_switch{
            orders_info(at)};
        std::vector<contest> const all{
            {"PostgreSQL: a branch in two phases", std::ref(accounts),
             std::ref(accounts_by_switch)},
            {"MariaDB: a branch in two phases", std::ref(orders), std::ref(orders_by_switch)},
            {"PostgreSQL: a transaction in one phase", [&] { native.commit(as.accounts); },
             [&] { exported.commit(bs.accounts); }},
            {"MariaDB: a transaction in one phase", [&] { native.commit(as.orders); },
             [&] { exported.commit(bs.orders); }},
            {"both: a transaction in two phases", [&] { native.commit(as.accounts, as.orders); },
             [&] { exported.commit(bs.accounts, bs.orders); }},
        };
        std::printf("%s\n%zu rounds of %.2f s; above 1 the switch is the faster\n",
                    machine().c_str(), how.rounds, how.seconds);
        std::mt19937_64 random{1};
        for (contest const& each : all)
            measure(each, how, random);
    }
    at.require_whole();
}

wishes read(int count, char** values)
{
    wishes how;
    for (int i = 1; i < count; ++i) {
        std::string const word = values[i];
        bool const has_value = i + 1 < count;
        if (word == "--blink") {
            choose().is_blink = true;
            how = {1, 0.01};
        } else if (word == "--rounds" && has_value) {
            how.rounds = std::stoul(values[++i]);
        } else if (word == "--seconds" && has_value) {
            how.seconds = std::stod(values[++i]);
        } else {
            throw std::runtime_error("usage: [--rounds N] [--seconds S] [--blink]");
        }
    }
    return how;
}

}  // namespace

}  // namespace assent::bench

int main(int count, char** values)
{
    try {
        assent::bench::run(assent::bench::read(count, values));
        return 0;
    } catch (std::exception const& failed) {
        std::fprintf(stderr, "assent_switch_bench: %s\n", failed.what());
        return 2;
    }
}
