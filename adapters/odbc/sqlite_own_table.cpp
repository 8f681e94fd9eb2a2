// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/sqlite_own_table.hpp"

namespace assent::odbc_adapter {

namespace {

void check(sqlite_question& q, own_table const& which)
{
    auto const refuse = [&](std::string const& why) {
        q.fail(which.name + " cannot hold " + which.use + ": " + why);
    };
    auto const counts = [&q](std::string const& what) {
        return q.ask_value("SELECT count(*) FROM " + what) != "0";
    };
    if (!counts("main.sqlite_master WHERE type = 'table' AND name = '" + which.name +
                "' AND sql NOT LIKE 'CREATE VIRTUAL%'")) {
        refuse("it is no plain table");
    }
    std::string const columns = "pragma_table_info('" + which.name + "', 'main') WHERE ";
    if (!counts(columns + "name = '" + which.key + "' AND pk = 1 AND type = 'TEXT'") ||
        counts(columns + "pk > 1")) {
        refuse("its primary key is not " + which.key);
    }
    // SQLite has no ALTER for either: an affinity changes what is written, NOCASE what is the same.
    if (counts("pragma_index_list('" + which.name + "', 'main') l, pragma_index_xinfo(l.name, " +
               "'main') x WHERE l.origin = 'pk' AND x.key = 1 AND x.coll <> 'BINARY'")) {
        refuse("its column " + which.key + " takes two texts for one; make the table anew as " +
               which.create);
    }
    if (q.ask_value("SELECT count(*) FROM " + columns + which.others) !=
        std::to_string(which.others_count)) {
        refuse("a column is missing, or of another type; make the table anew as " + which.create);
    }
    if (counts("main.sqlite_master WHERE type = 'trigger' AND tbl_name = '" + which.name + "'")) {
        refuse("it has triggers");
    }
}

}  // namespace

bool is_there(sqlite_question& q, own_table const& which)
{
    return q.ask_value("SELECT count(*) FROM main.sqlite_master WHERE name = '" + which.name +
                       "' AND type IN ('table', 'view')") != "0";
}

void ensure(sqlite_question& q, own_table const& which)
{
    if (!is_there(q, which)) {
        try {
            q.ask(which.create);
        } catch (driver_error const& error) {
            if (error.must_close()) throw;
            q.fail("cannot make the table of " + which.use + " (" + error.what() +
                   "); let whoever may write the file run: " + which.create);
        }
    }
    check(q, which);
}

}  // namespace assent::odbc_adapter
