// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// faults.hpp -- the rules of a fault script.
//
// A rule counts the requests that fit it and fires from the nth on, `times` times.  The first rule
// in the order of the script that fires decides; every rule that fits has counted.

#ifndef ASSENT_ADAPTERS_MEMORY_FAULTS_HPP
#define ASSENT_ADAPTERS_MEMORY_FAULTS_HPP

#include <memory>
#include <optional>
#include <vector>

#include <assent/testing.hpp>

namespace assent::inline v0::testing::memory {

enum class fault : std::uint8_t {
    answer,             // with the effect that XA gives the code
    answer_only,        // without any
    answer_after,       // what was asked is done, and answered otherwise
    lose_before,        // the request never arrives
    lose_after,         // the reply never arrives
    hang_before,        // the request waits in the socket
    hang_after,         // the reply waits
    hang_in_commit,     // done for good, and nobody sees it yet
    hang_in_xa_commit,  // under way, and taken back by the end of its session
    delay,              // the reply comes late
    crash_before,
    crash_after,
};

struct request_rule
{
    verb what = verb::start;
    std::optional<xid> branch;
    std::optional<std::uint64_t> session;
    int to_skip = 0;
    int to_fire = 1;
    fault kind = fault::answer;
    reply answer;
    std::chrono::milliseconds by{0};
};

enum class call_fault_kind : std::uint8_t { fail, time_out, cut, cut_after, lost, late };

struct call_rule
{
    driver_call what = driver_call::connect;
    int to_skip = 0;
    int to_fire = 1;
    call_fault_kind kind = call_fault_kind::fail;
    std::string why;
    std::chrono::milliseconds by{0};
};

class fault_rules
{
public:
    void add(std::shared_ptr<request_rule> rule) { requests_.push_back(std::move(rule)); }
    void add(std::shared_ptr<call_rule> rule) { calls_.push_back(std::move(rule)); }
    void clear();
    std::size_t pending() const;

    /// The rule that fires for this request, if any.
    std::shared_ptr<request_rule const> match(std::uint64_t session, verb v, xid const& branch);
    std::shared_ptr<call_rule const> match(driver_call call);

private:
    std::vector<std::shared_ptr<request_rule>> requests_;
    std::vector<std::shared_ptr<call_rule>> calls_;
};

}  // namespace assent::inline v0::testing::memory

#endif  // ASSENT_ADAPTERS_MEMORY_FAULTS_HPP
