// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// inbox.hpp -- does the work of each message that comes from another system once, in the order of
// its lane, and notices a message that never came.
//
//   assent::message::inbox once_each{tm, shop, "billing"};
//   while (auto const next = from.next(until)) {              // rabbitmq::receiver
//       once_each.once(*next, [&](assent::transaction& tx) { ... });
//       from.acknowledge(*next);
//   }
//
// The database `where` has one row for each lane, which moves in the transaction of the work: so it
// is small for ever, and there is no time after which a message that comes again is done again.

#ifndef ASSENT_INBOX_HPP
#define ASSENT_INBOX_HPP

#include <functional>
#include <memory>
#include <string>

#include <assent/delivery.hpp>
#include <assent/error.hpp>
#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction_manager.hpp>

namespace assent {
inline namespace v0 {
namespace message {

/// Why a message is not done now: its lane is not where it would have to be.  what() names both;
/// why() is errc::invalid_state.
class ASSENT_EXPORT lane_error : public error
{
public:
    /// Of the message at `its`, whose lane is at `last`: empty where nobody has attached it.
    lane_error(std::string const& what, place its, std::string last);
    ~lane_error() override;

    place const& at() const noexcept { return at_; }            ///< of the message
    std::string const& last() const noexcept { return last_; }  ///< where the lane is

private:
    place at_;
    std::string last_;
};

/// A message before this one has not come.  It may be on its way: a sender sends again, and what
/// follows, from the first that its broker did not keep.  Where it does not come it is lost (a
/// queue that was purged), and a person says by inbox::attach() from where to go on.
class ASSENT_EXPORT gap_error : public lane_error
{
public:
    using lane_error::lane_error;
    ~gap_error() override;
};

/// The sender has gone back: it was restored from a backup, and has given the place after its last
/// message to another one.  What it sent before is done; a person says by inbox::attach() from
/// where to go on.
class ASSENT_EXPORT fork_error : public lane_error
{
public:
    using lane_error::lane_error;
    ~fork_error() override;
};

/// What one consumer has done of what others send.
///
/// Its first call looks at the table assent_inbox, on a connection of its own, and makes it where
/// it is missing and the account may do that.
///
/// Thread safety: every member may be called from several threads at once.
class ASSENT_EXPORT inbox
{
public:
    /// `tm` must live longer; `where` must have been added to it.  Calls nothing.  `consumer` is
    /// who does the work: 1 to 64 printable ASCII characters, no blank.  Those of one name share
    /// the work, those of different names do it each.
    /// @throws driver_error  errc::bad_argument: `where` can hold no inbox, or the name is none.
    inbox(transaction_manager& tm, resource_manager const& where, std::string consumer);

    /// Runs `work` in a transaction that first moves the row of the message's lane, and commits.
    /// Where there is no row yet the first message of a lane makes it.
    /// @return true: it is done now, its work committed (with outcome::committed_pending a branch
    ///         may have yet to confirm it).  false: it was done before, and `work` did not run.  In
    ///         both cases it may be acknowledged.
    /// @throws gap_error, fork_error  `work` did not run; acknowledge nothing.
    /// @throws error  errc::unavailable, is_retryable(): the message before it was done by this
    ///                object, and a branch, of it or of others, is not committed yet.
    /// @throws what transaction_manager::begin(), transaction::work_on() and commit() throw, and
    ///         what `work` throws.  Nothing moved unless it says otherwise: after in_doubt_error
    ///         call it again with the same message, which finds out.
    /// Safe to retry: always, with the same message.
    bool once(delivery const& what, std::function<void(transaction&)> const& work);

    /// A person, or a program that begins to receive, says where the lane of `at` is: the next
    /// message that is done is the one that follows `at.position` (position_zero: the first).
    /// Durable on return.
    /// @throws error  as once().
    /// Safe to retry.
    void attach(place const& at);

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace message
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_INBOX_HPP
