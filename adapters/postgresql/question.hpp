// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// question.hpp -- the dialect's way to ask, on one connection of libpq and by a deadline.

#ifndef ASSENT_ADAPTERS_POSTGRESQL_QUESTION_HPP
#define ASSENT_ADAPTERS_POSTGRESQL_QUESTION_HPP

#include <string>

#include "adapters/dialects/postgresql/question.hpp"
#include "adapters/postgresql/wire.hpp"

namespace assent::postgresql_adapter {

class question final : public postgresql_dialect::question
{
public:
    question(wire& connection, deadline until) : connection_(connection), until_(until) {}

    postgresql_dialect::table ask(std::string const& sql, std::string const& doing) override
    {
        send(sql, doing);
        return hear(doing);
    }

    // ask() in two halves, between which others can be asked.
    void send(std::string const& sql, std::string const& doing);
    postgresql_dialect::table hear(std::string const& doing);

private:
    wire& connection_;
    deadline until_;
};

}  // namespace assent::postgresql_adapter

#endif  // ASSENT_ADAPTERS_POSTGRESQL_QUESTION_HPP
