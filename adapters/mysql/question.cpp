// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/question.hpp"

#include <utility>

#include "adapters/dialects/mysql/error.hpp"
#include "adapters/mysql/connection.hpp"

namespace assent::mysql_adapter {

question::question(session& asked, std::string const& resource_manager, deadline until)
    : mysql_dialect::question(resource_manager), asked_(asked), until_(until)
{
}

bool question::is_mariadb() const
{
    return mysql_adapter::is_mariadb(handle());
}

unsigned question::server_version() const
{
    return static_cast<unsigned>(mysql_get_server_version(handle()));
}

table question::ask(std::string const& sql)
{
    send(sql);
    return std::move(hear().front());
}

std::vector<table> question::ask_branches(std::string const& identity_sql)
{
    send(identity_sql + "; xa recover");
    return hear();
}

void question::send(std::string const& sql)
{
    wire& connection = asked_.connection();
    if (handle() == nullptr || !connection.is_in_step()) {
        fail("the connection is not in step any more; open another one");
    }
    connection.send(sql);
}

std::vector<table> question::hear()
{
    wire& connection = asked_.connection();
    std::vector<table> all;
    for (;;) {
        auto said = connection.receive(until_);
        if (!said) {
            // The answer may still come; nobody must take it for the answer to something else.
            asked_.sever();
            fail("the server did not answer within the deadline");
        }
        if (said->code != 0) {
            if (is_connection_lost(said->code)) asked_.sever();
            fail(*said, "the server refused a request of the manager");
        }
        all.push_back(std::move(said->rows));
        if (!said->has_more) return all;
    }
}

}  // namespace assent::mysql_adapter
