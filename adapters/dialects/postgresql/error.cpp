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

// An ERROR while a transaction ends, from a server that goes on: it was rolled back.  (A server
// that fails after its COMMIT became permanent stops instead.)  A code that is not listed was
// invented by a trigger, and is worth no other run.
constexpr std::array ending_rows = {
    row{"40P01", xa_code::rbdeadlock}, row{"40002", xa_code::rbintegrity},
    row{"40", xa_code::rbtransient},   row{"23", xa_code::rbintegrity},
    row{"44", xa_code::rbintegrity},   row{"27", xa_code::rbintegrity},
    row{"57014", xa_code::rbtimeout},  row{"55P03", xa_code::rbtransient},
    row{"53", xa_code::rbtransient},   row{"0A", xa_code::rbproto},
    row{"25P02", xa_code::rbrollback}, row{"25", xa_code::rbproto},
};

// An ERROR about a prepared transaction: it is still there, unless the server does not know it.
constexpr std::array finishing_rows = {
    row{"42704", xa_code::nota},  row{"55000", xa_code::retry},  // "is busy"
    row{"57014", xa_code::retry}, row{"55P03", xa_code::retry}, row{"53", xa_code::retry},
    row{"40", xa_code::retry},    row{"25006", xa_code::retry},  // a standby, not yet promoted
};

template <std::size_t Size>
std::optional<xa_code> look_up(std::array<row, Size> const& rows, std::string_view sqlstate)
{
    for (auto const& candidate : rows) {
        if (sqlstate.substr(0, candidate.prefix.size()) == candidate.prefix) return candidate.code;
    }
    return std::nullopt;
}

xa_code code_of(phase when, std::string_view sqlstate)
{
    switch (when) {
        case phase::beginning:
            return xa_code::rmerr;  // XA's xa_start: nothing was begun, or it was undone
        case phase::ending:
            return look_up(ending_rows, sqlstate).value_or(xa_code::rbother);
        case phase::finishing:
            break;
    }
    return look_up(finishing_rows, sqlstate).value_or(xa_code::proto);
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
    answer.code = code_of(when, answer.sqlstate);
    if (when == phase::finishing && answer.sqlstate == "55000") {
        answer.detail = reply_detail::busy;
    }
    return answer;
}

bool may_stay_prepared(reply const& failed) noexcept
{
    std::string_view const group = std::string_view{failed.sqlstate}.substr(0, 2);
    return group == "XX" || group == "58";
}

reply as_rolled_back(reply said)
{
    if (!is_rolled_back(said)) said.code = xa_code::rbother;
    said.detail = reply_detail::none;
    return said;
}

reply lost_reply(std::string text)
{
    reply answer;
    answer.code = xa_code::rmfail;
    answer.detail = reply_detail::reply_lost;
    answer.text = std::move(text);
    return answer;
}

bool ends_session(std::string_view sqlstate) noexcept
{
    // 57P01 to 57P05: an administrator, a crash, a start, a dropped database, idle for too long;
    // 25P03 and 25P04: the transaction was idle, or took, too long.
    return sqlstate.substr(0, 4) == "57P0" || sqlstate == "25P03" || sqlstate == "25P04";
}

reply never_committed(reply lost)
{
    lost.code = ends_session(lost.sqlstate) ? xa_code::rbcommfail : xa_code::rbother;
    lost.detail = reply_detail::none;
    return lost;
}

}  // namespace assent::postgresql_dialect
