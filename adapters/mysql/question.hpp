// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// question.hpp -- a question of the manager's, outside of any branch, on a session of this client.

#ifndef ASSENT_ADAPTERS_MYSQL_QUESTION_HPP
#define ASSENT_ADAPTERS_MYSQL_QUESTION_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/dialects/mysql/question.hpp"
#include "adapters/mysql/session.hpp"

namespace assent::mysql_adapter {

class question final : public mysql_dialect::question
{
public:
    question(session& asked, std::string const& resource_manager, deadline until);

    table ask(std::string const& sql) override;
    std::vector<table> ask_branches(std::string const& identity_sql) override;
    bool is_mariadb() const override;
    unsigned server_version() const override;
    std::uint64_t session_id() const override { return asked_.id(); }

    session& asked() const noexcept { return asked_; }

    // A question in two halves, between which others can be asked.
    void send(std::string const& sql);
    /// The rows of each statement that was sent: several, on a connection of ours.
    std::vector<table> hear();

private:
    MYSQL* handle() const noexcept { return asked_.connection().handle(); }

    session& asked_;
    deadline until_;
};

}  // namespace assent::mysql_adapter

#endif  // ASSENT_ADAPTERS_MYSQL_QUESTION_HPP
