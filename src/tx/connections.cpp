// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// connections.cpp -- how a thread of control gets at the connections of its transaction.

#include <string>

#include "tx/thread_of_control.hpp"

namespace assent::tx {

/// Where its time is over the manager may be a moment late to notice: then nothing is begun either.
transaction& thread_of_control::current_to_work_in(service const& at) const
{
    auto* const tx = current(at);
    if (tx == nullptr) throw refusal{TX_PROTOCOL_ERROR, "this thread is in no transaction"};
    if (state_of(*tx) == TX_TIMEOUT_ROLLBACK_ONLY) {
        throw refusal{TX_ERROR, "this transaction has lasted too long: it can only be rolled back"};
    }
    return *tx;
}

resource_manager const& thread_of_control::database(service const& at, char const* name) const
{
    if (name == nullptr) throw refusal{TX_EINVAL, "the name of the resource manager is null"};
    auto const found = at.databases.find(name);
    if (found == at.databases.end()) {
        std::string known;
        for (auto const& [each, database] : at.databases)
            known += " \"" + each + '"';
        throw error{errc::bad_argument, "the tx_service has no resource manager \"" +
                                            std::string{name} + "\"; it was given" +
                                            (known.empty() ? " none" : known)};
    }
    return found->second;
}

int thread_of_control::lease(char const* name, void** handle) const
{
    auto const& at = opened();
    auto& tx = current_to_work_in(at);
    auto const& from = database(at, name);
    if (handle == nullptr) throw refusal{TX_EINVAL, "there is no place for the handle"};
    *handle = tx.lease_any(from).handle();
    return TX_OK;
}

int thread_of_control::enlist(char const* name, void* handle, assent_tx_release release,
                              void* argument) const
{
    auto const& at = opened();
    auto& tx = current_to_work_in(at);
    auto const& of = database(at, name);
    enlist_options<void*> how;
    if (release != nullptr) {
        how.on_release([release, argument](void* own, assent::release what) {
            release(own, what == assent::release::must_close ? 1 : 0, argument);
        });
    }
    tx.enlist_any(of, handle, how);
    return TX_OK;
}

}  // namespace assent::tx
