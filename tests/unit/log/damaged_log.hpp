// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// damaged_log.hpp -- a log with everything in it, and ways to damage its pages.

#ifndef ASSENT_TESTS_LOG_DAMAGED_LOG_HPP
#define ASSENT_TESTS_LOG_DAMAGED_LOG_HPP

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "log/bytes.hpp"
#include "log/crc32c.hpp"
#include "log/file_log.hpp"
#include "log/format.hpp"
#include "log_fixture.hpp"

namespace assent::testing {

using file_bytes = std::vector<std::byte>;

inline std::string const first_segment = "0000000000000001.seg";
inline std::string const second_segment = "0000000000000002.seg";

inline std::span<std::byte> page_of(file_bytes& file, std::size_t page)
{
    return std::span(file).subspan(page * log::page_bytes, log::page_bytes);
}

/// Changes one byte of a page, so that its checksum is wrong.
inline void spoil(file_bytes& file, std::size_t page)
{
    page_of(file, page)[200] ^= std::byte{1};
}

inline void wipe(file_bytes& file, std::size_t page)
{
    auto const at = page_of(file, page);
    std::fill(at.begin(), at.end(), std::byte{0});
}

/// Makes a page's checksum right again, whatever it says.
inline void reseal(file_bytes& file, std::size_t page)
{
    auto const at = page_of(file, page);
    log::put_le<std::uint32_t>(at.data(), log::crc32c(at.subspan(4)));
}

inline std::shared_ptr<simulated_disk> disk_with(std::string const& name, file_bytes const& file)
{
    auto disk = std::make_shared<simulated_disk>();
    disk->put(name, file);
    return disk;
}

/// Segment 2 of a log that was opened twice:
///
///   page  1     snapshot: openings 1 and 2, bindings of accounts (1) and orders (2), and more
///   page  2     decision 1, which is finished later         lsn of page n: first_lsn[n]
///   page  3     decision 2
///   page  4     ledger (3) is bound: the epoch, and the binding
///   page  5     decision 3, over all three
///   page  6     a heuristic
///   page  7     decision 4, and the end of decision 1
///   page  8     seal
struct eventful_log
{
    explicit eventful_log(bool is_closed = true)
    {
        {
            auto const before = open_on(disk, 1);
            before->bind("accounts", "memory", "identity-a");
            before->bind("orders", "memory", "identity-o");
        }
        auto log = open_on(disk, 2);
        node = log->node();
        opening = log->current();
        for (std::uint64_t i = 1; i <= 2; ++i) {
            decisions.push_back(decision_of(*log, i));
            log->force(decisions.back(), far_away());
        }
        log->bind("ledger", "memory", "identity-l");
        decisions.push_back(decision_of(*log, 3, 3));
        log->force(decisions.back(), far_away());
        ports::heuristic_record odd;
        odd.branch = {decisions[1].global, decisions[1].branches[0]};
        odd.resource_manager = "accounts";
        odd.text = "it was \x1b[31mred\x1b[0m";
        odd.unix_ms = 5;
        log->record(odd);
        finish(*log, decisions[0]);
        decisions.push_back(decision_of(*log, 4));
        log->force(decisions.back(), far_away());
        if (is_closed) log->close();
        segment = disk->contents(second_segment);
        kept = std::move(log);
    }

    std::shared_ptr<simulated_disk> disk = std::make_shared<simulated_disk>();
    std::unique_ptr<log::file_log> kept;  // open still, unless it was closed
    std::uint64_t node = 0;
    ports::opening opening;
    std::vector<ports::decision> decisions;
    file_bytes segment;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_LOG_DAMAGED_LOG_HPP
