// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// accounts_session.cpp -- see accounts_session.hpp.

#include "accounts_session.hpp"

#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace assent::bench {

namespace {

using result = std::unique_ptr<PGresult, decltype(&PQclear)>;

result take(PGresult* made)
{
    return {made, &PQclear};
}

[[noreturn]] void fail(PGconn* on)
{
    throw std::runtime_error(std::string("postgresql: ") + PQerrorMessage(on));
}

void require_good(PGconn* on, PGresult* made)
{
    auto const status = PQresultStatus(made);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(on);
    // A failed transaction is prepared, or committed, with this answer.
    if (std::string_view(PQcmdStatus(made)) == "ROLLBACK") {
        throw std::runtime_error("postgresql: the transaction was rolled back");
    }
}

void require_one(PGconn* on, PGresult* made)
{
    require_good(on, made);
    if (std::string_view(PQcmdTuples(made)) != "1") {
        throw std::runtime_error("postgresql: there is no such row");
    }
}

}  // namespace

void prepare_statements(PGconn* on)
{
    auto const prepared = take(
        PQprepare(on, "add", "UPDATE balance SET amount = amount + $1 WHERE id = $2", 2, nullptr));
    require_good(on, prepared.get());
}

void add(PGconn* on, int row, int amount)
{
    std::string const texts[] = {std::to_string(amount), std::to_string(row)};
    std::array<char const*, 2> const values{texts[0].c_str(), texts[1].c_str()};
    require_one(on, take(PQexecPrepared(on, "add", 2, values.data(), nullptr, nullptr, 0)).get());
}

void add_by_text(PGconn* on, int row, int amount)
{
    std::string const sql = "UPDATE balance SET amount = amount + " + std::to_string(amount) +
                            " WHERE id = " + std::to_string(row);
    require_one(on, take(PQexec(on, sql.c_str())).get());
}

void read_by_text(PGconn* on, int row)
{
    std::string const sql = "SELECT amount FROM balance WHERE id = " + std::to_string(row);
    require_one(on, take(PQexec(on, sql.c_str())).get());
}

accounts_session::accounts_session(std::string const& conninfo)
    : connection_(PQconnectdb(conninfo.c_str()), &PQfinish)
{
    if (PQstatus(handle()) != CONNECTION_OK) fail(handle());
    PQsetNoticeProcessor(
        handle(), [](void*, char const*) {}, nullptr);
}

void accounts_session::send(std::string const& sql)
{
    if (PQsendQuery(handle(), sql.c_str()) == 0) fail(handle());
}

std::string accounts_session::receive()
{
    std::string first;
    bool is_first = true;
    while (auto const each = take(PQgetResult(handle()))) {
        require_good(handle(), each.get());
        if (is_first && PQntuples(each.get()) > 0) first = PQgetvalue(each.get(), 0, 0);
        is_first = false;
    }
    return first;
}

void accounts_session::send_commit_and_reset(std::string const& branch)
{
    std::string const commit = "COMMIT PREPARED " + branch;
    bool const is_sent =
        PQenterPipelineMode(handle()) == 1 &&
        PQsendQueryParams(handle(), commit.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) ==
            1 &&
        PQpipelineSync(handle()) == 1 &&
        PQsendQueryParams(handle(), "DISCARD ALL", 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
        PQpipelineSync(handle()) == 1;
    if (!is_sent) fail(handle());
    under_way_ = reset::in_pipeline;
}

void accounts_session::receive_commit()
{
    read_to_sync();
}

void accounts_session::send_reset()
{
    send("DISCARD ALL");
    under_way_ = reset::alone;
}

void accounts_session::finish_reset()
{
    switch (std::exchange(under_way_, reset::none)) {
        case reset::none:
            return;
        case reset::alone:
            receive();
            return;
        case reset::in_pipeline:
            read_to_sync();
            if (PQexitPipelineMode(handle()) == 0) fail(handle());
    }
}

// [result, nothing] and then the mark of PQpipelineSync().
void accounts_session::read_to_sync()
{
    for (;;) {
        auto const each = take(PQgetResult(handle()));
        if (each == nullptr) continue;
        if (PQresultStatus(each.get()) == PGRES_PIPELINE_SYNC) return;
        require_good(handle(), each.get());
    }
}

}  // namespace assent::bench
