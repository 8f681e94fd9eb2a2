// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported.hpp -- a resource as the ten routines of an xa_switch_t.
//
//   resource& here() noexcept;                           // one for a kind of database
//   xa_switch_t a_switch = switch_out::exported<here>("Assent PostgreSQL");

#ifndef ASSENT_ADAPTERS_SWITCH_OUT_EXPORTED_HPP
#define ASSENT_ADAPTERS_SWITCH_OUT_EXPORTED_HPP

#include <xopen/xa.h>

#include <cstddef>

#include "adapters/switch_out/resource.hpp"

namespace assent::switch_out {

/// @param Here  gives the resource.  It is called when a routine is, and never destroys it, since
///              threads that end late close what they opened.
template <resource& (*Here)() noexcept, std::size_t NameSize>
constexpr xa_switch_t exported(char const (&name)[NameSize]) noexcept
{
    static_assert(NameSize <= RMNAMESZ);
    xa_switch_t made{};
    for (std::size_t i = 0; i < NameSize; ++i)
        made.name[i] = name[i];
    made.flags = TMNOMIGRATE;
    made.version = 0;
    made.xa_open_entry = [](char* info, int rmid, long flags) {
        return Here().open(info, rmid, flags);
    };
    made.xa_close_entry = [](char*, int rmid, long flags) { return Here().close(rmid, flags); };
    made.xa_start_entry = [](XID* x, int rmid, long flags) { return Here().start(x, rmid, flags); };
    made.xa_end_entry = [](XID* x, int rmid, long flags) { return Here().end(x, rmid, flags); };
    made.xa_rollback_entry = [](XID* x, int rmid, long flags) {
        return Here().rollback(x, rmid, flags);
    };
    made.xa_prepare_entry = [](XID* x, int rmid, long flags) {
        return Here().prepare(x, rmid, flags);
    };
    made.xa_commit_entry = [](XID* x, int rmid, long flags) {
        return Here().commit(x, rmid, flags);
    };
    made.xa_recover_entry = [](XID* list, long count, int rmid, long flags) {
        return Here().recover(list, count, rmid, flags);
    };
    made.xa_forget_entry = [](XID* x, int rmid, long flags) {
        return Here().forget(x, rmid, flags);
    };
    made.xa_complete_entry = [](int* handle, int* retval, int rmid, long flags) {
        return Here().complete(handle, retval, rmid, flags);
    };
    return made;
}

}  // namespace assent::switch_out

#endif  // ASSENT_ADAPTERS_SWITCH_OUT_EXPORTED_HPP
