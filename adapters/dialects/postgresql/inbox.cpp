// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/inbox.hpp"

#include <assent/delivery.hpp>

#include "adapters/dialects/postgresql/own_table.hpp"
#include "adapters/dialects/postgresql/statements.hpp"

namespace assent::postgresql_dialect::inbox {

#define ASSENT_PG_INBOX "public.assent_inbox"

namespace {

using statements::ascii_text;

own_table table_of_inboxes()
{
    return {"assent_inbox",
            "name",
            "what was received",
            "CREATE TABLE IF NOT EXISTS " ASSENT_PG_INBOX
            " (name pg_catalog.text COLLATE pg_catalog.\"C\" PRIMARY KEY, "
            "last pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL, "
            "gtrid pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL) WITH (fillfactor = 50)",
            "CREATE TABLE " ASSENT_PG_INBOX
            " (name text COLLATE \"C\" PRIMARY KEY, last text COLLATE \"C\" NOT NULL, gtrid text "
            "COLLATE \"C\" NOT NULL) WITH (fillfactor = 50)",
            {{"name", "text"}, {"last", "text"}, {"gtrid", "text"}}};
}

std::string is_named(std::string const& name)
{
    return " WHERE i.name OPERATOR(pg_catalog.=) " + ascii_text(name);
}

/// Statements in the branch, where a lock is waited for so long, in one message.
table ask(question& working, std::string const& guard, std::string const& statements,
          std::chrono::milliseconds wait, std::string const& doing)
{
    auto const sql =
        "SELECT " + guard +
        ", pg_catalog.set_config('assent.lock_timeout', pg_catalog.current_setting('lock_timeout'),"
        " true), pg_catalog.set_config('lock_timeout', '" +
        std::to_string(wait.count()) + "', true); " + statements +
        "; SELECT pg_catalog.set_config('lock_timeout', "
        "pg_catalog.current_setting('assent.lock_timeout'), true)";
    try {
        return working.ask(sql, doing);
    } catch (driver_error const& error) {
        if (is_locked(error)) {
            throw driver_error(doing + ": another transaction keeps the lane's row", "55P03");
        }
        if (error.sqlstate() != statements::guard_failed) throw;
        throw driver_error(doing +
                               ": the transaction is not the branch's any more, or a rule or "
                               "trigger kept the row of public.assent_inbox as it was",
                           error.sqlstate());
    }
}

std::string inserting(std::string const& name, std::string const& position, std::string_view gtrid)
{
    return "INSERT INTO " ASSENT_PG_INBOX " (name, last, gtrid) VALUES (" + ascii_text(name) +
           ", " + ascii_text(position) + ", " + ascii_text(gtrid) + ") ON CONFLICT (name) DO ";
}

}  // namespace

void ensure(question& manage, session_identity const& asking)
{
    postgresql_dialect::ensure(manage, asking, table_of_inboxes());
}

inbox_finding move(question& working, std::string const& guard, std::string_view gtrid,
                   inbox_move const& what, std::chrono::milliseconds wait)
{
    // Each statement sees what was committed before it: what is locked by the second is what the
    // third finds.
    std::string sql;
    if (what.previous == message::position_zero)
        sql = inserting(what.name, message::position_zero, gtrid) + "NOTHING; ";
    sql += "SELECT 'last', i.last FROM " ASSENT_PG_INBOX " i" + is_named(what.name) +
           " FOR UPDATE; UPDATE " ASSENT_PG_INBOX " i SET last = " + ascii_text(what.position) +
           ", gtrid = " + ascii_text(gtrid) + is_named(what.name) +
           " AND i.last OPERATOR(pg_catalog.=) " + ascii_text(what.previous) +
           " RETURNING 'moved', i.last, 1, 1";
    inbox_finding found;
    for (auto const& row : ask(working, guard, sql, wait, "moving an inbox")) {
        if (row.size() == 2) found.last = value_of(row, 1);
        if (row.size() == 4) found.has_moved = value_of(row, 1) == what.position;
    }
    if (found.last == what.previous && !found.has_moved) {
        throw driver_error(
            "moving an inbox: a rule or trigger kept the row of public.assent_inbox as it was");
    }
    return found;
}

void set(question& working, std::string const& guard, std::string_view gtrid,
         std::string const& name, std::string const& position, std::chrono::milliseconds wait)
{
    auto const sql =
        inserting(name, position, gtrid) +
        "UPDATE SET last = EXCLUDED.last, gtrid = EXCLUDED.gtrid; SELECT " +
        statements::only_where("EXISTS (SELECT 1 FROM " ASSENT_PG_INBOX " i" + is_named(name) +
                               " AND i.last OPERATOR(pg_catalog.=) " + ascii_text(position) + ")");
    ask(working, guard, sql, wait, "attaching an inbox");
}

#undef ASSENT_PG_INBOX

}  // namespace assent::postgresql_dialect::inbox
