// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// thread_opening.hpp -- one thread of control that has opened a switch: tables 6-1 and 6-2, as the
// caller must keep them.
//
//   closed --xa_open--> open --XAER_RMFAIL--> lost --xa_close, xa_open--> open
//                        +------- the thread ends: xa_close -------------> closed
//
//   free --xa_start--> at work on one branch --xa_end--> free
//                            |         ^
//              xa_end(TMSUSPEND)    xa_start(TMRESUME)      suspending.cpp; or TMSUCCESS, TMJOIN
//                            v         |
//                       suspended, any number of them --xa_end--> free
//
// A transaction that was given up on another thread leaves its branch here: the thread ends it
// when it next calls the switch, or when it ends itself.
//
// Invariant: a routine of a switch is called by the thread whose opening this is, and by no other.
// In a forked child nothing is called.

#ifndef ASSENT_ADAPTERS_XOPEN_THREAD_OPENING_HPP
#define ASSENT_ADAPTERS_XOPEN_THREAD_OPENING_HPP

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <assent/xid.hpp>

#include "adapters/xopen/switch_instance.hpp"
#include "src/ports/session_numbers.hpp"

namespace assent::xopen_switch {

/// How far the resource manager knows of a thread's work on a branch: tables 6-2 and 6-3.
enum class association : std::uint8_t {
    expected,    // it registers, and has not yet: nothing was done
    associated,  // xa_start, or ax_reg
    suspended,   // xa_end(TMSUSPEND); one that registers is not told that it is resumed, but asks
    adrift,      // xa_end(TMSUSPEND|TMMIGRATE): whichever thread resumes it has it
    ended,       // xa_end(TMSUCCESS): whichever thread joins it has it
};

class thread_opening
{
public:
    /// The calling thread's, which may not be open yet.
    static std::shared_ptr<thread_opening> of(switch_instance& is);

    explicit thread_opening(switch_instance& is);

    /// The calling thread's, by its number; null: it has none.
    static thread_opening* of_rmid(int rmid) noexcept;

    /// Whether the calling thread is the one whose opening this is.
    bool is_here() const noexcept;
    switch_instance& instance() const noexcept { return is_; }

    // On its thread only.

    /// Opens it, or opens it again after it was lost.
    /// @throws driver_error  errc::unavailable.
    void require_open(std::string const& resource_manager);
    bool is_open() const noexcept { return is_open_; }
    /// The branch that the thread is at work on.
    std::optional<xid> const& at_work_on() const noexcept { return at_work_on_; }
    /// It is at work, and in no branch: it registered without one.
    bool is_outside() const noexcept { return is_outside_; }
    /// Whether the thread is at work on it, or has suspended it.
    bool has(xid const& branch) const noexcept;
    /// The same, and the resource manager does not know of it: one that registers does once it was
    /// used.
    bool has_unused(xid const& branch) const noexcept;

    /// Whether it could not be ended yet, and has to be: not what went with an opening that was
    /// lost.
    bool owes(xid const& branch) const noexcept;

    /// What it does not succeed in it may have begun all the same: then has() says so, and it has
    /// to be given up.
    int start(xid const& branch);
    /// TMSUCCESS or TMFAIL, of a branch that the thread has.  Where the resource manager does not
    /// know of the branch, nothing is called.
    int end(xid const& branch, long how);
    // suspending.cpp
    /// Of the branch that the thread is at work on; `is_to_be_joined`: as options::moves_by_join().
    /// @return XA_OK: it is no thread's, and who adopts it as `becomes` resumes it; XA_NOMIGRATE:
    /// it
    ///         is this thread's still.
    int suspend(bool is_to_be_joined, association& becomes);
    /// @pre  the thread has it, and is at work on none.
    int resume(xid const& branch);
    /// It was suspended, and is no thread's: it becomes this one's, suspended.
    void adopt(xid const& branch, association as);
    /// xa_rollback of a branch that is not prepared, and what it answered.
    int undo(xid const& branch) noexcept;
    /// The same where it was asked already.  No list shows such a branch, so that nobody else would
    /// ask again where it may be there still: this thread does, when it next calls the switch.
    int undone(xid const& branch, int answer) noexcept;
    /// So many branches are there still that no other one is begun.
    bool has_too_many_to_undo() const noexcept;
    // With TMASYNC each answers a handle, which is to be awaited, or an error.
    int prepare(xid const& branch, long flags);
    int commit(xid const& branch, long flags);
    int rollback(xid const& branch, long flags = TMNOFLAGS);
    int forget(xid const& branch, long flags);
    int recover(std::vector<XID>& page, long flags);
    // completing.cpp
    bool is_asynchronous() const noexcept { return (is_.entries.flags & TMUSEASYNC) != 0; }
    bool is_outstanding() const noexcept { return handle_ != 0; }
    /// `ending`: of a branch that is not prepared, so that undone() is due when it was answered,
    /// though nobody may wait for that any more.
    void await(int handle, std::optional<xid> const& ending) noexcept
    {
        handle_ = handle;
        ending_ = ending;
    }
    /// Asks for what is outstanding, and does not wait.
    bool is_completed_by_now() noexcept;
    /// @return the answer, or nothing where it is not there by `until`.
    /// @throws driver_error  the answer is lost.
    std::optional<int> complete(deadline until);
    /// Nobody waits for the answer any more; until it is there the session counts as present.
    void keep(std::shared_ptr<ports::session_numbers::held const> number) noexcept
    {
        kept_ = std::move(number);
    }

    /// Ends a branch that is not prepared, if the thread has it, and rolls it back.
    /// @return what xa_rollback answered; XAER_RMFAIL where that was not called, because it could
    ///         not be ended (owes() it then), or was lost.
    int give_up(xid const& branch) noexcept;

    /// From another thread: this one shall give it up.
    void leave(xid const& branch, std::shared_ptr<ports::session_numbers::held const> number);
    // registration.cpp: what ax_reg and ax_unreg answer.
    int enter(XID& into) noexcept;
    int leave_outside() noexcept;

    /// The thread ends.
    void close() noexcept;
    /// From any thread: its thread has ended, and left a call whose answer did not come.
    bool is_left_unanswered();

private:
    void open_again(std::string const& resource_manager);
    int call(int (*routine)(XID*, int, long), xid const& branch, long flags);
    int heard(int answer) noexcept;
    int expect(xid const& branch) noexcept;
    bool registers() const noexcept { return (is_.entries.flags & TMREGISTER) != 0; }
    void be_free() noexcept;
    void lose_its_own() noexcept;
    void require_let_go() noexcept;
    int end_work(long how);
    int end_suspended(xid const& branch, long how);
    std::vector<std::pair<xid, association>>::iterator find(xid const& branch) noexcept;
    void forget_suspended(xid const& branch) noexcept;
    int ask_for_answer(int& answer, long flags) noexcept;
    void require_completed(std::string const& resource_manager);
    bool is_answered_at_last() noexcept;
    void leave_unclosed() noexcept;
    void make_room_to_undo();
    void undo_again(deadline now) noexcept;
    enum class may_call : std::uint8_t { yes, no };
    void give_up_left(may_call routines = may_call::yes) noexcept;
    bool is_left(xid const& branch);
    bool is_forked() const noexcept;

    switch_instance& is_;
    pid_t const process_;
    bool is_open_ = false;
    bool is_lost_ = false;  // answered XAER_RMFAIL: xa_close is due
    std::optional<xid> at_work_on_;
    association as_ = association::expected;              // of that
    std::vector<std::pair<xid, association>> suspended_;  // none of them associated
    struct stubborn
    {
        xid branch;
        deadline again;
        std::chrono::milliseconds pause;
    };
    std::vector<stubborn> to_undo_;  // has its room since xa_start
    int handle_ = 0;                 // of the call that is outstanding; 0: none is
    std::optional<xid> ending_;      // whose end that is
    std::shared_ptr<ports::session_numbers::held const> kept_;
    bool is_outside_ = false;  // at work, and in no branch: it registered without one

    std::mutex mutex_;  // guards what follows
    bool is_over_ = false;
    bool is_left_unanswered_ = false;
    std::list<std::pair<xid, std::shared_ptr<ports::session_numbers::held const>>> left_;
};

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_THREAD_OPENING_HPP
