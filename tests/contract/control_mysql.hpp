// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control_mysql.hpp -- what an application can see of its connection to MariaDB or
// MySQL.

#ifndef ASSENT_TESTS_CONTRACT_CONTROL_MYSQL_HPP
#define ASSENT_TESTS_CONTRACT_CONTROL_MYSQL_HPP

#include <vector>

#include "tests/contract/control.hpp"

namespace assent::contract {

/// An administrator runs them before each observation.
inline std::vector<std::string> control_cleaning()
{
    return {"delete from t", "delete from numbered"};
}

/// ... and these first.
inline std::vector<std::string> control_tables()
{
    return {"drop table if exists numbered",
            "create table numbered (id int auto_increment primary key, c varchar(3)) engine=innodb",
            "drop table if exists notes", "create table notes (id int primary key) engine=myisam"};
}

inline std::vector<property> mysql_properties()
{
    std::string const three = "insert into numbered (c) values ('a'), ('b'), ('c')";
    return {
        {"session variables", {"set @@session.sql_mode = '', time_zone = '+05:00'"}, {"variables"}},
        {"LAST_INSERT_ID()",
         {three, "set @first = last_insert_id()"},
         {"select last_insert_id() - @first"}},
        {"ROW_COUNT()", {three}, {"select row_count()"}},
        {"FOUND_ROWS()", {"select 1 union select 2 union select 3"}, {"select found_rows()"}},
        {"SHOW WARNINGS",
         {"set sql_mode = ''", "insert into numbered (c) values ('too long')"},
         {"show warnings"}},
        {"GET DIAGNOSTICS",
         {"set sql_mode = ''", "insert into numbered (c) values ('too long')"},
         {"get diagnostics @n = number", "select @n"}},
        {"GET DIAGNOSTICS of an error",
         {"select * from no_such_table"},
         {"get diagnostics condition 1 @n = mysql_errno", "select @n"}},
        {"user variables", {"set @mine = 17"}, {"select @mine"}},
        {"locks by name",
         {"do get_lock(concat('control', connection_id()), 0)"},
         {"select is_used_lock(concat('control', connection_id())) = connection_id()"}},
        {"temporary tables",
         {"create temporary table scratch (k int) engine=memory", "insert into scratch values (1)"},
         {"select count(*) from scratch"}},
        {"prepared statements", {"prepare mine from 'select 17'"}, {"execute mine"}},
        {"HANDLER", {"handler t open"}, {"handler t read first"}},
        {"SET TIMESTAMP", {"set timestamp = 1000000000"}, {"select unix_timestamp()"}},
        {"SET INSERT_ID",
         {"set insert_id = 4711"},
         {"insert into numbered (c) values ('d')", "select last_insert_id()"}},
        {"SET TRANSACTION", {"set transaction read only"}, {"insert into t values (1, 1)"}},
        {"autocommit", {}, {"select @@autocommit", "insert into t values (2, 2)"}},
        {"database and role",
         {"set role none"},
         {"select concat_ws('/', database(), current_role())"}},
        {"several statements", {}, {"do 1; do 2"}},
        {"work that waits for a lock",
         {"set innodb_lock_wait_timeout = 3"},
         {"select @@innodb_lock_wait_timeout"}},
        {"the client's own view", {three}, {}},
        {"the client's own view of an error", {"select * from no_such_table"}, {}},
    };
}

/// The same for a client that may not show what SHOW gives, nor has a view of its own.
inline std::vector<property> plain_mysql_properties(bool is_mariadb)
{
    std::vector<property> plain;
    for (property each : mysql_properties()) {
        std::string const name = each.name;
        if (name.find("the client's own view") == 0) continue;
        if (name == "SHOW WARNINGS") each.look = {"select @@warning_count"};
        if (name == "session variables") {
            // But for what no two sessions, or no two moments, have in common.
            each.look = {std::string{"select variable_name, variable_value from "} +
                         (is_mariadb ? "information_schema" : "performance_schema") +
                         ".session_variables where lower(variable_name) not in ('timestamp', "
                         "'pseudo_thread_id', 'statement_id', 'last_gtid', 'rand_seed1', "
                         "'rand_seed2', 'identity', 'last_insert_id') and variable_name not like "
                         "'gtid%' order by variable_name"};
        }
        plain.push_back(std::move(each));
    }
    return plain;
}

inline std::unique_ptr<by_hand> xa_by_hand()
{
    return std::make_unique<
        by_hand>(std::vector<std::string>{"xa start 'by hand','$'"}, [](position how) {
        if (how == position::after_rollback) {
            return std::vector<std::string>{"xa end 'by hand','$'", "xa rollback 'by hand','$'"};
        }
        if (how == position::after_two_phases) {
            return std::vector<std::string>{"xa end 'by hand','$'", "xa prepare 'by hand','$'",
                                            "xa commit 'by hand','$'"};
        }
        return std::vector<std::string>{"xa end 'by hand','$'",
                                        "xa commit 'by hand','$' one phase"};
    });
}

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_CONTROL_MYSQL_HPP
