// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_repair.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <system_error>
#include <utility>

#include "log/log_error.hpp"
#include "log/log_opening.hpp"
#include "recovery/cli/log_verify.hpp"
#include "recovery/cli/status.hpp"

namespace assent::cli {

namespace {

namespace fs = std::filesystem;
using log::log_verdict;

log::repair_settings settings_of(repair_options const& how)
{
    auto const device = std::make_shared<std::random_device>();
    log::repair_settings settings;
    settings.who = how.who;
    settings.why = how.reason;
    settings.random = [device] { return std::uint64_t{(*device)()} << 32 | (*device)(); };
    settings.unix_ms = [] {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    };
    return settings;
}

/// The lock of the log, so that nobody opens it meanwhile.  Nothing is taken where there is no lock
/// file, which every owner makes first, or where nobody can write at all.
std::unique_ptr<log::log_lock> lock(opened_target& at, repair_options const& how)
{
    auto& files = at.files();
    std::vector<std::string> names;
    try {
        if (long const listed = files.list(names); listed < 0) {
            throw log::io_failure(listed, files.directory(), "cannot list the directory");
        }
        if (std::count(names.begin(), names.end(), "lock") == 0) return nullptr;
        return std::make_unique<log::log_lock>(files, how.lock_wait);
    } catch (log::log_error const& e) {
        if (e.code() == std::errc::read_only_file_system) return nullptr;
        throw explain(at.target(), e);
    }
}

std::string counted(std::uint64_t number, std::string const& one, std::string const& many)
{
    return count_of(static_cast<std::size_t>(number), one, many);
}

void plan_torn(repair_report& told)
{
    auto const& newest = *told.seen.newest();
    told.plan = {
        "begin segment " + std::to_string(newest.number + 1) +
            " with everything that counts, and force it",
        "keep segment " + std::to_string(newest.number) + " as " + newest.path + ".torn-<time>",
        "record in the log who did it and why; no database is contacted",
    };
}

std::string what_is_left(log::salvage_plan const& plan)
{
    auto const& image = plan.image;
    auto const unfinished = image.live_decisions();
    return counted(plan.records, "record is", "records are") +
           " sound: " + counted(unfinished, "decision", "decisions") + " to be carried out, " +
           counted(image.decisions().size() - unfinished, "finished one", "finished ones") + ", " +
           counted(image.bindings().size(), "resource manager", "resource managers") + ", " +
           counted(image.openings().size(), "opening", "openings") + ", " +
           counted(image.heuristics().size(), "heuristic outcome", "heuristic outcomes");
}

std::string what_is_lost(log::salvage_loss const& loss)
{
    if (loss.is_nothing()) return "no record is lost";
    std::string text = counted(loss.records.total, "record is", "records are") + " lost";
    for (std::size_t i = 0; i < loss.records.first.size(); ++i) {
        text += (i == 0 ? ": " : ", ") +
                range_of(loss.records.first[i].first, loss.records.first[i].last);
    }
    if (loss.records.left_out > 0) text += ", and more";
    if (loss.pages_at_end > 0) {
        text += "; and whatever " + counted(loss.pages_at_end, "page", "pages") +
                " at the end held: how many records, nobody can say";
    }
    return text;
}

void plan_salvage(repair_report& told)
{
    auto const& plan = *told.salvage;
    auto const& loss = plan.loss;
    auto const epoch = std::to_string(plan.image.last_epoch());
    told.plan = {what_is_left(plan), what_is_lost(loss)};
    if (!loss.is_nothing()) {
        told.plan.push_back(
            "what was lost may have been decisions: whatever a database lists of epoch " + epoch +
            " or earlier, and no decision that is left names, is quarantined for a person, and "
            "never rolled back");
    }
    if (!loss.ids.empty() || loss.maybe_to != 0) {
        std::string ids;
        for (auto const id : loss.ids)
            ids += (ids.empty() ? "" : ", ") + std::to_string(id);
        if (loss.maybe_to != 0) {
            ids += (ids.empty() ? "" : ", ") + range_of(loss.maybe_from, loss.maybe_to);
        }
        told.plan.push_back("what was lost may have bound resource managers: their ids (" + ids +
                            ") are never given again, and nothing is said to be drained as long "
                            "as they are listed");
    }
    told.plan.push_back("write the new log into " + told.salvage_into +
                        ", with the same node and label; " + told.seen.directory +
                        " is left as it is");
}

/// A directory that is new or empty, and not in the damaged one.
void check_new_directory(repair_report const& told)
{
    std::error_code gone;
    auto const canonical = [&gone](std::string const& path) {
        auto const whole = fs::weakly_canonical(path, gone);
        return whole.has_filename() ? whole : whole.parent_path();
    };
    fs::path const into = canonical(told.salvage_into);
    fs::path const from = canonical(told.seen.directory);
    auto const end = std::mismatch(from.begin(), from.end(), into.begin(), into.end()).first;
    if (end == from.end()) {
        throw failure{exit_code::misused,
                      "the new log must not lie in the damaged one's "
                      "directory; name another with --salvage-into"};
    }
    log::posix_file_layer files(told.salvage_into);
    log::directory_facts facts;
    if (files.attach(false, facts) == -ENOENT) return;
    std::vector<std::string> names;
    files.list(names);
    bool const is_empty = std::all_of(names.begin(), names.end(), [](std::string const& name) {
        return name == "lock" || name.ends_with(".seg.tmp");
    });
    if (!is_empty) {
        throw failure{exit_code::misused, "\"" + told.salvage_into +
                                              "\" is not empty; name a directory that is, or is "
                                              "new, with --salvage-into"};
    }
}

/// Why nothing may be done yet; empty: it may.
std::string why_not(repair_report const& told, repair_options const& how)
{
    if (how.reason.empty()) {
        return "nothing was done: say why with --reason; it is recorded in the log";
    }
    if (how.is_confirmed || (how.ask && how.ask(told))) return {};
    return how.ask ? "nothing was done: it was not confirmed"
                   : "nothing was done: confirm it with --yes";
}

void act_on_torn(repair_report& told, opened_target& at, std::unique_ptr<log::log_lock> held,
                 repair_options const& how)
{
    // Only the owner of a directory that nobody else can write may go on in it.
    log::posix_file_layer check(at.files().directory());
    log::attach_safely(check, true, {at.facts().file_system, at.target().allow_file_system});
    // A log that was copied without its lock file has none yet.
    if (!held) held = std::make_unique<log::log_lock>(at.files(), how.lock_wait);
    auto const& newest = *told.seen.newest();
    auto const opened =
        log::repair_torn(at.files(), *held, newest.header->node_label, settings_of(how));
    told.epoch = opened.epoch;
    told.has_acted = true;
    told.done = "the log goes on in segment " + std::to_string(newest.number + 1) +
                "; the torn one is kept aside, and may be deleted";
}

void act_on_damage(repair_report& told, opened_target& at, repair_options const& how)
{
    log::posix_file_layer into(told.salvage_into);
    // What was good enough for the damaged log is so for this one.
    log::attach_safely(into, true, {at.facts().file_system, at.target().allow_file_system});
    bool const is_whole = told.salvage->loss.is_nothing();
    auto const opened = log::write_salvage(*told.salvage, into, settings_of(how));
    told.epoch = opened.epoch;
    told.has_acted = true;
    told.done = "the new log is in " + told.salvage_into +
                ": let the application, or log_directory, name it; keep the damaged one, and never "
                "open both";
    if (is_whole) return;
    told.raise(exit_code::attention,
               "something is lost: start the servers and run assent scan with the new log; what it "
               "quarantines is yours to end");
}

void plan(repair_report& told, opened_target& at, repair_options const& how)
{
    auto const verdict = told.seen.verdict;
    if (verdict == log_verdict::newer) throw failure{exit_code::failed, told.state};
    if (verdict == log_verdict::sound || verdict == log_verdict::torn) {
        if (!how.salvage_into.empty() && verdict == log_verdict::torn) {
            throw failure{exit_code::misused,
                          "the log is only torn: repair it without --salvage-into"};
        }
        if (verdict == log_verdict::torn) plan_torn(told);
        return;
    }
    told.raise(exit_code::damaged, told.state);
    try {
        told.salvage = log::plan_salvage(at.files(), told.seen);
    } catch (log::log_error const& e) {
        told.raise(exit_code::damaged, std::string{"it cannot be salvaged: "} + e.what());
        return;
    }
    if (how.salvage_into.empty()) {
        told.raise(exit_code::damaged,
                   "a damaged log is never repaired in place; --salvage-into NEWDIR writes a new "
                   "one from what is sound: " +
                       what_is_left(*told.salvage) + "; " + what_is_lost(told.salvage->loss));
        return;
    }
    check_new_directory(told);
    plan_salvage(told);
}

}  // namespace

std::string this_user()
{
    std::string who = "uid " + std::to_string(::getuid());
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found) {
        who += std::string{" ("} + found->pw_name + ")";
    }
    return who;
}

repair_report repair(log_target const& which, repair_options const& how)
{
    opened_target at(which);
    auto held = lock(at, how);
    repair_report told;
    auto verified = make_verify(at.inspect(how.progress, held != nullptr));
    told.state = verified.verdict;
    told.seen = std::move(verified.seen);
    told.salvage_into = how.salvage_into;
    plan(told, at, how);
    if (told.plan.empty()) return told;
    told.code = exit_code::fine;
    told.attention.clear();
    if (auto const why = why_not(told, how); !why.empty()) {
        told.raise(exit_code::misused, why);
        return told;
    }
    try {
        if (told.salvage) {
            act_on_damage(told, at, how);
        } else {
            act_on_torn(told, at, std::move(held), how);
        }
    } catch (log::log_error const& e) {
        throw explain(which, e);
    }
    return told;
}

}  // namespace assent::cli
