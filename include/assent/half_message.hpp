// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// half_message.hpp -- messages that are sent if and only if the transaction commits, by a broker
// that can hold a message back until it is told: a half message.
//
//   auto const news = manager.add(assent::half::resource_manager{
//       "news", std::make_shared<my_broker>(...), assent::half::options{}.unguarded()});
//   auto tx = manager.begin();
//   execute(tx.lease(orders), "INSERT INTO orders ...");
//   assent::half::send(tx, news, {"orders", "order 4711"});   // stored, and shown to nobody
//   tx.commit();                                              // then it is shown; or never
//
// For each half that was sent exactly one of release and drop is carried out, by whichever process
// has the log, however often it has to be asked for: the one that the decision says.
//
// docs/guide/half_messages.md says what a broker must be able to do, and what to do with one that
// asks back (transaction_manager::ask()).

#ifndef ASSENT_HALF_MESSAGE_HPP
#define ASSENT_HALF_MESSAGE_HPP

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/export.hpp>
#include <assent/resource_manager.hpp>
#include <assent/transaction.hpp>
#include <assent/xid.hpp>

namespace assent {
inline namespace v0 {
namespace half {

/// What is sent.
struct message
{
    std::string to;    ///< a topic, an exchange, a queue: the broker's affair
    std::string body;  ///< bytes of the application's
};

/// Thrown by a broker: it has not done what it was asked for, and never will by that request.  From
/// half() it is a no: send() passes it on, and the transaction can only be rolled back.  Of
/// release() and drop() it is asked again, later.
class ASSENT_EXPORT refused : public std::runtime_error
{
public:
    using std::runtime_error::runtime_error;
    ~refused() override;
};

/// What a broker holds back.
struct listing
{
    /// Which broker answered: 1 to 120 printable ASCII characters, no blank, that no other has, and
    /// that stay the same wherever it moves.
    std::string broker;
    /// The names of the halves, as half() was given them (xid::text()), of whichever owner.
    std::vector<std::string> names;
};

/// What an application implements for its broker, over connections of its own.
///
/// Each member asks the broker and returns its answer.  Whatever it throws besides `refused` means
/// that nothing is known of the request: it may have been carried out, or may yet be.  It should
/// return by `until`; nobody waits for it longer, and a call that goes on keeps a thread until it
/// returns: of one broker no more than 64, then nothing more is asked before one returns.  No
/// member repeats a request by itself.  The words of what is thrown are told to the
/// observer, and stand in errors: no password, no body.
///
/// Thread safety: every member is called from several threads at once, none of them the
/// application's; they may call transaction_manager::ask().  In a forked child none is called.
/// Calls for one name may overlap: a release that nobody waits for any more goes on beside its
/// repetition, and beside what the broker does by itself on the word of ask().  So the broker takes
/// care that a half is shown once: taking it from what is held back and showing it are one step.
class ASSENT_EXPORT broker
{
public:
    virtual ~broker();

    /// Stores `what` under that name, durably, and shows it to nobody.  The name was never given
    /// before, and one request with it is made.
    /// @throws refused  it is not stored, and never will be.
    virtual void half(xid const& name, message const& what, deadline until) = 0;

    /// Shows the half of that name to its receivers; durable on return.
    /// @return false where there is no half of that name (any more), and nothing was done.
    /// @throws refused  nothing was done.
    virtual bool release(xid const& name, deadline until) = 0;

    /// Deletes the half of that name; durable on return.
    /// @return false where there is no half of that name (any more), and nothing was done.
    /// @throws refused  nothing was done.
    virtual bool drop(xid const& name, deadline until) = 0;

    /// Lists every half that was stored before this was called and is neither released nor dropped,
    /// and none whose release or drop had been answered by then: from where these are decided, and
    /// from no replica or cache.  What is not whole throws.
    virtual listing list(deadline until) = 0;
};

/// What is stated of a broker.  Each function sets one thing and returns the object.
class options
{
public:
    /// What was chosen.
    struct values
    {
        bool is_unguarded = false;  ///< unguarded() was called
        /// Nothing: it is not known.
        std::optional<std::chrono::milliseconds> halves_arrive_within;
    };

    /// States that the log of this manager is never copied: that no other process, on no other
    /// machine, can come to have a copy of it.  Elsewhere a lock in the database keeps two copies
    /// of a log apart; a broker has none.  If the statement is wrong, a copy may drop what this
    /// manager releases.
    options& unguarded()
    {
        given_.is_unguarded = true;
        return *this;
    }
    /// How long after half() has thrown something other than `refused`, or its process has died, a
    /// half may still come to be stored: what is in sockets and queues by then.  One that was
    /// answered is never waited for.  0 is right where the
    /// broker lives in the process itself.  Without this nothing is ever called drained here, and a
    /// half that was not answered stays in the list of what is to be finished; with a time that is
    /// too short, one that comes later is quarantined, and released by nobody.
    options& halves_arrive_within(std::chrono::milliseconds time)
    {
        given_.halves_arrive_within = time;
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

private:
    values given_;
};

/// The half messages of one broker.  Cheap to copy.
class ASSENT_EXPORT resource_manager : public assent::resource_manager
{
public:
    /// `name` is 1 to 64 printable ASCII characters without blanks.  Calls nothing; `over` lives as
    /// long as the manager, and as the calls of it that hang.  A manager that is opened again in
    /// the same process gets the same object: only by that are calls known which an earlier one has
    /// left behind.  With another object they are taken for those of a process that has ended, and
    /// what they store after halves_arrive_within() is quarantined.
    /// @throws driver_error  errc::bad_argument: the name or an option cannot be used, unguarded()
    ///                       is not stated, or there is no broker.
    resource_manager(std::string name, std::shared_ptr<broker> over, options const& chosen);
};

/// Sends `what` to the broker of `rm` as a half, in a branch of its own; several in one transaction
/// are several halves.
/// @throws refused  as the broker threw it; the transaction can only be rolled back.
/// @throws error    errc::rollback_only: it is not known whether the half is there, and it is
///                  dropped with the transaction; what() says why.  errc::invalid_state: the
///                  transaction is read-only, or ending, or `rm` is no broker; else as
///                  transaction::lease().
/// Safe to retry: as transaction::lease().
/// Durability: on return the half survives what the broker's own messages survive, until it is
/// released or dropped.
/// Thread safety: as of `tx`.
ASSENT_EXPORT void send(transaction& tx, assent::resource_manager const& rm, message const& what);

}  // namespace half
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_HALF_MESSAGE_HPP
