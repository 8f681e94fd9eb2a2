// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/reservations/settlement.hpp"

#include <atomic>
#include <exception>
#include <optional>
#include <random>
#include <string>

#include "ports/forks.hpp"
#include "protocol/mutation.hpp"

namespace assent::reservations {

namespace {

using clock = deadline::clock;
using protocol::mutated;
using protocol::mutation;

/// Of our own statements around a handler.
constexpr std::chrono::seconds statement_time{10};
/// Among the numbers of branches, of which a transaction has 64: no branch of the engine's.
constexpr std::uint16_t settling = 0x8000;

deadline soon()
{
    return clock::now() + statement_time;
}

/// The name of a local transaction.  No two have the same, in whatever process: a database that
/// goes by names would take the second for the first.
xid next_name(xid const& settled)
{
    static std::uint64_t const ours = [] {
        std::random_device source;
        return static_cast<std::uint64_t>(source()) << 32 | source();
    }();
    static std::atomic<std::uint64_t> count{0};
    auto parts = settled.branch.parts();
    parts.branch |= settling;
    parts.session = ours + ++count;
    return {settled.global, bqual::make(parts)};
}

std::string in_words(reply const& answer)
{
    return answer.text.empty() ? "an answer without words" : answer.text;
}

reply hazard(end what)
{
    return make_reply(xa_code::heurhaz,
                      std::string{"the handler "} + name_of(what) +
                          " ended its transaction itself, so that it may have taken effect in "
                          "part, and is not run again: put the data right, delete the row of this "
                          "name from assent_branch, then forget the outcome");
}

class settling_transaction
{
public:
    settling_transaction(service const& of, driver_session& on, xid const& name, end what)
        : of_(of), on_(on), name_(name), own_(next_name(name)), what_(what)
    {
    }

    std::optional<reply> run();

private:
    /// Begins a transaction; the row is taken with it where that is possible.
    /// @return why not; nothing: it has begun.
    std::optional<reply> refused();
    /// Nothing is left of the transaction, unless it was left.
    reply undone(reply const& because);
    reply commit();

    service const& of_;
    driver_session& on_;
    xid const& name_;
    xid const own_;
    end const what_;
    bool is_dead_ = false;           // the session
    bool is_taken_at_once_ = false;  // the row
    std::uint64_t const generation_ = ports::fork_generation();
};

std::optional<reply> settling_transaction::refused()
try {
    branch_modes modes;
    modes.has_witness = false;  // the row is one
    modes.may = access::read_write;
    if (!of_.database->capabilities().is_always_serializable) {
        modes.level = isolation::read_committed;
    }
    on_.declare(modes);
    is_taken_at_once_ = of_.table.take_at_start(on_, name_);
    on_.submit(verb::start, own_);
    auto const begun = on_.collect(soon());
    if (begun && begun->is_ok()) return std::nullopt;
    is_dead_ = begun && !on_.is_reusable();
    if (!begun) on_.sever();
    return again("no transaction was begun: " + (begun ? in_words(*begun) : "no reply in time"));
} catch (driver_error const& e) {  // nothing was sent
    return again(e.what());
}

std::optional<reply> settling_transaction::run()
{
    bool const is_confirm = what_ == end::confirm || mutated(mutation::undecided_confirmed);
    auto const& handler = is_confirm ? of_.how.confirm : of_.how.cancel;
    if (!handler) return again("this process lacks the handlers: a process that has them settles");
    if (auto why = refused()) return is_dead_ ? std::nullopt : std::move(why);
    try {
        auto const row =
            is_taken_at_once_ ? of_.table.taken(on_, name_) : of_.table.take(on_, name_, soon());
        if (!row && mutated(mutation::late_attempt_forgotten)) return undone({});
        if (!row) return undone(make_reply(xa_code::nota, "there is no such reservation"));
        if (mutated(mutation::row_deleted_apart)) static_cast<void>(commit());
        tcc::call now{name_, row->payload, on_.native_handle(),
                      clock::now() + of_.chosen.handler_time};
        handler(now);
    } catch (std::exception const& e) {
        return undone(again(std::string{name_of(what_)} + (of_.chosen.tells_errors
                                                               ? std::string{" threw: "} + e.what()
                                                               : " threw an exception")));
    } catch (...) {
        return undone(again(std::string{name_of(what_)} + " threw no std::exception"));
    }
    if (ports::fork_generation() != generation_) {  // by the handler: here is nobody's connection
        on_.abandon();
        return again("this process is the child of the one that settles");
    }
    // Whoever may hold the lock by now may have decided to commit what is presumed aborted.
    if (what_ == end::cancel && of_.guarded.may_have_lapsed()) {
        return undone(again("the manager's lock in this database was lost"));
    }
    return commit();
}

reply settling_transaction::undone(reply const& because)
{
    auto const answer = reservations::run(on_, verb::rollback, own_, soon());
    bool const was_left = answer.detail == reply_detail::left_behind;
    return was_left && because.code != xa_code::nota ? hazard(what_) : because;
}

reply settling_transaction::commit()
{
    auto const answer = reservations::run(on_, verb::commit_one_phase, own_, soon());
    if (answer.is_ok()) return {};
    if (answer.detail == reply_detail::left_behind) return hazard(what_);
    if (is_rolled_back(answer)) {
        return again(std::string{name_of(what_)} + " was rolled back: " + in_words(answer));
    }
    return unknown(std::string{name_of(what_)} + " may be committed: " + in_words(answer));
}

}  // namespace

reply run(driver_session& on, verb what, xid const& id, deadline until)
{
    on.submit(what, id);
    auto answer = on.collect(until);
    if (answer) return std::move(*answer);
    on.sever();
    return lost("no reply in time");
}

std::optional<reply> settle(service const& of, driver_session& on, xid const& name,
                            end what) noexcept
try {
    return settling_transaction{of, on, name, what}.run();
} catch (std::exception const&) {
    on.sever();  // which ends whatever was begun
    return unknown("memory ran out");
}

}  // namespace assent::reservations
