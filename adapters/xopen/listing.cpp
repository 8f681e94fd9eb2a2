// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/listing.hpp"

#include <cstddef>
#include <vector>

#include "adapters/dialects/subject.hpp"
#include "adapters/xopen/codes.hpp"

namespace assent::xopen_switch {

namespace {

constexpr std::size_t page_size = 64;
// A switch that loses its place in the list would give the first page for ever.
constexpr std::size_t listed_max = 1'000'000;

}  // namespace

void list(std::string const& resource_manager, thread_opening& by, scan_result& into)
{
    auto const fail = [&](std::string const& why) {
        throw driver_error(dialects::subject(resource_manager) + why);
    };
    std::vector<XID> page(page_size);
    std::size_t seen = 0;
    auto const take = [&](long flags) {
        int const answer = by.recover(page, flags);
        if (answer < 0) fail(words_of("xa_recover", answer));
        auto const count = static_cast<std::size_t>(answer);
        if (count > page_size) {
            fail("xa_recover says that it gave " + std::to_string(answer) + " names where " +
                 std::to_string(page_size) + " have room");
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (auto const ours = parse(page[i])) {
                into.ours.push_back(*ours);
            } else {
                ++into.foreign_count;
            }
        }
        seen += count;
        if (seen > listed_max) fail("xa_recover does not come to an end");
        return count;
    };
    auto count = take(TMSTARTRSCAN);
    while (count == page_size)
        count = take(TMNOFLAGS);
    take(TMENDRSCAN);
}

}  // namespace assent::xopen_switch
