// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/strict_switch/registry.hpp"

#include <array>
#include <cstring>
#include <exception>
#include <utility>

namespace assent::inline v0::testing::strict {

registry& registry::of_process()
{
    static registry* const all = new registry;  // threads that end later close what they opened
    return *all;
}

std::shared_ptr<resource> registry::of_file(std::string const& file)
{
    std::lock_guard const held{mutex_};
    if (auto known = files_[file].lock()) return known;
    auto made = std::make_shared<resource>(file);
    files_[file] = made;
    return made;
}

std::shared_ptr<resource> registry::bind(int rmid, std::string const& file)
{
    auto found = of_file(file);
    std::lock_guard const held{mutex_};
    number& bound = rmids_[rmid];
    auto const before = bound.of.lock();
    if (before && before != found && before->is_open_as(rmid)) return nullptr;
    bound = {found, found};
    return found;
}

std::shared_ptr<resource> registry::of_rmid(int rmid) const
{
    std::lock_guard const held{mutex_};
    auto const at = rmids_.find(rmid);
    return at == rmids_.end() ? nullptr : at->second.of.lock();
}

void registry::closed(int rmid, std::shared_ptr<resource> by)
{
    std::lock_guard const held{mutex_};
    auto const at = rmids_.find(rmid);
    if (at != rmids_.end() && at->second.of.lock() == by && !by->is_open_as(rmid))
        at->second.opened.reset();
    by.reset();
}

void registry::leave(std::shared_ptr<resource> by)
{
    std::lock_guard const held{mutex_};
    by.reset();
}

namespace {

constexpr long all_flags = TMREGISTER | TMNOMIGRATE | TMUSEASYNC;

/// No exception may leave a switch: its caller is C.
int forward(asked const& a) noexcept
try {
    auto to = registry::of_process().of_rmid(a.rmid);
    // Table 6-1: in R0 only xa_open and xa_close are allowed, and the latter does nothing.
    if (!to) return a.what == switch_call::close ? XA_OK : XAER_PROTO;
    int const answer = to->call(a);
    if (a.what == switch_call::close) registry::of_process().closed(a.rmid, std::move(to));
    return answer;
} catch (std::exception const&) {
    return XAER_RMERR;
}

template <long own_flags>
int open(char* info, int rmid, long flags) noexcept
try {
    if (info == nullptr || std::memchr(info, 0, MAXINFOSIZE) == nullptr) return XAER_INVAL;
    auto const to = registry::of_process().bind(rmid, info);
    if (!to) return XAER_RMERR;
    to->set_flags(own_flags);
    int const answer = to->call({switch_call::open, rmid, flags});
    if (answer != XA_OK) registry::of_process().closed(rmid, to);
    return answer;
} catch (std::exception const&) {
    return XAER_RMERR;
}

int close(char*, int rmid, long flags) noexcept
{
    return forward({switch_call::close, rmid, flags});
}

template <switch_call what>
int on_branch(XID* branch, int rmid, long flags) noexcept
{
    return forward({what, rmid, flags, branch});
}

int recover(XID* list, long count, int rmid, long flags) noexcept
{
    return forward({switch_call::recover, rmid, flags, nullptr, list, count});
}

int complete(int* handle, int* retval, int rmid, long flags) noexcept
{
    return forward({switch_call::complete, rmid, flags, nullptr, nullptr, 0, handle, retval});
}

template <long flags>
constexpr xa_switch_t entries{"strict switch",
                              flags,
                              0,
                              &open<flags>,
                              &close,
                              &on_branch<switch_call::start>,
                              &on_branch<switch_call::end>,
                              &on_branch<switch_call::rollback>,
                              &on_branch<switch_call::prepare>,
                              &on_branch<switch_call::commit>,
                              &recover,
                              &on_branch<switch_call::forget>,
                              &complete};

}  // namespace

xa_switch_t const& switch_of(long flags) noexcept
{
    static constexpr std::array<xa_switch_t const*, 8> all{&entries<0>, &entries<1>, &entries<2>,
                                                           &entries<3>, &entries<4>, &entries<5>,
                                                           &entries<6>, &entries<7>};
    return *all[static_cast<std::size_t>(flags & all_flags)];
}

}  // namespace assent::inline v0::testing::strict
