// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/sql_session_target.hpp"

#include <stdexcept>
#include <utility>

namespace assent::contract {

std::string run_text(void* session, std::string const& sql)
{
    auto const said = static_cast<sql_session*>(session)->run(sql);
    if (!said.is_ok) throw std::runtime_error(sql + ": " + said.text);
    return said.rows.empty() ? std::string{} : said.rows.front().front().value_or(std::string{});
}

std::string text_postgresql_target::client_version()
{
    return "sql_session over " + postgresql_target::client_version();
}

std::unique_ptr<sql_session> text_postgresql_target::open(testing::private_server& server,
                                                          std::string const& database) const
{
    return open_postgresql_text(server.conninfo(database) + " connect_timeout=2");
}

std::string text_mysql_target::client_version()
{
    std::string const connector = connector_version();
    bool const by_connector = kind() == server_kind::mariadb && !connector.empty();
    return "sql_session over " + (by_connector ? connector : mysql_target::client_version());
}

std::unique_ptr<sql_session> text_mysql_target::open(testing::private_server& server,
                                                     std::string const& database) const
{
    return kind() == server_kind::mariadb ? open_connector_text(server, database)
                                          : open_mysql_text(server, database);
}

text_session::meddled_branch text_session::lend(std::unique_ptr<meddled_text> client)
{
    meddled_branch branch{std::move(client), nullptr, {}};
    branch.session = driver().borrow(branch.client.get(), facts(), in_seconds(10));
    branch.id = next_xid(*branch.session);
    return branch;
}

text_session::meddled_branch text_session::start_on(std::unique_ptr<meddled_text> client, int key)
{
    auto branch = lend(std::move(client));
    reply const begun = run(*branch.session, verb::start, branch.id);
    if (!begun.is_ok()) throw std::runtime_error("start failed: " + begun.text);
    target().write_row(*branch.session, key);
    return branch;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(text_session);

}  // namespace assent::contract
