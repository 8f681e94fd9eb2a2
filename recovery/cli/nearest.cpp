// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace assent::cli {

namespace {

// A key of a configuration is short; what is longer is compared by its beginning.
constexpr std::size_t compared_max = 64;

/// Damerau and Levenshtein's distance, with adjacent swaps.
std::size_t distance(std::string_view a, std::string_view b)
{
    a = a.substr(0, compared_max);
    b = b.substr(0, compared_max);
    std::vector<std::vector<std::size_t>> best(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                best[i][j] = i + j;
                continue;
            }
            std::size_t const change = a[i - 1] == b[j - 1] ? 0 : 1;
            best[i][j] =
                std::min({best[i - 1][j] + 1, best[i][j - 1] + 1, best[i - 1][j - 1] + change});
            bool const is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap) best[i][j] = std::min(best[i][j], best[i - 2][j - 2] + 1);
        }
    }
    return best[a.size()][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::initializer_list<std::string_view> known)
{
    return *std::min_element(known.begin(), known.end(), [word](auto a, auto b) {
        return distance(word, a) < distance(word, b);
    });
}

}  // namespace assent::cli
