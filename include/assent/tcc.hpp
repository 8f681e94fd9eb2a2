// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// tcc.hpp -- reservations: try, confirm, cancel, under the same decision as XA branches.
//
//   auto const wallets = manager.add(assent::tcc::resource_manager{
//       "wallets", accounts,                        // whose database holds the table assent_branch
//       {.attempt = reserve_money, .confirm = take_money, .cancel = release_money}});
//   auto tx = manager.begin();
//   assent::tcc::attempt(tx, wallets, "alice 30");  // commits at once, and holds no lock
//   tx.lease(orders);                               // an XA branch beside it
//   tx.commit();                                    // both, or the reservation is cancelled
//
// attempt runs its handler in a local transaction that also inserts the reservation's row; confirm
// and cancel run theirs in one that deletes it.  So for each attempt that took effect exactly one
// of the two takes effect, exactly once, however often it has to be tried; and where an attempt
// took no effect neither runs.  Between the two everybody sees what attempt did.
//
// docs/guide/reservations.md says when this, when XA, and what handlers may do.

#ifndef ASSENT_TCC_HPP
#define ASSENT_TCC_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {
namespace tcc {

/// How many bytes a payload has at most.
inline constexpr std::size_t payload_max = 1'000'000;

/// Thrown by a handler: no, for a reason of the business.  attempt() passes it on, and the
/// transaction can only be rolled back.  From confirm or cancel it is an error like any other: they
/// are tried again.
class ASSENT_EXPORT refused : public std::runtime_error
{
public:
    using std::runtime_error::runtime_error;
    ~refused() override;
};

/// What a handler is called with.
///
/// Thread safety: one shared object unsafe; it lives as long as the call.
class ASSENT_EXPORT call
{
public:
    /// For assent itself.
    call(xid const& id, std::string const& payload, void* handle, deadline until) noexcept
        : id_(id), payload_(payload), handle_(handle), until_(until)
    {
    }

    /// The branch's name: one for each attempt, and the same in its confirm or cancel, and in each
    /// repetition of it.
    xid const& id() const noexcept { return id_; }
    /// What attempt() was given, byte by byte.
    std::string const& payload() const noexcept { return payload_; }
    /// The client library's own handle: PGconn*, MYSQL*, ...  A local transaction is open on it:
    /// what is done there, and the reservation's row, become permanent together.  A handler neither
    /// commits nor rolls back, and leaves no result unread.
    void* handle() const noexcept { return handle_; }
    /// By when the handler should have returned.  Nothing interrupts it then, but until it returns
    /// it keeps one of options::workers().
    deadline until() const noexcept { return until_; }

private:
    xid const& id_;
    std::string const& payload_;
    void* const handle_;
    deadline const until_;
};

/// What the application does.  A handler that throws has its local transaction rolled back.
///
/// attempt runs on the thread that calls attempt(); the others run on any thread of the manager's,
/// several at once, and in any process that opens the log, also days later.
struct handlers
{
    std::function<void(call&)> attempt;  ///< checks and reserves; may refuse
    std::function<void(call&)> confirm;  ///< carries out what was reserved; checks nothing
    std::function<void(call&)> cancel;   ///< gives back what was reserved
};

/// What need not be chosen.  Each function sets one thing and returns the object.
class options
{
public:
    /// What was chosen.
    struct values
    {
        std::size_t workers = 8;                        ///< threads, each with a connection
        std::chrono::milliseconds handler_time{30000};  ///< as call::until() tells handlers
        bool tells_errors = false;                      ///< tells_errors() was called
    };

    /// How many confirms and cancels run at once at the most, 1 to 16, each on a thread and a
    /// connection of its own, which are made when no other is idle, and stay as long as the
    /// manager.  0: each runs on the thread that ends the transaction, or recovers it; for tests.
    options& workers(std::size_t count)
    {
        given_.workers = count;
        return *this;
    }
    /// Has observers told what a confirm or cancel threw, in its own words: what() must then hold
    /// nothing that may not stand in a log.  Without this they are told that it threw.
    options& tells_errors()
    {
        given_.tells_errors = true;
        return *this;
    }
    /// How long a confirm or cancel is meant to take; more than nothing.
    options& handler_time(std::chrono::milliseconds time)
    {
        given_.handler_time = time;
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

private:
    values given_;
};

/// Reservations in one database.  Cheap to copy.  The same name is given in each process that has
/// to do with them: it stands in their rows.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// `name` is 1 to 64 printable ASCII characters without blanks.  `where` leads to the database
    /// that holds the table; it need not be added to the manager itself, and may be beside this,
    /// for XA branches, or for reservations of another name.  Calls nothing.
    /// @throws driver_error  errc::bad_argument: `where` can hold no reservations, a handler is
    ///                       missing, or the name or an option cannot be used.
    resource_manager(std::string name, assent::resource_manager const& where, handlers how,
                     options const& chosen = {});

    /// Without handlers, for who looks only: reservations are listed and never settled, until a
    /// process that has the handlers does.
    /// @throws driver_error  as above.
    resource_manager(std::string name, assent::resource_manager const& where);
};

/// Reserves: runs the handler attempt of `rm` in a branch of its own, whose local transaction is
/// committed before this returns.
/// @throws refused  as the handler threw it; the transaction can only be rolled back.
/// @throws error    errc::rollback_only: the attempt failed; it took no effect, or is cancelled
///                  with the transaction; what() says why.  errc::bad_argument: the payload is
///                  longer than payload_max; errc::invalid_state: the transaction is
///                  read-only, or ending, or `rm` holds no reservations; else as
///                  transaction::lease().
/// @throws what else the handler throws; the transaction can only be rolled back.
/// Safe to retry: as transaction::lease().
/// Durability: on return the reservation survives power loss, until it is confirmed or cancelled.
/// Thread safety: as of `tx`.
ASSENT_EXPORT void attempt(transaction& tx, assent::resource_manager const& rm,
                           std::string const& payload);

}  // namespace tcc
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TCC_HPP
