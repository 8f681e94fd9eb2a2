// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// reply_class.hpp -- replies, folded into the classes that the protocol tells apart.
//
// Whatever is not named here is `unknown`, and unknown is never success and never "rolled back".

#ifndef ASSENT_PROTOCOL_REPLY_CLASS_HPP
#define ASSENT_PROTOCOL_REPLY_CLASS_HPP

#include <cstdint>
#include <string_view>

#include <assent/xa.hpp>

namespace assent::protocol {

enum class reply_class : std::uint8_t {
    ok = 0,
    rdonly = 1,                // XA_RDONLY
    retry = 2,                 // XA_RETRY, and a server that is busy with the branch
    rolled_back = 3,           // XA_RB*
    heuristic_commit = 4,      // XA_HEURCOM
    heuristic_rollback = 5,    // XA_HEURRB
    heuristic_mixed = 6,       // XA_HEURMIX
    heuristic_hazard = 7,      // XA_HEURHAZ
    rmerr = 8,                 // XAER_RMERR
    rmfail = 9,                // XAER_RMFAIL, or the connection broke: it may have been done
    nota = 10,                 // XAER_NOTA: says nothing by itself
    left_behind = 11,          // the mark taken at start is gone
    read_only_left = 12,       // a read-only prepared branch whose owner left (MariaDB)
    silent = 13,               // no reply when the wait ended
    unknown = 14,              // XAER_PROTO, XAER_INVAL, and every code we have no name for
    listed = 15,               // a later valid scan lists the branch
    absent = 16,               // a later valid scan lacks it, and its session is gone
    witness_committed = 17,    // the server says the one-phase transaction committed
    witness_rolled_back = 18,  // the server says it did not
    vanished = 19,             // absent, and the server has lost a part of its past since
    row_commits = 20,          // the row in which the decision lives says commit
    row_aborts = 21,           // ... an abort row took its place, for good
    still_open = 22            // yes, of a declared read-only branch: it ends with the outcome
};

inline constexpr int reply_class_count = 23;

reply_class classify(reply const& what) noexcept;
std::string_view name_of(reply_class what) noexcept;

}  // namespace assent::protocol

#endif  // ASSENT_PROTOCOL_REPLY_CLASS_HPP
