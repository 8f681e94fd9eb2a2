// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dump_json.cpp -- a dump for programs: one JSON object, written piece by piece.

#include <array>
#include <ostream>
#include <variant>

#include "recovery/cli/dump_writer.hpp"
#include "recovery/cli/log_json.hpp"
#include "recovery/cli/words.hpp"

namespace assent::cli {

namespace {

/// Adds what a record says to the place where it stands.
struct filler
{
    json& into;
    dumped_record const& from;

    void operator()(log::opening_record const& what) const
    {
        into["epoch"] = what.which.epoch;
        into["nonce"] = hex(what.which.nonce, 12);
        into["at"] = time_of(what.unix_ms);
    }
    void operator()(ports::binding const& what) const
    {
        into["id"] = what.id;
        into["resource_manager"] = what.name;
        into["kind"] = what.kind;
        into["identity"] = what.identity;
    }
    void operator()(log::decision_record const& what) const
    {
        into["gtrid"] = std::string{what.what.global.text()};
        into["decided"] = "commit";
        into["at"] = time_of(what.unix_ms);
        into["is_finished"] = from.fate == nullptr ? json(nullptr) : json(from.fate->is_complete());
        auto const finished = from.fate == nullptr ? what.finished : from.fate->finished;
        json all = json::array();
        std::uint64_t bit = 1;
        for (bqual const& branch : what.what.branches) {
            auto const id = branch.parts().resource_manager;
            all.push_back({{"xid", xid{what.what.global, branch}.text()},
                           {"resource_manager", name_of(from.names, id)},
                           {"resource_manager_id", id},
                           {"is_finished", (finished & bit) != 0}});
            bit <<= 1;
        }
        into["branches"] = std::move(all);
    }
    void operator()(log::end_record const& what) const
    {
        into["gtrid"] = std::string{what.global.text()};
        json all = json::array();
        for (unsigned i = 0; i < log::branches_max; ++i) {
            if ((what.finished >> i & 1) != 0) all.push_back(i + 1);
        }
        into["finished_branches"] = std::move(all);
    }
    void operator()(ports::heuristic_record const& what) const
    {
        into["gtrid"] = std::string{what.branch.global.text()};
        into["branch"] = what.branch.text();
        into["resource_manager"] = what.resource_manager;
        into["heuristic"] = word_for(what.code);
        into["seen"] = what.text;
        into["at"] = time_of(what.unix_ms);
    }
    void operator()(log::horizon_record const& what) const
    {
        into["id"] = what.id;
        into["resource_manager"] = name_of(from.names, what.id);
        into["horizon"] = position_of(what.to);
        into["is_epoch_alone"] = what.is_epoch_alone;
    }
    void operator()(log::server_start_record const& what) const
    {
        into["id"] = what.id;
        into["resource_manager"] = name_of(from.names, what.id);
        into["epoch"] = what.epoch;
        into["start"] = what.start;
    }
    void operator()(log::operator_record const& what) const
    {
        bool const is_about_the_log = log::is_about_the_log(what);
        into["gtrid"] =
            is_about_the_log ? json(nullptr) : json(std::string{what.branch.global.text()});
        into["branch"] = is_about_the_log ? json(nullptr) : json(what.branch.text());
        constexpr std::array<char const*, 3> verdicts{"commit", "roll back",
                                                      "forget the heuristic"};
        into["decided"] = is_about_the_log
                              ? (log::is_salvage(what) ? "salvage the log" : "repair the log")
                              : verdicts.at(static_cast<std::size_t>(what.verdict) - 1);
        into["who"] = what.who;
        into["why"] = what.why;
        into["at"] = time_of(what.unix_ms);
    }
    void operator()(log::rollback_record const& what) const
    {
        into["gtrid"] = std::string{what.global.text()};
    }
    void operator()(log::opening_limits_record const& what) const
    {
        into["epoch"] = what.which.epoch;
        into["guardian_lapse_ms"] = what.guardian_lapse.count();
        into["log_force_ms"] = what.log_force.count();
        into["log_hang_ms"] = what.log_hang.count();
        into["presumption_ms"] = what.presumption.count();
    }
    void operator()(log::binding_epoch_record const& what) const
    {
        into["id"] = what.id;
        into["epoch"] = what.epoch;
    }
    void operator()(log::rebinding_record const& what) const
    {
        into["id"] = what.id;
        into["resource_manager"] = name_of(from.names, what.id);
        into["epoch"] = what.epoch;
        into["from"] = what.from;
        into["to"] = what.to;
        into["who"] = what.who;
        into["why"] = what.why;
        into["at"] = time_of(what.unix_ms);
    }
    void operator()(log::retirement_record const& what) const
    {
        into["id"] = what.id;
        into["resource_manager"] = name_of(from.names, what.id);
        into["who"] = what.who;
        into["why"] = what.why;
        into["at"] = time_of(what.unix_ms);
    }
};

class json_writer final : public dump_writer
{
public:
    explicit json_writer(std::ostream& out) : out_(out) {}

    void begin(log::log_inspection const& seen) override
    {
        json head{{"command", "log dump"}};
        add_head(head, seen);
        auto text = dump_json(head, 2);
        text.resize(text.find_last_of('}'));
        while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
            text.pop_back();
        out_ << text << ",\n  \"records\": [";
    }

    void segment(log::segment_inspection const&, bool is_newest) override
    {
        is_newest_ = is_newest;
    }

    void record(dumped_record const& what) override
    {
        json one{{"segment", what.segment},
                 {"counts", is_newest_},
                 {"page", what.is.page},
                 {"lsn", what.is.lsn},
                 {"type", name_of_type(what.is.type)}};
        if (what.is.what) std::visit(filler{one, what}, *what.is.what);
        put(one);
    }

    void damage(std::uint64_t segment, log::scanned_page const& page) override
    {
        put({{"segment", segment},
             {"page", page.number},
             {"type", "damaged page"},
             {"what", key_of(page.kind)},
             {"why", page.why}});
    }

    void missing(std::uint64_t segment, log::lsn_range const& which) override
    {
        put({{"segment", segment},
             {"type", "missing records"},
             {"first", which.first},
             {"last", which.last}});
    }

    void end(any_report const& told) override
    {
        json const tail{{"exit_code", static_cast<int>(told.code)}, {"attention", told.attention}};
        auto const text = dump_json(tail, 2);
        out_ << (is_first_ ? "]," : "\n  ],") << text.substr(1) << "\n";
    }

private:
    void put(json const& one)
    {
        out_ << (is_first_ ? "\n    " : ",\n    ") << dump_json(one, -1);
        is_first_ = false;
    }

    std::ostream& out_;
    bool is_first_ = true;
    bool is_newest_ = false;
};

}  // namespace

std::unique_ptr<dump_writer> dump_in_json(std::ostream& out)
{
    return std::make_unique<json_writer>(out);
}

}  // namespace assent::cli
