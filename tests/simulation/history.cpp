// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/simulation/history.hpp"

#include <algorithm>

namespace assent::testing {

transaction_record& history::begin_one()
{
    all.emplace_back();
    all.back().row = "t" + std::to_string(all.size());
    return all.back();
}

bool history::is_left(memory_database const& there, gtrid const& which)
{
    auto const all = there.reservations();
    return std::any_of(all.begin(), all.end(),
                       [&which](auto const& row) { return row.name.global == which; });
}

bool history::check_reservation(std::map<std::string, std::int64_t> const& among,
                                std::string const& payload, bool is_left,
                                std::vector<std::string>& wrong)
{
    auto const count = [&](char const* of) {
        auto const at = among.find(of + payload);
        return at == among.end() ? 0 : at->second;
    };
    auto const attempts = count("a:");
    auto const confirms = count("c:");
    auto const cancels = count("x:");
    if (confirms + cancels > attempts || (confirms + cancels < attempts && !is_left)) {
        wrong.push_back("reservation " + payload + " was attempted " + std::to_string(attempts) +
                        " times, confirmed " + std::to_string(confirms) + ", cancelled " +
                        std::to_string(cancels));
    }
    confirmed += confirms != 0;
    cancelled += cancels != 0;
    return confirms != 0;
}

std::vector<std::string> history::check(std::vector<memory_database> const& databases,
                                        std::set<gtrid> const& told, losses const& lost,
                                        places_of const& place_of)
{
    std::vector<std::string> wrong;
    std::vector<std::map<std::string, std::int64_t>> rows_of;
    rows_of.reserve(databases.size());
    for (auto const& each : databases)
        rows_of.push_back(each.rows());

    std::unordered_map<gtrid, bool> is_there;
    for (auto const& each : all) {
        std::size_t wanted = 0;
        std::size_t present = 0;
        std::string lacking;
        for (std::size_t at = 0; at < databases.size(); ++at) {
            if (!each.writes[at]) continue;
            bool const is_here = rows_of[at].count(each.row) != 0;
            bool const is_lost = each.name && lost.branches.count({at, *each.name}) != 0;
            if (is_lost && !is_here) continue;
            ++wanted;
            present += is_here;
            if (!is_here) lacking += " db" + std::to_string(at);
        }
        for (auto const& held : each.reserves) {
            bool const is_held = each.name && is_left(databases[held.at], *each.name);
            bool const is_here = check_reservation(rows_of[held.at], held.payload, is_held, wrong);
            bool const is_lost = each.name && lost.ends.count({held.at, *each.name}) != 0;
            if (is_lost && !is_here) continue;
            ++wanted;
            present += is_here;
            if (!is_here) lacking += " tcc" + std::to_string(held.at);
        }
        if (each.name && wanted != 0) is_there[*each.name] = present != 0;
        ++answers[static_cast<std::size_t>(each.said)];
        if (each.name && lost.rows.count(*each.name) != 0) continue;
        std::string const place = each.row + " (" +
                                  (each.name ? std::string{each.name->text()} : "") + ") is in " +
                                  std::to_string(present) + " of " + std::to_string(wanted) +
                                  (lacking.empty() ? "" : ", not in" + lacking);
        bool const is_told = each.name && told.count(*each.name) != 0;
        if (present != 0 && present != wanted && !is_told) wrong.push_back(place);
        if (each.said == answer::committed && present != wanted && !is_told) {
            wrong.push_back(place + ", answered committed");
        }
        if (each.said == answer::rolled_back && present != 0) {
            wrong.push_back(place + ", answered rolled back");
        }
    }
    for (std::size_t at = 0; at < databases.size(); ++at) {
        auto const& database = databases[at];
        for (auto const& each : database.decisions()) {
            ++rows[each.kind];
            // A copy of a log that had not bound this database yet may know another one by its id.
            if (place_of(each.name) != at) continue;
            auto const known = is_there.find(each.name);
            bool const is_known = known != is_there.end() && lost.rows.count(each.name) == 0;
            if (!is_known || told.count(each.name) != 0) continue;
            if (known->second != (each.kind == row_kind::commit)) {
                wrong.push_back(std::string{each.name.text()} + " went against its row");
            }
        }
        for (auto const& left : database.reservations()) {
            if (told.count(left.name.global) != 0) continue;
            wrong.push_back("a reservation is left: " + left.name.text());
        }
        for (auto const& left : database.prepared()) {
            if (told.count(left.global) == 0) wrong.push_back("still prepared: " + left.text());
        }
        for (auto const& each : database.violations()) {
            // A list that is read late may still show a branch that was finished meanwhile; the
            // same end once more is answered NOTA, and does nothing.
            bool const is_harmless = each.find("its end was heard") != std::string::npos;
            if (!is_harmless) wrong.push_back("against XA: " + each);
        }
    }
    return wrong;
}

}  // namespace assent::testing
