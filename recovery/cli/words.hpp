// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// words.hpp -- reports, for people: aligned tables and plain words, times in UTC.

#ifndef ASSENT_RECOVERY_CLI_WORDS_HPP
#define ASSENT_RECOVERY_CLI_WORDS_HPP

#include <string>

#include "ports/horizon.hpp"
#include "recovery/cli/report.hpp"
#include "recovery/cli/text.hpp"

namespace assent::cli {

std::string in_words(status_report const& told, painter const& paint);
std::string in_words(scan_report const& told, painter const& paint);
std::string in_words(recover_report const& told, painter const& paint);
std::string in_words(show_report const& told, painter const& paint);
std::string in_words(doctor_report const& told, painter const& paint);

/// `ok`, `advice`, `warning`, `error`
char const* word_for(finding_level level) noexcept;

/// `2/17`: everything up to epoch 2, sequence 17; `2/17, 4/9 alone`: and of epoch 4 up to 9.
std::string word_for(ports::horizon const& what);

/// XA's name of a heuristic: `committed`, `rolled back`, `mixed`, `hazard`.
std::string word_for(xa_code heuristic);

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_WORDS_HPP
