// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// refusal_test.cpp -- what is refused, by name, and with nothing gathered.

#include <assent/tcc.hpp>

#include "tests/unit/message/message_fixture.hpp"

namespace message_test {

using Refused = queues;
namespace limit = assent::message;

TEST_F(Refused, AMessageOutsideOfItsLimits)
{
    auto tx = at.tm->begin();
    auto const with_header = [](std::string name, std::string value) {
        return message{"jobs", "", "", {{std::move(name), std::move(value)}}};
    };
    for (auto const& [one, word] : std::vector<std::pair<message, std::string>>{
             {{"", "", ""}, "destination"},
             {{"two words", "", ""}, "destination"},
             {{std::string(limit::to_max + 1, 'a'), "", ""}, "destination"},
             {{"jobs", std::string(limit::key_max + 1, 'k'), ""}, "255 characters of key"},
             {{"jobs", "caf\xc3\xa9", ""}, "key"},
             {{"jobs", "", std::string(limit::body_max + 1, 'b')}, "1000000 bytes of body"},
             {with_header("a=b", ""), "names its headers"},
             {with_header("", ""), "names its headers"},
             {with_header("assent-lane", ""), "a relay writes those"},
             {with_header("n", std::string(limit::headers_max, 'v')), "8000 bytes of headers"}}) {
        auto const said =
            thrown_by<assent::error>([&, &refused = one] { at_bank.put(tx, refused); });
        EXPECT_EQ(said.why(), errc::bad_argument);
        EXPECT_THAT(said.what(), HasSubstr(word));
    }
    EXPECT_EQ(code_of([&] { at_bank.take(tx, "two words"); }), errc::bad_argument);
    at_bank.put(tx, {std::string(limit::to_max, 'a'), std::string(limit::key_max, '~'),
                     std::string(limit::body_max, '\0')});
    EXPECT_EQ(tx.commit(), outcome::committed) << "what stays within them is taken";
    EXPECT_EQ(at.bank.tasks().size(), 1u);
}

TEST_F(Refused, MoreThanATransactionMayPut)
{
    auto tx = at.tm->begin();
    message const large{"jobs", "", std::string(limit::body_max, 'b')};
    for (int i = 0; i < 3; ++i)
        at_bank.put(tx, large);
    EXPECT_THAT(thrown_by<assent::error>([&] { at_bank.put(tx, large); }).what(),
                HasSubstr("at most 10000 messages, and 4000000 bytes, into \"accounts\""));
    at_shop.put(tx, large);  // each database has its own
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_EQ(at.bank.tasks().size(), 3u);

    auto many = at.tm->begin();
    for (std::size_t i = 0; i < limit::messages_max; ++i)
        at_bank.put(many, {"jobs", "", ""});
    EXPECT_EQ(code_of([&] { at_bank.put(many, {"jobs", "", ""}); }), errc::bad_argument);
    many.rollback();
}

TEST_F(Refused, AReadOnlyTransactionOrBranch)
{
    auto tx = at.tm->begin(assent::begin_options{}.read_only());
    EXPECT_THAT(thrown_by<assent::error>([&] {
                    at_bank.put(tx, {"jobs", "", ""});
                }).what(),
                HasSubstr("this transaction is read-only"));
    EXPECT_EQ(code_of([&] { at_bank.take(tx, "jobs"); }), errc::invalid_state);
    EXPECT_EQ(tx.commit(), outcome::committed);

    auto partly = at.tm->begin();
    partly.lease(*at.accounts, assent::access::read_only);
    EXPECT_THAT(thrown_by<assent::error>([&] {
                    at_bank.put(partly, {"jobs", "", ""});
                }).what(),
                HasSubstr("branch is read-only"));
    at_shop.put(partly, {"jobs", "", "beside it"});
    EXPECT_EQ(partly.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), IsEmpty());
    EXPECT_THAT(bodies(at.shop), ElementsAre("beside it"));
}

TEST_F(Refused, ABranchThatBecameReadOnlyAfterThePut)
{
    auto tx = at.tm->begin();
    at_bank.put(tx, {"jobs", "", "never"});
    tx.lease(*at.accounts, assent::access::read_only);
    EXPECT_THAT(thrown_by<assent::rolled_back_error>([&] { tx.commit(); }).what(),
                HasSubstr("read-only"));
    EXPECT_THAT(bodies(at.bank), IsEmpty());
}

TEST_F(Refused, ATransactionThatTakesNoMore)
{
    auto ended = at.tm->begin();
    ended.commit();
    EXPECT_EQ(code_of([&] { at_bank.put(ended, {"jobs", "", ""}); }), errc::invalid_state);
    EXPECT_EQ(code_of([&] { at_bank.take(ended, "jobs"); }), errc::invalid_state);

    auto marked = at.tm->begin();
    at_bank.put(marked, {"jobs", "", "never"});
    marked.set_rollback_only();
    EXPECT_EQ(code_of([&] { at_bank.put(marked, {"jobs", "", ""}); }), errc::rollback_only);
    EXPECT_EQ(code_of([&] { marked.commit(); }), errc::rolled_back);

    auto late = at.tm->begin();
    std::optional<errc> said;
    late.register_synchronization({{}, [&](status) {
                                       said = code_of([&] { at_bank.put(late, {"jobs", "", ""}); });
                                   }});
    late.commit();
    EXPECT_EQ(said, errc::invalid_state);
    EXPECT_THAT(bodies(at.bank), IsEmpty());
}

TEST_F(Refused, TakingAtAnotherIsolationLevelAndTheTransactionGoesOn)
{
    commit_put("stays");
    auto tx =
        at.tm->begin(assent::begin_options{}.isolation_level(assent::isolation::repeatable_read));
    auto const said = thrown_by<assent::error>([&] { at_bank.take(tx, "jobs"); });
    EXPECT_EQ(said.why(), errc::invalid_state);
    EXPECT_THAT(said.what(), HasSubstr("READ COMMITTED"));
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("stays"));
}

TEST_F(Refused, ADatabaseThatHoldsNoMessages)
{
    assent::tcc::resource_manager const wallets{"wallets", *at.accounts};
    EXPECT_EQ(code_of([&] { queue{wallets}; }), errc::bad_argument);

    queue const stranger{memory_resource_manager{"stranger", at.bank}};
    auto tx = at.tm->begin();
    EXPECT_EQ(code_of([&] { stranger.put(tx, {"jobs", "", ""}); }), errc::bad_argument);
    EXPECT_EQ(tx.commit(), outcome::committed);
}

TEST_F(Refused, TablesThatCannotBeUsedUntilTheyCan)
{
    at.bank.script().on(driver_call::ensure_tasks).fail("let an administrator run CREATE TABLE");
    auto tx = at.tm->begin();
    auto const put = [&] { at_bank.put(tx, {"jobs", "", "at last"}); };
    auto const said = thrown_by<assent::error>(put);
    EXPECT_EQ(said.why(), errc::unavailable);
    EXPECT_THAT(said.what(), HasSubstr("CREATE TABLE"));
    EXPECT_EQ(code_of(put), errc::unavailable) << "they are not looked at again at once";
    EXPECT_TRUE(becomes_true([&] {
        try {
            put();
            return true;
        } catch (assent::error const&) {
            return false;
        }
    }));
    EXPECT_EQ(tx.commit(), outcome::committed);
    EXPECT_THAT(bodies(at.bank), ElementsAre("at last"));
}

}  // namespace message_test
