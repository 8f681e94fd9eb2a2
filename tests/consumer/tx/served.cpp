// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// served.cpp -- the part in C++ of a program in C that uses the TX interface.

#include <assent/assent.hpp>
#include <assent/testing.hpp>
#include <assent/tx.hpp>
#include <exception>
#include <iostream>

extern "C" int run_chain(void);
extern "C" void set(void* connection, char const* key, long value);

void set(void* connection, char const* key, long value)
{
    static_cast<assent::testing::memory_connection*>(connection)->set(key, value);
}

int main(int count, char** words)
try {
    if (count != 2) return 2;
    assent::testing::memory_database here;
    assent::transaction_manager manager{assent::options{}
                                            .log_directory(words[1])
                                            .node_label("consumer")
                                            .allow_file_system("tmpfs")
                                            .allow_file_system("overlay")};
    auto accounts = manager.add(assent::testing::memory_resource_manager{"accounts", here});
    assent::tx_service const tx{manager, {accounts}};
    if (run_chain() != 0) return 1;
    std::cout << (here.value("committed") == 1 && !here.value("undone") ? "transferred" : "wrong")
              << '\n';
    return 0;
} catch (std::exception const& e) {
    std::cerr << e.what() << '\n';
    return 1;
}
