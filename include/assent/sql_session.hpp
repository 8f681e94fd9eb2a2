// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sql_session.hpp -- a small port for clients that show no native handle: what an application
// implements so that its connection can be lent to a transaction all the same.
//
//   class wrapped final : public assent::sql_session        // around sql::Connection, or your own
//   {
//       assent::sql_answer run(std::string const& sql) override;
//   };
//   auto orders = tm.add(assent::mysql::resource_manager{"orders", "host=... database=orders"});
//   wrapped mine{connection};
//   tx.enlist(orders, mine, on_release);  // XA START was run; SQL on it now belongs to tx
//
// The manager speaks XA on it as SQL text, for the branch that was enlisted and for nothing else:
// scans, cancels, and whatever is left to do after a lost reply take the manager's own connections
// of the same resource manager, which is a native one (postgresql, mysql).
//
// What the client must be set to, since nobody can see it from outside:
//
//   it never reconnects by itself, and never repeats a statement
//   run() runs what it is given, as it is, on the one connection: no BEGIN before it, no reset, no
//   ping, no other connection of a pool
//
// Where a client does otherwise, the branch's mark is found gone at the branch's end, and the
// transaction ends in heuristic_error: what was written behind its back may be permanent.

#ifndef ASSENT_SQL_SESSION_HPP
#define ASSENT_SQL_SESSION_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <assent/export.hpp>

namespace assent {
inline namespace v0 {

/// What became of one statement.  A default-constructed answer says that nothing was heard.
struct sql_answer
{
    /// A row as text, as the client gives it; an absent value is NULL.
    using row = std::vector<std::optional<std::string>>;

    /// The server said that the statement was done.
    bool is_ok = false;
    std::vector<row> rows;  ///< of a statement that gives rows, all of them

    // The rest counts where is_ok is false.
    /// The connection is of no use any more, or nobody knows whether the statement was done.  An
    /// error with neither a SQLSTATE nor a native code counts as lost, whatever this value is.
    bool is_lost = false;
    std::string sqlstate;  ///< five characters, or empty
    int native_code = 0;   ///< MySQL's errno; 0 where the server has none
    std::string text;      ///< the server's words, for people
};

/// One connection of the application's, for as long as it is enlisted.
///
/// Object lifetimes: it must live from enlist() until on_release was called, or enlist() has
/// thrown, and no run() is under way any more.  The manager never destroys it.
///
/// Thread safety: run() is called on a thread of the manager's, by one at a time, and never while
/// the thread that uses the transaction is outside of the manager, unless run() does not return
/// after sever().  sever() may be called by another thread while run() waits.
class ASSENT_EXPORT sql_session
{
public:
    virtual ~sql_session() = default;

    /// Runs one statement, without parameters, and waits for its end.  The client's own timeouts
    /// bound the wait only if run() reports them as is_lost and uses the connection no more.
    /// An exception counts as is_lost.
    virtual sql_answer run(std::string const& sql) = 0;

    /// The server's number for this session (pg_backend_pid(), CONNECTION_ID()) as the client
    /// library itself knows it; 0 if the library does not tell.  A number that the server does not
    /// confirm means that there is a proxy.  Do not ask the server: its answer hides the proxy.
    virtual std::uint64_t id() const noexcept { return 0; }

    /// Cuts the connection so that the server notices and a run() that waits returns: shutdown(2)
    /// on its socket.  Never closes it.
    /// @return whether it was cut; false if there is no way to do so.  The manager then looks for
    ///         the socket by the address that the server sees; if it finds none, it ends the
    ///         session at the server.  The transaction's end waits for run() meanwhile, 15 s at
    ///         most.
    virtual bool sever() noexcept { return false; }
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_SQL_SESSION_HPP
