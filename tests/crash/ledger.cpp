// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/ledger.hpp"

#include "tests/contract/odbc_client.hpp"

namespace assent::testing {

using contract::odbc_client;

ledger ledger::make(std::string const& path)
{
    odbc_client client{contract::sqlite_string(path)};
    client.query("CREATE TABLE entry (id TEXT PRIMARY KEY)");
    client.query("CREATE TABLE bulk (id INTEGER PRIMARY KEY, content TEXT)");
    return ledger{path};
}

std::string ledger::connect_string() const
{
    return contract::sqlite_string(path_);
}

bool ledger::has(std::string const& id) const
{
    odbc_client client{connect_string()};
    return client.query("SELECT count(*) FROM entry WHERE id = '" + id + "'") == "1";
}

long ledger::bulk() const
{
    return std::stol(odbc_client{connect_string()}.query("SELECT count(*) FROM bulk"));
}

void ledger::enter(odbc::connection on, std::string const& id)
{
    odbc_client::query(on, "INSERT INTO entry VALUES ('" + id + "')");
}

void ledger::enter_bulk(odbc::connection on)
{
    odbc_client::query(on, "PRAGMA cache_size = 10");
    odbc_client::query(on,
                       "INSERT INTO bulk (content) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                       "SELECT i + 1 FROM n WHERE i < 2000) SELECT hex(zeroblob(500)) FROM n");
}

void ledger::hold_locked(void (*freeze)()) const
{
    odbc_client client{connect_string()};
    client.query("BEGIN IMMEDIATE");
    client.query("INSERT INTO bulk (content) VALUES ('of somebody else')");
    freeze();
    client.query("ROLLBACK");
}

}  // namespace assent::testing
