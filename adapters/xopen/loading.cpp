// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/xopen/loading.hpp"

#include <dlfcn.h>
#ifdef __GLIBC__
#include <link.h>
#endif

#include <cstring>

#include "adapters/dialects/subject.hpp"

namespace assent::xopen_switch {

namespace {

[[noreturn]] void refuse(std::string const& resource_manager, std::string const& why)
{
    throw driver_error(errc::bad_argument, dialects::subject(resource_manager) + why);
}

std::string last_error()
{
    char const* const said = ::dlerror();
    return said != nullptr ? said : "the loader does not say why";
}

/// Whether a symbol can be a switch: what is a function, or smaller, is read past its end.
bool is_as_large([[maybe_unused]] void* found)
{
#ifdef __GLIBC__
    ::Dl_info where{};
    void* entry = nullptr;
    if (::dladdr1(found, &where, &entry, RTLD_DL_SYMENT) == 0 || entry == nullptr) return true;
    auto const& symbol = *static_cast<ElfW(Sym) const*>(entry);
    return ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT && symbol.st_size >= sizeof(xa_switch_t);
#else
    return true;
#endif
}

}  // namespace

xa_switch_t const& load(std::string const& resource_manager, xopen::library const& from)
{
    // Not to be unloaded: threads that opened the switch close it when they end, and vendors'
    // libraries leave handlers behind.
    void* const opened = ::dlopen(from.path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (opened == nullptr || from.path.empty()) {
        refuse(resource_manager, "the library of its switch, \"" + from.path +
                                     "\", cannot be loaded: " +
                                     (from.path.empty() ? "no path is given" : last_error()) +
                                     "; give the path of the vendor's shared library");
    }
    ::dlerror();
    void* const found = ::dlsym(opened, from.symbol.c_str());
    if (found == nullptr) {
        refuse(resource_manager, "\"" + from.path + "\" has no symbol \"" + from.symbol +
                                     "\"; the vendor's manual names its xa_switch_t");
    }
    if (!is_as_large(found)) {
        refuse(resource_manager, "the symbol \"" + from.symbol + "\" of \"" + from.path +
                                     "\" is no xa_switch_t: it is a function, or too small");
    }
    return *static_cast<xa_switch_t const*>(found);
}

void require_sound(std::string const& resource_manager, xa_switch_t const& entries)
{
    if (entries.version != 0) {
        refuse(resource_manager, "its switch is of version " + std::to_string(entries.version) +
                                     "; X/Open has defined version 0 only");
    }
    if (std::memchr(entries.name, 0, RMNAMESZ) == nullptr) {
        refuse(resource_manager, "the name in its switch has no end within " +
                                     std::to_string(RMNAMESZ) + " bytes: it is no xa_switch_t");
    }
    struct
    {
        bool is_there;
        char const* name;
    } const routines[] = {
        {entries.xa_open_entry != nullptr, "xa_open"},
        {entries.xa_close_entry != nullptr, "xa_close"},
        {entries.xa_start_entry != nullptr, "xa_start"},
        {entries.xa_end_entry != nullptr, "xa_end"},
        {entries.xa_rollback_entry != nullptr, "xa_rollback"},
        {entries.xa_prepare_entry != nullptr, "xa_prepare"},
        {entries.xa_commit_entry != nullptr, "xa_commit"},
        {entries.xa_recover_entry != nullptr, "xa_recover"},
        {entries.xa_forget_entry != nullptr, "xa_forget"},
        {entries.xa_complete_entry != nullptr || (entries.flags & TMUSEASYNC) == 0, "xa_complete"},
    };
    for (auto const& each : routines) {
        if (each.is_there) continue;
        refuse(resource_manager, std::string{"its switch has no "} + each.name);
    }
}

void require_info(std::string const& resource_manager, std::string const& xa_info)
{
    if (xa_info.size() >= MAXINFOSIZE) {
        refuse(resource_manager, "its xa_info string has " + std::to_string(xa_info.size()) +
                                     " bytes; X/Open allows " + std::to_string(MAXINFOSIZE - 1));
    }
    if (xa_info.find('\0') != std::string::npos) {
        refuse(resource_manager, "its xa_info string holds a NUL byte, where it would end");
    }
}

}  // namespace assent::xopen_switch
