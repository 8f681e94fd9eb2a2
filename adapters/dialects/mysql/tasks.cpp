// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/tasks.hpp"

#include <assent/message.hpp>

#include <algorithm>
#include <utility>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/own_table.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect::tasks {

namespace {

constexpr char task_name[] = "assent_task";
constexpr char key_name[] = "assent_key";
/// What puts at their most come to, as a statement: bytes travel as two digits each.
constexpr std::uint64_t packet_least = 10'000'000;
constexpr unsigned skips_locked_from = 100600;  // MariaDB 10.6

#define ASSENT_MY_ASCII " CHARACTER SET ascii COLLATE ascii_bin"

own_table table_of_messages()
{
    // Destination and key are bytes: as texts they would be equal to others that end in blanks.
    return {
        task_name,
        "id",
        "messages",
        " (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, token CHAR(32)" ASSENT_MY_ASCII
        " NOT NULL, lane SMALLINT UNSIGNED NOT NULL, kind CHAR(1)" ASSENT_MY_ASCII
        " NOT NULL, state CHAR(1)" ASSENT_MY_ASCII
        " NOT NULL, dest VARBINARY(64) NOT NULL, `key` VARBINARY(255) NOT NULL, headers "
        "TEXT" ASSENT_MY_ASCII " NOT NULL, body MEDIUMBLOB NOT NULL, gtrid CHAR(57)" ASSENT_MY_ASCII
        " NOT NULL, position CHAR(40)" ASSENT_MY_ASCII ", previous CHAR(40)" ASSENT_MY_ASCII
        ", due TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, tries INT NOT NULL DEFAULT 0, "
        "error TEXT, made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "
        "KEY assent_task_taking (dest, kind, state, id)) ENGINE=InnoDB",
        {{"token", kept_as::name, 32, "CHAR(32)" ASSENT_MY_ASCII " NOT NULL"},
         {"kind", kept_as::name, 1, "CHAR(1)" ASSENT_MY_ASCII " NOT NULL"},
         {"state", kept_as::name, 1, "CHAR(1)" ASSENT_MY_ASCII " NOT NULL"},
         {"dest", kept_as::bytes, 64, "VARBINARY(64) NOT NULL"},
         {"key", kept_as::bytes, 255, "VARBINARY(255) NOT NULL"},
         {"headers", kept_as::text, 65535, "TEXT" ASSENT_MY_ASCII " NOT NULL"},
         {"body", kept_as::bytes, message::body_max, "MEDIUMBLOB NOT NULL"},
         {"gtrid", kept_as::name, 57, "CHAR(57)" ASSENT_MY_ASCII " NOT NULL"},
         {"position", kept_as::name, 40, "CHAR(40)" ASSENT_MY_ASCII},
         {"previous", kept_as::name, 40, "CHAR(40)" ASSENT_MY_ASCII}}};
}

#undef ASSENT_MY_ASCII

own_table table_of_slots()
{
    return {key_name, "slot", "the order of messages",
            " (slot SMALLINT UNSIGNED NOT NULL PRIMARY KEY, turn BIGINT UNSIGNED NOT NULL DEFAULT "
            "0) ENGINE=InnoDB"};
}

std::string all_slots()
{
    std::string sql = std::string{"insert ignore into "} + key_name + " (slot) values (0)";
    for (unsigned slot = 1; slot < task_slots; ++slot)
        sql += ",(" + std::to_string(slot) + ")";
    return sql;
}

std::uint64_t slots_there(question& q)
{
    auto const seen = q.one_row(
        std::string{"select count(*) from "} + key_name + " where slot between 0 and 4095", 1);
    return number_of(seen, 0);
}

void require_slots(question& q)
{
    if (slots_there(q) == task_slots) return;
    q.fail(std::string{key_name} + " lacks some of its rows 0 to 4095");
}

/// Ids that the server gives, and the index that has their order.
void require_order(question& q)
{
    auto const of_table =
        std::string{" where table_schema = database() and table_name = '"} + task_name + "' and ";
    auto const seen = q.one_row(
        "select (select group_concat(column_name order by seq_in_index) from "
        "information_schema.statistics" +
            of_table +
            "index_name = 'assent_task_taking' and sub_part is null), (select extra from "
            "information_schema.columns" +
            of_table + "column_name = 'id')",
        2);
    auto const require = [&q](bool is_met, char const* why) {
        if (!is_met) q.fail(std::string{task_name} + " cannot hold messages: " + why);
    };
    require(text_of(seen, 0) == "dest,kind,state,id",
            "its index assent_task_taking is missing, or has other columns than dest, kind, state, "
            "id");
    require(text_of(seen, 1) == "auto_increment", "its id is not AUTO_INCREMENT");
}

void require_server(question& q)
{
    if (q.is_mariadb() && q.server_version() < skips_locked_from) {
        q.fail("messages need MariaDB 10.6 or later: this one has no SKIP LOCKED");
    }
    require_row_binlog(q, table_of_messages());
    if (number_of(q.one_row("select @@global.max_allowed_packet", 1), 0) >= packet_least) return;
    q.fail("max_allowed_packet is less than what a transaction's messages may take; set it to " +
           std::to_string(packet_least) + " or more");
}

void ensure_slots(question& q)
{
    mysql_dialect::ensure(q, table_of_slots());
    if (slots_there(q) == task_slots) return;
    try {
        q.ask(all_slots());
    } catch (driver_error const& error) {
        if (error.must_close() || is_locked(error)) throw;
        q.fail(std::string{key_name} +
               " cannot hold the order of messages: it lacks some of its "
               "rows 0 to 4095, and they cannot be inserted (" +
               error.what() + "); let an administrator insert them");
    }
    require_slots(q);
}

std::string list_of(std::vector<std::uint16_t> const& slots)
{
    std::string list = "(";
    for (auto const slot : slots)
        list += (list.back() == '(' ? "" : ",") + std::to_string(slot);
    return list + ')';
}

/// The rows are changed, and not only locked: of a prepared branch a restarted server knows only
/// what it has changed, and would let others pass before it was decided.  By the key, so that no
/// row beside them is locked, at whatever level the branch is.
std::string turning(std::string const& database, std::vector<std::uint16_t> const& slots)
{
    return "update " + named_with(database, key_name) +
           " force index (primary) set turn = turn + 1 where slot in " + list_of(slots) +
           " order by slot";
}

/// The same on MySQL, at once or not at all.  The number of rows is said, since a session may have
/// chosen another one for all that it selects (sql_select_limit).
std::string turning_now(std::string const& database, std::vector<std::uint16_t> const& slots)
{
    auto const where = named_with(database, key_name);
    return "update " + where + " k join (select distinct slot from " + where +
           " force index (primary) where slot in " + list_of(slots) + " order by slot limit " +
           std::to_string(slots.size()) +
           " for update nowait) l on l.slot = k.slot set k.turn = k.turn + 1";
}

[[noreturn]] void refuse_as_kept(std::string const& words, int number)
{
    throw driver_error(errc::unavailable,
                       "putting messages: another transaction keeps the key of one (" + words + ')',
                       "55P03", number);
}

/// The statement waits in the server's queue for the locks; the session's own limit is given back
/// whatever comes of it.
/// @return how many rows were changed.
std::uint64_t turn_in_time(branch_question& in, std::string const& sql, std::chrono::seconds wait)
{
    auto& q = in.of();
    auto const own = number_of(q.one_row("select @@session.innodb_lock_wait_timeout", 1), 0);
    auto const set = [&q](auto limit) {
        q.ask("set session innodb_lock_wait_timeout = " + std::to_string(limit));
    };
    set(wait.count());
    try {
        q.ask(sql);
    } catch (...) {
        try {
            set(own);
        } catch (driver_error const&) {
            // Why the locks were not to be had is what must be told.
        }
        throw;
    }
    auto const turned = in.changed();
    set(own);
    return turned;
}

/// MySQL has no limit of its own for a statement's locks: only where one is taken is it asked for.
std::uint64_t turn(branch_question& in, std::string const& database,
                   std::vector<std::uint16_t> const& slots, std::chrono::seconds wait)
{
    auto& q = in.of();
    auto const sql = turning(database, slots);
    if (q.is_mariadb()) {
        q.ask("set statement innodb_lock_wait_timeout = " + std::to_string(wait.count()) + " for " +
              sql);
        return in.changed();
    }
    try {
        q.ask(turning_now(database, slots));
        return in.changed();
    } catch (driver_error const& error) {
        if (!is(error, code::lock_nowait)) throw;
    }
    return turn_in_time(in, sql, wait);
}

std::string values_of(task_row const& row, std::string const& gtrid)
{
    return "(" + hexadecimal(row.token) + ',' + std::to_string(row.lane) + ",'m','r'," +
           hexadecimal(row.to) + ',' + hexadecimal(row.key) + ',' + hexadecimal(row.headers) + ',' +
           hexadecimal(row.body) + ',' + gtrid + ')';
}

/// As it was declared when the branch began: the session's own level may be changed since, and may
/// not have been the branch's, which SET TRANSACTION names for one transaction.
void require_read_committed(branch_question& in)
{
    auto const level = in.declared_level();
    if (level == isolation::read_committed) return;
    throw driver_error(errc::invalid_state,
                       std::string{"messages are taken at READ COMMITTED, and this branch is at "} +
                           (level ? name_of(*level) : "whatever its session had chosen") +
                           ": begin with begin_options{}.isolation_level(read_committed)");
}

/// The body travels as it is: as digits it would be NULL where they are more than the session's
/// max_allowed_packet, and no column that is NULL may pass for an empty one.
task_row row_of(question& q, row const& seen, std::string_view to)
{
    bool const is_whole =
        seen.size() == 7 && std::all_of(seen.begin(), seen.end(),
                                        [](auto const& column) { return column.has_value(); });
    if (!is_whole) q.fail("the row of a message cannot be read");
    return {*seen[1],        static_cast<std::uint8_t>(number_of(seen, 2)),
            std::string{to}, *seen[3],
            *seen[4],        *seen[5],
            *seen[6]};
}

}  // namespace

void ensure(question& q)
{
    require_server(q);
    mysql_dialect::ensure(q, table_of_messages());
    require_order(q);
    ensure_slots(q);
}

bool is_fit(question& q)
{
    if (!mysql_dialect::is_fit(q, table_of_messages()) ||
        !mysql_dialect::is_fit(q, table_of_slots())) {
        return false;
    }
    require_server(q);
    require_order(q);
    require_slots(q);
    return true;
}

void put(branch_question& in, std::string const& database, std::vector<task_row> const& rows,
         std::vector<std::uint16_t> const& slots, std::chrono::milliseconds wait)
{
    auto& q = in.of();
    if (!slots.empty()) {
        using std::chrono::seconds;
        auto const whole = std::max(seconds{1}, std::chrono::duration_cast<seconds>(wait));
        try {
            auto const turned = turn(in, database, slots, whole);
            in.require_branch();
            if (turned != slots.size()) q.fail("rows of assent_key are missing");
        } catch (driver_error const& error) {
            // A deadlock is not a key that is kept: it has rolled back everything in the branch.
            if (!is(error, code::lock_wait_timeout)) throw;
            refuse_as_kept(error.what(), error.native_code());
        }
    }
    auto const from = hexadecimal(in.gtrid());
    std::string sql = "insert into " + named_with(database, task_name) +
                      " (token,lane,kind,state,dest,`key`,headers,body,gtrid) values ";
    for (auto const& row : rows)
        sql += (&row == &rows.front() ? "" : ",") + values_of(row, from);
    q.ask(sql);
    in.require_branch();
    if (in.changed() != rows.size()) q.fail("a message was not written");
}

std::optional<task_row> take(branch_question& in, std::string const& database, std::string_view to)
{
    auto& q = in.of();
    require_read_committed(in);
    auto const where = named_with(database, task_name);
    // By this index, which has the order: a sort would lock all that it reads.
    auto const rows =
        q.ask("select id, token, lane, `key`, headers, body, gtrid from " + where +
              " force index (assent_task_taking) where dest = " + hexadecimal(to) +
              " and kind = 'm' and state = 'r' order by id limit 1 for update skip locked");
    in.require_branch();
    if (rows.empty()) return std::nullopt;
    auto taken = row_of(q, rows.front(), to);
    q.ask("delete from " + where + " where id = " + std::to_string(number_of(rows.front(), 0)));
    in.require_branch();
    if (in.changed() != 1) q.fail("a message that was taken is there still");
    return taken;
}

}  // namespace assent::mysql_dialect::tasks
