// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql.hpp -- PostgreSQL 14 or newer as a resource manager, by libpq.
//
//   auto accounts = manager.add(
//       assent::postgresql::resource_manager{"accounts", "host=db1 dbname=accounts user=shop"});
//   auto tx = manager.begin();
//   PGconn* pg = tx.lease(accounts);   // BEGIN was sent
//   PQexec(pg, "update ...");          // plain libpq
//   tx.commit();                       // PREPARE TRANSACTION, COMMIT PREPARED
//
// What the server must have: max_prepared_transactions above 0, fsync and full_page_writes on.
// A role without special rights is enough, but the application's and the manager's own connections
// must have the same one: only the role that prepared a transaction can finish it.
//
// Inside a branch leave the transaction to the manager: no COMMIT, ROLLBACK or BEGIN.  They are
// detected at the branch's end, never repaired.  Everything else works as without a manager: SET
// TRANSACTION before the first query, SET ROLE, savepoints.

#ifndef ASSENT_POSTGRESQL_HPP
#define ASSENT_POSTGRESQL_HPP

#include <functional>
#include <string>
#include <utility>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>

// Declared as in libpq-fe.h, which users include themselves.
struct pg_conn;
typedef struct pg_conn PGconn;
struct pg_result;
typedef struct pg_result PGresult;

namespace assent {
inline namespace v0 {
namespace postgresql {

/// Opens a connection with libpq and gives it to the manager, which will PQfinish it.  A null or a
/// failed connection is reported as an error of that resource manager.  It may be called from
/// several threads, and it should limit its own waiting (connect_timeout).
using connect_function = std::function<PGconn*()>;

/// Settings that do not say where the server is.
struct safety_options
{
    /// Accepts a server with fsync or full_page_writes off.  After a crash such a server may have
    /// lost what it voted for, so transactions may end half committed.
    bool allow_non_durable = false;
    /// Declares that with the proxy in between (PgBouncer) each client keeps its server session
    /// until it disconnects: pool_mode = session.  Without that no branch is decided through a
    /// proxy, because the node's lock would belong to a session that others use too.
    bool pools_by_session = false;
};

/// One PostgreSQL database.  Cheap to copy; nothing is connected before the manager needs it.
///
/// Thread safety: a value; distinct objects safe.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// What a lease of this resource manager converts to, and what enlist and join take.
    using handle_type = PGconn*;

    /// `name` is 1 to 64 printable ASCII characters without blanks; `conninfo` is libpq's.  Unless
    /// it says otherwise the connections call themselves `assent:<name>:<purpose>`.
    /// @throws driver_error  errc::bad_argument: the name or the connection string is malformed.
    /// Safe to retry: it connects to nothing, and the same call fails again.
    resource_manager(std::string name, std::string conninfo, safety_options safety = {});

    /// The same, with connections that `connect` opens.
    /// @throws driver_error  errc::bad_argument: the name is malformed, or `connect` is empty.
    /// Safe to retry: the same call fails again.
    resource_manager(std::string name, connect_function connect, safety_options safety = {});

    /// The same database, whose leases come from the application's own pool.
    /// @throws driver_error  errc::bad_argument: a function of `pool` is missing.
    /// Safe to retry: the same call fails again.
    resource_manager leases_from(connection_source<handle_type> pool) const
    {
        resource_manager with = *this;
        with.lease_from(std::move(pool));
        return with;
    }
};

/// Whether the statement failed in a way that a new run of the whole transaction may cure: a
/// serialization failure, a deadlock, a lock timeout (see is_retryable_sqlstate).
ASSENT_EXPORT bool is_retryable(PGresult const* result) noexcept;

}  // namespace postgresql
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_POSTGRESQL_HPP
