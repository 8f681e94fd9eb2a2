// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// by_hand.cpp -- transfers as they are programmed without a transaction manager: the rivals.
//
// None of them recovers anything, or notices that a session left its transaction; (g), (h) and (i)
// send what would be needed to notice it, and what makes a session new for the next lease.  All are
// as durable as their databases.  Statements are prepared, except where a reset forgets them.

#include <stdexcept>

#include "decision_log.hpp"
#include "hands.hpp"
#include "variant.hpp"

namespace assent::bench {

namespace {

/// A transfer on its way.
struct job
{
    int row;
    std::size_t thread;
    std::uint64_t sequence;
    std::string name;
    decision_log* log;

    /// What its branches in a pair are called: once on each server.
    std::string branch(std::size_t pair) const
    {
        return '\'' + name + (pair == 0 ? "" : "-" + std::to_string(pair)) + '\'';
    }
};

template <class Hands>
class by_hands final : public variant
{
public:
    using work = void (*)(Hands& with, job const& what);

    by_hands(std::string name, std::string about, std::shared_ptr<crowd<Hands>> all, work how,
             std::shared_ptr<decision_log> log = nullptr)
        : variant(std::move(name), std::move(about), {}),
          all_(std::move(all)),
          work_(how),
          log_(std::move(log))
    {
    }

    void open(std::size_t threads) override { all_->open(threads); }

    void transfer(std::size_t thread, std::uint64_t sequence) override
    {
        std::string const global =
            name() + '-' + std::to_string(thread) + '-' + std::to_string(sequence);
        work_(all_->of(thread),
              {shop::row_of(thread, sequence), thread, sequence, global, log_.get()});
    }

    std::uint64_t forces() const override { return log_ ? log_->forces() : 0; }

private:
    std::shared_ptr<crowd<Hands>> const all_;
    work const work_;
    std::shared_ptr<decision_log> const log_;
};

/// Calls `act` with each pair, and with the name of its branches.
template <class Hands, class Act>
void for_each(Hands& with, job const& what, Act const& act)
{
    for (std::size_t i = 0; i < with.pairs.size(); ++i)
        act(*with.pairs[i], what.branch(i));
}

template <class Hands>
void receive_all(Hands& with)
{
    for (auto const& each : with.pairs) {
        each->accounts.receive();
        each->orders.receive();
    }
}

void work(prepared_hands& with, int row)
{
    for (auto const& each : with.pairs) {
        each->debit(row);
        each->credit(row, 1);
    }
}

void begin_and_work(prepared_hands& with, job const& what)
{
    for_each(with, what, [](prepared_pair& on, std::string const& branch) {
        on.accounts.run("BEGIN");
        on.orders.run("XA START " + branch);
    });
    work(with, what.row);
}

std::string end_and_prepare(std::string const& branch)
{
    return "XA END " + branch + "; XA PREPARE " + branch;
}

/// (a)
void sequential(prepared_hands& with, job const& what)
{
    begin_and_work(with, what);
    for_each(with, what, [](prepared_pair& on, std::string const& branch) {
        on.orders.run("XA END " + branch);
        on.orders.run("XA PREPARE " + branch);
        on.accounts.run("PREPARE TRANSACTION " + branch);
    });
    for_each(with, what, [](prepared_pair& on, std::string const& branch) {
        on.accounts.run("COMMIT PREPARED " + branch);
        on.orders.run("XA COMMIT " + branch);
    });
}

/// (b), and (c) where there is a log.
void overlapped(prepared_hands& with, job const& what)
{
    begin_and_work(with, what);
    for_each(with, what, [](prepared_pair& on, std::string const& branch) {
        on.accounts.send("PREPARE TRANSACTION " + branch);
        on.orders.send(end_and_prepare(branch));
    });
    receive_all(with);
    if (what.log != nullptr) what.log->force(what.name);
    for_each(with, what, [](prepared_pair& on, std::string const& branch) {
        on.accounts.send("COMMIT PREPARED " + branch);
        on.orders.send("XA COMMIT " + branch);
    });
    receive_all(with);
}

/// Rows go when all is finished, many at once, and that need not be durable.
bool is_time_to_delete(job const& what)
{
    constexpr std::uint64_t rows_kept = 64;
    return (what.sequence + 1) % rows_kept == 0;
}

std::string deletion_of(job const& what)
{
    return "BEGIN; SET LOCAL synchronous_commit = off; DELETE FROM decision WHERE thread = " +
           std::to_string(what.thread) + "; COMMIT";
}

/// (d)  The row is in the first database, which prepares nothing.
void commit_row(prepared_hands& with, job const& what)
{
    auto& first = *with.pairs.front();
    auto const receive_others = [&] {
        for (auto const& each : with.pairs) {
            if (each.get() != &first) each->accounts.receive();
            each->orders.receive();
        }
    };
    begin_and_work(with, what);
    for_each(with, what, [&](prepared_pair& on, std::string const& branch) {
        if (&on != &first) on.accounts.send("PREPARE TRANSACTION " + branch);
        on.orders.send(end_and_prepare(branch));
    });
    receive_others();
    first.accounts.run("INSERT INTO decision VALUES (" + what.branch(0) + ", " +
                       std::to_string(what.thread) + "); COMMIT");
    for_each(with, what, [&](prepared_pair& on, std::string const& branch) {
        if (&on != &first) on.accounts.send("COMMIT PREPARED " + branch);
        on.orders.send("XA COMMIT " + branch);
    });
    receive_others();
    if (is_time_to_delete(what)) first.accounts.run(deletion_of(what));
}

/// (e)
void local(prepared_hands& with, job const& what)
{
    for (auto const& each : with.pairs) {
        each->accounts.run("BEGIN");
        each->orders.run("START TRANSACTION");
    }
    work(with, what.row);
    for (auto const& each : with.pairs) {
        each->accounts.send("COMMIT");
        each->orders.send("COMMIT");
    }
    receive_all(with);
}

/// (f)  Both statements in one database.
void one_local(prepared_hands& with, job const& what)
{
    auto& on = *with.pairs.front();
    on.accounts.run("BEGIN");
    on.debit(what.row);
    add(on.accounts.handle(), what.row, 1);
    on.accounts.run("COMMIT");
}

void begin_marked_and_work(hands& with, job const& what)
{
    for_each(with, what, [](plain_pair& on, std::string const& branch) {
        on.accounts.finish_reset();
        on.orders.finish_reset();
        on.accounts.send("BEGIN; SET LOCAL assent.mark = " + branch);
        on.orders.send("set role none; use " + on.database + "; XA START " + branch);
    });
    receive_all(with);
    for (auto const& each : with.pairs) {
        add_by_text(each->accounts.handle(), what.row, -1);
        add_by_text(each->orders.handle(), what.row, 1);
    }
}

void prepare_marked(plain_pair& on, std::string const& branch)
{
    on.accounts.send(
        "SHOW assent.mark; SET CONSTRAINTS ALL IMMEDIATE; "
        "SET SESSION AUTHORIZATION DEFAULT; PREPARE TRANSACTION " +
        branch);
}

void receive_mark(plain_pair& on, std::string const& branch)
{
    if ('\'' + on.accounts.receive() + '\'' != branch) throw std::runtime_error("the mark is lost");
}

/// (g)
void with_promises(hands& with, job const& what)
{
    begin_marked_and_work(with, what);
    for_each(with, what, [](plain_pair& on, std::string const& branch) {
        prepare_marked(on, branch);
        on.orders.send(end_and_prepare(branch));
    });
    for_each(with, what, [](plain_pair& on, std::string const& branch) {
        receive_mark(on, branch);
        on.orders.receive();
    });
    what.log->force(what.name);
    for_each(with, what, [](plain_pair& on, std::string const& branch) {
        on.accounts.send_commit_and_reset(branch);
        on.orders.send("XA COMMIT " + branch);
    });
    for (auto const& each : with.pairs) {
        each->accounts.receive_commit();
        each->orders.receive();
        each->orders.send_reset();
    }
}

/// (h)  The message with the row fails as a whole where the mark is gone, or the row is kept out.
void row_with_promises(hands& with, job const& what)
{
    auto& first = *with.pairs.front();
    begin_marked_and_work(with, what);
    for_each(with, what, [&](plain_pair& on, std::string const& branch) {
        if (&on != &first) prepare_marked(on, branch);
        on.orders.send(end_and_prepare(branch));
    });
    for_each(with, what, [&](plain_pair& on, std::string const& branch) {
        if (&on != &first) receive_mark(on, branch);
        on.orders.receive();
    });
    first.accounts.run(
        "SELECT 1/CASE WHEN current_setting('assent.mark', true) = " + what.branch(0) +
        " THEN 1 ELSE 0 END; SET CONSTRAINTS ALL IMMEDIATE; "
        "SET LOCAL SESSION AUTHORIZATION DEFAULT; WITH made AS (INSERT INTO decision VALUES (" +
        what.branch(0) + ", " + std::to_string(what.thread) +
        ") RETURNING 1) SELECT 1/CASE WHEN count(*) = 1 THEN 1 ELSE 0 END FROM made; COMMIT");
    first.accounts.send_reset();
    for_each(with, what, [&](plain_pair& on, std::string const& branch) {
        if (&on != &first) on.accounts.send_commit_and_reset(branch);
        on.orders.send("XA COMMIT " + branch);
    });
    for (auto const& each : with.pairs) {
        if (each.get() != &first) each->accounts.receive_commit();
        each->orders.receive();
        each->orders.send_reset();
    }
    if (!is_time_to_delete(what)) return;
    first.accounts.finish_reset();
    first.accounts.run(deletion_of(what));
}

/// (i)  Before COMMIT it is asked by which name the server will remember it.
void one_with_promises(hands& with, job const& what)
{
    auto& on = *with.pairs.front();
    auto* const both = on.accounts.handle();
    on.accounts.finish_reset();
    on.accounts.run("BEGIN; SET LOCAL assent.mark = " + what.branch(0));
    add_by_text(both, what.row, -1);
    add_by_text(both, what.row, 1);
    on.accounts.run(
        "SELECT current_setting('assent.mark', true), pg_current_xact_id_if_assigned(), "
        "current_setting('synchronous_commit')");
    on.accounts.run("COMMIT");
    on.accounts.send_reset();
}

}  // namespace

variants by_hand(places const& where, std::string const& directory)
{
    auto const all = std::make_shared<crowd<prepared_hands>>(where);
    auto const marked = std::make_shared<crowd<hands>>(where);
    auto const log = std::make_shared<decision_log>(directory);
    variants made;
    auto const add = [&](char const* name, char const* about, auto how,
                         std::shared_ptr<decision_log> with = nullptr) {
        made.push_back(std::make_unique<by_hands<prepared_hands>>(name, about, all, how, with));
    };
    add("hand-sequential", "(a) by hand, one after the other, no log", sequential);
    add("hand-overlapped", "(b) by hand, overlapped, no log", overlapped);
    add("hand-log", "(c) by hand, overlapped, log", overlapped, log);
    add("hand-commit-row", "(d) by hand, commit row", commit_row);
    add("hand-two-local", "(e) two local commits, not atomic", local);
    add("hand-one-local", "(f) one local commit", one_local);
    auto const add_marked = [&](char const* name, char const* about, auto how,
                                std::shared_ptr<decision_log> with = nullptr) {
        made.push_back(std::make_unique<by_hands<hands>>(name, about, marked, how, with));
    };
    add_marked("hand-promises", "(g) as (c), marks and resets", with_promises, log);
    add_marked("hand-row-promises", "(h) as (d), marks and resets", row_with_promises);
    add_marked("hand-one-promises", "(i) as (f), marks and resets", one_with_promises);
    return made;
}

}  // namespace assent::bench
