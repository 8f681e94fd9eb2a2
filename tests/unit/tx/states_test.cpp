// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// states_test.cpp -- C504's state table, as docs/reference/tx.md has it: every function in every
// state, its answer, and the state after it.

#include <fstream>
#include <regex>

#include "tests/unit/tx/tx_fixture.hpp"

namespace {

using namespace tx_test;

enum state { S0, S1, S2, S3, S4 };

void bring_to(state wanted)
{
    if (wanted == S0) return;
    ASSERT_EQ(tx_open(), TX_OK);
    if (wanted == S2 || wanted == S4) {
        ASSERT_EQ(tx_set_transaction_control(TX_CHAINED), TX_OK);
    }
    if (wanted == S3 || wanted == S4) {
        ASSERT_EQ(tx_begin(), TX_OK);
    }
}

state present()
{
    TXINFO told;
    int const is_in = tx_info(&told);
    if (is_in == TX_PROTOCOL_ERROR) return S0;
    if (told.transaction_control == TX_CHAINED) return is_in == 1 ? S4 : S2;
    return is_in == 1 ? S3 : S1;
}

struct cell
{
    int answer;
    state then;
};

/// "-", a state, or what tx_info() returns; of "S4; S2 with ..." the first.
cell read_cell(std::string const& text, state in)
{
    if (text == "-") return {TX_PROTOCOL_ERROR, in};
    if (text == "0" || text == "1") return {text == "1" ? 1 : 0, in};
    EXPECT_EQ(text.at(0), 'S') << text;
    return {TX_OK, static_cast<state>(text.at(1) - '0')};
}

/// The page's table: for each call, what it answers in S0 to S4.
std::map<std::string, std::vector<cell>> table_of_the_page()
{
    std::ifstream page{ASSENT_ROOT "/docs/reference/tx.md"};
    std::map<std::string, std::vector<cell>> table;
    std::regex const row{R"(\| (`.*`) \| (.+) \| (.+) \| (.+) \| (.+) \| (.+) \|)"};
    std::regex const call{"`([^`]+)`"};
    bool is_in = false;
    for (std::string line; std::getline(page, line);) {
        if (line.rfind("## ", 0) == 0) is_in = line == "## In which state";
        std::smatch found;
        if (!is_in || !std::regex_match(line, found, row)) continue;
        std::string const calls = found[1];
        std::vector<cell> cells;
        for (state const in : {S0, S1, S2, S3, S4})
            cells.push_back(read_cell(found[2 + in], in));
        for (std::sregex_iterator at{calls.begin(), calls.end(), call}, end; at != end; ++at)
            table[(*at)[1]] = cells;
    }
    return table;
}

TEST(States, EveryFunctionInEveryState)
{
    std::map<std::string, std::function<int()>> const calls{
        {"tx_open", tx_open},
        {"tx_close", tx_close},
        {"tx_begin", tx_begin},
        {"tx_commit", tx_commit},
        {"tx_rollback", tx_rollback},
        {"tx_info", [] { return tx_info(nullptr); }},
        {"tx_set_transaction_control(TX_CHAINED)",
         [] { return tx_set_transaction_control(TX_CHAINED); }},
        {"tx_set_transaction_control(TX_UNCHAINED)",
         [] { return tx_set_transaction_control(TX_UNCHAINED); }},
        {"tx_set_commit_return", [] { return tx_set_commit_return(TX_COMMIT_COMPLETED); }},
        {"tx_set_transaction_timeout", [] { return tx_set_transaction_timeout(5); }},
    };
    auto const table = table_of_the_page();
    ASSERT_EQ(table.size(), calls.size());
    served at;
    for (auto const& [name, cells] : table) {
        ASSERT_EQ(calls.count(name), 1u) << name;
        auto const& call = calls.at(name);
        for (state const before : {S0, S1, S2, S3, S4}) {
            SCOPED_TRACE(name + " in S" + std::to_string(before));
            cell const& expected = cells[before];
            on_a_thread([&] {
                bring_to(before);
                ASSERT_EQ(present(), before);
                auto const id = before == S0 ? std::string{} : gtrid_of(info());

                EXPECT_EQ(call(), expected.answer);

                bool const is_refused = expected.answer == TX_PROTOCOL_ERROR;
                EXPECT_EQ(std::string{assent_tx_message()}.empty(), !is_refused);
                EXPECT_EQ(present(), expected.then);
                if (is_refused && before != S0) {
                    EXPECT_EQ(gtrid_of(info()), id) << "untouched";
                }
            });
        }
    }
}

TEST(States, ARefusedCloseOrBeginLeavesTheTransactionToBeCommitted)
{
    served at;
    on_a_thread([&] {
        bring_to(S3);
        served::work();

        EXPECT_EQ(tx_close(), TX_PROTOCOL_ERROR);
        EXPECT_EQ(tx_begin(), TX_PROTOCOL_ERROR);

        EXPECT_EQ(tx_commit(), TX_OK);
    });
    at.expect_rows(1);
}

TEST(States, WhoIsOpenAsksNoDatabaseAgain)
{
    served at;
    on_a_thread([&] {
        bring_to(S1);
        int const started = count(at.bank, verb::start);
        EXPECT_EQ(started, 1) << "tx_open() has each database answer";

        EXPECT_EQ(tx_open(), TX_OK);

        EXPECT_EQ(count(at.bank, verb::start), started);
    });
}

bool is_serving(served const& at, std::string const& name)
{
    auto const all = at.tm->state().resource_managers;
    return std::any_of(all.begin(), all.end(),
                       [&name](auto const& each) { return each.name == name && each.is_serving; });
}

TEST(States, OpeningIsRefusedWhereADatabaseDoesNotAnswer)
{
    auto bounds = quick();
    bounds.first_scan = 50ms;
    served at{personality::plain, bounds};
    at.shop.crash_server();
    // Otherwise "accounts", which is asked first, may be the one that is late.
    ASSERT_TRUE(becomes_true([&at] { return is_serving(at, "accounts"); }));
    on_a_thread([&] {
        EXPECT_EQ(tx_open(), TX_ERROR);
        EXPECT_THAT(assent_tx_message(), ::testing::HasSubstr("orders"));
        EXPECT_EQ(present(), S0);

        at.shop.restart();

        EXPECT_TRUE(becomes_true([] { return tx_open() == TX_OK; }));
        EXPECT_EQ(present(), S1);
    });
}

}  // namespace
