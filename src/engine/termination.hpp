// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// termination.hpp -- the end of one transaction: one call of commit() or rollback(), or its
// destructor.
//
//   ending.cpp    callbacks, then the loop over the coordinator
//   hearing.cpp   one exchange: verbs sent, replies heard
//   deciding.cpp  the commit point: the log, or a row
//   asking.cpp    whom to ask when the reply to a commit without a vote was lost
//   parting.cpp   an early return: what the caller does not wait for is left to the collector
//   leaving.cpp   after the outcome: unfinished branches go to the background workers of their
//                 databases (the keepers), connections to their owners, words to the caller

#ifndef ASSENT_ENGINE_TERMINATION_HPP
#define ASSENT_ENGINE_TERMINATION_HPP

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/home_process.hpp"
#include "recovery/keeper.hpp"
#include "shared/context.hpp"

namespace assent::engine {

using recovery::due_branch;
using shared::branch;
using shared::context;
using shared::global_transaction;
using shared::left_as;

/// Whether the same work may succeed when it is run again, by the answer that refused it.
bool is_transient(reply const& refusal) noexcept;

/// How a transaction ended, for the public class that tells the caller, by return or by exception.
struct ending
{
    protocol::verdict verdict = protocol::verdict::open;
    std::string what;
    std::vector<branch_report> branches;
    bool is_retryable = false;
    bool is_confirmed = false;  // rolled back, and every branch said so
    resolver who = resolver::recovery;
};

/// Why the transaction is ended.
enum class intent : std::uint8_t { commit = 1, rollback = 2, destroy = 3 };

class collector;

/// A transaction whose caller was answered before its branches had.
struct parted
{
    std::shared_ptr<global_transaction> which;
    deadline until;  ///< how long their replies are waited for
};

class termination
{
public:
    termination(context& shared, home_process const& here, collector& behind,
                global_transaction& tx, intent what) noexcept
        : shared_(shared), process_(here), collector_(behind), tx_(tx), intent_(what)
    {
    }

    /// @throws error  errc::wrong_thread; errc::invalid_state: it was ended, or is being ended;
    /// errc::forked: a callback has forked.
    ending run();

    // For the collector, once run() has returned early.

    /// Hears what was answered; from `until` on, whoever has not answered is lost.
    /// @return how many have yet to answer.
    std::size_t hear_behind(deadline until) noexcept;
    /// The sockets of those who have not answered.  @return whether each has one.
    bool add_sockets(std::vector<pollfd>& to) const;
    /// The rest of run().  @pre  nothing is outstanding.
    void end_behind() noexcept;

private:
    /// Where in a verb's exchange an event is told.
    enum class step : std::uint8_t { before = 1, sent = 2, reply = 3 };

    // ending.cpp
    void give_up_elsewhere() noexcept;
    void run_before_completion();
    void begin_ending();
    void drive() noexcept;
    void note_status(protocol::stage now) noexcept;
    bool may_prepare();
    void give_up_stage() noexcept;
    deadline stage_end() const;
    void apply(std::size_t i, protocol::reply_class on);
    void note_cause(std::size_t i, protocol::stage in);
    void record(std::size_t i);

    // hearing.cpp
    void exchange(deadline until);
    void send_all();
    void hear(std::size_t i, deadline until);
    bool listen(std::size_t i, deadline until);
    void lose_reply(std::size_t i, deadline until);
    void hear_rest(deadline until);
    void tell_step(branch const& b, step at) const;
    static std::string_view step_name(branch const& b, step at) noexcept;

    // deciding.cpp
    class row_port;
    void decide();
    bool gather(ports::decision& what);
    ports::force_result make_durable(ports::decision const& what);
    void take(ports::force_result const& forced, deadline::duration took);
    static void note_guard(branch& b) noexcept;
    static bool is_term_over(branch const& b) noexcept;
    bool has_lapsed() const noexcept;
    static std::string why_elsewhere(branch const& b);
    bool is_in_log() const noexcept { return tx_.id.parts().place == decision_place::log; }

    // asking.cpp
    void ask_witness(std::size_t i);
    void ask_row(std::size_t i);
    void ask_own(branch const& b, std::function<bool(driver_session&, deadline)> const& ask) const;

    // parting.cpp
    bool may_part() noexcept;
    bool part();
    bool is_rest_leased() const noexcept;
    void leave_behind() noexcept;

    // leaving.cpp
    void settle() noexcept;
    void hand_over() noexcept;
    std::list<due_branch> unfinished();
    void release() noexcept;
    ending report() noexcept;
    void describe(ending& told) noexcept;
    void run_after_completion() noexcept;
    void tell_completion(synchronization const& whom) const noexcept;

    context& shared_;
    home_process const& process_;
    collector& collector_;
    global_transaction& tx_;
    intent const intent_;
    bool is_behind_ = false;    // the caller has been answered: nobody is waited for
    std::list<parted> parted_;  // itself, once it returns early: the collector needs no memory
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_TERMINATION_HPP
