// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_verify.hpp"

#include <utility>

#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

using log::log_verdict;
using log::segment_state;

std::string place_of(log::log_inspection const& seen)
{
    if (seen.page == 0) return seen.where;
    return seen.where + " page " + std::to_string(seen.page) + " (byte " +
           std::to_string(std::uint64_t{seen.page} * log::page_bytes) + ")";
}

std::string sound(log::log_inspection const& seen)
{
    switch (seen.newest()->state) {
        case segment_state::sealed:
            return "sound: closed in order";
        case segment_state::live:
            return "sound: " + name_of_owner(seen.lock) + " owns it and writes on";
        default:
            return "sound: not closed, its owner was killed";
    }
}

void conclude(verify_report& told)
{
    auto const& seen = told.seen;
    std::string const restore =
        "restore the whole directory as it was last, or move a copy of it aside and ask for help; "
        "never begin a new log here while a database lists branches of this node";
    switch (seen.verdict) {
        case log_verdict::none:
        case log_verdict::sound:
            told.verdict = sound(seen);
            told.advice = "nothing";
            return;
        case log_verdict::torn:
            told.verdict = "torn: " + place_of(seen) + ": " + seen.why +
                           "; nobody was told of that force, and nothing is lost";
            told.advice =
                "nothing: whoever opens the log goes on in a fresh segment and keeps this one "
                "aside; assent log repair does that now";
            return;
        case log_verdict::damaged:
            told.verdict = "damaged: " + place_of(seen) + ": " + seen.why;
            told.advice =
                seen.lock.is_held
                    ? "do not stop " + name_of_owner(seen.lock) +
                          ": it has all of the log in memory, and writes it into the next segment "
                          "when this one is full; then verify again, and look into the disk"
                    : "delete and truncate nothing; look into the disk; then assent log repair "
                      "--salvage-into NEWDIR writes a new log from everything that is sound";
            break;
        case log_verdict::foreign:
            told.verdict = "damaged: " + place_of(seen) + ": " + seen.why;
            told.advice = "move what is not of this log out of the directory";
            break;
        case log_verdict::missing:
            told.verdict = "damaged: " + place_of(seen) + ": " + seen.why;
            told.advice =
                seen.is_newest_missing
                    ? restore
                    : "restore the whole directory; the newest segment is there, so "
                      "assent log repair --salvage-into NEWDIR can write a new log from it";
            break;
        case log_verdict::newer:
            told.verdict = "not readable: " + place_of(seen) + ": " + seen.why;
            told.advice = "use the version of assent that wrote it";
            told.raise(exit_code::failed, told.verdict);
            return;
    }
    told.raise(exit_code::damaged, told.verdict);
}

/// Damage that decides nothing is told all the same: the disk may be failing.
void note_older(verify_report& told)
{
    for (auto const& one : told.seen.segments) {
        if (&one.is == told.seen.newest() || one.is.damaged.first.empty()) continue;
        if (one.is.state != segment_state::corrupt) continue;
        told.raise(exit_code::attention,
                   "segment " + std::to_string(one.is.number) +
                       " is damaged as well; a newer one replaced it, and nothing in it counts, "
                       "but look into the disk");
    }
}

}  // namespace

std::string word_for(segment_state state)
{
    switch (state) {
        case segment_state::sealed:
            return "sealed";
        case segment_state::unsealed:
            return "unsealed";
        case segment_state::live:
            return "live";
        case segment_state::torn:
            return "torn";
        case segment_state::corrupt:
            return "corrupt";
        case segment_state::headless:
            return "without header";
        case segment_state::newer:
            return "newer version";
    }
    return "?";
}

std::string word_for(log_verdict verdict)
{
    switch (verdict) {
        case log_verdict::none:
            return "none";
        case log_verdict::sound:
            return "sound";
        case log_verdict::torn:
            return "torn";
        case log_verdict::damaged:
            return "damaged";
        case log_verdict::foreign:
            return "foreign";
        case log_verdict::missing:
            return "missing";
        case log_verdict::newer:
            return "newer";
    }
    return "?";
}

std::string range_of(std::uint64_t first, std::uint64_t last)
{
    if (first == last) return std::to_string(first);
    return std::to_string(first) + " to " + std::to_string(last);
}

std::string name_of_owner(log::lock_facts const& lock)
{
    return lock.owner.pid == 0 ? "another process" : "process " + std::to_string(lock.owner.pid);
}

verify_report make_verify(log::log_inspection seen)
{
    verify_report told;
    told.seen = std::move(seen);
    conclude(told);
    note_older(told);
    return told;
}

verify_report verify(log_target const& which, progress_function const& progress)
{
    opened_target at(which);
    return make_verify(at.inspect(progress));
}

}  // namespace assent::cli
