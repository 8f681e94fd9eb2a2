// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// orders_session.cpp -- see orders_session.hpp.

#include "orders_session.hpp"

#include <poll.h>

#include <fstream>
#include <new>
#include <stdexcept>

namespace assent::bench {

namespace {

[[noreturn]] void fail(MYSQL* on)
{
    throw std::runtime_error(std::string("mariadb: ") + mysql_error(on));
}

void run(MYSQL* on, std::string const& sql)
{
    if (mysql_real_query(on, sql.data(), sql.size()) != 0) fail(on);
}

void require_one(std::uint64_t rows)
{
    if (rows != 1) throw std::runtime_error("mariadb: there is no such row");
}

using rows = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

rows store(MYSQL* on)
{
    rows stored{mysql_store_result(on), &mysql_free_result};
    if (stored == nullptr && mysql_field_count(on) != 0) fail(on);
    return stored;
}

}  // namespace

prepared_add::prepared_add(MYSQL* on) : statement_(mysql_stmt_init(on))
{
    if (statement_ == nullptr) throw std::bad_alloc{};
    std::string const sql = "UPDATE balance SET amount = amount + ? WHERE id = ?";
    MYSQL_BIND values[2] = {};
    values[0].buffer_type = values[1].buffer_type = MYSQL_TYPE_LONG;
    values[0].buffer = &amount_;
    values[1].buffer = &row_;
    if (mysql_stmt_prepare(statement_, sql.data(), sql.size()) != 0 ||
        mysql_stmt_bind_param(statement_, values) != 0) {
        std::runtime_error const failed{std::string("mariadb: ") + mysql_stmt_error(statement_)};
        mysql_stmt_close(statement_);
        throw failed;
    }
}

prepared_add::~prepared_add()
{
    mysql_stmt_close(statement_);
}

void prepared_add::operator()(int row, int amount)
{
    amount_ = amount;
    row_ = row;
    if (mysql_stmt_execute(statement_) != 0) {
        throw std::runtime_error(std::string("mariadb: ") + mysql_stmt_error(statement_));
    }
    require_one(mysql_stmt_affected_rows(statement_));
}

void add_by_text(MYSQL* on, int row, int amount)
{
    run(on, "UPDATE balance SET amount = amount + " + std::to_string(amount) +
                " WHERE id = " + std::to_string(row));
    require_one(mysql_affected_rows(on));
}

void read_by_text(MYSQL* on, int row)
{
    run(on, "SELECT amount FROM balance WHERE id = " + std::to_string(row));
    require_one(mysql_num_rows(store(on).get()));
}

orders_session::orders_session(mysql::connect_options const& where, statements in_message)
    : connection_(mysql_init(nullptr), &mysql_close)
{
    if (connection_ == nullptr) throw std::bad_alloc{};
    std::string password;
    std::ifstream{where.password_file} >> password;
    bool const fuses = in_message == statements::several;
    // For send_reset(); a handle that is lent to somebody else stays as it is.
    if (fuses) mysql_options(handle(), MYSQL_OPT_NONBLOCK, nullptr);
    if (!where.ssl_ca.empty()) mysql_options(handle(), MYSQL_OPT_SSL_CA, where.ssl_ca.c_str());
    auto const text = [](std::string const& value) {
        return value.empty() ? nullptr : value.c_str();
    };
    if (mysql_real_connect(handle(), text(where.host), where.user.c_str(), password.c_str(),
                           text(where.database), where.port, text(where.socket),
                           fuses ? CLIENT_MULTI_STATEMENTS : 0) == nullptr) {
        fail(handle());
    }
}

void orders_session::send(std::string const& sql)
{
    if (mysql_send_query(handle(), sql.data(), sql.size()) != 0) fail(handle());
}

std::string orders_session::receive()
{
    if (mysql_read_query_result(handle()) != 0) fail(handle());
    std::string first;
    for (bool is_first = true;; is_first = false) {
        if (auto const stored = store(handle()); stored != nullptr && is_first) {
            if (MYSQL_ROW const row = mysql_fetch_row(stored.get()); row && row[0]) first = row[0];
        }
        int const next = mysql_next_result(handle());
        if (next < 0) return first;
        if (next > 0) fail(handle());
    }
}

void orders_session::send_reset()
{
    reset_waits_for_ = mysql_reset_connection_start(&reset_answer_, handle());
    if (reset_waits_for_ == 0 && reset_answer_ != 0) fail(handle());
}

void orders_session::finish_reset()
{
    while (reset_waits_for_ != 0) {
        short const events = (reset_waits_for_ & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : POLLIN;
        pollfd one{static_cast<int>(mysql_get_socket(handle())), events, 0};
        if (::poll(&one, 1, -1) < 1) continue;  // a signal
        int const came = (one.revents & POLLOUT) != 0 ? MYSQL_WAIT_WRITE : MYSQL_WAIT_READ;
        reset_waits_for_ = mysql_reset_connection_cont(&reset_answer_, handle(), came);
        if (reset_waits_for_ == 0 && reset_answer_ != 0) fail(handle());
    }
}

}  // namespace assent::bench
