// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/contract/control.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <stdexcept>

namespace assent::contract {

namespace {

std::string cell(std::string const& line, std::size_t number)
{
    std::size_t from = 0;
    for (std::size_t i = 0; i <= number; ++i) {
        from = line.find('|', from);
        if (from == line.npos) return {};
        ++from;
    }
    std::string text = line.substr(from, line.find('|', from) - from);
    text.erase(0, text.find_first_not_of(" `"));
    text.erase(text.find_last_not_of(" `") + 1);
    return text;
}

char const* name_of(position where)
{
    switch (where) {
        case position::after_start:
            return "after the start";
        case position::after_row_start:
            return "after the start for a commit row";
        case position::across_one_phase:
            return "across a branch";
        case position::after_rollback:
            return "after a rollback";
        case position::after_two_phases:
            return "after two phases";
        case position::after_one_phase:
            return "after one phase";
        case position::after_commit_row:
            break;
    }
    return "after a commit row";
}

/// Some work cannot be ended in every way, nor by hand: PostgreSQL prepares no temporary table, and
/// calls a COMMIT of what failed a success, where we say that it was rolled back.  What the
/// connection then is, is seen by the looks.
void end(control_side& side, position where)
{
    try {
        side.end(where);
    } catch (end_failed const&) {
    }
}

/// What the application sees of `what` at `where`.
std::string observe(control_side& side, property const& what, position where)
{
    bool const is_at_start = where == position::after_start || where == position::after_row_start;
    bool const is_before = is_at_start || where == position::across_one_phase;
    std::string seen;
    if (!is_before) side.start(where);
    for (auto const& each : what.setup)
        seen += side.run(each) + "; ";
    try {
        if (is_before) side.start(where);
    } catch (start_refused const&) {
        return seen + "the start was refused";
    }
    if (!is_at_start) end(side, where);
    if (what.look.empty() && side.client_view) seen += side.client_view();
    for (auto const& each : what.look)
        seen += side.run(each) + "; ";
    if (is_at_start) side.end(position::after_rollback);
    return seen;
}

std::set<std::string> documented(std::string const& page, std::string const& door)
{
    std::ifstream file(std::string(ASSENT_ROOT) + "/docs/adapters/" + page);
    std::set<std::string> rows;
    bool is_here = false;
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, 1, "#") == 0) {
            bool const is_ours = line.find("What differs from the work by hand") != line.npos;
            is_here = is_ours && line.size() >= door.size() &&
                      line.compare(line.size() - door.size(), door.size(), door) == 0;
        }
        if (!is_here || line.compare(0, 1, "|") != 0) continue;
        std::string const name = cell(line, 0);
        if (name == "property" || name.compare(0, 2, "--") == 0) continue;
        rows.insert(name + ", " + cell(line, 1));
    }
    return rows;
}

}  // namespace

by_hand::by_hand(std::vector<std::string> start,
                 std::function<std::vector<std::string>(position)> end)
    : start_(std::move(start)), end_(std::move(end))
{
}

void by_hand::must(std::vector<std::string> const& statements) const
{
    for (std::string each : statements) {
        if (auto const at = each.find('$'); at != each.npos) each.replace(at, 1, number_);
        std::string const said = run(each);
        if (said.compare(0, 5, "error") == 0) throw end_failed(each + ": " + said);
    }
}

void by_hand::start(position)
{
    static int sequence = 0;
    number_ = std::to_string(++sequence);
    must(start_);
}

void by_hand::end(position how)
{
    must(end_(how));
}

by_adapter::by_adapter(resource_manager_driver& driver,
                       std::function<std::unique_ptr<driver_session>()> borrow)
    : driver_(driver), borrow_(std::move(borrow))
{
}

template <class Failure>
void by_adapter::must(verb v)
{
    session_->submit(v, branch_);
    auto const said = session_->collect(deadline::clock::now() + std::chrono::seconds(10));
    if (!said || !said->is_ok()) {
        throw Failure("a verb failed: " + (said ? said->text : "no answer"));
    }
}

void by_adapter::start(position where)
{
    static std::uint64_t sequence = 0;
    session_ = borrow_();
    branch_ = {gtrid::make({decision_place::commit_row, 1, 0xc0417801, 1, 0x5a5a5a, ++sequence}),
               bqual::make({1, 1, session_->id()})};
    if (where == position::after_row_start || where == position::after_commit_row) {
        driver_.decisions()->announce(*session_);
    }
    must<start_refused>(verb::start);
}

void by_adapter::end(position how)
{
    if (how == position::after_rollback) return must<end_failed>(verb::rollback);
    if (how == position::after_two_phases) {
        must<end_failed>(verb::prepare);
        return must<end_failed>(verb::commit);
    }
    if (how == position::after_commit_row) {
        driver_.decisions()->carry(*session_, {branch_.global, row_kind::commit, "00"});
    }
    must<end_failed>(verb::commit_one_phase);
}

void expect_what_the_page_says(experiment const& what)
{
    auto const known = documented(what.page, what.door);
    std::set<std::string> differing;
    for (property const& each : what.properties) {
        for (position const where : what.positions) {
            auto const see = [&](std::unique_ptr<control_side> on) {
                what.before_each();
                return observe(*on, each, where);
            };
            std::string const seen = see(what.by_hand());
            std::string const seen_of_ours = see(what.by_adapter());
            if (seen == seen_of_ours) continue;
            std::string const name = std::string(each.name) + ", " + name_of(where);
            differing.insert(name);
            EXPECT_EQ(known.count(name), 1U)
                << "| " << each.name << " | " << name_of(where) << " | is not on " << what.page
                << "\n  by hand " << seen.substr(0, 300) << "\n  by us "
                << seen_of_ours.substr(0, 300);
        }
    }
    for (auto const& name : known)
        EXPECT_EQ(differing.count(name), 1U) << name << " does not differ any more";
}

}  // namespace assent::contract
