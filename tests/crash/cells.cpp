// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/crash/cells.hpp"

#include <random>

namespace assent::testing {

namespace {

constexpr char const* blow_names[] = {"killed", "database_killed", "request_lost", "reply_lost"};

}  // namespace

std::array<step, 18> const steps{{
    {"attempt.begin", "commit", "ready", false, "BEGIN", "XA START"},
    {"attempt.row", "commit", "ready", false, "INSERT INTO public.assent_branch",
     "assent_branch (xid, manager"},
    {"attempt.work", "commit", "ready", false, "'attempt')", "'attempt')"},
    {"attempt.more", "commit", "ready", false, "insert into held", "insert into held"},
    {"attempt.commit", "commit", "ready", false, "; COMMIT", "ONE PHASE"},
    {"prepare.look", "commit", "worked", false, "SELECT 1 FROM public.assent_branch",
     ".assent_branch where xid"},
    {"prepare.beside", "commit", "worked", true, "PREPARE TRANSACTION", "XA PREPARE"},
    {"decide.force", "commit", "decision.force", false, nullptr, nullptr},
    {"decide.durable", "commit", "decision.durable", false, nullptr, nullptr},
    {"decide.row", "row", "worked", true, "; COMMIT", "ONE PHASE"},
    {"confirm.begin", "commit", "decision.durable", false, "BEGIN", "XA START"},
    {"confirm.take", "commit", "decision.durable", false, "DELETE FROM public.assent_branch",
     "delete from `orders`.assent_branch"},
    {"confirm.work", "commit", "decision.durable", false, "'confirm')", "'confirm')"},
    {"confirm.commit", "commit", "decision.durable", false, "; COMMIT", "ONE PHASE"},
    {"cancel.begin", "rollback", "worked", false, "BEGIN", "XA START"},
    {"cancel.take", "rollback", "worked", false, "DELETE FROM public.assent_branch",
     "delete from `orders`.assent_branch"},
    {"cancel.work", "rollback", "worked", false, "'cancel')", "'cancel')"},
    {"cancel.commit", "rollback", "worked", false, "; COMMIT", "ONE PHASE"},
}};

std::string cell::name() const
{
    return std::string{in == where_reserved::accounts ? "accounts" : "orders"} + "." + at->name +
           "." + blow_names[static_cast<std::size_t>(what)];
}

std::string cell::part() const
{
    char const* const said = is_at_accounts() ? at->part : at->mysqls;
    return said == nullptr ? "" : said;
}

/// A request of the dead arrives; one that is lost, or whose server dies while it is on its way,
/// does not.
fate_of_reservation cell::expected() const
{
    using fate = fate_of_reservation;
    std::string const name = at->name;
    bool const arrives = what == blow::kill_us || what == blow::lose_reply;
    if (name == "attempt.commit") return arrives ? fate::cancelled : fate::never_was;
    if (name.rfind("attempt.", 0) == 0) return fate::never_was;
    if (name == "decide.force") return what == blow::kill_us ? fate::cancelled : fate::confirmed;
    if (name == "decide.row") {
        if (what == blow::kill_us) return fate::either;
        return arrives ? fate::confirmed : fate::cancelled;
    }
    bool const is_decided = name == "decide.durable" || name.rfind("confirm.", 0) == 0;
    return is_decided ? fate::confirmed : fate::cancelled;
}

std::vector<cell> all_cells()
{
    std::vector<cell> all;
    for (auto const& at : steps) {
        for (blow const what : blows) {
            all.push_back({&at, what, where_reserved::accounts});
            all.push_back({&at, what, where_reserved::orders});
        }
    }
    return all;
}

std::vector<cell> cells_of(std::uint64_t seed)
{
    std::mt19937_64 dice{seed};
    std::vector<cell> some;
    for (auto const& at : steps) {
        auto const drawn = dice();
        bool const is_in_accounts = drawn / blows.size() % 2 == 0;
        some.push_back({&at, blows[drawn % blows.size()],
                        is_in_accounts ? where_reserved::accounts : where_reserved::orders});
    }
    return some;
}

}  // namespace assent::testing
