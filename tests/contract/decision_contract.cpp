// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// decision_contract.cpp -- commit rows: work and row are one, a name has one row for ever, and
// whoever asks fences.

#include <random>

#include "tests/contract/contract_suite.hpp"

namespace assent::contract {

namespace {

constexpr char const* some_content = "00010001000000000000000a00020002000000000000000b";

/// The table of commit rows, as the manager's own session sees it.
class row_table
{
public:
    explicit row_table(resource_manager_driver& driver)
        : driver_(&driver), manage_(driver.connect(session_purpose::manage, in_seconds(10)))
    {
        driver.preflight(*manage_, in_seconds(10));
        table().ensure(*manage_, in_seconds(10));
    }

    decision_table& table() { return *driver_->decisions(); }
    driver_session& manage() { return *manage_; }

    /// A name that no other test has.
    static gtrid next_name()
    {
        static std::uint64_t const node = std::random_device{}();
        static std::uint64_t sequence = 0;
        return gtrid::make({decision_place::commit_row, 7, node, 1, 0x5a5a5a, ++sequence});
    }

    void carry(driver_session& session, gtrid const& name)
    {
        table().carry(session, {name, row_kind::commit, some_content});
    }
    /// Commits branch `x` on `session` in one phase, with a row of that name.
    reply commit(driver_session& session, xid const& x, gtrid const& name)
    {
        carry(session, name);
        session.submit(verb::commit_one_phase, x);
        auto const said = session.collect(in_seconds(10));
        if (!said) throw std::runtime_error("no answer within ten seconds");
        return *said;
    }
    std::optional<decision_row> find(gtrid const& name)
    {
        auto const seen = table().list(manage(), name.text(), 2, in_seconds(10));
        EXPECT_LE(seen.size(), 1u);
        return seen.empty() ? std::nullopt : std::optional{seen.front()};
    }
    /// Asks until a row is there for good.
    decision_row fence(gtrid const& name)
    {
        std::optional<decision_row> row;
        EXPECT_TRUE(eventually(
            [&] { return (row = table().fence(manage(), name, in_seconds(3))).has_value(); }));
        return row.value_or(decision_row{});
    }

private:
    resource_manager_driver* driver_;
    std::unique_ptr<driver_session> manage_;
};

template <class Branch>
bool is_committed(row_table& rows, Branch const& branch, gtrid const& name)
{
    return rows.commit(*branch.session, branch.id, name).is_ok();
}

}  // namespace

#define ASSENT_NEEDS_COMMIT_ROWS                              \
    if (driver().decisions() == nullptr) {                    \
        GTEST_SKIP() << "this database holds no commit rows"; \
    }                                                         \
    static_assert(true)

TEST_P(contract, CommitRowTheTableIsMadeOnce)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    EXPECT_NO_THROW(rows.table().ensure(rows.manage(), in_seconds(10)));
    EXPECT_TRUE(rows.manage().is_reusable());
}

TEST_P(contract, CommitRowARowIsCommittedWithTheWorkItCarries)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const name = row_table::next_name();
    auto const branch = start_branch(1);

    auto const said = rows.commit(*branch.session, branch.id, name);

    EXPECT_TRUE(said.is_ok()) << said.text;
    EXPECT_EQ(target().count_rows(1), 1);
    auto const row = rows.find(name);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->kind, row_kind::commit);
    EXPECT_EQ(row->content, some_content);
    EXPECT_TRUE(branch.session->is_reusable());
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(contract, CommitRowARowOfABranchThatWroteNothingIsThereToo)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const name = row_table::next_name();
    started branch{open(session_purpose::work), {}};
    branch.id = next_xid(*branch.session);
    ASSERT_TRUE(run(*branch.session, verb::start, branch.id).is_ok());

    EXPECT_TRUE(rows.commit(*branch.session, branch.id, name).is_ok());

    EXPECT_TRUE(rows.find(name));
}

TEST_P(contract, CommitRowARollbackLeavesNoRowAndNothingIsCarriedOn)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const name = row_table::next_name();
    auto const branch = start_branch(1);
    rows.carry(*branch.session, name);
    ASSERT_TRUE(run(*branch.session, verb::rollback, branch.id).is_ok());

    auto const next = next_xid(*branch.session);
    ASSERT_TRUE(run(*branch.session, verb::start, next).is_ok());
    target().write_row(*branch.session, 2);
    EXPECT_TRUE(run(*branch.session, verb::commit_one_phase, next).is_ok());

    EXPECT_FALSE(rows.find(name));
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_EQ(target().count_rows(2), 1);
}

TEST_P(contract, CommitRowAFenceTakesThePlaceOfARowThatComesLater)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const name = row_table::next_name();
    // A fence waits for the only writer, if there is only one; then it comes before.
    bool const is_alone = !target().has(feature::several_writers);
    auto const early = is_alone ? std::optional{rows.fence(name)} : std::nullopt;
    auto const branch = start_branch(1);

    EXPECT_EQ((early ? *early : rows.fence(name)).kind, row_kind::abort);
    auto const said = rows.commit(*branch.session, branch.id, name);

    EXPECT_TRUE(is_rolled_back(said)) << static_cast<int>(said.code) << ' ' << said.text;
    EXPECT_EQ(target().count_rows(1), 0);
    EXPECT_EQ(rows.find(name)->kind, row_kind::abort);
    EXPECT_EQ(rows.fence(name).kind, row_kind::abort);
    EXPECT_TRUE(branch.session->is_reusable());
    EXPECT_FALSE(is_listed(branch.id));
}

TEST_P(contract, CommitRowAFenceFindsTheRowThatIsThere)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const name = row_table::next_name();
    ASSERT_TRUE(is_committed(rows, start_branch(1), name));

    auto const row = rows.fence(name);

    EXPECT_EQ(row.name, name);
    EXPECT_EQ(row.kind, row_kind::commit);
    EXPECT_EQ(row.content, some_content);
    EXPECT_TRUE(rows.manage().is_reusable());
}

TEST_P(contract, CommitRowAreListedByPrefixInOrderAndNotBeyondTheLimit)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    std::vector<gtrid> names;
    for (int key = 1; key <= 3; ++key) {
        names.push_back(row_table::next_name());
        ASSERT_TRUE(is_committed(rows, start_branch(key), names.back()));
    }

    auto const prefix = names.front().text().substr(0, 25);
    auto const all = rows.table().list(rows.manage(), prefix, 10'000, in_seconds(10));
    auto const two = rows.table().list(rows.manage(), prefix, 2, in_seconds(10));
    auto const none = rows.table().list(rows.manage(), "asn1r0008", 10, in_seconds(10));

    ASSERT_GE(all.size(), 3u);
    for (std::size_t i = 1; i < all.size(); ++i)
        EXPECT_TRUE(all[i - 1].name < all[i].name);
    EXPECT_EQ(all.back().name, names.back());
    ASSERT_EQ(two.size(), 2u);
    EXPECT_EQ(two[0].name, all[0].name);
    EXPECT_TRUE(none.empty());
}

TEST_P(contract, CommitRowArePrunedTogetherWithTheHorizon)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const gone = row_table::next_name();
    auto const kept = row_table::next_name();
    auto const horizon = row_table::next_name();
    ASSERT_TRUE(is_committed(rows, start_branch(1), gone));
    ASSERT_TRUE(is_committed(rows, start_branch(2), kept));

    rows.table().prune(rows.manage(), {horizon, row_kind::horizon, "0001"}, {gone}, in_seconds(10));
    EXPECT_EQ(rows.find(horizon)->content, "0001");
    rows.table().prune(rows.manage(), {horizon, row_kind::horizon, "0002"}, {}, in_seconds(10));

    EXPECT_FALSE(rows.find(gone));
    EXPECT_TRUE(rows.find(kept));
    EXPECT_EQ(rows.find(horizon)->kind, row_kind::horizon);
    EXPECT_EQ(rows.find(horizon)->content, "0002");
    EXPECT_TRUE(rows.manage().is_reusable());
}

TEST_P(contract, CommitRowACommitWhoseReplyWasNotWaitedForIsKnownByItsRow)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    auto const name = row_table::next_name();
    auto const branch = start_branch(1);
    rows.carry(*branch.session, name);

    branch.session->submit(verb::commit_one_phase, branch.id);
    branch.session->sever();
    static_cast<void>(branch.session->collect(in_seconds(10)));

    bool const has_row = rows.fence(name).kind == row_kind::commit;
    EXPECT_EQ(target().count_rows(1), has_row ? 1 : 0);
}

TEST_P(contract, CommitRowAServerThatCrashesKeepsRowAndWorkOrNeither)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    ASSENT_NEEDS(crash);
    for (bool const is_frozen : {true, false}) {
        auto const name = row_table::next_name();
        int const key = is_frozen ? 1 : 2;
        auto const branch = start_branch(key);
        rows.carry(*branch.session, name);
        if (is_frozen) target().freeze();
        branch.session->submit(verb::commit_one_phase, branch.id);
        std::optional<reply> said;
        if (!is_frozen) said = branch.session->collect(in_seconds(10));
        target().crash();
        auto const lost = is_frozen ? branch.session->collect(in_seconds(10)) : said;
        target().start();
        refresh_driver();
        rows = row_table{driver()};

        bool const has_row = rows.fence(name).kind == row_kind::commit;

        EXPECT_EQ(target().count_rows(key), has_row ? 1 : 0);
        ASSERT_TRUE(lost);
        EXPECT_EQ(lost->is_ok(), !is_frozen);
        EXPECT_FALSE(is_rolled_back(*lost)) << "nobody said so";
        if (!is_frozen) {
            EXPECT_TRUE(has_row) << "it was answered";
        }
    }
}

TEST_P(contract, CommitRowABorrowedConnectionCarriesOneToo)
{
    ASSENT_NEEDS_COMMIT_ROWS;
    row_table rows{driver()};
    ASSENT_NEEDS(borrowed_handles);
    void* const handle = target().open_handle(handle_kind::good);
    {
        auto const name = row_table::next_name();
        started branch{driver().borrow(handle, facts(), in_seconds(10)), {}};
        branch.id = next_xid(*branch.session);
        ASSERT_TRUE(run(*branch.session, verb::start, branch.id).is_ok());
        target().write_row(*branch.session, 1);

        EXPECT_TRUE(rows.commit(*branch.session, branch.id, name).is_ok());

        EXPECT_TRUE(rows.find(name));
        EXPECT_EQ(target().count_rows(1), 1);
        EXPECT_TRUE(branch.session->is_reusable());
    }
    EXPECT_TRUE(target().is_usable(handle));
    target().close_handle(handle);
}

}  // namespace assent::contract
