// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_postgresql.hpp -- what an application can see of its connection to PostgreSQL.

#ifndef ASSENT_TESTS_CONTRACT_CONTROL_POSTGRESQL_HPP
#define ASSENT_TESTS_CONTRACT_CONTROL_POSTGRESQL_HPP

#include <memory>
#include <string>
#include <vector>

#include "tests/contract/control.hpp"

namespace assent::contract {

inline std::vector<property> postgresql_properties()
{
    std::string const three = "INSERT INTO numbered (c) VALUES ('a'), ('b'), ('c')";
    return {
        {"session settings",
         {"SET work_mem = '5MB'", "SET TIME ZONE 'Asia/Tokyo'"},
         {"SELECT name, setting FROM pg_catalog.pg_settings ORDER BY name"}},
        {"settings of its own", {"SET shop.mine = 'x'"}, {"SHOW shop.mine"}},
        {"SET LOCAL", {"SET LOCAL work_mem = '7MB'", "SHOW work_mem"}, {"SHOW work_mem"}},
        {"search_path", {"SET search_path = pg_catalog"}, {"SHOW search_path"}},
        {"statement_timeout", {"SET statement_timeout = '17s'"}, {"SHOW statement_timeout"}},
        {"default isolation",
         {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ"},
         {"SHOW transaction_isolation", "SHOW default_transaction_isolation"}},
        {"SET TRANSACTION",
         {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SHOW transaction_isolation"},
         {"SHOW transaction_isolation"}},
        {"SET TRANSACTION READ ONLY",
         {"SELECT 1", "SET TRANSACTION READ ONLY", "SHOW transaction_read_only"},
         {"SHOW transaction_read_only"}},
        {"pg_export_snapshot()", {"SELECT length(pg_export_snapshot()) > 0"}, {"SELECT 1"}},
        {"lastval()", {three}, {"SELECT lastval() - currval('numbered_id_seq')"}},
        {"sequence",
         {three, "SELECT setval('numbered_id_seq', 4711)"},
         {"SELECT nextval('numbered_id_seq')"}},
        {"rows", {three}, {"SELECT count(*) FROM numbered"}},
        {"setseed()", {"SELECT setseed(0.5)"}, {"SELECT random()"}},
        {"transaction number", {}, {"SELECT pg_current_xact_id_if_assigned() IS NULL"}},
        {"temporary tables",
         {"CREATE TEMPORARY TABLE scratch (k int)", "INSERT INTO scratch VALUES (1)"},
         {"SELECT count(*) FROM scratch"}},
        {"prepared statements",
         {"PREPARE mine AS SELECT 17"},
         {"EXECUTE mine", "SELECT count(*) FROM pg_prepared_statements WHERE from_sql"}},
        {"cursors WITH HOLD",
         {"DECLARE mine CURSOR WITH HOLD FOR SELECT 17"},
         {"FETCH mine", "SELECT count(*) FROM pg_cursors WHERE name = 'mine'"}},
        {"advisory locks",
         {"SELECT pg_advisory_lock(4711)"},
         {"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"}},
        {"locks",
         {},
         {"SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND NOT (locktype IN "
          "('virtualxid', 'relation'))"}},
        {"LISTEN", {"LISTEN news"}, {"SELECT count(*) FROM pg_listening_channels()"}},
        {"NOTIFY", {"NOTIFY news"}, {"SELECT pg_notification_queue_usage() < 0.5"}},
        {"role", {"SET ROLE none"}, {"SELECT current_user, session_user"}},
        {"a failed statement", {"SELECT 1 / 0"}, {"SELECT 1"}},
        {"SET CONSTRAINTS",
         {"SET CONSTRAINTS ALL DEFERRED", three},
         {"SELECT count(*) FROM numbered"}},
    };
}

/// The table of these properties, and what an administrator runs before each observation.
inline char const* control_table()
{
    return "CREATE TABLE IF NOT EXISTS numbered (id serial PRIMARY KEY, c text); GRANT ALL ON "
           "numbered, numbered_id_seq TO PUBLIC";
}
inline char const* control_cleaning_postgresql()
{
    return "TRUNCATE numbered RESTART IDENTITY";
}

inline std::unique_ptr<by_hand> blocks_by_hand()
{
    return std::make_unique<by_hand>(std::vector<std::string>{"BEGIN"}, [](position how) {
        if (how == position::after_rollback) return std::vector<std::string>{"ROLLBACK"};
        if (how == position::after_two_phases) {
            return std::vector<std::string>{"PREPARE TRANSACTION 'by hand $'",
                                            "COMMIT PREPARED 'by hand $'"};
        }
        return std::vector<std::string>{"COMMIT"};
    });
}

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_CONTROL_POSTGRESQL_HPP
