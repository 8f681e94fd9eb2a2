// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// file_broker.hpp -- a broker whose halves are files, so that they outlive whoever is killed: a
// release is a rename, which is done or not, whatever dies meanwhile.
//
//   directory/halves/NAME     held back; the content is the body
//   directory/shown/NAME      shown
//
// Each step is told to a watch, as the library's steps are: half.begin, half.stored, ...

#ifndef ASSENT_TESTS_CRASH_FILE_BROKER_HPP
#define ASSENT_TESTS_CRASH_FILE_BROKER_HPP

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <assent/half_message.hpp>

#include "tests/crash/point_watch.hpp"

namespace assent::testing {

/// Thread safety: every member may be called from several threads at once.
class file_broker final : public half::broker
{
public:
    /// @param watch  null: nobody is told.
    file_broker(std::string directory, std::shared_ptr<point_watch> watch);

    void half(xid const& name, half::message const& what, deadline until) override;
    bool release(xid const& name, deadline until) override;
    bool drop(xid const& name, deadline until) override;
    half::listing list(deadline until) override;

    /// From now on it answers nobody; whoever asks back does so all the same.
    void be_deaf() { is_deaf_ = true; }

    std::set<std::string> halves() const;
    /// The bodies that were shown.
    std::set<std::string> shown() const;
    /// Does with the half what it was told by ask(): past be_deaf(), as the broker itself.
    void settle(std::string const& name, bool is_shown) const;

private:
    void step(char const* name) const;
    std::string half_at(std::string const& name) const { return directory_ + "/halves/" + name; }
    std::string shown_at(std::string const& name) const { return directory_ + "/shown/" + name; }

    std::string const directory_;
    std::shared_ptr<point_watch> const watch_;
    std::atomic<bool> is_deaf_{false};
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_FILE_BROKER_HPP
