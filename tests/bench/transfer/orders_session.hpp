// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// orders_session.hpp -- a connection to MariaDB as whoever commits by hand has it.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_ORDERS_SESSION_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_ORDERS_SESSION_HPP

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <string>

#include <assent/mysql.hpp>

namespace assent::bench {

/// The application's statement on a connection of MariaDB, whoever's it is.
class prepared_add
{
public:
    explicit prepared_add(MYSQL* on);
    prepared_add(prepared_add const&) = delete;
    prepared_add& operator=(prepared_add const&) = delete;
    ~prepared_add();

    void operator()(int row, int amount);

private:
    MYSQL_STMT* const statement_;
    int amount_ = 0;
    int row_ = 0;
};

void add_by_text(MYSQL* on, int row, int amount);
void read_by_text(MYSQL* on, int row);

enum class statements : std::uint8_t {
    several,  ///< in one message
    single,
};

class orders_session
{
public:
    explicit orders_session(mysql::connect_options const& where,
                            statements in_message = statements::several);

    MYSQL* handle() const noexcept { return connection_.get(); }

    /// One message.  @throws std::runtime_error  with the server's words.
    void send(std::string const& sql);
    /// All its answers.  @return the first field of the first row, if there is any.
    std::string receive();
    std::string ask(std::string const& sql)
    {
        send(sql);
        return receive();
    }
    void run(std::string const& sql) { ask(sql); }

    /// COM_RESET_CONNECTION; finish_reset() waits for its answer, if it is under way.
    void send_reset();
    void finish_reset();

private:
    std::unique_ptr<MYSQL, decltype(&mysql_close)> connection_;
    int reset_waits_for_ = 0;
    int reset_answer_ = 0;
};

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_ORDERS_SESSION_HPP
