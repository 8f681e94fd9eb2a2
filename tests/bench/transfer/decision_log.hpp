// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_log.hpp -- a log of decisions as whoever commits by hand may write it: a file whose
// bytes are there already, names of transactions, and one write for all threads that wait.
//
// It answers only once its bytes are durable (O_DSYNC), and after a write that failed or was short
// it never says yes again.  Nobody reads it: a rival in speed, and half of a log.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_DECISION_LOG_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_DECISION_LOG_HPP

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace assent::bench {

/// Thread safety: every member may be called from several threads at once.
class decision_log
{
public:
    /// In a new file of `directory`.  @throws std::system_error
    explicit decision_log(std::string const& directory);
    decision_log(decision_log const&) = delete;
    decision_log& operator=(decision_log const&) = delete;
    ~decision_log();

    /// Returns when the decision is durable.  @throws std::runtime_error  it may not be.
    void force(std::string_view name);

    std::uint64_t forces() const;

private:
    bool write(std::string const& batch);

    int const file_;
    std::size_t offset_ = 0;  // of whoever writes

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::string waiting_;          // what the next write takes
    std::uint64_t gathering_ = 1;  // the number of that write
    std::uint64_t durable_ = 0;    // of the last one that succeeded
    bool is_writing_ = false;
    bool is_good_ = true;
};

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_DECISION_LOG_HPP
