// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_question.hpp -- how MariaDB and MySQL are asked something through a client that runs SQL
// text.
//
// The list of branches is the hard one: XA RECOVER through MariaDB Connector/ODBC gives no result
// set, and the driver's next call crashes.  MariaDB runs it within BEGIN NOT ATOMIC; MySQL within a
// procedure, `assent_recover`, on a fresh connection each time: a second CALL on one connection
// hangs.  (Lent connections are never asked.)
//
// Invariant: a question that is not answered throws.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_MYSQL_QUESTION_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_MYSQL_QUESTION_HPP

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "adapters/dialects/mysql/conversation.hpp"
#include "adapters/dialects/mysql/question.hpp"
#include "adapters/sql_text/speaker.hpp"

namespace assent::sql_text {

namespace my = mysql_dialect;

/// What the client made of a statement, as the dialect sees answers.
my::answer to_answer(execution said);

class mysql_question final : public my::question
{
public:
    mysql_question(link& asked, std::string const& resource_manager, link_opener reopen)
        : my::question(resource_manager), asked_(asked), reopen_(std::move(reopen))
    {
    }

    my::table ask(std::string const& sql) override;
    std::vector<my::table> ask_branches(std::string const& identity_sql) override;

    bool is_mariadb() const override { return asked_.kind() == database_kind::mariadb; }
    unsigned server_version() const override { return version_; }
    std::uint64_t session_id() const override { return id_; }

    /// Whether branches can be listed without a procedure's being made for that.
    bool may_list();

    /// What every session is asked first.
    void learn();

private:
    std::vector<my::table> ask_all(link& of, std::string const& sql);
    void make_procedure(std::string const& who, std::string const& made_for);

    link& asked_;
    link_opener reopen_;
    unsigned version_ = 0;
    std::uint64_t id_ = 0;
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_MYSQL_QUESTION_HPP
