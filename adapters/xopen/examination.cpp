// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// examination.cpp -- what `assent doctor` is told of a switch: what it says of itself, which is
// little, and what was declared of it.  Nothing is made, the identity's file included.

#include <string>

#include "adapters/xopen/driver.hpp"
#include "adapters/xopen/identity_file.hpp"
#include "adapters/xopen/listing.hpp"
#include "adapters/xopen/session.hpp"

namespace assent::xopen_switch {

namespace {

std::string flags_of(xa_switch_t const& entries)
{
    std::string all;
    auto const add = [&](long flag, char const* name) {
        if ((entries.flags & flag) != 0) all += std::string{all.empty() ? "" : ", "} + name;
    };
    add(TMREGISTER, "TMREGISTER");
    add(TMNOMIGRATE, "TMNOMIGRATE");
    add(TMUSEASYNC, "TMUSEASYNC");
    return all.empty() ? "no flags" : all;
}

}  // namespace

examination driver::examine(driver_session& manage, deadline)
{
    using level = finding_level;
    examination seen;
    seen.kind = "xopen";
    seen.version = is_.entries.name;
    seen.why_no_force = "a switch has no call for it";
    seen.add("switch", level::ok, seen.version + ", with " + flags_of(is_.entries));

    if (chosen_.identity_file.empty()) {
        seen.identity = chosen_.identity;
    } else {
        seen.identity = known_identity_in(name_, chosen_.identity_file).value_or("");
    }
    if (seen.identity.empty()) {
        seen.add(
            "identity", level::advice, "\"" + chosen_.identity_file + "\" is not there",
            "the application makes it when it first starts; if it has started before, the path "
            "is wrong, or the file is lost: bring it back");
    } else {
        seen.add("identity", level::ok, seen.identity);
    }

    scan_result listed;
    list(name_, static_cast<session&>(manage).opening(), listed);
    seen.add("prepared", level::ok,
             std::to_string(listed.ours.size()) + " of Assent, " +
                 std::to_string(listed.foreign_count) + " of others");

    seen.add("guardian", level::advice, "declared unguarded",
             "only the lock on the log keeps a copy of it from rolling back what is committed "
             "here: never copy the log, nor restore it from a backup");
    if (chosen_.sessions_end_within) {
        seen.add("sessions", level::ok,
                 "end within " + std::to_string(chosen_.sessions_end_within->count()) + " ms");
    } else {
        seen.add("sessions", level::warning, "nobody has said when they end",
                 "nothing is ever called drained here: say by sessions_end_within() how long a "
                 "process that died may still be served");
    }
    return seen;
}

}  // namespace assent::xopen_switch
