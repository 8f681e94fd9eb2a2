// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// gate.hpp -- what may still be sent on a session, decided for the worker by others.
//
// A client's call cannot be interrupted, and may return long after its deadline.  Then the worker
// must not go on with the next statement of its verb: before each it passes the gate, which the
// session's owner shuts for good.  Invariant: once cut() has returned, nothing passes.
//
// A lent connection whose call does not return even then is left: from leave() on, nothing but that
// call touches it.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_GATE_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_GATE_HPP

#include <mutex>
#include <string>
#include <utility>

namespace assent::sql_text {

/// Thread safety: every member may be called from several threads at once.
class gate
{
public:
    /// Shuts the gate.
    void cut()
    {
        std::lock_guard const hold(mutex_);
        is_cut_ = true;
    }
    /// Shuts it, also for what would only undo: the connection is its owner's again.
    void leave()
    {
        std::lock_guard const hold(mutex_);
        is_cut_ = true;
        is_left_ = true;
    }
    bool is_left() const
    {
        std::lock_guard const hold(mutex_);
        return is_left_;
    }
    bool is_cut() const
    {
        std::lock_guard const hold(mutex_);
        return is_cut_;
    }

    /// @return whether a statement may be sent now.
    bool pass() const { return !is_cut(); }

    /// The same for the COMMIT of one phase, behind which nobody can say "it was never sent".
    bool pass_commit()
    {
        std::lock_guard const hold(mutex_);
        if (is_cut_) return false;
        has_commit_passed_ = true;
        return true;
    }
    bool has_commit_passed() const
    {
        std::lock_guard const hold(mutex_);
        return has_commit_passed_;
    }

    /// Whom to ask about that COMMIT, known before it is sent.
    void note_witness(std::string witness)
    {
        std::lock_guard const hold(mutex_);
        witness_ = std::move(witness);
    }
    std::string witness() const
    {
        std::lock_guard const hold(mutex_);
        return witness_;
    }

    /// Before each verb.
    void forget_commit()
    {
        std::lock_guard const hold(mutex_);
        has_commit_passed_ = false;
        witness_.clear();
    }

private:
    mutable std::mutex mutex_;
    bool is_cut_ = false;
    bool is_left_ = false;
    bool has_commit_passed_ = false;
    std::string witness_;
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_GATE_HPP
