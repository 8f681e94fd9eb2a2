// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// dice_test.cpp -- a broker at which three in ten calls meet something, seed by seed: in the end
// each message was shown once where its transaction committed, and never where it did not.
//
// A seed that fails is run again alone: ASSENT_SEED=number.

#include <cstdlib>

#include "tests/unit/half/half_fixture.hpp"

namespace half_test {

class Diced : public sending
{
protected:
    static constexpr std::uint64_t seeds = 12;
    static constexpr int transactions = 12;
    /// Of a half that is held back until its transaction is over.
    static constexpr auto held_time = 300ms;

    void run_all(bool is_by_row)
    {
        char const* const chosen = std::getenv("ASSENT_SEED");
        auto const first = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 1;
        auto const last = chosen != nullptr ? first : seeds;
        auto const how = is_by_row ? by_row() : assent::begin_options{};
        for (auto seed = first; seed <= last; ++seed) {
            SCOPED_TRACE("ASSENT_SEED=" + std::to_string(seed));
            run_one(seed, how);
            if (HasFailure()) return;
        }
    }

    void run_one(std::uint64_t seed, assent::begin_options const& how)
    {
        std::map<std::string, bool> ended;  // and whether it committed
        broker->dice(seed);
        for (int i = 0; i < transactions; ++i) {
            auto const body = std::to_string(seed) + "/" + std::to_string(i);
            ended[body] = is_committed(body, how, i % 4 == 3);
            broker->arrive();
        }
        // The last may be late still; from here on nothing is lost any more.
        broker->dice(0);
        broker->arrive();
        ASSERT_TRUE(becomes_drained()) << what_is_left();
        broker->arrive();
        ASSERT_THAT(broker->halves(), IsEmpty());
        for (auto const& [body, is_there] : ended)
            expect_order(is_there, body);
        EXPECT_EQ(tm->state().heuristics, 0u);
        EXPECT_THAT(tm->state().quarantined, IsEmpty());
    }

    bool is_committed(std::string const& body, assent::begin_options const& how, bool gives_up)
    {
        auto tx = tm->begin(assent::begin_options{how}.timeout(held_time));
        try {
            tx.lease(*orders)->set(body, 1);
            half::send(tx, *news, {"orders", body});
            if (!gives_up) {
                auto const is = tx.commit();
                return is == outcome::committed || is == outcome::committed_pending;
            }
        } catch (half::refused const&) {
        } catch (assent::rolled_back_error const&) {
            return false;
        } catch (assent::error const&) {  // it is not known whether the half is there
        }
        EXPECT_EQ(tx.rollback(), outcome::rolled_back);
        return false;
    }
};

TEST_F(Diced, EachMessageIsShownOnceOrNeverWhereTheLogDecides)
{
    run_all(false);
}

TEST_F(Diced, EachMessageIsShownOnceOrNeverWhereARowDecides)
{
    run_all(true);
}

}  // namespace half_test
