// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/odbc/error.hpp"

#include <algorithm>

namespace assent::odbc_adapter {

namespace {

std::string_view without_prefix(std::string_view text, std::string_view prefix)
{
    return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
}

}  // namespace

std::optional<diagnosis> diagnose(SQLSMALLINT kind, SQLHANDLE of)
{
    SQLCHAR state[6] = {};
    SQLINTEGER native = 0;
    SQLCHAR text[1024] = {};
    SQLSMALLINT length = 0;
    if (!SQL_SUCCEEDED(SQLGetDiagRec(kind, of, 1, state, &native, text,
                                     static_cast<SQLSMALLINT>(sizeof text), &length))) {
        return std::nullopt;
    }
    diagnosis said;
    said.sqlstate = reinterpret_cast<char const*>(state);
    said.native_code = static_cast<int>(native);
    said.text = plain_text(reinterpret_cast<char const*>(text));
    // A syntax error of these servers quotes the statement, and no text of ours holds SQL.
    if (said.native_code == 1064) said.text = "the server does not understand the statement";
    return said;
}

std::string plain_text(std::string_view message)
{
    while (!message.empty() && message.front() == '[') {
        auto const end = message.find(']');
        if (end == message.npos) break;
        message.remove_prefix(end + 1);
    }
    message = message.substr(0, message.find('\n'));
    for (std::string_view const severity : {"ERROR: ", "FATAL: ", "PANIC: ", "WARNING: "})
        message = without_prefix(message, severity);
    while (!message.empty() && (message.back() == ';' || message.back() == ' '))
        message.remove_suffix(1);
    std::string text{message};
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return text;
}

}  // namespace assent::odbc_adapter
