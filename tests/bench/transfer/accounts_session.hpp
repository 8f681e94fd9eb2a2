// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// accounts_session.hpp -- a connection to PostgreSQL as whoever commits by hand has it.
//
//   send(sql) ... receive()     so that another database is kept busy in between
//   run(sql)                    both

#ifndef ASSENT_TESTS_BENCH_TRANSFER_ACCOUNTS_SESSION_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_ACCOUNTS_SESSION_HPP

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>

namespace assent::bench {

/// The application's statement on a connection of PostgreSQL, whoever's it is.
void prepare_statements(PGconn* on);
void add(PGconn* on, int row, int amount);  ///< by the prepared statement
void add_by_text(PGconn* on, int row, int amount);
void read_by_text(PGconn* on, int row);

class accounts_session
{
public:
    explicit accounts_session(std::string const& conninfo);

    PGconn* handle() const noexcept { return connection_.get(); }

    /// One message.  @throws std::runtime_error  with the server's words.
    void send(std::string const& sql);
    /// All its results.  @return the first field of the first row, if there is any.
    std::string receive();
    std::string ask(std::string const& sql)
    {
        send(sql);
        return receive();
    }
    void run(std::string const& sql) { ask(sql); }

    /// COMMIT PREPARED and DISCARD ALL at once; receive_commit() waits for the first only.
    void send_commit_and_reset(std::string const& branch);
    void receive_commit();
    /// DISCARD ALL alone.
    void send_reset();
    /// Waits for a reset that is under way.
    void finish_reset();

private:
    void read_to_sync();

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
    enum class reset : std::uint8_t { none, alone, in_pipeline };
    reset under_way_ = reset::none;
};

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_ACCOUNTS_SESSION_HPP
