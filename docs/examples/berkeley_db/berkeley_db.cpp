// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// berkeley_db.cpp -- a table of Berkeley DB and a ledger, changed together.
//
//   berkeley_db HOME LOG     both are directories that exist

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include <assent/assent.hpp>
#include <assent/testing.hpp>
#include <assent/xopen.hpp>

#include "restored_switch.hpp"
#include "stock.hpp"

namespace {

void sell(std::string const& home, assent::transaction_manager& tm)
{
    using namespace std::chrono_literals;
    auto stock = tm.add(
        assent::xopen::resource_manager{"stock", restored_switch(), home,
                                        assent::xopen::options{}
                                            .identity_file(home + "/assent_identity")
                                            .sessions_end_within(0ms)  // it lives in this process
                                            .unguarded()});  // and this log is never copied
    assent::testing::memory_database bank;
    auto ledger = tm.add(assent::testing::memory_resource_manager{"ledger", bank});

    // A table is opened outside of a branch, once this thread has the switch open.
    tm.begin().lease(stock);
    stock_table table;

    auto tx = tm.begin();
    tx.lease(stock);
    table.add("bolts", -1);  // Berkeley DB's own interface, on this thread
    tx.lease(ledger)->add("sold", 1);
    tx.commit();

    std::printf("%ld bolts, %lld sold\n", table.count("bolts"),
                static_cast<long long>(bank.value("sold").value_or(0)));
    tm.close(std::chrono::steady_clock::now() + 10s);
}

}  // namespace

int main(int argc, char** argv)
try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: berkeley_db HOME LOG\n");
        return 2;
    }
    assent::transaction_manager tm{
        assent::options{}.log_directory(argv[2]).node_label("shop").allow_file_system("overlay")};
    sell(argv[1], tm);
    return 0;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
