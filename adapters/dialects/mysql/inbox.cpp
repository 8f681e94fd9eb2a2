// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/mysql/inbox.hpp"

#include <algorithm>
#include <optional>

#include <assent/delivery.hpp>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/own_table.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"

namespace assent::mysql_dialect::inbox {

namespace {

constexpr char table_name[] = "assent_inbox";
#define ASSENT_MY_ASCII " CHARACTER SET ascii COLLATE ascii_bin NOT NULL"

own_table table_of_inboxes()
{
    return {table_name,
            "name",
            "what was received",
            " (name VARBINARY(160) NOT NULL PRIMARY KEY, last CHAR(40)" ASSENT_MY_ASCII
            ", gtrid CHAR(57)" ASSENT_MY_ASCII ") ENGINE=InnoDB",
            {{"name", kept_as::bytes, 160, "VARBINARY(160) NOT NULL"},
             {"last", kept_as::name, 40, "CHAR(40)" ASSENT_MY_ASCII},
             {"gtrid", kept_as::name, 57, "CHAR(57)" ASSENT_MY_ASCII}}};
}

#undef ASSENT_MY_ASCII

/// A statement that may wait for a lock: so long on MariaDB; MySQL bounds it by the session alone.
std::string bounded(branch_question& in, std::string const& sql, std::chrono::milliseconds wait)
{
    if (!in.of().is_mariadb()) return sql;
    using std::chrono::seconds;
    auto const whole = std::max(seconds{1}, std::chrono::duration_cast<seconds>(wait));
    return "set statement innodb_lock_wait_timeout = " + std::to_string(whole.count()) + " for " +
           sql;
}

/// @throws driver_error  55P03: another transaction keeps the row.
table ask(branch_question& in, std::string const& sql)
try {
    auto rows = in.of().ask(sql);
    in.require_branch();
    return rows;
} catch (driver_error const& error) {
    bool const is_kept = is(error, code::lock_wait_timeout) || is(error, code::lock_nowait) ||
                         is(error, code::duplicate_key);
    if (!is_kept) throw;
    throw driver_error(errc::unavailable,
                       std::string{"moving an inbox: another transaction keeps the lane's row ("} +
                           error.what() + ')',
                       "55P03", error.native_code());
}

/// The row as it is committed, locked: MySQL waits for nobody here.
std::optional<std::string> locked(branch_question& in, std::string const& database,
                                  std::string const& name, std::chrono::milliseconds wait)
{
    auto const sql = "select last from " + named_with(database, table_name) +
                     " where name = " + hexadecimal(name) + " for update";
    auto const rows = ask(in, in.of().is_mariadb() ? bounded(in, sql, wait) : sql + " nowait");
    if (rows.empty()) return std::nullopt;
    return std::string{text_of(rows.front(), 0)};
}

void write(branch_question& in, std::string const& sql)
{
    ask(in, sql);
    if (in.changed() == 1) return;
    in.of().fail("the row of assent_inbox was not written");
}

std::string values_of(branch_question& in, std::string const& position)
{
    return "last = " + hexadecimal(position) + ", gtrid = " + hexadecimal(in.gtrid());
}

void update(branch_question& in, std::string const& database, std::string const& name,
            std::string const& position)
{
    write(in, "update " + named_with(database, table_name) + " set " + values_of(in, position) +
                  " where name = " + hexadecimal(name));
}

void insert(branch_question& in, std::string const& database, std::string const& name,
            std::string const& position, std::chrono::milliseconds wait)
{
    write(in, bounded(in,
                      "insert into " + named_with(database, table_name) +
                          " set name = " + hexadecimal(name) + ", " + values_of(in, position),
                      wait));
}

}  // namespace

void ensure(question& q)
{
    require_row_binlog(q, table_of_inboxes());
    mysql_dialect::ensure(q, table_of_inboxes());
}

inbox_finding move(branch_question& in, std::string const& database, inbox_move const& what,
                   std::chrono::milliseconds wait)
{
    // One message, where it is as it has to be and the server bounds the wait for it.
    if (in.of().is_mariadb()) {
        ask(in, bounded(in,
                        "update " + named_with(database, table_name) + " set " +
                            values_of(in, what.position) + " where name = " +
                            hexadecimal(what.name) + " and last = " + hexadecimal(what.previous),
                        wait));
        if (in.changed() == 1) return {true, {}};
    }
    auto const last = locked(in, database, what.name, wait);
    if (!last && what.previous == message::position_zero) {
        insert(in, database, what.name, what.position, wait);
        return {true, {}};
    }
    if (last != what.previous) return {false, last.value_or("")};
    update(in, database, what.name, what.position);
    return {true, {}};
}

void set(branch_question& in, std::string const& database, std::string const& name,
         std::string const& position, std::chrono::milliseconds wait)
{
    if (locked(in, database, name, wait)) {
        update(in, database, name, position);
    } else {
        insert(in, database, name, position, wait);
    }
}

}  // namespace assent::mysql_dialect::inbox
