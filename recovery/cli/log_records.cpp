// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/log_records.hpp"

#include <array>
#include <utility>
#include <variant>

#include "recovery/cli/text.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

// The last ones are of record types 128 to 131.
constexpr std::array<char const*, 13> type_names{
    "opening",  "binding",  "decision", "end",           "heuristic",  "horizon",  "server-start",
    "operator", "rollback", "limits",   "binding-epoch", "retirement", "rebinding"};

std::string quoted(std::string const& text)
{
    return '"' + escaped(text) + '"';
}

struct speaker
{
    bound_names const& names;

    std::string operator()(log::opening_record const& what) const
    {
        return "epoch " + std::to_string(what.which.epoch) + ", nonce " +
               hex(what.which.nonce, 12) + ", " + utc(what.unix_ms);
    }
    std::string operator()(ports::binding const& what) const
    {
        return "resource manager " + std::to_string(what.id) + " is " + quoted(what.name) + ", " +
               escaped(what.kind) + ", " + quoted(what.identity);
    }
    std::string operator()(log::decision_record const& what) const
    {
        return "commit, " + utc(what.unix_ms);
    }
    std::string operator()(log::end_record const& what) const
    {
        std::string text = "finished:";
        for (unsigned i = 0; i < log::branches_max; ++i) {
            if ((what.finished >> i & 1) != 0) text += " branch " + std::to_string(i + 1) + ",";
        }
        text.back() = text.back() == ',' ? ' ' : text.back();
        return text + "of its decision";
    }
    std::string operator()(ports::heuristic_record const& what) const
    {
        return word_for(what.code) + " in " + quoted(what.resource_manager) + ", " +
               utc(what.unix_ms) + ", branch " + what.branch.text() + ": " + quoted(what.text);
    }
    std::string operator()(log::horizon_record const& what) const
    {
        std::string const which =
            what.is_epoch_alone ? " has finished of epoch " : " is finished up to epoch ";
        return quoted(name_of(names, what.id)) + which + std::to_string(what.to.epoch) +
               (what.is_epoch_alone ? " all up to sequence " : ", sequence ") +
               std::to_string(what.to.sequence);
    }
    std::string operator()(log::server_start_record const& what) const
    {
        return "the server of " + quoted(name_of(names, what.id)) + " in epoch " +
               std::to_string(what.epoch) + ": " + quoted(what.start);
    }
    std::string operator()(log::operator_record const& what) const
    {
        std::string text = quoted(what.who) + ", " + utc(what.unix_ms) + ", ";
        if (log::is_about_the_log(what)) {
            text += log::is_salvage(what) ? "salvaged the log" : "repaired the log";
        } else {
            constexpr std::array<char const*, 3> verdicts{"commit", "roll back",
                                                          "forget the heuristic"};
            text += std::string{verdicts.at(static_cast<std::size_t>(what.verdict) - 1)} +
                    ", branch " + what.branch.text();
        }
        return text + ": " + quoted(what.why);
    }
    std::string operator()(log::rollback_record const&) const { return "rolled back"; }
    std::string operator()(log::opening_limits_record const& what) const
    {
        return "epoch " + std::to_string(what.which.epoch) + ": guardian's lapse " +
               std::to_string(what.guardian_lapse.count()) + " ms, force " +
               std::to_string(what.log_force.count()) + " ms, hang " +
               std::to_string(what.log_hang.count()) + " ms; abort is presumed after " +
               std::to_string(what.presumption.count()) + " ms";
    }
    std::string operator()(log::binding_epoch_record const& what) const
    {
        return "resource manager " + std::to_string(what.id) + " is bound in epoch " +
               std::to_string(what.epoch);
    }
    std::string operator()(log::retirement_record const& what) const
    {
        return quoted(what.who) + ", " + utc(what.unix_ms) + ", gave up resource manager " +
               std::to_string(what.id) + ", " + quoted(name_of(names, what.id)) + ": " +
               quoted(what.why);
    }
    std::string operator()(log::rebinding_record const& what) const
    {
        return quoted(what.who) + ", " + utc(what.unix_ms) + ", epoch " +
               std::to_string(what.epoch) + ", rebound resource manager " +
               std::to_string(what.id) + ", " + quoted(name_of(names, what.id)) + ", from " +
               quoted(what.from) + " to " + quoted(what.to) + ": " + quoted(what.why);
    }
};

}  // namespace

std::string name_of_type(std::uint8_t type)
{
    if (!log::is_known(type)) return "type " + std::to_string(type);
    constexpr unsigned needed = static_cast<unsigned>(log::record_type::rollback_note);
    bool const is_needed = type < log::record_skippable_from;
    return type_names.at(is_needed ? type - 1U : needed + type - log::record_skippable_from);
}

std::vector<std::string> record_type_names()
{
    return {type_names.begin(), type_names.end()};
}

std::string name_of(bound_names const& names, std::uint16_t id)
{
    auto const at = names.find(id);
    return at == names.end() ? "resource manager " + std::to_string(id) : at->second.name;
}

std::optional<gtrid> transaction_of(log::record const& what)
{
    if (auto const* one = std::get_if<log::decision_record>(&what)) return one->what.global;
    if (auto const* one = std::get_if<log::end_record>(&what)) return one->global;
    if (auto const* one = std::get_if<log::rollback_record>(&what)) return one->global;
    if (auto const* one = std::get_if<ports::heuristic_record>(&what)) return one->branch.global;
    if (auto const* one = std::get_if<log::operator_record>(&what)) {
        if (!log::is_about_the_log(*one)) return one->branch.global;
    }
    return std::nullopt;
}

std::string in_words(log::record const& what, bound_names const& names)
{
    return std::visit(speaker{names}, what);
}

}  // namespace assent::cli
