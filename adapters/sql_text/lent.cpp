// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/sql_text/lent.hpp"

#include <algorithm>
#include <utility>

namespace assent::sql_text {

namespace {

constexpr std::size_t text_bytes_max = 500;
constexpr int mysql_parse_error = 1064;

/// The server's words as one line; a client may have put more behind them.
std::string one_line(std::string text)
{
    text.erase(std::min({text.find('\n'), text.size(), text_bytes_max}));
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return text;
}

class lent_link final : public link
{
public:
    lent_link(sql_session& lent, database_kind kind, std::shared_ptr<gate> passes)
        : link(std::move(passes)), lent_(lent)
    {
        set_kind(kind);
    }

    void* handle() const noexcept override { return &lent_; }
    std::optional<bool> has_autocommit() const noexcept override { return std::nullopt; }
    /// It must not; nothing shows whether it does.
    bool may_reconnect() const noexcept override { return true; }

private:
    execution run(std::string const& sql) override;

    sql_session& lent_;
};

execution lent_link::run(std::string const& sql)
{
    sql_answer told;
    try {
        told = lent_.run(sql);
    } catch (...) {
        // Its words may hold anything, the statement for one.
        told = {};
        told.is_lost = true;
        told.text = "the sql_session threw an exception";
    }
    execution said;
    said.is_ok = told.is_ok && !told.is_lost;
    said.native_code = told.native_code;
    said.sqlstate = std::move(told.sqlstate);
    // A syntax error of MySQL quotes the statement, and no text of ours holds SQL.
    said.text = told.native_code == mysql_parse_error
                    ? "the server does not understand the statement"
                    : one_line(std::move(told.text));
    if (!told.rows.empty()) said.tables.push_back(std::move(told.rows));
    // An error without a code is the client's own, and says nothing of the server.
    bool const is_nobodys = said.sqlstate.empty() && said.native_code == 0;
    said.is_lost = !said.is_ok && (told.is_lost || is_nobodys || is_lost_by_code(kind(), said));
    return said;
}

}  // namespace

std::unique_ptr<session> borrow(sql_session& lent, database_kind kind,
                                std::shared_ptr<session_family> family,
                                server_facts const& expected, deadline until)
{
    lending how;
    how.make_link = [&lent, kind](std::shared_ptr<gate> passes) {
        return std::make_unique<lent_link>(lent, kind, std::move(passes));
    };
    how.client_id = lent.id();
    how.sever = [&lent] { return lent.sever(); };
    how.must_have_socket = false;
    auto borrowed = session::borrow(std::move(how), std::move(family), until);
    borrowed->ask(until, [expected](speaker& speaks) { speaks.check_work(expected, false); });
    return borrowed;
}

}  // namespace assent::sql_text
