// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// xopen.hpp -- whatever has an X/Open switch (xa_switch_t) as a resource manager.
//
//   auto stock = manager.add(assent::xopen::resource_manager{
//       "stock", assent::xopen::library{"libdb-5.3.so", "db_xa_switch"}, "/var/lib/shop/stock",
//       assent::xopen::options{}.identity_file("/var/lib/shop/stock/assent_identity")
//                               .sessions_end_within(0ms).unguarded()});
//   auto tx = manager.begin();
//   tx.lease(stock);
//   ... work by the resource manager's own interface, on this thread ...
//   tx.commit();                       // on this thread, too
//
// A branch of a switch belongs to the thread that began it.  From then on the transaction is ended
// on that thread, and leases for it are taken there: a call from another one throws
// errc::wrong_thread and sends nothing.  A thread works on one branch of a switch at a time; for
// another one it suspends its transaction (transaction_manager::suspend(), or a scope), and where
// the switch lets branches migrate or be joined, any thread may resume it.
//
// A switch has no lock that a node could hold, no numbers of sessions and no identity of its own.
// What that takes away is in docs/adapters/xopen.md; a resource manager is therefore refused
// unless it is declared unguarded().

#ifndef ASSENT_XOPEN_HPP
#define ASSENT_XOPEN_HPP

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>

struct xa_switch_t;  // of <xopen/xa.h>, whose macros nobody gets unasked

namespace assent {
inline namespace v0 {
namespace xopen {

/// What a lease converts to: the number under which the switch was opened.  The work itself is
/// done by the resource manager's own interface, on the thread that took the lease.
struct instance
{
    int rmid = 0;  ///< as xa_open was given it; one for each switch and xa_info of a process
};

/// A switch in a shared library.
struct library
{
    std::string path;    ///< as dlopen() takes it
    std::string symbol;  ///< the name of the xa_switch_t in it
};

/// What a switch does not tell by itself.  Each function sets one thing and returns the object, so
/// that calls chain.
class options
{
public:
    /// What was chosen.
    struct values
    {
        std::string identity;        ///< empty: it was not given
        std::string identity_file;   ///< empty: it was not given
        bool is_unguarded = false;   ///< unguarded() was called
        bool moves_by_join = false;  ///< moves_by_join() was called
        /// Nothing: it is not known.
        std::optional<std::chrono::milliseconds> sessions_end_within;
    };

    /// Which resource manager it is: 1 to 100 printable ASCII characters that no other one has, and
    /// that stay the same wherever it moves.
    options& identity(std::string text)
    {
        given_.identity = std::move(text);
        return *this;
    }
    /// The same, from a file in the resource manager's own home, so that it goes where the data
    /// go.  It is made, with a random identity, where it is missing.
    options& identity_file(std::string path)
    {
        given_.identity_file = std::move(path);
        return *this;
    }
    /// States that the log of this manager is never copied: that no other process, on no other
    /// machine, can come to have a copy of it.  Elsewhere a lock in the database keeps two copies
    /// of a log apart; a switch has none, so that here only the lock on the log does.  If the
    /// statement is wrong, a copy may roll back what this manager commits.
    options& unguarded()
    {
        given_.is_unguarded = true;
        return *this;
    }
    /// States that any thread may go on with a branch that another one has ended (xa_end with
    /// TMSUCCESS, then xa_start with TMJOIN).  A suspended transaction is then resumed and ended by
    /// whichever thread, though the switch has TMNOMIGRATE.  What the resource manager keeps for a
    /// branch that is suspended by TMSUSPEND (cursors, say) it may let go of at each suspend().
    options& moves_by_join()
    {
        given_.moves_by_join = true;
        return *this;
    }
    /// How long after a process has died, or a call was answered XAER_RMFAIL, the resource manager
    /// may still carry out what that process had asked for.  0 is right where it lives in the
    /// process itself.  Without this nothing is ever called drained here, and a branch whose
    /// rollback was not confirmed stays in the list of what is to be finished.
    options& sessions_end_within(std::chrono::milliseconds time)
    {
        given_.sessions_end_within = time;
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

private:
    values given_;
};

/// A resource manager behind a switch.  Cheap to copy; xa_open is not called before a thread needs
/// it.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// What a lease converts to.  No handle can be lent: enlist and join are refused.
    using handle_type = instance*;

    /// `name` is 1 to 64 printable ASCII characters without blanks; `entries` lives as long as the
    /// process; `xa_info` is what xa_open and xa_close are given, at most 255 bytes.  Calls
    /// nothing.
    /// @throws driver_error  errc::bad_argument: the name, the switch, xa_info or the options
    ///                       cannot be used; what() says which, and never holds xa_info.
    /// Safe to retry: the same call fails again.
    resource_manager(std::string name, xa_switch_t const& entries, std::string const& xa_info,
                     options const& chosen);
    /// The same, with a switch that is loaded by dlopen() (RTLD_NOW, RTLD_LOCAL), and never
    /// unloaded.
    /// @throws driver_error  errc::bad_argument: as above, or the library or the symbol is not
    ///                       there.
    /// Safe to retry: once the cause was removed.
    resource_manager(std::string const& name, library const& from, std::string const& xa_info,
                     options const& chosen);

    /// The number under which this process opens the switch.
    int rmid() const noexcept;
};

}  // namespace xopen
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_XOPEN_HPP
