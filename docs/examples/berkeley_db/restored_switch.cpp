// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "restored_switch.hpp"

#include <db.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include <xopen/xa.h>

extern "C" {
extern const xa_switch_t db_xa_switch;
}

namespace {

/// The home that any thread has called the switch for last; null: there is none.
DB_ENV* last_used()
{
    DB* handle = nullptr;
    if (::db_create(&handle, nullptr, DB_XA_CREATE) != 0) return nullptr;
    DB_ENV* const home = handle->get_env(handle);
    handle->close(handle, 0);
    return home;
}

/// @pre  the calling thread has just opened it.
/// @return null: it was not found.
DB_ENV* environment_of(char const* home, int rmid)
{
    // Another thread may call the switch for another home before it is asked which was the last.
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
        DB_ENV* const found = last_used();
        char const* name = nullptr;
        bool const is_named = found != nullptr && found->get_home(found, &name) == 0 && name;
        if (is_named && std::strcmp(name, home) == 0) return found;
        XID nobodys{};
        db_xa_switch.xa_forget_entry(&nobodys, rmid, TMNOFLAGS);  // makes it the last, if no more
    }
    return nullptr;
}

/// The homes that are open, and what a crash left prepared in them, by its name.
class restored
{
public:
    static restored& of_process()
    {
        static restored* const all = new restored;
        return *all;
    }

    /// Its branches once, and before one of this process is prepared: the native list would take
    /// part in what it lists.  @pre  the calling thread has just opened the switch.
    bool take(char const* named, int rmid)
    {
        std::lock_guard const held{mutex_};
        DB_ENV* const home = environment_of(named, rmid);
        if (home == nullptr) return false;
        bool const is_taken = homes_.count(rmid) != 0;
        if (is_taken) {
            homes_[rmid] = home;  // it may have been closed since, and opened again
            return true;
        }
        bool is_whole = true;
        for (auto from = DB_FIRST;; from = DB_NEXT) {
            DB_PREPLIST page[16];
            long count = 0;
            is_whole = home->txn_recover(home, page, 16, &count, from) == 0;
            if (!is_whole || count == 0) break;
            for (long i = 0; i < count; ++i)
                branches_[name_of(page[i].gid)] = page[i].txn;
        }
        if (is_whole) homes_[rmid] = home;
        return is_whole;
    }

    /// @return null: nobody has opened it.
    DB_ENV* home_of(int rmid)
    {
        std::lock_guard const held{mutex_};
        auto const at = homes_.find(rmid);
        return at == homes_.end() ? nullptr : at->second;
    }

    /// @return null: it is none of them, or somebody has it.
    DB_TXN* give(XID const& name)
    {
        std::lock_guard const held{mutex_};
        auto const at = branches_.find(name_of(name.data));
        if (at == branches_.end()) return nullptr;
        DB_TXN* const one = at->second;
        branches_.erase(at);
        return one;
    }

private:
    static std::string name_of(void const* bytes)
    {
        return {static_cast<char const*>(bytes), XIDDATASIZE};
    }

    std::mutex mutex_;
    std::map<int, DB_ENV*> homes_;  // by the switch's number for them
    std::map<std::string, DB_TXN*> branches_;
};

int open(char* home, int rmid, long flags)
{
    int const answer = db_xa_switch.xa_open_entry(home, rmid, flags);
    if (answer != XA_OK || restored::of_process().take(home, rmid)) return answer;
    db_xa_switch.xa_close_entry(home, rmid, TMNOFLAGS);
    return XAER_RMERR;
}

/// xa_commit and xa_rollback leave their records in memory, where a process that is killed loses
/// them: what it had answered XA_OK for would be gone in one phase, and prepared again in two.
/// @pre  the calling thread has it open.
bool force_log(int rmid)
{
    DB_ENV* const home = restored::of_process().home_of(rmid);
    return home != nullptr && home->log_flush(home, nullptr) == 0;
}

// What the native interface could not do may have been done or not: XAER_RMFAIL says that.

int commit(XID* name, int rmid, long flags)
{
    DB_TXN* const one = restored::of_process().give(*name);
    int answer = XA_OK;
    if (one == nullptr) {
        answer = db_xa_switch.xa_commit_entry(name, rmid, flags);
    } else if (one->commit(one, 0) != 0) {
        answer = XAER_RMFAIL;
    }
    return answer == XA_OK && !force_log(rmid) ? XAER_RMFAIL : answer;
}

int rollback(XID* name, int rmid, long flags)
{
    DB_TXN* const one = restored::of_process().give(*name);
    int answer = XA_OK;
    if (one == nullptr) {
        answer = db_xa_switch.xa_rollback_entry(name, rmid, flags);
    } else if (one->abort(one) != 0) {
        answer = XAER_RMFAIL;
    }
    return answer == XA_OK && !force_log(rmid) ? XAER_RMFAIL : answer;
}

xa_switch_t decorated()
{
    xa_switch_t made = db_xa_switch;
    made.xa_open_entry = &open;
    made.xa_commit_entry = &commit;
    made.xa_rollback_entry = &rollback;
    return made;
}

}  // namespace

xa_switch_t const& restored_switch()
{
    static xa_switch_t const one = decorated();
    return one;
}
