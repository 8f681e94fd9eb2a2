// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// told.hpp -- the halves whose broker asked back and was told that they commit.
//
// It may have released such a half by itself by the time it is asked to: that it has none of that
// name is no sign that somebody else has settled it.
//
// Thread safety: every member may be called from several threads at once.

#ifndef ASSENT_ADAPTERS_HALF_MESSAGES_TOLD_HPP
#define ASSENT_ADAPTERS_HALF_MESSAGES_TOLD_HPP

#include <cstddef>
#include <list>
#include <map>
#include <mutex>

#include <assent/xid.hpp>

namespace assent::half_messages {

class told_commits
{
public:
    static constexpr std::size_t kept_max = 65'536;

    /// Without memory for it, or where as many came after it as are kept, it is forgotten: then a
    /// half that is not there is a hazard on record, for a person to look at.
    void note(xid const& half) noexcept;
    /// Whether it was noted, which it is no longer.
    bool take(xid const& half) noexcept;

private:
    std::mutex mutex_;
    std::list<xid> order_;  // the oldest first
    std::map<xid, std::list<xid>::iterator> all_;
};

}  // namespace assent::half_messages

#endif  // ASSENT_ADAPTERS_HALF_MESSAGES_TOLD_HPP
