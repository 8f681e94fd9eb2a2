// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// outage_page.hpp -- a report as one page of HTML that needs nothing else: no script, no font, no
// picture from elsewhere, and a policy in it that would refuse each.

#ifndef ASSENT_RECOVERY_CLI_OUTAGE_PAGE_HPP
#define ASSENT_RECOVERY_CLI_OUTAGE_PAGE_HPP

#include <string>
#include <string_view>

#include "recovery/cli/outage.hpp"

namespace assent::cli {

std::string in_html(outage_report const& told);

/// How the page looks: light, dark, narrow, printed.
std::string_view page_style() noexcept;

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_OUTAGE_PAGE_HPP
