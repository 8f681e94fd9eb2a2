// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// told_once.hpp -- keeps a worker from telling the same words at each attempt, for hours.

#ifndef ASSENT_RECOVERY_TOLD_ONCE_HPP
#define ASSENT_RECOVERY_TOLD_ONCE_HPP

#include <string>

namespace assent::recovery {

/// Thread safety: its worker's step() alone.
class told_once
{
public:
    /// @return whether these are other words than the last ones.
    bool is_news(std::string const& words)
    {
        if (words == last_) return false;
        last_ = words;
        return true;
    }
    /// All went well: the same words are news again.
    void forget() noexcept { last_.clear(); }

private:
    std::string last_;
};

}  // namespace assent::recovery

#endif  // ASSENT_RECOVERY_TOLD_ONCE_HPP
