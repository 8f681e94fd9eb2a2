// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// message.hpp -- a queue in a database's table: messages that are put and taken by transactions,
// under the same decision as whatever else these do.
//
//   assent::message::queue const jobs{orders};  // orders was added to the manager
//
//   auto tx = manager.begin();
//   jobs.put(tx, {"invoices", "customer 7", "total 30"});
//   tx.commit();                                // it is there if tx committed
//
//   auto next = manager.begin(begin_options{}.isolation_level(isolation::read_committed));
//   auto const one = jobs.take(next, "invoices");
//   next.commit();                              // it is gone if next committed
//
// put gathers; the rows are written when the commit begins, after every before_completion, in the
// transaction's branch at the database, which is begun where there is none.  So what a transaction
// puts costs one message to the server (MariaDB and MySQL: two where keys are used), however
// much it is.
//
// docs/guide/messages.md says what order means, which rights the tables need, and how they grow.

#ifndef ASSENT_MESSAGE_HPP
#define ASSENT_MESSAGE_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction.hpp>

namespace assent {
inline namespace v0 {
namespace message {

inline constexpr std::size_t body_max = 1'000'000;  ///< bytes of a body
inline constexpr std::size_t key_max = 255;         ///< characters of a key
inline constexpr std::size_t to_max = 64;           ///< characters of a destination
/// Bytes of all headers of a message, as they are kept: what is no letter or digit may take three.
inline constexpr std::size_t headers_max = 8'000;
/// How many messages a transaction puts into one database.
inline constexpr std::size_t messages_max = 10'000;
/// Bytes of all messages that a transaction puts into one database, each counted with 256 more.
inline constexpr std::size_t bytes_max = 4'000'000;

/// What is put.
struct message
{
    std::string to;    ///< the destination: 1 to to_max printable ASCII characters without blanks
    std::string key;   ///< printable ASCII; order is kept within a key; empty: it has no order
    std::string body;  ///< any bytes
    /// Names as of destinations, which do not begin with "assent-", and any bytes; kept in their
    /// order.
    std::vector<std::pair<std::string, std::string>> headers = {};
};

/// What was taken.
struct taken_message : message
{
    std::string id;     ///< 32 hexadecimal digits: another for each message, and never given again
    std::string gtrid;  ///< the transaction that put it
};

/// The messages of one database: the rows of its table assent_task.  Cheap to copy.
///
/// Its first put() or take() looks at the tables, on a connection of its own, and makes them where
/// they are missing and the account may do that.
///
/// Thread safety: distinct objects and shared ones safe, as far as the transactions differ.
class ASSENT_EXPORT queue
{
public:
    /// `home` must have been added to the managers of the transactions.  Calls nothing.
    /// @throws driver_error  errc::bad_argument: `home` can hold no messages.
    explicit queue(resource_manager const& home);

    /// Checked now, written when the commit of `tx` begins, in its branch at home.
    /// @throws error  errc::bad_argument: the message is outside of its limits, the transaction
    ///                would put more than messages_max or bytes_max, or `home` was not added;
    ///                errc::invalid_state: the transaction, or its branch at home, is read-only, or
    ///                it has ended; errc::unavailable: the tables cannot be used, and what() says
    ///                what an administrator should run; errc::rollback_only.
    /// Safe to retry: nothing was put, and the transaction goes on.
    /// Durability: as of the transaction.  A commit that cannot write it rolls back, with the
    /// reason; rolled_back_error::is_retryable() where another transaction keeps a key too long.
    void put(transaction& tx, message const& what) const;

    /// Takes the oldest message with this destination that no other transaction has taken, in
    /// the branch of `tx` at home, which is begun where there is none.  It is gone when `tx`
    /// commits, and there again when `tx` is rolled back.  Waits for nobody.
    /// @return nothing where there is none now.
    /// @throws error  errc::invalid_state: the branch is not known to be at READ COMMITTED, or
    ///                is read-only; errc::bad_argument; errc::unavailable: as put(), or it cannot
    ///                be begun; errc::rollback_only: the server refused, and the transaction can
    ///                only be rolled back.
    /// Safe to retry: but for errc::rollback_only, nothing was taken.
    std::optional<taken_message> take(transaction& tx, std::string const& to) const;

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace message
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_MESSAGE_HPP
