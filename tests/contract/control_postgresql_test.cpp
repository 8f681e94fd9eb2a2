// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_postgresql_test.cpp -- PostgreSQL: each property at each position, by hand and by the
// adapter.

#include "tests/contract/control_postgresql.hpp"
#include "tests/contract/postgresql_target.hpp"

namespace assent::contract {

namespace {

std::string all_of(PGconn* on, std::string const& sql)
{
    PGresult* const said = PQexec(on, sql.c_str());
    std::string text;
    if (PQresultStatus(said) == PGRES_TUPLES_OK) {
        for (int i = 0; i < PQntuples(said); ++i) {
            for (int j = 0; j < PQnfields(said); ++j)
                text.append(PQgetvalue(said, i, j)).append(" ");
        }
    } else if (PQresultStatus(said) != PGRES_COMMAND_OK) {
        char const* const state = PQresultErrorField(said, PG_DIAG_SQLSTATE);
        text = std::string{"error "} + (state == nullptr ? "" : state);
    }
    PQclear(said);
    return text;
}

/// What the client library says without a question.
std::string view_of(PGconn* on)
{
    std::string text =
        std::to_string(PQtransactionStatus(on)) + " " + std::to_string(PQclientEncoding(on)) + " " +
        std::to_string(PQpipelineStatus(on)) + " " + std::to_string(PQisnonblocking(on));
    for (char const* const each :
         {"application_name", "DateStyle", "in_hot_standby", "session_authorization", "TimeZone"}) {
        char const* const value = PQparameterStatus(on, each);
        text.append(" ").append(value == nullptr ? "none" : value);
    }
    PQconsumeInput(on);
    while (PGnotify* const told = PQnotifies(on)) {
        text.append(" ").append(told->relname);
        PQfreemem(told);
    }
    return text;
}

std::unique_ptr<control_side> on(std::shared_ptr<plain_connection> const& client,
                                 std::unique_ptr<control_side> side)
{
    side->run = [client](std::string const& sql) { return all_of(client->get(), sql); };
    side->client_view = [client] { return view_of(client->get()); };
    return side;
}

}  // namespace

class control_postgresql : public postgresql_case
{
};
ASSENT_ON_EACH_POSTGRESQL(control_postgresql, postgresql_target);

TEST_P(control_postgresql, WhatTheApplicationSeesIsWhatItSeesByHandOrStandsOnThePage)
{
    pg().administer(control_table());
    auto const expected = facts();
    driver().decisions()->ensure(*open(session_purpose::manage), in_seconds(10));
    experiment what;
    what.properties = postgresql_properties();
    what.properties.push_back({"the client's own view", {"LISTEN news", "NOTIFY news"}, {}});
    what.properties.push_back({"the client's own view of an error", {"SELECT 1 / 0"}, {}});
    what.positions = {position::after_start,      position::after_row_start,
                      position::across_one_phase, position::after_rollback,
                      position::after_two_phases, position::after_one_phase,
                      position::after_commit_row};
    what.before_each = [this] { pg().administer(control_cleaning_postgresql()); };
    what.by_hand = [&] {
        return on(std::make_shared<plain_connection>(pg().server().conninfo()), blocks_by_hand());
    };
    what.by_adapter = [&] {
        auto const lent = std::make_shared<plain_connection>(pg().server().conninfo());
        return on(lent, std::make_unique<by_adapter>(driver(), [&, lent] {
                      return driver().borrow(lent->get(), expected, in_seconds(10));
                  }));
    };
    what.page = "postgresql.md";
    what.door = "by hand";
    expect_what_the_page_says(what);
}

}  // namespace assent::contract
