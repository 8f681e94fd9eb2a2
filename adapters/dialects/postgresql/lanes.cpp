// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/lanes.hpp"

#include <map>
#include <set>
#include <utility>

#include <assent/delivery.hpp>
#include <assent/transport.hpp>

#include "adapters/dialects/hexadecimal.hpp"
#include "adapters/dialects/postgresql/own_table.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "ports/numbering.hpp"

namespace assent::postgresql_dialect::lanes {

#define ASSENT_PG_TASK "public.assent_task"
#define ASSENT_PG_LANE "public.assent_lane"

namespace {

using statements::ascii_text;

using ports::lane_name;
using ports::waiting_task;

constexpr char rows_moved[] = "22012";  // statements::only_where

own_table table_of_lanes()
{
    return {"assent_lane",
            "name",
            "the positions of messages",
            "CREATE TABLE IF NOT EXISTS " ASSENT_PG_LANE
            " (name pg_catalog.text COLLATE pg_catalog.\"C\" PRIMARY KEY, "
            "last pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL) WITH (fillfactor = 50); "
            "CREATE INDEX IF NOT EXISTS assent_task_lane ON " ASSENT_PG_TASK
            " (dest, kind, lane, state, id)",
            "CREATE TABLE " ASSENT_PG_LANE
            " (name text COLLATE \"C\" PRIMARY KEY, last text COLLATE \"C\" NOT NULL) WITH "
            "(fillfactor = 50); CREATE INDEX assent_task_lane ON " ASSENT_PG_TASK
            " (dest, kind, lane, state, id)",
            {{"name", "text"}, {"last", "text"}}};
}

/// Of t, a row of assent_task.
std::string is_in(std::string_view to, std::string const& lane)
{
    return "t.dest OPERATOR(pg_catalog.=) " + ascii_text(to) +
           " AND t.kind OPERATOR(pg_catalog.=) 'm' AND t.lane OPERATOR(pg_catalog.=) " + lane;
}

std::string has_state(char const* which)
{
    return std::string{" AND t.state OPERATOR(pg_catalog.=) '"} + which + "'";
}

std::string any_row(std::string_view to, std::string const& rest)
{
    return "EXISTS (SELECT 1 FROM " ASSENT_PG_TASK " t WHERE " + is_in(to, "g.lane") + rest + ")";
}

std::string number_text(std::uint64_t lock)
{
    return std::to_string(static_cast<std::int64_t>(lock));
}

/// The lanes from `from` on, and then those before it, each with the number of its lock.
std::string lanes_in_turn(std::string_view to, std::uint8_t from)
{
    std::string values;
    for (unsigned i = 0; i < message::lanes; ++i) {
        auto const lane = static_cast<std::uint8_t>((from + i) % message::lanes);
        values += (i == 0 ? "(" : ", (") + std::to_string(i) + ", " + std::to_string(lane) +
                  ", CAST('" + number_text(ports::lane_lock(to, lane)) + "' AS pg_catalog.int8))";
    }
    return "(VALUES " + values + ") AS g (turn, lane, lock)";
}

std::string names_of(std::string_view to, std::vector<std::uint8_t> const& which)
{
    std::string list;
    for (auto const lane : which)
        list += (list.empty() ? "" : ", ") + ascii_text(lane_name(to, lane));
    return list;
}

struct locked_lanes
{
    ports::last_positions last;
    std::uint64_t microseconds = 0;  // the server's clock
};

/// The lanes' rows locked, in one order for everybody; the transaction is left open.
locked_lanes lock(question& owner, std::string_view to, std::vector<std::uint8_t> const& which)
{
    std::string made;
    for (auto const lane : which) {
        made += (made.empty() ? "(" : ", (") + ascii_text(lane_name(to, lane)) + ", '" +
                message::position_zero + "')";
    }
    // Positions are durable before anything is sent.
    table const rows = owner.ask(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; "
        "INSERT INTO " ASSENT_PG_LANE " (name, last) VALUES " +
            made +
            " ON CONFLICT (name) DO NOTHING; SELECT l.name, l.last, CAST(EXTRACT(epoch FROM "
            "pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000000 AS "
            "pg_catalog.int8) FROM " ASSENT_PG_LANE
            " l WHERE l.name OPERATOR(pg_catalog.=) ANY (ARRAY[" +
            names_of(to, which) + "]) ORDER BY l.name FOR UPDATE",
        "claiming lanes");
    if (rows.size() != which.size()) throw driver_error("claiming lanes: some have no row");
    locked_lanes all;
    for (auto const& each : rows) {
        for (auto const lane : which) {
            if (value_of(each, 0) == lane_name(to, lane)) all.last[lane] = value_of(each, 1);
        }
        all.microseconds = static_cast<std::uint64_t>(number_of(each, 2));
    }
    return all;
}

std::vector<waiting_task> waiting(question& owner, std::string_view to,
                                  std::vector<std::uint8_t> const& which, std::size_t of_lane)
{
    constexpr char columns[] =
        "t.id, t.lane, t.position, t.previous, pg_catalog.octet_length(t.body)";
    std::string sql;
    for (auto const lane : which) {
        auto const of_this = std::string{"(SELECT "} + columns +
                             " FROM " ASSENT_PG_TASK " t WHERE " + is_in(to, std::to_string(lane));
        auto const at_most = " LIMIT " + std::to_string(of_lane) + ")";
        sql += (sql.empty() ? "" : " UNION ALL ") + of_this + has_state("s") +
               " ORDER BY t.position" + at_most + " UNION ALL " + of_this + has_state("r") +
               " ORDER BY t.id" + at_most;
    }
    std::vector<waiting_task> all;
    for (auto const& each : owner.ask(sql, "looking for messages")) {
        if (each.size() < 5) throw driver_error("looking for messages: the answer is not complete");
        all.push_back({static_cast<std::uint64_t>(number_of(each, 0)),
                       static_cast<std::uint8_t>(number_of(each, 1)),
                       static_cast<std::size_t>(number_of(each, 4)), each[2].value_or(""),
                       each[3].value_or("")});
    }
    return all;
}

std::string array_of(std::vector<waiting_task> const& tasks)
{
    std::string ids;
    for (auto const& each : tasks)
        ids += (ids.empty() ? "" : ",") + std::to_string(each.id);
    return "CAST('{" + ids + "}' AS pg_catalog.int8[])";
}

/// Those that nobody has taken, locked.
std::set<std::uint64_t> locked_of(question& owner, std::vector<waiting_task> const& tasks)
{
    std::set<std::uint64_t> all;
    for (auto const& each :
         owner.ask("SELECT t.id FROM " ASSENT_PG_TASK " t WHERE t.id OPERATOR(pg_catalog.=) ANY (" +
                       array_of(tasks) + ")" + has_state("r") + " FOR UPDATE SKIP LOCKED",
                   "locking messages")) {
        all.insert(static_cast<std::uint64_t>(number_of(each, 0)));
    }
    return all;
}

/// It fails where a rule or trigger keeps one as it was: its position would be a gap.
std::string placing(std::vector<waiting_task> const& tasks)
{
    std::string values;
    for (auto const& each : tasks) {
        values += (values.empty() ? "(" : ", (") + std::to_string(each.id) + ", '" + each.position +
                  "', '" + each.previous + "')";
    }
    return "WITH given (id, position, previous) AS (VALUES " + values +
           "), placed AS (UPDATE " ASSENT_PG_TASK
           " t SET state = 's', \"position\" = g.position, previous = g.previous FROM given g "
           "WHERE t.id OPERATOR(pg_catalog.=) g.id" +
           has_state("r") + " RETURNING 1) SELECT " +
           statements::only_where("pg_catalog.count(*) OPERATOR(pg_catalog.=) " +
                                  std::to_string(tasks.size())) +
           " FROM placed; ";
}

std::string moving(std::string_view to, ports::last_positions const& moved)
{
    std::string values;
    for (auto const& [lane, last] : moved) {
        values +=
            (values.empty() ? "(" : ", (") + ascii_text(lane_name(to, lane)) + ", '" + last + "')";
    }
    return "UPDATE " ASSENT_PG_LANE " l SET last = m.last FROM (VALUES " + values +
           ") AS m (name, last) WHERE l.name OPERATOR(pg_catalog.=) m.name; ";
}

std::vector<placed_task> read(question& owner, std::string const& first,
                              std::vector<waiting_task> const& tasks, std::string_view to)
{
    table const rows =
        owner.ask(first +
                      "COMMIT; SELECT t.id, t.token, t.lane, t.key, t.headers, "
                      "pg_catalog.encode(t.body, 'hex'), t.gtrid, t.tries FROM " ASSENT_PG_TASK
                      " t WHERE t.id OPERATOR(pg_catalog.=) ANY (" +
                      array_of(tasks) + ")",
                  "placing messages");
    std::map<std::uint64_t, placed_task> found;
    for (auto const& each : rows) {
        if (each.size() < 8) continue;  // of the condition in `first`
        auto body = dialects::from_digits(value_of(each, 5));
        if (!body) throw driver_error("placing messages: a row cannot be read");
        found[static_cast<std::uint64_t>(number_of(each, 0))] = {
            {value_of(each, 1), static_cast<std::uint8_t>(number_of(each, 2)), std::string{to},
             value_of(each, 3), value_of(each, 4), std::move(*body), value_of(each, 6)},
            {},
            {},
            static_cast<unsigned>(number_of(each, 7))};
    }
    return ports::in_order(std::move(found), tasks);
}

}  // namespace

void ensure(question& manage, session_identity const& asking)
{
    postgresql_dialect::ensure(manage, asking, table_of_lanes());
}

std::string source(question& manage)
{
    // The first one stays; in one message its own row would not be seen.
    manage.ask("INSERT INTO " ASSENT_PG_LANE " (name, last) VALUES (" +
                   ascii_text(ports::source_row) + ", '" + ports::new_source() +
                   "') ON CONFLICT (name) DO NOTHING",
               "naming the source of messages");
    return value_of(manage.one_row("SELECT l.last FROM " ASSENT_PG_LANE
                                   " l WHERE l.name OPERATOR(pg_catalog.=) " +
                                       ascii_text(ports::source_row),
                                   1, "naming the source of messages"),
                    0);
}

std::vector<std::uint8_t> claim(question& owner, std::string_view to, std::uint8_t from,
                                std::size_t at_most)
{
    auto const waits = "(" + any_row(to, has_state("r")) + " OR " + any_row(to, has_state("s")) +
                       ") AND NOT " + any_row(to, has_state("p")) + " AND NOT " +
                       any_row(to, has_state("s") +
                                       " AND t.due OPERATOR(pg_catalog.>) "
                                       "pg_catalog.now()");
    // What is locked is what is listed: a lock in a condition may be taken for a row that is not.
    // More are looked at than are wanted, since another session may have the first ones.
    table const rows = owner.ask(
        "WITH busy AS MATERIALIZED (SELECT g.turn, g.lane, g.lock FROM " + lanes_in_turn(to, from) +
            " WHERE " + waits +
            "), tried AS MATERIALIZED (SELECT s.turn, s.lane, s.lock, "
            "pg_catalog.pg_try_advisory_lock(s.lock) AS is_ours FROM busy s) SELECT r.lane, r.lock "
            "FROM tried r WHERE r.is_ours ORDER BY r.turn",
        "claiming lanes");
    std::vector<std::uint8_t> ours;
    std::string given_back;
    for (auto const& each : rows) {
        if (ours.size() < at_most) {
            ours.push_back(static_cast<std::uint8_t>(number_of(each, 0)));
        } else {
            given_back += (given_back.empty() ? "SELECT " : ", ") +
                          ("pg_catalog.pg_advisory_unlock(CAST('" + value_of(each, 1)) +
                          "' AS pg_catalog.int8))";
        }
    }
    if (!given_back.empty()) owner.ask(given_back, "letting go of lanes");
    return ours;
}

std::vector<placed_task> place(question& owner, std::string_view to,
                               std::vector<std::uint8_t> const& which, turn_limits const& limits)
try {
    if (which.empty()) return {};
    auto const lanes = lock(owner, to, which);
    auto tasks = ports::chosen(waiting(owner, to, which, limits.lane_messages), limits);
    tasks = ports::up_to_taken(tasks, locked_of(owner, tasks));
    auto const moved = ports::number(tasks, lanes.last, lanes.microseconds);
    auto const writing =
        moved.empty() ? "" : placing(ports::in_lanes(tasks, moved)) + moving(to, moved);
    return read(owner, writing, tasks, to);
} catch (driver_error const& e) {
    if (e.sqlstate() != rows_moved) throw;
    throw driver_error("placing messages: a rule or trigger kept one as it was");
}

void end_turn(question& owner, std::string_view to, std::vector<lane_end> const& ends)
{
    std::string sql;
    for (auto const& each : ends) {
        auto const lane = is_in(to, std::to_string(each.lane)) + has_state("s") +
                          " AND t.\"position\" OPERATOR(pg_catalog.";
        if (!each.kept.empty()) {
            sql += "DELETE FROM " ASSENT_PG_TASK " t WHERE " + lane + "<=) '" + each.kept + "'; ";
        }
        if (each.refused.empty()) continue;
        sql += std::string{"UPDATE " ASSENT_PG_TASK
                           " t SET tries = t.tries "
                           "OPERATOR(pg_catalog.+) 1, state = '"} +
               (each.is_parked ? 'p' : 's') +
               "', due = pg_catalog.now() OPERATOR(pg_catalog.+) "
               "pg_catalog.make_interval(secs => " +
               std::to_string(each.again_after.count()) +
               "), error = " + ascii_text(shown(each.why)) + " WHERE " + lane + "=) '" +
               each.refused + "'; ";
    }
    owner.ask(sql + "SELECT pg_catalog.pg_advisory_unlock_all()", "ending a turn");
}

#undef ASSENT_PG_LANE
#undef ASSENT_PG_TASK

}  // namespace assent::postgresql_dialect::lanes
