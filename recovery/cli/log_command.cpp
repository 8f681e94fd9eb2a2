// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_command.hpp"

#include <iostream>
#include <optional>
#include <string>

#include "recovery/cli/log_dump.hpp"
#include "recovery/cli/log_repair.hpp"
#include "recovery/cli/log_stats.hpp"
#include "recovery/cli/log_target.hpp"
#include "recovery/cli/log_verify.hpp"
#include "recovery/cli/progress_line.hpp"
#include "recovery/cli/show.hpp"

namespace assent::cli {

namespace {

template <class Report>
exit_code say(Report const& told, request const& asked, painter const& paint)
{
    std::cout << (asked.is_json ? in_json(told) : in_words(told, paint)) << std::flush;
    if (!std::cout) throw failure{exit_code::failed, "the output could not be written"};
    return told.code;
}

bool ask(repair_report const& told)
{
    std::cerr << in_words(told, painter{false}) << "\nType yes to go on: " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "yes";
}

dump_filter filter_of(request const& asked)
{
    dump_filter only;
    if (!asked.transaction.empty()) only.transaction = parse_transaction(asked.transaction);
    only.types.insert(asked.types.begin(), asked.types.end());
    only.is_unfinished_only = asked.is_unfinished_only;
    return only;
}

/// Told how far the reading is; shows it where somebody sees it, or asked for it.
class reading
{
public:
    reading(request const& asked, terminals const& with)
    {
        if (with.shows_progress || asked.has_progress)
            line_.emplace(std::cerr, with.shows_progress);
    }

    progress_function told()
    {
        if (!line_) return {};
        return [this](log::inspection_progress const& now) {
            if (line_) line_->tell(now);
        };
    }

    void end() { line_.reset(); }

private:
    std::optional<progress_line> line_;
};

}  // namespace

exit_code run_log(request const& asked, terminals const& with)
{
    painter const paint{with.has_colours};
    auto const which = target_of(asked);
    reading progress(asked, with);
    if (asked.command == "log dump") {
        dump_options how;
        how.only = filter_of(asked);
        how.is_json = asked.is_json;
        how.progress = progress.told();
        how.before_output = [&progress] { progress.end(); };
        return dump(which, how, std::cout, paint);
    }
    if (asked.command == "log repair") {
        repair_options how;
        how.salvage_into = asked.salvage_into;
        how.reason = asked.reason;
        how.who = this_user();
        how.is_confirmed = asked.is_confirmed;
        how.progress = progress.told();
        if (with.can_ask) {
            how.ask = [&progress](repair_report const& told) {
                progress.end();
                return ask(told);
            };
        }
        auto const told = repair(which, how);
        progress.end();
        return say(told, asked, paint);
    }
    if (asked.command == "log stats") {
        auto const told = stats(which, progress.told());
        progress.end();
        return say(told, asked, paint);
    }
    auto const told = verify(which, progress.told());
    progress.end();
    return say(told, asked, paint);
}

}  // namespace assent::cli
