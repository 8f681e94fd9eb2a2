// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// switch_module.cpp -- a shared library as a vendor ships it: a switch that works, and some that
// no library should have.

#include <cstring>

#include <xopen/xa.h>

#include "adapters/strict_switch/registry.hpp"

namespace {

using assent::testing::strict::registry;

xa_switch_t changed(void (*how)(xa_switch_t&))
{
    xa_switch_t copy = assent::testing::strict::switch_of(TMNOMIGRATE);
    how(copy);
    return copy;
}

}  // namespace

extern "C" {
/// Without them it cannot be loaded, as a vendor's library that registers.
void (*module_asks[])() = {reinterpret_cast<void (*)()>(&ax_reg),
                           reinterpret_cast<void (*)()>(&ax_unreg)};

xa_switch_t module_switch = changed([](xa_switch_t&) {});
xa_switch_t module_of_version_1 = changed([](xa_switch_t& one) { one.version = 1; });
xa_switch_t module_without_commit =
    changed([](xa_switch_t& one) { one.xa_commit_entry = nullptr; });
xa_switch_t module_without_end_of_name =
    changed([](xa_switch_t& one) { std::memset(one.name, 'x', RMNAMESZ); });
xa_switch_t module_registering = changed(
    [](xa_switch_t& one) { one = assent::testing::strict::switch_of(TMNOMIGRATE | TMREGISTER); });
int module_small = 0;

int module_function()
{
    return 0;
}

/// The application's interface.
void module_add(char const* file, char const* row, long delta)
{
    registry::of_process().of_file(file)->add(row, delta);
}

long module_value(char const* file, char const* row)
{
    return static_cast<long>(registry::of_process().of_file(file)->rows()[row]);
}
}
