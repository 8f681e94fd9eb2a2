// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// foreign_monitor.hpp -- a transaction monitor that knows a switch by xopen/xa.h, and nothing of
// ours.

#ifndef ASSENT_TESTS_CONTRACT_FOREIGN_MONITOR_HPP
#define ASSENT_TESTS_CONTRACT_FOREIGN_MONITOR_HPP

#include <xopen/xa.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace assent::contract {

/// @pre  the parts are not longer than XIDs have room for.
inline XID foreign_name(long format_id, std::string const& gtrid, std::string const& bqual)
{
    XID made{};
    made.formatID = format_id;
    made.gtrid_length = static_cast<long>(gtrid.size());
    made.bqual_length = static_cast<long>(bqual.size());
    auto* const behind = std::copy(gtrid.begin(), gtrid.end(), made.data);
    std::copy(bqual.begin(), bqual.end(), behind);
    return made;
}

inline bool is_same(XID const& a, XID const& b)
{
    return a.formatID == b.formatID && a.gtrid_length == b.gtrid_length &&
           a.bqual_length == b.bqual_length &&
           std::equal(std::begin(a.data), std::end(a.data), std::begin(b.data));
}

/// One rmid of a switch.
class foreign_monitor
{
public:
    foreign_monitor(xa_switch_t& entries, std::string info, int rmid)
        : entries_(entries), info_(std::move(info)), rmid_(rmid)
    {
    }

    int rmid() const { return rmid_; }
    int open(long flags = TMNOFLAGS) { return open(info_, flags); }
    int open(std::string info, long flags = TMNOFLAGS)
    {
        return entries_.xa_open_entry(info.data(), rmid_, flags);
    }
    int close(long flags = TMNOFLAGS)
    {
        return entries_.xa_close_entry(info_.data(), rmid_, flags);
    }
    int start(XID x, long flags = TMNOFLAGS) { return entries_.xa_start_entry(&x, rmid_, flags); }
    int end(XID x, long flags = TMSUCCESS) { return entries_.xa_end_entry(&x, rmid_, flags); }
    int prepare(XID x, long flags = TMNOFLAGS)
    {
        return entries_.xa_prepare_entry(&x, rmid_, flags);
    }
    int commit(XID x, long flags = TMNOFLAGS) { return entries_.xa_commit_entry(&x, rmid_, flags); }
    int rollback(XID x, long flags = TMNOFLAGS)
    {
        return entries_.xa_rollback_entry(&x, rmid_, flags);
    }
    int forget(XID x, long flags = TMNOFLAGS) { return entries_.xa_forget_entry(&x, rmid_, flags); }

    /// One call.  @return what it answered; what it listed is in `into`.
    int recover(std::vector<XID>& into, std::size_t room, long flags)
    {
        into.assign(room, XID{});
        int const answer =
            entries_.xa_recover_entry(into.data(), static_cast<long>(room), rmid_, flags);
        into.resize(answer > 0 ? static_cast<std::size_t>(answer) : 0);
        return answer;
    }
    /// All that is prepared.
    std::vector<XID> recover()
    {
        std::vector<XID> listed;
        recover(listed, 1000, TMSTARTRSCAN | TMENDRSCAN);
        return listed;
    }
    bool lists(XID const& x)
    {
        auto const all = recover();
        return std::any_of(all.begin(), all.end(), [&](XID const& y) { return is_same(x, y); });
    }

private:
    xa_switch_t& entries_;
    std::string info_;
    int rmid_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_FOREIGN_MONITOR_HPP
