// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// enlist_options.hpp -- how a connection of the application's takes part in a transaction.
//
//   tx.enlist(accounts, pg, assent::enlist_options<PGconn*>{}.on_release(give_back).read_only());
//   tx.enlist(accounts, pg, [&](PGconn* mine, assent::release what) { pool.put(mine, what); });

#ifndef ASSENT_ENLIST_OPTIONS_HPP
#define ASSENT_ENLIST_OPTIONS_HPP

#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include <assent/resource_manager.hpp>

namespace assent {
inline namespace v0 {

/// Called once with the handle of an enlisted connection when its transaction has ended.  What it
/// throws is told to the observer and dropped.
template <class Handle>
using release_function = std::function<void(Handle handle, release instruction)>;

/// One branch per resource manager, unless a second one is asked for.
enum class branch_choice : std::uint8_t { one_per_resource_manager = 1, another = 2 };

/// How a connection of the application's takes part.  `Handle` is the handle type of its resource
/// manager (PGconn*, MYSQL*, odbc::connection), or sql_session*.  Each function sets one thing and
/// returns the object, so that calls chain; their order makes no difference.
template <class Handle>
class enlist_options
{
public:
    /// What was chosen.
    struct values
    {
        release_function<Handle> on_release;                             ///< empty: nobody is told
        branch_choice branch = branch_choice::one_per_resource_manager;  ///< which branch it is on
        access may = access::read_write;                                 ///< what it may do
    };

    enlist_options() = default;
    /// Options with nothing but this callback of on_release(); the callback alone may be passed.
    template <class Callback,
              class = std::enable_if_t<std::is_invocable_v<Callback&, Handle, release>>>
    enlist_options(
        Callback callback)  // NOLINT(google-explicit-constructor): that is what it is for
    {
        given_.on_release = std::move(callback);
    }

    /// `callback` runs once, on the thread that ends the transaction, in reverse order of
    /// enlisting, after the branch's last byte and before after_completion.  The manager does not
    /// touch the handle afterwards.
    enlist_options& on_release(release_function<Handle> callback)
    {
        given_.on_release = std::move(callback);
        return *this;
    }
    /// Sets on which branch the connection works.
    enlist_options& branch(branch_choice choice)
    {
        given_.branch = choice;
        return *this;
    }
    /// Makes the connection's branch access::read_only.
    enlist_options& read_only(bool is_on = true)
    {
        given_.may = is_on ? access::read_only : access::read_write;
        return *this;
    }

    /// @return what was chosen.
    values const& given() const noexcept { return given_; }

    /// The same options for transaction::enlist_any(), which knows the handle by its address only.
    enlist_options<void*> untyped() const
    {
        enlist_options<void*> same;
        same.branch(given_.branch).read_only(given_.may == access::read_only);
        if (given_.on_release) {
            same.on_release([callback = given_.on_release](void* handle, release instruction) {
                callback(static_cast<Handle>(handle), instruction);
            });
        }
        return same;
    }

private:
    values given_;
};

}  // namespace v0
}  // namespace assent

#endif  // ASSENT_ENLIST_OPTIONS_HPP
