// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// verdict_test.cpp -- every way a commit() can end, said twice: by exception and by error code.

#include "tests/unit/api/api_fixture.hpp"

namespace {

using namespace api_test;

enum class said { committed, pending, rolled_back, heuristic, in_doubt, invalid_state };

struct row
{
    char const* name;
    said expected;
    bool is_retryable;
    bool is_one_phase;
    personality acts_as;
    std::function<void(doors&)> fault;  // before commit()
};

std::vector<row> const& rows()
{
    using p = personality;
    auto const on = [](verb what, xa_code code) {
        return [=](doors& at) { at.bank.script().on(what).reply(code); };
    };
    static std::vector<row> const all = {
        {"nothing goes wrong", said::committed, false, false, p::plain, [](doors&) {}},
        {"one phase", said::committed, false, true, p::plain, [](doors&) {}},
        {"commit lost", said::pending, false, false, p::plain,
         [](doors& at) { at.bank.script().on(verb::commit).lose_before_effect(); }},
        {"commit unanswered", said::pending, false, false, p::plain,
         [](doors& at) { at.bank.script().on(verb::commit).hang(); }},
        {"commit to be repeated", said::pending, false, false, p::plain,
         on(verb::commit, xa_code::retry)},
        {"commit unknown", said::pending, false, false, p::plain, on(verb::commit, xa_code::proto)},
        {"deadlock vote", said::rolled_back, true, false, p::plain,
         on(verb::prepare, xa_code::rbdeadlock)},
        {"integrity vote", said::rolled_back, false, false, p::plain,
         on(verb::prepare, xa_code::rbintegrity)},
        {"vote lost", said::rolled_back, false, false, p::plain,
         [](doors& at) { at.bank.script().on(verb::prepare).lose_after_effect(); }},
        {"deadlock vote, other rollback lost", said::rolled_back, false, false, p::plain,
         [](doors& at) {
             at.bank.script().on(verb::prepare).reply(xa_code::rbdeadlock);
             at.shop.script().on(verb::rollback).lose_before_effect();
         }},
        {"one phase, deadlock", said::rolled_back, true, true, p::plain,
         on(verb::commit_one_phase, xa_code::rbdeadlock)},
        {"one phase, integrity", said::rolled_back, false, true, p::plain,
         on(verb::commit_one_phase, xa_code::rbintegrity)},
        {"heuristic rollback", said::heuristic, false, false, p::plain,
         on(verb::commit, xa_code::heurrb)},
        {"heuristic mixed", said::heuristic, false, false, p::plain,
         on(verb::commit, xa_code::heurmix)},
        {"heuristic commit", said::committed, false, false, p::plain,
         on(verb::commit, xa_code::heurcom)},
        {"commit says rolled back", said::heuristic, false, false, p::plain,
         on(verb::commit, xa_code::rbother)},
        {"one phase lost", said::in_doubt, false, true, p::plain,
         [](doors& at) { at.bank.script().on(verb::commit_one_phase).lose_after_effect(); }},
        {"one phase lost, witness says committed", said::committed, false, true, p::postgresql,
         [](doors& at) { at.bank.script().on(verb::commit_one_phase).lose_after_effect(); }},
        {"one phase lost, witness says rolled back", said::rolled_back, true, true, p::postgresql,
         [](doors& at) { at.bank.script().on(verb::commit_one_phase).lose_before_effect(); }},
        {"one phase lost, witness unreachable", said::in_doubt, false, true, p::postgresql,
         [](doors& at) {
             at.bank.script().on(verb::commit_one_phase).lose_after_effect();
             at.bank.script().on(driver_call::ask_witness).times(1000).fail();
         }},
    };
    return all;
}

/// One transaction that meets the row's fault, up to commit().
std::unique_ptr<assent::transaction> prepare(doors& at, row const& what)
{
    auto tx = std::make_unique<assent::transaction>(at.tm->begin());
    tx->lease(*at.accounts)->set("row", 1);
    if (!what.is_one_phase) tx->lease(*at.orders)->set("row", 1);
    what.fault(at);
    return tx;
}

struct answer
{
    said verdict{};
    std::string what;
    assent::gtrid id;
    std::size_t branches = 0;
    bool is_retryable = false;
    std::optional<assent::resolver> who;
};

answer by_exception(assent::transaction& tx)
{
    auto const of = [](said verdict, assent::error const& e) {
        return answer{verdict, e.what(), e.id(), e.branches().size(), e.is_retryable(), {}};
    };
    try {
        auto const how = tx.commit();
        return {
            how == outcome::committed ? said::committed : said::pending, "", tx.id(), 0, false, {}};
    } catch (assent::rolled_back_error const& e) {
        EXPECT_EQ(e.code(), errc::rolled_back);
        return of(said::rolled_back, e);
    } catch (assent::heuristic_error const& e) {
        EXPECT_EQ(e.code(), errc::heuristic);
        return of(said::heuristic, e);
    } catch (assent::in_doubt_error const& e) {
        EXPECT_EQ(e.code(), errc::in_doubt);
        auto told = of(said::in_doubt, e);
        told.who = e.resolved_by();
        return told;
    }
}

answer by_code(assent::transaction& tx)
{
    std::error_code ec = std::make_error_code(std::errc::io_error);
    assent::diagnostics diag;
    auto const how = tx.commit(ec, diag);
    answer told{said::committed, diag.what, diag.id, diag.branches.size(), diag.is_retryable, {}};
    if (!ec) {
        told.verdict = how == outcome::committed ? said::committed : said::pending;
        told.branches = 0;
        return told;
    }
    EXPECT_EQ(ec.category(), assent::assent_category());
    EXPECT_FALSE(ec.message().empty());
    if (ec == errc::rolled_back) {
        EXPECT_EQ(how, outcome::rolled_back);
        told.verdict = said::rolled_back;
        return told;
    }
    EXPECT_EQ(how, outcome::unknown);
    told.verdict = ec == errc::heuristic ? said::heuristic : said::in_doubt;
    if (ec == errc::in_doubt) told.who = diag.who;
    return told;
}

/// Names of servers' rows and sessions differ from run to run; the sentence must not.
TEST(Verdict, IsTheSameByExceptionAndByErrorCode)
{
    for (auto const& each : rows()) {
        SCOPED_TRACE(each.name);
        doors first{each.acts_as};
        auto const thrown = prepare(first, each);
        doors second{each.acts_as};
        auto const returned = prepare(second, each);

        auto const a = by_exception(*thrown);
        auto const b = by_code(*returned);

        EXPECT_EQ(a.verdict, each.expected);
        EXPECT_EQ(b.verdict, each.expected);
        EXPECT_EQ(a.what, b.what);
        EXPECT_EQ(a.branches, b.branches);
        EXPECT_EQ(a.is_retryable, each.is_retryable);
        EXPECT_EQ(b.is_retryable, each.is_retryable);
        EXPECT_EQ(a.who, b.who);
        EXPECT_EQ(a.id, thrown->id());
        EXPECT_EQ(b.id, returned->id());
        first.bank.script().release();
        second.bank.script().release();
    }
}

TEST(Verdict, AgreesWithTheRowsOnceEverythingAnswers)
{
    for (auto const& each : rows()) {
        SCOPED_TRACE(each.name);
        doors at{each.acts_as};
        auto const tx = prepare(at, each);

        auto const told = by_exception(*tx);
        at.bank.script().release();

        EXPECT_TRUE(becomes_true([&] { return at.tm->state().live_transactions == 0; }));
        auto const kept = at.bank.value("row");
        if (told.verdict == said::committed || told.verdict == said::pending) {
            EXPECT_EQ(kept, 1);
        } else if (told.verdict == said::rolled_back) {
            EXPECT_EQ(kept, std::nullopt);
            EXPECT_EQ(at.shop.value("row"), std::nullopt);
        }
        EXPECT_THAT(at.bank.violations(), ::testing::IsEmpty());
        EXPECT_THAT(at.shop.violations(), ::testing::IsEmpty());
    }
}

TEST(Verdict, InDoubtSaysWhoWillKnow)
{
    for (auto const& each : rows()) {
        if (each.expected != said::in_doubt) continue;
        doors at{each.acts_as};
        auto const tx = prepare(at, each);

        auto const told = by_exception(*tx);

        EXPECT_EQ(told.who, each.acts_as == personality::postgresql ? assent::resolver::database
                                                                    : assent::resolver::nobody);
        EXPECT_EQ(at.tm->outcome(tx->id()), known_outcome::unknown);
    }
}

TEST(Verdict, OfASecondEndIsInvalidStateByCodeToo)
{
    doors at;
    auto tx = at.begin_work();
    tx.commit();
    std::error_code ec;
    assent::diagnostics diag;

    EXPECT_EQ(tx.commit(ec, diag), outcome::unknown);
    EXPECT_EQ(ec, errc::invalid_state);
    EXPECT_FALSE(diag.what.empty());
    EXPECT_EQ(tx.rollback(ec, diag), outcome::unknown);
    EXPECT_EQ(ec, errc::invalid_state);
}

TEST(Verdict, OfARollbackByErrorCode)
{
    doors at;
    std::error_code ec;
    assent::diagnostics diag;
    auto plain = at.begin_work("a");
    EXPECT_EQ(plain.rollback(ec, diag), outcome::rolled_back);
    EXPECT_FALSE(ec);
    auto lost = at.begin_work("b");
    at.bank.script().on(verb::rollback).lose_before_effect();
    EXPECT_EQ(lost.rollback(ec, diag), outcome::rolled_back) << "it cannot commit any more";
    EXPECT_FALSE(ec);
    auto heuristic = at.begin_work("c");
    at.bank.script().on(verb::rollback).reply(xa_code::heurcom);

    EXPECT_EQ(heuristic.rollback(ec, diag), outcome::unknown);

    EXPECT_EQ(ec, errc::heuristic);
    EXPECT_EQ(diag.branches.size(), 2u);
    EXPECT_THAT(diag.what, ::testing::HasSubstr("accounts"));
}

TEST(Verdict, ReportsEveryBranch)
{
    doors at;
    auto tx = at.begin_work();
    assent::reply no;
    no.code = xa_code::rbintegrity;
    no.sqlstate = "23505";
    no.native_code = 1062;
    no.text = "duplicate key";
    at.bank.script().on(verb::prepare).reply(no);

    auto const e = thrown_by<assent::rolled_back_error>([&] { tx.commit(); });

    ASSERT_EQ(e.branches().size(), 2u);
    auto const& bank = e.branches()[0];
    EXPECT_EQ(bank.resource_manager, "accounts");
    EXPECT_EQ(bank.branch.global, tx.id());
    EXPECT_EQ(bank.last_verb, verb::prepare);
    EXPECT_EQ(bank.sqlstate, "23505");
    EXPECT_EQ(bank.native_code, 1062);
    EXPECT_EQ(bank.state, "rolled back");
    EXPECT_EQ(e.branches()[1].last_verb, verb::rollback);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("duplicate key"));
}

}  // namespace
