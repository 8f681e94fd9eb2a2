// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/dialects/postgresql/tasks.hpp"

#include <utility>

#include "adapters/dialects/hexadecimal.hpp"
#include "adapters/dialects/postgresql/own_table.hpp"
#include "adapters/dialects/postgresql/statements.hpp"

namespace assent::postgresql_dialect::tasks {

#define ASSENT_PG_TASK "public.assent_task"
#define ASSENT_PG_KEY "public.assent_key"

namespace {

using statements::ascii_text;

constexpr char division_by_zero[] = "22012";  // statements::only_where

// A queue's rows come and go: the server cleans it up by their number, not by a share of the table.
#define ASSENT_PG_STORAGE                                                                      \
    " WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold " \
    "= 1000, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000)"

own_table table_of_messages()
{
    return {"assent_task",
            "id",
            "messages",
            "CREATE TABLE IF NOT EXISTS " ASSENT_PG_TASK
            " (id pg_catalog.int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
            "token pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL, "
            "lane pg_catalog.int2 NOT NULL, kind pg_catalog.\"char\" NOT NULL, "
            "state pg_catalog.\"char\" NOT NULL, "
            "dest pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL, "
            "key pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL, "
            "headers pg_catalog.text NOT NULL, body pg_catalog.bytea NOT NULL, "
            "gtrid pg_catalog.text COLLATE pg_catalog.\"C\" NOT NULL, "
            "\"position\" pg_catalog.text COLLATE pg_catalog.\"C\", "
            "previous pg_catalog.text COLLATE pg_catalog.\"C\", "
            "due pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(), "
            "tries pg_catalog.int4 NOT NULL DEFAULT 0, error pg_catalog.text, "
            "made pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now())" ASSENT_PG_STORAGE
            "; CREATE INDEX IF NOT EXISTS assent_task_taking ON " ASSENT_PG_TASK
            " (dest, kind, state, id)",
            "CREATE TABLE " ASSENT_PG_TASK
            " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, token text COLLATE \"C\" NOT "
            "NULL, lane smallint NOT NULL, kind \"char\" NOT NULL, state \"char\" NOT NULL, dest "
            "text COLLATE \"C\" NOT NULL, key text COLLATE \"C\" NOT NULL, headers text NOT NULL, "
            "body bytea NOT NULL, gtrid text COLLATE \"C\" NOT NULL, position text COLLATE \"C\", "
            "previous text COLLATE \"C\", due timestamptz NOT NULL DEFAULT now(), tries int NOT "
            "NULL DEFAULT 0, error text, made timestamptz NOT NULL DEFAULT now())" ASSENT_PG_STORAGE
            "; CREATE INDEX assent_task_taking ON " ASSENT_PG_TASK " (dest, kind, state, id)",
            {{"id", "int8"},
             {"token", "text"},
             {"lane", "int2"},
             {"kind", "\"char\""},
             {"state", "\"char\""},
             {"dest", "text"},
             {"key", "text"},
             {"headers", "text"},
             {"body", "bytea"},
             {"gtrid", "text"},
             {"position", "text"},
             {"previous", "text"}}};
}

own_table table_of_slots()
{
    return {"assent_key",
            "slot",
            "the order of messages",
            "CREATE TABLE IF NOT EXISTS " ASSENT_PG_KEY
            " (slot pg_catalog.int2 PRIMARY KEY); INSERT INTO " ASSENT_PG_KEY
            " SELECT pg_catalog.generate_series(0, 4095) ON CONFLICT DO NOTHING",
            "CREATE TABLE " ASSENT_PG_KEY
            " (slot smallint PRIMARY KEY); INSERT INTO public.assent_key SELECT generate_series(0, "
            "4095)",
            {{"slot", "int2"}}};
}

#undef ASSENT_PG_STORAGE

/// Asks, and says in our words what the statements' own conditions found.
table ask(question& working, std::string const& sql, std::string const& doing)
{
    try {
        return working.ask(sql, doing);
    } catch (driver_error const& error) {
        if (error.sqlstate() == "55P03") {
            throw driver_error(doing + ": another transaction keeps the key of one", "55P03");
        }
        if (error.sqlstate() != division_by_zero) throw;
        throw driver_error(doing +
                               ": the transaction is not the branch's any more, a row of "
                               "public.assent_key is missing, or a rule or trigger kept a row out",
                           division_by_zero);
    }
}

std::string list_of(std::vector<std::uint16_t> const& slots)
{
    std::string list = "CAST('{";
    for (auto const slot : slots)
        list += (list.back() == '{' ? "" : ",") + std::to_string(slot);
    return list + "}' AS pg_catalog.int2[])";
}

/// Whichever order the rows are found in, they are locked in that of the slots.
std::string locking(std::vector<std::uint16_t> const& slots)
{
    return "; SELECT " +
           statements::only_where("pg_catalog.count(*) OPERATOR(pg_catalog.=) " +
                                  std::to_string(slots.size())) +
           " FROM (SELECT slot FROM " ASSENT_PG_KEY " WHERE slot OPERATOR(pg_catalog.=) ANY (" +
           list_of(slots) + ") ORDER BY slot FOR UPDATE) locked";
}

std::string values_of(task_row const& row, std::string const& gtrid)
{
    return "(" + ascii_text(row.token) + ", " + std::to_string(row.lane) + ", 'm', 'r', " +
           ascii_text(row.to) + ", " + ascii_text(row.key) + ", " + ascii_text(row.headers) +
           ", pg_catalog.decode('" + dialects::to_digits(row.body) + "', 'hex'), " + gtrid + ")";
}

/// It fails where it has not inserted them all, whatever a trigger does.
std::string inserting(std::vector<task_row> const& rows, std::string_view gtrid)
{
    auto const from = ascii_text(gtrid);
    std::string sql = "; WITH made AS (INSERT INTO " ASSENT_PG_TASK
                      " (token, lane, kind, state, dest, key, headers, body, gtrid) VALUES ";
    for (auto const& row : rows)
        sql += (&row == &rows.front() ? "" : ", ") + values_of(row, from);
    return sql + " RETURNING 1) SELECT " +
           statements::only_where("pg_catalog.count(*) OPERATOR(pg_catalog.=) " +
                                  std::to_string(rows.size())) +
           " FROM made";
}

/// Ids one by one, and all slots.
void require_order(question& manage)
{
    row const seen = manage.one_row(
        "SELECT (SELECT pg_catalog.count(*) FROM " ASSENT_PG_KEY
        " WHERE slot OPERATOR(pg_catalog.>=) 0 AND slot OPERATOR(pg_catalog.<) 4096), "
        "(SELECT s.seqcache FROM pg_catalog.pg_sequence s WHERE s.seqrelid OPERATOR(pg_catalog.=) "
        "CAST(pg_catalog.pg_get_serial_sequence('public.assent_task', 'id') AS "
        "pg_catalog.regclass) AND s.seqincrement OPERATOR(pg_catalog.>) 0)",
        2, "looking at the order of messages");
    if (number_of(seen, 0) != task_slots) {
        throw driver_error(
            "public.assent_key cannot hold the order of messages: it lacks some of its rows 0 to "
            "4095; let an administrator run: INSERT INTO public.assent_key SELECT "
            "generate_series(0, 4095) ON CONFLICT DO NOTHING");
    }
    if (value_of(seen, 1) != "1") {
        throw driver_error(
            "public.assent_task cannot hold messages: its ids are not given one by one, in their "
            "order; let an administrator run: ALTER TABLE public.assent_task ALTER COLUMN id SET "
            "CACHE 1 SET INCREMENT BY 1");
    }
}

}  // namespace

void ensure(question& manage, session_identity const& asking)
{
    postgresql_dialect::ensure(manage, asking, table_of_messages());
    postgresql_dialect::ensure(manage, asking, table_of_slots());
    require_order(manage);
}

bool is_fit(question& manage)
{
    if (!postgresql_dialect::is_fit(manage, table_of_messages()) ||
        !postgresql_dialect::is_fit(manage, table_of_slots())) {
        return false;
    }
    require_order(manage);
    return true;
}

void put(question& working, std::string const& guard, std::string_view gtrid,
         std::vector<task_row> const& rows, std::vector<std::uint16_t> const& slots,
         std::chrono::milliseconds wait)
{
    std::string sql = "SELECT " + guard;
    if (!slots.empty()) {
        sql +=
            ", pg_catalog.set_config('assent.lock_timeout', "
            "pg_catalog.current_setting('lock_timeout'), true), "
            "pg_catalog.set_config('lock_timeout', '" +
            std::to_string(wait.count()) + "', true)" + locking(slots) +
            "; SELECT pg_catalog.set_config('lock_timeout', "
            "pg_catalog.current_setting('assent.lock_timeout'), true)";
    }
    ask(working, sql + inserting(rows, gtrid), "putting messages");
}

std::optional<task_row> take(question& working, std::string const& guard, std::string_view to)
{
    // The level is looked at before any row is: elsewhere SKIP LOCKED would fail where another
    // took a row since the snapshot, and take more than a row's lock.
    table const rows = ask(
        working,
        "WITH here AS MATERIALIZED (SELECT " + guard +
            " AS intact, pg_catalog.current_setting('transaction_isolation') AS level), "
            "next AS MATERIALIZED (SELECT t.id FROM " ASSENT_PG_TASK
            " t WHERE t.dest OPERATOR(pg_catalog.=) " +
            ascii_text(to) +
            " AND t.kind OPERATOR(pg_catalog.=) 'm' AND t.state OPERATOR(pg_catalog.=) 'r' AND "
            "(SELECT h.level FROM here h WHERE h.intact OPERATOR(pg_catalog.=) 1) "
            "OPERATOR(pg_catalog.=) 'read committed' ORDER BY t.id LIMIT 1 FOR UPDATE OF t SKIP "
            "LOCKED), gone AS (DELETE FROM " ASSENT_PG_TASK
            " d USING next n WHERE d.id OPERATOR(pg_catalog.=) n.id RETURNING d.token, d.lane, "
            "d.dest, d.key, d.headers, d.body, d.gtrid) SELECT h.level, g.token, g.lane, g.key, "
            "g.headers, pg_catalog.encode(g.body, 'hex'), g.gtrid FROM here h LEFT JOIN gone g ON "
            "true",
        "taking a message");
    if (rows.size() != 1 || rows.front().size() < 7) {
        throw driver_error("taking a message: the server's answer is not complete");
    }
    row const& seen = rows.front();
    if (value_of(seen, 0) != "read committed") {
        throw driver_error(errc::invalid_state,
                           "messages are taken at READ COMMITTED, and this branch is at " +
                               shown(value_of(seen, 0)) +
                               ": begin with begin_options{}.isolation_level(read_committed)");
    }
    if (!seen[1]) return std::nullopt;
    auto body = dialects::from_digits(value_of(seen, 5));
    if (!body) throw driver_error("taking a message: its row cannot be read");
    return task_row{value_of(seen, 1), static_cast<std::uint8_t>(number_of(seen, 2)),
                    std::string{to},   value_of(seen, 3),
                    value_of(seen, 4), std::move(*body),
                    value_of(seen, 6)};
}

/// Who locked a row stands in the row itself: a transaction that is prepared, or of a session.
std::string slot_holder(question& manage, std::vector<std::uint16_t> const& slots)
{
    table const seen = manage.ask(
        "SELECT p.gid, s.pid FROM " ASSENT_PG_KEY
        " k LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction OPERATOR(pg_catalog.=) k.xmax"
        " LEFT JOIN pg_catalog.pg_stat_activity s ON s.backend_xid OPERATOR(pg_catalog.=) k.xmax"
        " WHERE k.slot OPERATOR(pg_catalog.=) ANY (" +
            list_of(slots) +
            ") AND (p.gid IS NOT NULL OR s.pid IS NOT NULL) ORDER BY p.gid LIMIT 1",
        "looking for who keeps a key");
    if (seen.empty() || seen.front().size() < 2) return {};
    row const& found = seen.front();
    if (!found[0]) return "the session " + value_of(found, 1);
    auto const name = xid::parse(value_of(found, 0));
    return "the prepared transaction " +
           (name ? std::string{name->global.text()} : shown(value_of(found, 0)));
}

#undef ASSENT_PG_KEY
#undef ASSENT_PG_TASK

}  // namespace assent::postgresql_dialect::tasks
