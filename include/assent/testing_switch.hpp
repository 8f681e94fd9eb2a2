// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// testing_switch.hpp -- an X/Open switch that holds its callers to XA's tables, for tests of
// whatever drives switches: this library, or your own monitor.
//
//   assent::testing::strict_switch bank{{"/tmp/bank"}};         // its file
//   xa_switch_t const& entries = bank.entries();                // to be driven
//   entries.xa_open_entry(info, 1, TMNOFLAGS);                  // info: bank.info()
//   entries.xa_start_entry(&xid, 1, TMNOFLAGS);
//   bank.add("alice", -100);                                    // the application's work
//
//   bank.on(switch_call::commit).answer(assent::xa_code::retry);
//   EXPECT_TRUE(bank.violations().empty());                     // nobody broke a table
//
// It keeps tables 6-1 (opening), 6-2 (association of threads), 6-3 (dynamic registration), 6-4
// (branches) and 6-5 (asynchronous calls), for each thread of control and each rmid.  What they
// forbid is refused with the code that they give, and noted by violations().
//
// Invariant: its rows and its prepared and heuristic branches are in its file before a call is
// answered, so that they outlive the process, as those of a real resource manager do.  They do not
// outlive a loss of power.

#ifndef ASSENT_TESTING_SWITCH_HPP
#define ASSENT_TESTING_SWITCH_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <assent/export.hpp>
#include <assent/xa.hpp>

struct xa_switch_t;  // of <xopen/xa.h>, whose macros nobody gets unasked

namespace assent {
inline namespace v0 {
namespace testing {

namespace strict {
class resource;
struct rule;
}  // namespace strict

/// The routines of a switch.
enum class switch_call : std::uint8_t {
    open = 1,
    close = 2,
    start = 3,
    end = 4,
    prepare = 5,
    commit = 6,
    rollback = 7,
    forget = 8,
    recover = 9,
    complete = 10,
};

/// What a strict_switch is like.
struct switch_options
{
    std::string file;              ///< where it keeps what outlives the process
    bool registers = false;        ///< TMREGISTER: it calls ax_reg when a thread first works
    bool is_migratable = false;    ///< without it TMNOMIGRATE is set
    bool is_asynchronous = false;  ///< TMUSEASYNC
};

/// One call of the switch, and what it answered.
struct switch_event
{
    switch_call what = switch_call::open;  ///< which routine
    int rmid = 0;                          ///< of which instance
    long flags = 0;                        ///< as they were given
    std::string branch;                    ///< gtrid.bqual; bytes that do not print in hexadecimal
    int answer = 0;                        ///< what was returned
};

/// A fault that is being described; the last call of the chain puts it in force.  It waits for the
/// nth call that fits (the next one unless nth() is called) and fires as often as times() says
/// (once unless it is called).  It changes only what the tables allow: what they forbid is refused
/// as ever.
class ASSENT_EXPORT switch_fault
{
public:
    switch_fault& nth(int count);    ///< waits for the nth such call
    switch_fault& times(int count);  ///< fires so often

    /// Answers `code`, with the effect that XA gives this answer: XA_RB* rolls the branch back,
    /// XA_HEUR* settles it until xa_forget, XAER_RMERR of a commit rolls it back, XAER_NOTA means
    /// that it is gone unless it is prepared, XAER_RMFAIL closes the thread's opening and takes
    /// back what it had not prepared, and an error of xa_complete loses the call.
    void answer(xa_code code);
    /// Does what was asked, and answers `code`.
    void answer_after_effect(xa_code code);
    /// Does nothing, and answers `code`.
    void answer_without_effect(xa_code code);
    /// Calls `what` before the call is looked at, with no lock held: to wait, or to kill a process.
    void before(std::function<void()> what);
    /// Calls `what` after it was carried out and before it is answered, with no lock held.
    void after(std::function<void()> what);

private:
    friend class strict_switch;
    switch_fault(std::shared_ptr<strict::resource> of, switch_call what);
    void put();

    std::shared_ptr<strict::resource> of_;
    std::shared_ptr<strict::rule> rule_;
};

/// A resource manager behind an X/Open switch.  Its rows are whole numbers; a branch adds to them,
/// and what it adds is seen when it is committed, so that branches never wait for one another.
/// Objects of one file share one resource manager.
///
/// Thread safety: every member may be called from several threads at once.
class ASSENT_EXPORT strict_switch
{
public:
    /// Reads the file, if it is there.
    /// @throws error  errc::bad_argument: no file is named, or another process has it open.
    /// Safe to retry.
    explicit strict_switch(switch_options const& chosen);
    ~strict_switch();
    strict_switch(strict_switch const&) = delete;
    strict_switch& operator=(strict_switch const&) = delete;

    /// The switch that has the options' flags; it lives for ever.
    xa_switch_t const& entries() const noexcept;
    /// The xa_info string that leads xa_open here.
    std::string const& info() const noexcept;

    /// What shall go wrong at such a call.
    switch_fault on(switch_call what);
    /// How many faults have yet to fire: a test that ends with one did not test it.
    std::size_t pending() const;

    // The application's side, on the calling thread.
    /// Adds to a row, in the branch that the thread is associated with; without one, and where
    /// nothing is registered, at once and for good.
    /// @throws error  errc::invalid_state: the thread has not opened the switch, or it may not work
    ///                now.
    void add(std::string const& row, std::int64_t delta);
    /// Begins work of the thread's own, outside any branch: xa_start is XAER_OUTSIDE until it ends.
    /// @throws error  errc::invalid_state: it is associated with a branch.
    void begin_outside();
    /// Ends it; a switch that registers calls ax_unreg.
    /// @throws error  errc::invalid_state: there is none, or the transaction manager refuses.
    void end_outside();

    // What happens to it.
    /// It fails: every thread is answered XAER_RMFAIL once and has to open it again.  What was not
    /// prepared is gone.
    void die();
    /// The same, and until revive() nobody can open it again (XAER_RMERR).
    void stay_dead();
    /// It can be opened again.
    void revive();
    /// Whether asynchronous calls are completed (XA_RETRY until then).
    void complete_calls(bool is_on);
    /// Ends a prepared branch as an operator would who leaves no trace of it.
    /// @throws error  errc::invalid_state: no such branch is prepared.
    void settle(std::string const& branch, bool by_commit);

    // For checkers.
    std::int64_t value(std::string const& row) const;  ///< of a row, committed
    std::map<std::string, std::int64_t> rows() const;  ///< all that is committed
    std::vector<std::string> prepared() const;         ///< branches, as switch_event names them
    std::vector<std::string> heuristics() const;       ///< those that wait for xa_forget
    std::size_t unfinished() const;                    ///< branches in any state
    std::size_t openings() const;                      ///< threads that have it open
    std::vector<switch_event> history() const;         ///< each call, in order
    std::vector<std::string> violations() const;       ///< what callers did against XA, in words

private:
    std::shared_ptr<strict::resource> is_;
    xa_switch_t const* entries_;
};

}  // namespace testing
}  // namespace v0
}  // namespace assent

#endif  // ASSENT_TESTING_SWITCH_HPP
