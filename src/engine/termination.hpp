// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// termination.hpp -- the end of one transaction: one call of commit() or rollback(), or its
// destructor.
//
//   ending.cpp    callbacks, then the loop over the coordinator: verbs sent, replies heard
//   deciding.cpp  the commit point: the log, or a row
//   asking.cpp    whom to ask when the reply to a commit without a vote was lost
//   leaving.cpp   after the outcome: unfinished branches go to the background workers of their
//                 databases (the keepers), connections to their owners, words to the caller

#ifndef ASSENT_ENGINE_TERMINATION_HPP
#define ASSENT_ENGINE_TERMINATION_HPP

#include <cstdint>
#include <functional>
#include <list>
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

class termination
{
public:
    termination(context& shared, home_process const& here, global_transaction& tx,
                intent what) noexcept
        : shared_(shared), process_(here), tx_(tx), intent_(what)
    {
    }

    /// @throws error  errc::invalid_state: it was ended, or is being ended; errc::forked: a
    /// callback has forked.
    ending run();

private:
    /// Where in a verb's exchange an event is told.
    enum class step : std::uint8_t { before = 1, sent = 2, reply = 3 };

    // ending.cpp
    void run_before_completion();
    void begin_ending();
    void drive() noexcept;
    void note_status(protocol::stage now) noexcept;
    bool may_prepare();
    void give_up_stage() noexcept;
    deadline stage_end() const;
    void exchange(deadline until);
    void hear(std::size_t i, deadline until);
    void tell_step(branch const& b, step at) const;
    static std::string_view step_name(branch const& b, step at) noexcept;
    void apply(std::size_t i, protocol::reply_class on);
    void note_cause(std::size_t i, protocol::stage in);
    void record(std::size_t i);

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

    // leaving.cpp
    void hand_over() noexcept;
    std::list<due_branch> unfinished();
    void release() noexcept;
    ending report() noexcept;
    void describe(ending& told) noexcept;
    void run_after_completion() noexcept;

    context& shared_;
    home_process const& process_;
    global_transaction& tx_;
    intent const intent_;
};

}  // namespace assent::engine

#endif  // ASSENT_ENGINE_TERMINATION_HPP
