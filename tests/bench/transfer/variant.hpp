// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// variant.hpp -- one way to transfer money from one database to the other.
//
// Those of the same list reach the same servers, and each may share its connections with others of
// the list: only one is at work at a time, with one thread or with many.

#ifndef ASSENT_TESTS_BENCH_TRANSFER_VARIANT_HPP
#define ASSENT_TESTS_BENCH_TRANSFER_VARIANT_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shop.hpp"

namespace assent::bench {

/// Thread safety: transfer() may be called from several threads at once, each with its own number.
class variant
{
public:
    variant(std::string name, std::string about, std::string rival)
        : name_(std::move(name)), about_(std::move(about)), rival_(std::move(rival))
    {
    }
    variant(variant const&) = delete;
    variant& operator=(variant const&) = delete;
    virtual ~variant() = default;

    std::string const& name() const noexcept { return name_; }
    std::string const& about() const noexcept { return about_; }
    /// The variant that does the same, or nearly, by hand or in the usual way; empty: none.
    std::string const& rival() const noexcept { return rival_; }

    /// Connects for threads 0 to `threads` - 1, and waits until they can work.
    virtual void open(std::size_t threads) = 0;

    /// One transfer, the `sequence`th of this thread.  @throws std::exception  unless it is done.
    virtual void transfer(std::size_t thread, std::uint64_t sequence) = 0;

    /// Waits until nothing of earlier transfers is under way any more.
    virtual void settle() {}

    /// How long commit() took in the thread's last transfer; 0: there is none.
    virtual float commit_us(std::size_t /*thread*/) const { return 0; }

    /// Forces of the log of decisions, so far.
    virtual std::uint64_t forces() const { return 0; }

private:
    std::string const name_;
    std::string const about_;
    std::string const rival_;
};

using variants = std::vector<std::unique_ptr<variant>>;

/// The baselines.  `directory` is for their logs.
variants by_hand(places const& where, std::string const& directory);

/// The library's ways.
variants by_assent(places const& where, std::string const& directory);

}  // namespace assent::bench

#endif  // ASSENT_TESTS_BENCH_TRANSFER_VARIANT_HPP
