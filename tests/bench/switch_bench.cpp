// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// switch_bench.cpp -- what a switch costs more when it is driven by us.
//
//   bare      xa_start, xa_end, xa_prepare, xa_commit of a switch that does nothing
//   ours      the same by its session: start, prepare (which calls two of them), commit
//   session   what a lease needs before: a session of the thread, which has the switch open
//
// Bare and ours take turns, thousands of transactions each; what counts is the median of the
// differences between neighbours.  It is processor time: nothing waits here, and what else the
// machine does is none of ours.

#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <stdexcept>

#include <xopen/xa.h>
#include <assent/driver.hpp>
#include <assent/xopen.hpp>

#include "bench.hpp"

namespace assent::bench {

namespace {

constexpr double verbs = 3;     // start, prepare, commit
constexpr double routines = 4;  // with xa_end

/// So that no call of a routine is left out.
long calls = 0;

int opened(char*, int, long)
{
    benchmark::DoNotOptimize(++calls);
    return XA_OK;
}

int done(XID* branch, int, long)
{
    benchmark::DoNotOptimize(branch->data[0]);
    benchmark::DoNotOptimize(++calls);
    return XA_OK;
}

int listed(XID*, long, int, long)
{
    return 0;
}

int completed(int*, int*, int, long)
{
    return XAER_PROTO;
}

xa_switch_t const& null_switch()
{
    static xa_switch_t const does_nothing = [] {
        xa_switch_t made{};
        std::strcpy(made.name, "null");
        made.flags = TMNOMIGRATE;
        made.xa_open_entry = made.xa_close_entry = opened;
        made.xa_start_entry = made.xa_end_entry = made.xa_rollback_entry = done;
        made.xa_prepare_entry = made.xa_commit_entry = made.xa_forget_entry = done;
        made.xa_recover_entry = listed;
        made.xa_complete_entry = completed;
        return made;
    }();
    return does_nothing;
}

void must_be(bool is_done)
{
    if (!is_done) throw std::runtime_error{"the switch that does nothing has refused"};
}

xid branch_of(std::uint64_t sequence)
{
    gtrid::fields named;
    named.sequence = sequence;
    return {gtrid::make(named), bqual::make({1, 1, 1})};
}

XID bare_name_of(xid const& branch)
{
    XID name{};
    name.formatID = 1;
    name.gtrid_length = static_cast<long>(branch.global.text().size());
    name.bqual_length = static_cast<long>(branch.branch.text().size());
    std::memcpy(name.data, branch.global.text().data(), branch.global.text().size());
    std::memcpy(name.data + name.gtrid_length, branch.branch.text().data(),
                branch.branch.text().size());
    return name;
}

/// @return seconds, as the others do.
double bare(std::size_t transactions)
{
    // As a program has it that does not know which switch it will be.
    xa_switch_t const* const volatile through = &null_switch();
    double const begin = cpu_seconds();
    for (std::size_t i = 0; i < transactions; ++i) {
        auto name = bare_name_of(branch_of(i));
        must_be(through->xa_start_entry(&name, 1, TMNOFLAGS) == XA_OK);
        must_be(through->xa_end_entry(&name, 1, TMSUCCESS) == XA_OK);
        must_be(through->xa_prepare_entry(&name, 1, TMNOFLAGS) == XA_OK);
        must_be(through->xa_commit_entry(&name, 1, TMNOFLAGS) == XA_OK);
    }
    return cpu_seconds() - begin;
}

void ask(driver_session& session, verb what, xid const& branch)
{
    session.submit(what, branch);
    auto const answer = session.collect(far_away());
    must_be(answer && answer->is_ok());
}

double ours(driver_session& session, std::size_t transactions)
{
    double const begin = cpu_seconds();
    for (std::size_t i = 0; i < transactions; ++i) {
        auto const branch = branch_of(i);
        ask(session, verb::start, branch);
        ask(session, verb::prepare, branch);
        ask(session, verb::commit, branch);
    }
    return cpu_seconds() - begin;
}

double sessions(resource_manager_driver& driver, std::size_t count)
{
    double const begin = cpu_seconds();
    for (std::size_t i = 0; i < count; ++i)
        benchmark::DoNotOptimize(driver.connect(session_purpose::work, far_away()));
    return cpu_seconds() - begin;
}

void adds(benchmark::State& state)
{
    auto const transactions = amount(20'000, 200);
    xopen::resource_manager const rm{
        "null", null_switch(), "",
        xopen::options{}.identity("null").unguarded().sessions_end_within(
            std::chrono::milliseconds{0})};
    auto& driver = *rm.driver();
    auto const session = driver.connect(session_purpose::work, far_away());
    bare(transactions);
    ours(*session, transactions);
    std::vector<double> by_hand, more, lease;
    auto const each = static_cast<double>(transactions);
    for (auto _ : state) {
        double const before = bare(transactions);
        double const measured = ours(*session, transactions);
        by_hand.push_back(before / each / routines);
        more.push_back((measured - before) / each / verbs);
        lease.push_back(sessions(driver, transactions) / each);
        state.SetIterationTime(measured);
    }
    state.counters["bare_ns"] = median(by_hand) * 1e9;
    state.counters["more_ns"] = median(more) * 1e9;
    state.counters["session_ns"] = median(lease) * 1e9;
    report({"a switch's routine, called bare", median(by_hand) * 1e9, "ns", ""});
    report({"what a verb takes more through our session (median)", median(more) * 1e9, "ns",
            "<= 3000 ns"});
    report({"the same, the largest of the rounds", largest(more) * 1e9, "ns", ""});
    report({"a session of a thread that has the switch open", median(lease) * 1e9, "ns",
            "<= 3000 ns"});
}

}  // namespace

void register_switches()
{
    benchmark::RegisterBenchmark("switch/adds", adds)
        ->Iterations(static_cast<benchmark::IterationCount>(rounds()))
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
}

}  // namespace assent::bench
