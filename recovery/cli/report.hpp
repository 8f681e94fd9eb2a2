// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// report.hpp -- what the commands found out, before it is written for people or for programs.

#ifndef ASSENT_RECOVERY_CLI_REPORT_HPP
#define ASSENT_RECOVERY_CLI_REPORT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <assent/driver.hpp>
#include <assent/examination.hpp>
#include <assent/xid.hpp>

#include "ports/coordinator_log.hpp"
#include "recovery/cli/failure.hpp"
#include "recovery/cli/reason.hpp"

namespace assent::cli {

struct log_report
{
    std::string directory;
    std::uint64_t node = 0;
    std::string node_label;
    ports::opening current;
    std::size_t openings = 0;
    std::uint64_t newest_segment = 0;
    std::size_t segments = 0;
    std::uint64_t segment_bytes = 0;  ///< of all segments together
    std::string end;                  ///< how the newest ends: sealed, unsealed, torn, live
    std::int64_t salvaged_ms = 0;     ///< when it was salvaged from a damaged one; 0: it was not
    bool is_owned = false;
    std::int64_t owner_pid = 0;  ///< 0: not known
    std::int64_t owner_since_ms = 0;
};

struct decided_branch
{
    bqual branch;
    std::string resource_manager;
    bool is_finished = false;
    explanation waits{};  ///< empty where it is finished
};

struct decision_report
{
    gtrid id;
    std::int64_t unix_ms = 0;
    std::vector<decided_branch> branches;
};

/// What a person decided.
struct operator_report
{
    xid branch;  ///< null: it is about the log itself
    std::string verdict;
    std::string who;
    std::string why;
    std::int64_t unix_ms = 0;
    bool is_of_database = false;  ///< given up, or replaced
};

/// A resource manager as the log and the configuration know it.
struct known_database
{
    std::string name;
    std::string kind;
    bool is_bound = false;       ///< in the log
    bool is_lost = false;        ///< it stands for one that a damaged log lost
    bool is_retired = false;     ///< a person gave it up
    bool is_configured = false;  ///< in the configuration
    std::uint16_t id = 0;
    std::string identity;
    ports::horizon horizon;
    std::size_t branches_due = 0;    ///< decided, and not known to be finished
    std::int64_t oldest_due_ms = 0;  ///< when the first of them was decided; 0: there is none
    explanation waits{};             ///< why nothing is finished there, as far as the log says
};

/// Every report: how the program will end, and why that is not `fine`.
struct any_report
{
    exit_code code = exit_code::fine;
    std::vector<std::string> attention;  ///< sentences: what a person should look at

    void raise(exit_code to, std::string why)
    {
        // Something in doubt outranks what could not be found out.
        if (to > code) code = to;
        attention.push_back(std::move(why));
    }
};

struct status_report : any_report
{
    log_report log;
    std::size_t finished_decisions = 0;
    std::size_t rollbacks = 0;
    std::vector<decision_report> unfinished;
    std::vector<ports::heuristic_record> heuristics;
    std::vector<operator_report> operators;
    std::vector<known_database> databases;
};

struct scanned_branch : explanation
{
    scanned_branch(explanation because, xid const& which, std::string what_is_done)
        : explanation(std::move(because)), id(which), action(std::move(what_is_done))
    {
    }

    xid id;
    std::string action;        ///< commit, roll back, ask its row, hazard, wait, leave, quarantine
    std::string left_because;  ///< why a recovery has not ended it; empty: none was at work
};

/// Another node may have thousands of branches in motion.
inline constexpr std::size_t others_listed_max = 20;

struct scanned_database
{
    std::string name;
    std::string kind;
    bool is_configured = false;
    bool is_conclusive = false;  ///< it was asked, and its answer counts
    bool runs_handlers = false;  ///< only the application ends its branches
    explanation problem;         ///< why it does not
    std::size_t foreign_count = 0;
    std::vector<xid> of_other_nodes{};  ///< of those, at most others_listed_max
    std::vector<std::string> warnings;  ///< about the server
    std::vector<scanned_branch> branches;
    std::vector<xid> finished;            ///< decided and no longer listed: it was committed
    std::vector<scanned_branch> missing;  ///< decided and no longer listed, which proves nothing
};

struct scan_report : any_report
{
    log_report log;
    std::vector<scanned_database> databases;
};

struct recovered_database
{
    std::string name;
    std::size_t committed = 0;
    std::size_t rolled_back = 0;
    std::size_t found_finished = 0;  ///< committed before, known only now
    std::size_t heuristics = 0;
    bool is_drained = false;
    std::string why;         ///< why it is not
    std::string unserved{};  ///< why it did not serve, if it did not
    explanation waits{};     ///< the same as `why`, from the table of reasons
};

struct recover_report : any_report
{
    bool has_acted = false;
    bool was_interrupted = false;
    bool is_drained = false;
    std::uint32_t epoch = 0;  ///< of this recovery
    std::int64_t took_ms = 0;
    std::vector<recovered_database> databases;
    std::vector<std::string> quarantined;
    status_report status;  ///< of the log, afterwards
    scan_report scan;      ///< of the databases, afterwards
};

struct shown_listing
{
    std::string resource_manager;
    bool is_conclusive = false;
    std::string problem;
    std::vector<scanned_branch> branches;
};

struct show_report : any_report
{
    gtrid id;
    bool is_of_node = false;
    bool is_known_opening = false;
    std::int64_t opened_ms = 0;
    std::string decided_in;  ///< the place of its decision
    std::string outcome;     ///< committed, committing, rolled back, in doubt, live, forgotten, ...
    std::string explanation;
    bool has_decision = false;
    decision_report decision;
    std::vector<ports::heuristic_record> heuristics;
    std::vector<operator_report> operators;
    std::vector<shown_listing> listings;
};

/// The directory of the log, or a database, as the doctor found it.
struct examined
{
    std::string name;
    std::string kind;          ///< as the configuration says; empty: the log's directory
    bool is_examined = false;  ///< it answered
    std::string problem;       ///< why it did not
    examination seen;
};

struct doctor_report : any_report
{
    examined log;
    std::vector<examined> databases;
    bool is_all = false;                  ///< words show also what is ok
    std::array<std::size_t, 4> counts{};  ///< of findings: ok, advice, warning, error
};

}  // namespace assent::cli

#endif  // ASSENT_RECOVERY_CLI_REPORT_HPP
