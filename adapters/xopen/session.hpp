// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// session.hpp -- a switch as the engine sees it: one thread's way to it, for one transaction, or
// for a worker of the manager's.
//
//   start         xa_start
//   prepare       xa_end(TMSUCCESS), xa_prepare
//   one phase     xa_end(TMSUCCESS), xa_commit(TMONEPHASE)
//   rollback      xa_end(TMFAIL) where the thread is at work on it, xa_rollback
//   commit, forget
//   suspend       xa_end(TMSUSPEND), with TMMIGRATE where the switch allows that
//   resume        xa_start(TMRESUME)
//   both, where any thread may join a branch: xa_end(TMSUCCESS), xa_start(TMJOIN)
//
// A routine of a switch returns when it is done, so submit() notes the verb and collect() carries
// it out, on the thread that opened the switch; no deadline can interrupt it.  A switch that has
// TMUSEASYNC is asked in submit() (TMASYNC), and collect() asks by xa_complete whether it is done.
//
// Invariant: no verb is sent from another thread, unless the branch migrates: then it is resumed by
// the thread that sends it.  Once xa_end was refused nothing is prepared, and
// nothing is committed; that it was rolled back is said where xa_rollback has said so.

#ifndef ASSENT_ADAPTERS_XOPEN_SESSION_HPP
#define ASSENT_ADAPTERS_XOPEN_SESSION_HPP

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <assent/driver.hpp>

#include "adapters/xopen/thread_opening.hpp"
#include "src/ports/session_numbers.hpp"

namespace assent::xopen_switch {

class session final : public driver_session
{
public:
    /// `on` is null for the guardian, which has nothing to ask a switch.
    session(std::string const& resource_manager, std::shared_ptr<thread_opening> on,
            std::shared_ptr<ports::session_numbers::held const> number, bool moves_by_join = false);
    ~session() override;

    std::uint64_t id() const noexcept override { return id_; }
    server_life life() const override;
    void* native_handle() noexcept override;
    int descriptor() const noexcept override { return -1; }
    void declare(branch_modes const& next) noexcept override { next_ = next; }
    void submit(verb v, xid const& x) noexcept override;
    std::optional<reply> collect(deadline until) noexcept override;
    reply suspend(xid const& x) noexcept override;
    reply resume(xid const& x) noexcept override;
    bool is_reusable() const noexcept override;
    void sever() noexcept override;
    void abandon() noexcept override { is_abandoned_ = true; }

    /// @throws driver_error  errc::invalid_state: it is a guardian's, or another thread's.
    thread_opening& opening() const;

private:
    std::optional<reply> why_not() const;
    std::optional<reply> answer(deadline until);
    reply start(xid const& x);
    std::optional<reply> make_ready(verb v, xid const& x);
    int send(verb v, xid const& x, long flags);
    std::optional<reply> begun_as(verb v, xid const& x, int answer);
    reply heard(verb v, xid const& x, int answer);
    bool ends_unused(xid const& x);
    std::optional<reply> end_work(xid const& x);
    reply not_committed(reply refused);
    std::optional<reply> why_busy() const;
    void come_here();
    int give_up(xid const& x);
    void let_go() noexcept;

    std::string const& resource_manager_;
    std::shared_ptr<thread_opening> on_;  // another thread's once the branch has migrated
    std::shared_ptr<ports::session_numbers::held const> number_;  // until it was severed
    std::uint64_t const id_;
    std::optional<std::pair<verb, xid>> asked_;
    bool is_sent_ = false;        // the routine of what is asked was called
    std::optional<reply> ready_;  // the answer, before it was collected
    std::optional<xid> begun_;    // and not ended yet
    // That one is no thread's, and is adopted as this.
    std::optional<association> nobodys_as_;
    bool const moves_by_join_;
    branch_modes next_;
    bool is_undoing_ = false;  // what is rolled back was not prepared
    bool is_prepared_ = false;
    bool is_severed_ = false;
    bool is_abandoned_ = false;
};

}  // namespace assent::xopen_switch

#endif  // ASSENT_ADAPTERS_XOPEN_SESSION_HPP
