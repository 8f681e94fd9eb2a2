// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tx/service.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <new>

#include <assent/tx.hpp>

namespace assent {
namespace tx {

namespace {

std::atomic<service const*> served{nullptr};

std::uint64_t next_serial() noexcept
{
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

// The parent's manager is inert in a child.  That the child has no service says so, before anything
// of the manager's is looked at.
void serve_no_child()
{
    static int const refused = ::pthread_atfork(
        nullptr, nullptr, [] { served.store(nullptr, std::memory_order_relaxed); });
    if (refused != 0) throw std::bad_alloc{};  // which is all that it can be
}

std::map<std::string, resource_manager> by_name(transaction_manager const& manager,
                                                std::vector<resource_manager> const& databases)
{
    auto const added = manager.state().resource_managers;
    std::map<std::string, resource_manager> all;
    for (auto const& each : databases) {
        bool const is_added = std::any_of(added.begin(), added.end(), [&](auto const& known) {
            return known.is_configured && known.name == each.name();
        });
        if (!is_added) {
            throw error{errc::bad_argument, "resource manager \"" + each.name() +
                                                "\" was not added to this transaction manager"};
        }
        if (!all.emplace(each.name(), each).second) {
            throw error{errc::bad_argument,
                        "resource manager \"" + each.name() + "\" is given twice"};
        }
    }
    return all;
}

}  // namespace

service const* present() noexcept
{
    return served.load(std::memory_order_acquire);
}

}  // namespace tx

inline namespace v0 {

struct tx_service::impl
{
    tx::service self;
};

tx_service::tx_service(transaction_manager& manager, std::vector<resource_manager> const& databases)
    : impl_(new impl{{manager, tx::by_name(manager, databases), tx::next_serial()}})
{
    tx::serve_no_child();
    tx::service const* none = nullptr;
    if (!tx::served.compare_exchange_strong(none, &impl_->self)) {
        throw error{errc::invalid_state,
                    "this process has a tx_service already; the other one must be destroyed first"};
    }
}

tx_service::~tx_service()
{
    tx::service const* self = &impl_->self;
    tx::served.compare_exchange_strong(self, nullptr);  // in a child it is another one, or none
}

}  // namespace v0
}  // namespace assent
