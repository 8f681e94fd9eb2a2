// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/lanes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <assent/delivery.hpp>
#include <assent/transport.hpp>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/own_table.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "ports/numbering.hpp"

namespace assent::mysql_dialect::lanes {

namespace {

using ports::lane_name;
using ports::waiting_task;

#define ASSENT_MY_POSITION "CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"
constexpr char lane_index[] = "assent_task_lane";
constexpr char lane_columns[] = "dest, kind, lane, state, id";

own_table table_of_lanes()
{
    return {"assent_lane",
            "name",
            "the positions of messages",
            " (name VARBINARY(67) NOT NULL PRIMARY KEY, last " ASSENT_MY_POSITION ") ENGINE=InnoDB",
            {{"name", kept_as::bytes, 67, "VARBINARY(67) NOT NULL"},
             {"last", kept_as::name, 40, ASSENT_MY_POSITION}}};
}

#undef ASSENT_MY_POSITION

std::string columns_of_index(question& q)
{
    auto const seen = q.one_row(
        std::string{"select group_concat(column_name order by seq_in_index separator ', ') from "
                    "information_schema.statistics where table_schema = database() and table_name "
                    "= 'assent_task' and sub_part is null and index_name = '"} +
            lane_index + "'",
        1);
    return std::string{text_of(seen, 0)};
}

void ensure_index(question& q)
{
    if (columns_of_index(q) == lane_columns) return;
    auto const sql =
        std::string{"create index "} + lane_index + " on assent_task (" + lane_columns + ")";
    try {
        q.ask(sql);
    } catch (driver_error const& error) {
        if (error.must_close() || is_locked(error)) throw;
        // Another one may have made it meanwhile.
        if (columns_of_index(q) == lane_columns) return;
        q.fail(std::string{"assent_task lacks its index for a relay ("} + error.what() +
               "); let an administrator run: " + sql);
    }
}

/// Of t, a row of assent_task.
std::string is_in(std::string_view to)
{
    return "t.dest = " + hexadecimal(to) + " and t.kind = 'm'";
}

std::string is_in(std::string_view to, std::uint8_t lane)
{
    return is_in(to) + " and t.lane = " + std::to_string(lane);
}

/// A lock of the server's has a name of 64 characters at the most, for all databases together.
std::string lock_name(std::string_view to, std::uint8_t lane)
{
    return "concat('assent.lane.', left(sha2(concat(database(), " +
           hexadecimal(lane_name(to, lane)) + "), 256), 40))";
}

std::set<std::uint8_t> lanes_of(table const& rows)
{
    std::set<std::uint8_t> all;
    for (auto const& each : rows)
        all.insert(static_cast<std::uint8_t>(number_of(each, 0)));
    return all;
}

/// Lanes in which something waits, in their turn from `from` on.
std::vector<std::uint8_t> busy_lanes(question& q, std::string_view to, std::uint8_t from)
{
    // All that have anything, by the index alone; and those whose turn it is not.
    auto const have = lanes_of(
        q.ask("select distinct t.lane from assent_task t force index (assent_task_lane) where " +
              is_in(to)));
    auto const not_now =
        lanes_of(q.ask("select distinct t.lane from assent_task t where " + is_in(to) +
                       " and (t.state = 'p' or (t.state = 's' and "
                       "t.due > current_timestamp))"));
    std::vector<std::uint8_t> all;
    for (unsigned i = 0; i < message::lanes; ++i) {
        auto const lane = static_cast<std::uint8_t>((from + i) % message::lanes);
        if (have.count(lane) != 0 && not_now.count(lane) == 0) all.push_back(lane);
    }
    return all;
}

/// Ends by itself where it is not committed: the session is closed.
class read_committed_transaction
{
public:
    explicit read_committed_transaction(question& q) : q_(q)
    {
        q_.ask("set transaction isolation level read committed");
        q_.ask("start transaction");
    }
    void commit() { q_.ask("commit"); }

private:
    question& q_;
};

struct locked_lanes
{
    ports::last_positions last;
    std::uint64_t microseconds = 0;  // the server's clock
};

locked_lanes lock(question& q, std::string_view to, std::vector<std::uint8_t> const& which)
{
    std::string made;
    std::string names;
    for (auto const lane : which) {
        auto const name = hexadecimal(lane_name(to, lane));
        made += (made.empty() ? "(" : ",(") + name + ",'" + message::position_zero + "')";
        names += (names.empty() ? "" : ",") + name;
    }
    q.ask("insert ignore into assent_lane (name, last) values " + made);
    auto const rows = q.ask(
        "select name, last, timestampdiff(microsecond, '1970-01-01', utc_timestamp(6)) from "
        "assent_lane where name in (" +
        names + ") order by name for update");
    if (rows.size() != which.size()) q.fail("some rows of assent_lane are missing");
    locked_lanes all;
    for (auto const& each : rows) {
        for (auto const lane : which) {
            if (text_of(each, 0) == lane_name(to, lane)) all.last[lane] = text_of(each, 1);
        }
        all.microseconds = number_of(each, 2);
    }
    return all;
}

std::vector<waiting_task> waiting(question& q, std::string_view to,
                                  std::vector<std::uint8_t> const& which, std::size_t of_lane)
{
    std::string sql;
    for (auto const lane : which) {
        auto const of_this =
            "(select t.id, t.lane, t.position, t.previous, length(t.body) from "
            "assent_task t force index (assent_task_lane) where " +
            is_in(to, lane) + " and t.state = ";
        auto const at_most = " limit " + std::to_string(of_lane) + ")";
        sql += (sql.empty() ? "" : " union all ") + of_this + "'s' order by t.position" + at_most +
               " union all " + of_this + "'r' order by t.id" + at_most;
    }
    std::vector<waiting_task> all;
    for (auto const& each : q.ask(sql)) {
        if (each.size() < 5) q.fail("the server's answer is not complete");
        all.push_back({number_of(each, 0), static_cast<std::uint8_t>(number_of(each, 1)),
                       static_cast<std::size_t>(number_of(each, 4)), each[2].value_or(""),
                       each[3].value_or("")});
    }
    return all;
}

std::string ids_of(std::vector<waiting_task> const& tasks)
{
    std::string ids;
    for (auto const& each : tasks)
        ids += (ids.empty() ? "(" : ",") + std::to_string(each.id);
    return ids + ")";
}

/// Those that nobody has taken, locked.
std::set<std::uint64_t> locked_of(question& q, std::vector<waiting_task> const& tasks)
{
    std::set<std::uint64_t> all;
    if (tasks.empty()) return all;
    for (auto const& each : q.ask("select id from assent_task force index (primary) where id in " +
                                  ids_of(tasks) + " and state = 'r' for update skip locked")) {
        all.insert(number_of(each, 0));
    }
    return all;
}

/// @throws driver_error  a trigger kept one as it was: its position would be a gap.
void write_positions(question& q, std::vector<waiting_task> const& tasks)
{
    std::string positions;
    std::string previous;
    for (auto const& each : tasks) {
        auto const when = " when " + std::to_string(each.id) + " then '";
        positions += when + each.position + "'";
        previous += when + each.previous + "'";
    }
    q.ask("update assent_task force index (primary) set state = 's', position = case id" +
          positions + " end, previous = case id" + previous + " end where id in " + ids_of(tasks) +
          " and state = 'r'");
    if (number_of(q.one_row("select row_count()", 1), 0) == tasks.size()) return;
    q.fail("placing messages: one of them was not written");
}

void move(question& q, std::string_view to, ports::last_positions const& moved)
{
    std::string values;
    std::string names;
    for (auto const& [lane, last] : moved) {
        auto const name = hexadecimal(lane_name(to, lane));
        values += " when " + name + " then '" + last + "'";
        names += (names.empty() ? "" : ",") + name;
    }
    q.ask("update assent_lane set last = case name" + values + " end where name in (" + names +
          ")");
    if (number_of(q.one_row("select row_count()", 1), 0) == moved.size()) return;
    q.fail("placing messages: rows of assent_lane did not move");
}

std::vector<placed_task> read(question& q, std::vector<waiting_task> const& tasks,
                              std::string_view to)
{
    if (tasks.empty()) return {};
    std::map<std::uint64_t, placed_task> found;
    for (auto& each :
         q.ask("select id, token, lane, `key`, headers, body, gtrid, tries from assent_task "
               "force index (primary) where id in " +
               ids_of(tasks))) {
        bool const is_whole =
            each.size() == 8 && std::all_of(each.begin(), each.end(),
                                            [](auto const& column) { return column.has_value(); });
        if (!is_whole) q.fail("the row of a message cannot be read");
        found[number_of(each, 0)] = {
            {*each[1], static_cast<std::uint8_t>(number_of(each, 2)), std::string{to}, *each[3],
             *each[4], std::move(*each[5]), *each[6]},
            {},
            {},
            static_cast<unsigned>(number_of(each, 7))};
    }
    return ports::in_order(std::move(found), tasks);
}

}  // namespace

void ensure(question& q)
{
    require_row_binlog(q, table_of_lanes());
    mysql_dialect::ensure(q, table_of_lanes());
    ensure_index(q);
}

std::string source(question& q)
{
    auto const name = hexadecimal(ports::source_row);
    q.ask("insert ignore into assent_lane (name, last) values (" + name + ",'" +
          ports::new_source() + "')");
    return std::string{
        text_of(q.one_row("select last from assent_lane where name = " + name, 1), 0)};
}

std::vector<std::uint8_t> claim(question& q, std::string_view to, std::uint8_t from,
                                std::size_t at_most)
{
    std::vector<std::uint8_t> ours;
    for (auto const lane : busy_lanes(q, to, from)) {
        if (ours.size() == at_most) break;
        auto const said = q.one_row("select get_lock(" + lock_name(to, lane) + ", 0)", 1);
        if (!said[0]) q.fail("the server could not say whether a lane is free");
        if (text_of(said, 0) == "1") ours.push_back(lane);
    }
    return ours;
}

std::vector<placed_task> place(question& q, std::string_view to,
                               std::vector<std::uint8_t> const& which, turn_limits const& limits)
{
    if (which.empty()) return {};
    read_committed_transaction work{q};
    auto const lanes = lock(q, to, which);
    auto tasks = ports::chosen(waiting(q, to, which, limits.lane_messages), limits);
    tasks = ports::up_to_taken(tasks, locked_of(q, tasks));
    auto const moved = ports::number(tasks, lanes.last, lanes.microseconds);
    if (!moved.empty()) {
        write_positions(q, ports::in_lanes(tasks, moved));
        move(q, to, moved);
    }
    work.commit();
    return read(q, tasks, to);
}

void end_turn(question& q, std::string_view to, std::vector<lane_end> const& ends)
{
    read_committed_transaction work{q};
    for (auto const& each : ends) {
        auto const lane = is_in(to, each.lane) + " and t.state = 's' and t.position ";
        if (!each.kept.empty()) {
            q.ask("delete t from assent_task t force index (assent_task_lane) where " + lane +
                  "<= '" + each.kept + "'");
        }
        if (each.refused.empty()) continue;
        q.ask(std::string{"update assent_task t force index (assent_task_lane) set t.tries = "
                          "t.tries + 1, t.state = '"} +
              (each.is_parked ? 'p' : 's') + "', t.due = current_timestamp + interval " +
              std::to_string(each.again_after.count()) + " second, t.error = " +
              hexadecimal(each.why) + " where " + lane + "= '" + each.refused + "'");
    }
    work.commit();
    q.ask("do release_all_locks()");
}

}  // namespace assent::mysql_dialect::lanes
