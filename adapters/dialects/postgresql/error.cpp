// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// error.cpp -- the table of SQLSTATEs.  Text is localized by the server, so only codes decide.

#include "adapters/dialects/postgresql/error.hpp"

#include <array>
#include <optional>
#include <utility>

namespace assent::postgresql_dialect {

namespace {

struct row
{
    std::string_view prefix;  // a SQLSTATE, or the first two bytes of one: its class
    xa_code code;
};

// An ERROR while a transaction ends, from a server that goes on: it was rolled back.  Listed are
// the classes that statements, constraints and triggers raise.  Class XX (internal error), 58
// (system error) and codes that a trigger invented are not among them: they are `proto`, and a
// rollback of the name, or the transaction's witness, settles what they meant.
constexpr std::array ending_rows = {
    row{"40P01", xa_code::rbdeadlock}, row{"40002", xa_code::rbintegrity},
    row{"40", xa_code::rbtransient},   row{"23", xa_code::rbintegrity},
    row{"44", xa_code::rbintegrity},   row{"27", xa_code::rbintegrity},
    row{"57014", xa_code::rbtimeout},  row{"55P03", xa_code::rbtransient},
    row{"53", xa_code::rbtransient},   row{"0A", xa_code::rbproto},
    row{"25P02", xa_code::rbrollback}, row{"25", xa_code::rbproto},
    row{"42710", xa_code::rbother},  // the gid exists: this transaction is gone, the other stays
    row{"55", xa_code::rbother},       row{"22", xa_code::rbother},
    row{"42", xa_code::rbother},       row{"54", xa_code::rbother},
    row{"21", xa_code::rbother},       row{"2F", xa_code::rbother},
    row{"38", xa_code::rbother},       row{"39", xa_code::rbother},
    row{"2B", xa_code::rbother},       row{"2D", xa_code::rbother},
    row{"3B", xa_code::rbother},       row{"P0", xa_code::rbother},
};

// An ERROR about a prepared transaction: it is still there, unless the server does not know it.
constexpr std::array finishing_rows = {
    row{"42704", xa_code::nota},  row{"55000", xa_code::retry},  // "is busy"
    row{"57014", xa_code::retry}, row{"55P03", xa_code::retry}, row{"53", xa_code::retry},
    row{"40", xa_code::retry},    row{"25006", xa_code::retry},  // a standby, not yet promoted
};

// XA's xa_start may fail with RMERR; nothing was begun, or it was undone.
constexpr std::array beginning_rows = {
    row{"53", xa_code::rmerr}, row{"57014", xa_code::rmerr}, row{"25", xa_code::rmerr},
    row{"55", xa_code::rmerr}, row{"42", xa_code::rmerr},
};

template <std::size_t Size>
std::optional<xa_code> look_up(std::array<row, Size> const& rows, std::string_view sqlstate)
{
    for (auto const& candidate : rows) {
        if (sqlstate.substr(0, candidate.prefix.size()) == candidate.prefix) return candidate.code;
    }
    return std::nullopt;
}

std::optional<xa_code> look_up(phase when, std::string_view sqlstate)
{
    if (when == phase::ending) return look_up(ending_rows, sqlstate);
    if (when == phase::finishing) return look_up(finishing_rows, sqlstate);
    return look_up(beginning_rows, sqlstate);
}

/// What an operator must do, where the server's words do not say it.
std::string_view advice(phase when, std::string_view sqlstate)
{
    if (when == phase::ending && sqlstate == "55000") {
        return " (set max_prepared_transactions above 0 and restart the server)";
    }
    if (when == phase::ending && sqlstate == "53200") {
        return " (raise max_prepared_transactions, or find out which ones are never finished)";
    }
    if (when == phase::finishing && sqlstate == "42501") {
        return " (only the role that prepared it, or a superuser, can finish it)";
    }
    return {};
}

}  // namespace

void trim(std::string& text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    for (char& c : text) {
        if (c == '\n') c = ' ';
    }
}

reply map_error(phase when, std::string_view sqlstate, std::string text)
{
    reply answer;
    answer.sqlstate = sqlstate;
    answer.text = std::move(text);
    answer.text.append(advice(when, answer.sqlstate));
    answer.code = look_up(when, answer.sqlstate).value_or(xa_code::proto);
    if (when == phase::finishing && answer.sqlstate == "55000") {
        answer.detail = reply_detail::busy;
    }
    return answer;
}

bool is_rolled_back(reply const& what) noexcept
{
    return what.code >= xa_code::rbrollback && what.code <= xa_code::rbtransient;
}

reply as_rolled_back(reply what)
{
    if (!is_rolled_back(what)) what.code = xa_code::rbother;
    what.detail = reply_detail::none;
    return what;
}

reply lost_reply(std::string text)
{
    reply answer;
    answer.code = xa_code::rmfail;
    answer.detail = reply_detail::reply_lost;
    answer.text = std::move(text);
    return answer;
}

}  // namespace assent::postgresql_dialect
