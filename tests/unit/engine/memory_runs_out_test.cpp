// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// memory_runs_out_test.cpp -- each allocation of one commit() fails in turn.  Whatever is answered
// is true: std::bad_alloc means that nothing was committed and nothing ever will be.
//
// What the databases and the disk allocate is spared: they are somebody else's memory.

#include "tests/contract/forwarding_driver.hpp"
#include "tests/unit/engine/engine_fixture.hpp"
#include "tests/unit/engine/rationed_memory.hpp"
#include "tests/unit/log/forwarding_file_layer.hpp"

namespace {

using namespace engine_test;

class spared_session final : public assent::driver_session
{
public:
    explicit spared_session(std::unique_ptr<assent::driver_session> under)
        : under_(std::move(under))
    {
    }
    ~spared_session() override
    {
        spare const here;
        under_.reset();
    }
    std::uint64_t id() const noexcept override { return under_->id(); }
    void* native_handle() noexcept override { return under_->native_handle(); }
    int descriptor() const noexcept override { return under_->descriptor(); }
    void declare(assent::branch_modes const& next) noexcept override { under_->declare(next); }
    void submit(verb v, assent::xid const& x) noexcept override
    {
        spare const here;
        under_->submit(v, x);
    }
    std::optional<assent::reply> collect(assent::deadline until) noexcept override
    {
        spare const here;
        return under_->collect(until);
    }
    bool is_reusable() const noexcept override
    {
        spare const here;
        return under_->is_reusable();
    }
    void sever() noexcept override
    {
        spare const here;
        under_->sever();
    }
    void abandon() noexcept override { under_->abandon(); }

private:
    std::unique_ptr<assent::driver_session> under_;
};

/// Forwards, and spares the sessions that work.
class spared_driver final : public assent::contract::forwarding_driver
{
public:
    using forwarding_driver::forwarding_driver;
    using session = assent::driver_session;

    std::unique_ptr<session> connect(assent::session_purpose purpose,
                                     assent::deadline until) override
    {
        spare const here;
        auto made = under().connect(purpose, until);
        if (purpose != assent::session_purpose::work) return made;
        return std::make_unique<spared_session>(std::move(made));
    }
    std::unique_ptr<session> borrow(void* handle, assent::server_facts const& expected,
                                    assent::deadline until) override
    {
        spare const here;
        return std::make_unique<spared_session>(under().borrow(handle, expected, until));
    }
    assent::server_facts preflight(session& manage, assent::deadline until) override
    {
        spare const here;
        return under().preflight(manage, until);
    }
    assent::decision_table* decisions() noexcept override { return under().decisions(); }
    assent::scan_result scan(session& manage, assent::deadline until) override
    {
        spare const here;
        return under().scan(manage, until);
    }
    void cancel_statement(session& manage, std::uint64_t id, assent::deadline until) override
    {
        spare const here;
        under().cancel_statement(manage, id, until);
    }
    void end_session(session& manage, std::uint64_t id, assent::deadline until) override
    {
        spare const here;
        under().end_session(manage, id, until);
    }
};

class spared_files final : public assent::testing::forwarding_file_layer
{
public:
    using forwarding_file_layer::forwarding_file_layer;
    long write(handle file, std::span<std::byte const> from, std::uint64_t offset) noexcept override
    {
        spare const here;
        return target().write(file, from, offset);
    }
    long verify(handle file) noexcept override
    {
        spare const here;
        return target().verify(file);
    }
    long fdatasync(handle file) noexcept override
    {
        spare const here;
        return target().fdatasync(file);
    }
};

/// Two databases, an engine over them, and its restart.
struct scene
{
    explicit scene(personality both = personality::plain)
        : accounts{"accounts", both, clock, false}, orders{"orders", both, clock, false}
    {
        open();
    }

    void open()
    {
        auto options = assent::testing::repeatable(
            std::make_shared<spared_files>(disk->attach_layer()), ++openings);
        options.segment_bytes = assent::testing::roomy_segment;
        auto opened = std::make_unique<assent::log::file_log>("simulated", options);
        auto bounds = world::quick();
        bounds.scan_interval = 20ms;  // so that memory is short in a scan, too
        engine =
            std::make_shared<assent::engine::engine>(bounds, nullptr, std::move(opened), *clock);
        for (site* each : {&accounts, &orders}) {
            managers[each] = std::make_unique<assent::resource_manager>(
                std::make_shared<spared_driver>(each->rm.driver()));
            engine->add(*managers[each]);
        }
        run_for(50ms);
    }
    void restart()
    {
        auto const after = disk->process_crash();
        for (site* each : {&accounts, &orders}) {
            each->rm.kill_process();
            each->rm = assent::testing::memory_resource_manager{each->name, each->db};
        }
        engine.reset();
        disk = after;
        open();
    }
    void run_for(std::chrono::milliseconds time)
    {
        auto const end = clock->now() + time;
        while (clock->now() < end) {
            clock->pass(clock->now() + 10ms);
            engine->deadlines().step();
            engine->behind().step();
            auto const keepers = [this] {
                spare const here;
                return engine->keepers();
            }();
            for (auto const& each : keepers)
                each->step();
        }
    }
    void expect_rows(std::optional<std::int64_t> value) const
    {
        EXPECT_EQ(accounts.db.value("row"), value);
        EXPECT_EQ(orders.db.value("row"), value);
    }

    std::shared_ptr<fake_clock> const clock = std::make_shared<fake_clock>();
    std::shared_ptr<assent::testing::simulated_disk> disk =
        std::make_shared<assent::testing::simulated_disk>();
    site accounts;
    site orders;
    std::map<site*, std::unique_ptr<assent::resource_manager>> managers;
    std::shared_ptr<assent::engine::engine> engine;
    std::uint64_t openings = 0;
};

enum class said { committed, rolled_back, in_doubt, no_memory };

said commit(transaction& tx)
{
    try {
        tx.commit();
    } catch (std::bad_alloc const&) {
        return said::no_memory;
    } catch (assent::rolled_back_error const&) {
        return said::rolled_back;
    } catch (assent::in_doubt_error const&) {
        return said::in_doubt;
    }
    return said::committed;
}

struct scenario
{
    bool is_by_row = false;
    int to_fail = 1;
    std::function<void(scene&)> spoil = nullptr;
    bool is_early = false;
    bool is_at_commit = false;  // what is done at orders, by a commit() that is called again
};

/// What is done when the commit begins.
void set_row(assent::driver_session& on, assent::deadline)
{
    spare const here;
    static_cast<assent::testing::memory_connection*>(on.native_handle())->set("row", 1);
}

/// @return whether an allocation failed.
bool commit_without(scene& at, int nth, scenario const& what)
{
    SCOPED_TRACE("allocation " + std::to_string(nth));
    bool const is_for_long = what.to_fail > 1;
    assent::begin_options how;
    if (what.is_by_row) {
        how.commit_row(*at.managers[&at.orders]);
        transaction{at.engine, how}.rollback();
        at.run_for(50ms);
    }
    if (what.is_early) how.commit_return(assent::commit_return::decision_logged);
    said heard = said::committed;
    bool has_failed = false;
    {
        transaction tx{at.engine, how};
        for (site* each : {&at.accounts, &at.orders}) {
            if (what.is_at_commit && each == &at.orders) {
                at.engine->work_at_commit(*tx.tx, *at.managers[each], &set_row);
                continue;
            }
            static_cast<assent::testing::memory_connection*>(
                at.engine->lease(*tx.tx, *at.managers[each])->handle())
                ->set("row", 1);
        }
        if (what.spoil) what.spoil(at);
        rations = {nth, what.to_fail, 0, false};
        heard = commit(tx);
        at.engine->behind().step();
        has_failed = rations.has_failed;
        rations = {};
        if (heard == said::no_memory && what.is_at_commit && !tx.tx->is_ending) {
            heard = commit(tx);
        }
        if (heard == said::no_memory) {
            // As the destructor of the application's object does.
            if (!tx.tx->is_completed) {
                try {
                    at.engine->end(*tx.tx, assent::engine::intent::destroy);
                } catch (assent::error const&) {
                    // It is ending; what it left is recovery's.
                }
            }
        }
    }
    at.accounts.db.script().clear();
    at.orders.db.script().clear();
    at.run_for(5s);
    if (heard != said::in_doubt && !is_for_long) {
        at.expect_rows(heard == said::committed ? std::optional<std::int64_t>{1} : std::nullopt);
        EXPECT_EQ(at.engine->state().live_transactions, 0u) << "somebody still waits for it";
        EXPECT_TRUE(at.accounts.db.prepared().empty() && at.orders.db.prepared().empty());
    }
    at.restart();
    at.run_for(5s);
    if (heard == said::in_doubt) {
        EXPECT_EQ(at.accounts.db.value("row"), at.orders.db.value("row"));
    } else {
        at.expect_rows(heard == said::committed ? std::optional<std::int64_t>{1} : std::nullopt);
    }
    EXPECT_TRUE(at.accounts.db.prepared().empty() && at.orders.db.prepared().empty());
    return has_failed;
}

void fail_each(scenario const& what)
{
    constexpr int allocations_max = 1000;
    int nth = 1;
    while (nth < allocations_max) {
        scene at;
        if (!commit_without(at, nth, what)) break;
        ++nth;
    }
    EXPECT_GT(nth, 5) << "nothing was tested";
    EXPECT_LT(nth, allocations_max);
}

constexpr int all_of_them = 1'000'000;

void lose_commits(scene& at)
{
    at.accounts.db.script().on(verb::commit).lose_before_effect();
    at.orders.db.script().on(verb::commit).lose_after_effect();
}

TEST(MemoryRunsOut, InACommitByTheLogAndTheAnswerIsTrue)
{
    fail_each({});
    fail_each({false, all_of_them});
}

TEST(MemoryRunsOut, InACommitByARowAndTheAnswerIsTrue)
{
    fail_each({true});
    fail_each({true, all_of_them});
}

TEST(MemoryRunsOut, InAnEarlyReturnAndBehindIt)
{
    for (bool const is_by_row : {false, true}) {
        fail_each({is_by_row, 1, nullptr, true});
        fail_each({is_by_row, all_of_them, nullptr, true});
        fail_each({is_by_row, 1, lose_commits, true});
        fail_each({is_by_row, all_of_them, lose_commits, true});
    }
}

/// Whoever calls commit() again must not commit without it.
TEST(MemoryRunsOut, InWhatIsDoneAtTheCommitAndTheAnswerIsTrue)
{
    auto const refuse = [](scene& at) {
        at.orders.db.script()
            .on(assent::testing::driver_call::connect)
            .fail("it has words enough to need memory when they are told to somebody else");
    };
    for (int const to_fail : {1, all_of_them}) {
        fail_each({false, to_fail, nullptr, false, true});
        fail_each({false, to_fail, refuse, false, true});
    }
}

TEST(MemoryRunsOut, WhereTheDecisionIsMadeAndTheRepliesAreLost)
{
    fail_each({false, 1, lose_commits});
    fail_each({false, all_of_them, lose_commits});
    fail_each({true, 1, lose_commits});
    fail_each({true, all_of_them, lose_commits});
}

TEST(MemoryRunsOut, WhereTheRowIsInDoubt)
{
    for (bool const is_after_effect : {true, false}) {
        auto const lose = [is_after_effect](scene& at) {
            auto lost = at.orders.db.script().on(verb::commit_one_phase);
            is_after_effect ? lost.lose_after_effect() : lost.lose_before_effect();
        };
        fail_each({true, 1, lose});
        fail_each({true, all_of_them, lose});
    }
}

/// A transaction that is late.  So long after its beginning the memory is short, for 40 ms.
/// @return whether an allocation failed.
bool expire_without(int nth, int to_fail, std::chrono::milliseconds before, bool is_server_lost)
{
    SCOPED_TRACE("allocation " + std::to_string(nth) + " after " + std::to_string(before.count()));
    scene at;
    transaction tx{at.engine, assent::begin_options{}.timeout(1s)};
    std::vector<std::pair<site*, std::uint64_t>> sessions;
    for (site* each : {&at.accounts, &at.orders}) {
        auto const lease = at.engine->lease(*tx.tx, *at.managers[each]);
        auto* const mine = static_cast<assent::testing::memory_connection*>(lease->handle());
        mine->set("row", 1);
        sessions.emplace_back(each, mine->id());
    }
    at.run_for(before);
    if (is_server_lost) at.accounts.db.crash_server();
    rations = {nth, to_fail, 0, false};
    EXPECT_NO_THROW(at.run_for(40ms));
    bool const has_failed = rations.has_failed;
    rations = {};

    if (is_server_lost) at.accounts.db.restart();
    at.run_for(5s);

    for (auto const& [where, session] : sessions) {
        auto const open = where->db.sessions();
        EXPECT_EQ(std::count(open.begin(), open.end(), session), 0) << "it holds its locks still";
    }
    EXPECT_THROW(tx.commit(), assent::rolled_back_error);
    at.expect_rows(std::nullopt);
    return has_failed;
}

TEST(MemoryRunsOut, InTheManagersThreadsAndWhatIsDueIsDoneLater)
{
    for (auto const before : {980ms, 980ms + world::quick().deadline_grace}) {
        for (int const to_fail : {1, 3, all_of_them}) {
            int nth = 1;
            while (nth < 1000 && expire_without(nth, to_fail, before, false))
                ++nth;
            EXPECT_GT(nth, 20) << "nothing was tested";
            EXPECT_LT(nth, 1000);
        }
    }
}

TEST(MemoryRunsOut, InTheManagersThreadsThatHaveLostAServerAndTheyConnectAgain)
{
    for (int const to_fail : {1, 3, all_of_them}) {
        int nth = 1;
        while (nth < 1000 && expire_without(nth, to_fail, 980ms, true))
            ++nth;
        EXPECT_GT(nth, 20) << "nothing was tested";
        EXPECT_LT(nth, 1000);
    }
}

/// Whatever was begun is of the transaction, or its session was closed: nothing keeps a lock.
TEST(MemoryRunsOut, InALeaseOfSeveralAndNothingIsBegunThatNobodyEnds)
{
    for (bool const are_idle : {true, false}) {
        bool has_failed = true;
        int nth = 0;
        while (has_failed) {
            SCOPED_TRACE("allocation " + std::to_string(++nth));
            scene at;
            std::vector<assent::resource_manager const*> const both{at.managers[&at.accounts].get(),
                                                                    at.managers[&at.orders].get()};
            if (are_idle) {
                transaction before{at.engine, {}};
                at.engine->lease(*before.tx, both, assent::access::read_write);
                before.rollback();
            }
            transaction tx{at.engine, {}};
            rations = {nth, 1, 0, false};
            try {
                at.engine->lease(*tx.tx, both, assent::access::read_write);
            } catch (std::bad_alloc const&) {
            } catch (assent::error const&) {  // of a connection that could not be opened
            }
            has_failed = rations.has_failed;
            rations = {};
            EXPECT_EQ(tx.tx->places.size(), tx.tx->branches.size());
            EXPECT_EQ(tx.rollback(), outcome::rolled_back);
            at.run_for(100ms);
            for (site* each : {&at.accounts, &at.orders}) {
                for (auto const& asked : each->db.history())
                    EXPECT_NE(each->db.fate(asked.branch), branch_fate::active) << each->name;
                EXPECT_TRUE(each->db.violations().empty()) << each->name;
            }
        }
        EXPECT_GT(nth, 10) << "nothing was tested";
    }
}

/// A resource manager whose leases come from the application's pool.
struct lent_manager final : assent::resource_manager
{
    lent_manager(std::shared_ptr<assent::resource_manager_driver> driver,
                 assent::connection_source<assent::testing::memory_connection*> pool)
        : resource_manager(std::move(driver))
    {
        lease_from(std::move(pool));
    }
};

/// The lease is had, or its connection is given back; and the transaction ends either way.
TEST(MemoryRunsOut, InALeaseFromTheApplicationsPoolAndTheConnectionIsGivenBackOnce)
{
    bool has_failed = true;
    int nth = 0;
    while (has_failed) {
        SCOPED_TRACE("allocation " + std::to_string(++nth));
        scene at;
        site ledger{"ledger", personality::plain, at.clock, false};
        auto const connection = ledger.db.connect();
        int acquired = 0;
        int given_back = 0;
        assent::connection_source<assent::testing::memory_connection*> pool;
        pool.acquire = [&](assent::deadline) {
            ++acquired;
            return connection.get();
        };
        pool.give_back = [&](assent::testing::memory_connection*, assent::release) {
            ++given_back;
        };
        lent_manager const lent{std::make_shared<spared_driver>(ledger.rm.driver()), pool};
        at.engine->add(lent);
        at.run_for(50ms);
        {
            transaction tx{at.engine, {}};
            for (site* each : {&at.accounts, &at.orders})
                at.engine->lease(*tx.tx, *at.managers[each]);
            bool is_had = true;
            rations = {nth, 1, 0, false};
            try {
                at.engine->lease(*tx.tx, lent);
            } catch (std::exception const&) {
                is_had = false;
            }
            has_failed = rations.has_failed;
            rations = {};
            EXPECT_EQ(given_back, is_had ? 0 : acquired);

            // What could not be leased takes no part, so nobody waits for its vote.
            ASSERT_EQ(tx.tx->branches.size(), is_had ? 3u : 2u);
            tx.rollback();
        }
        EXPECT_EQ(given_back, acquired);
        at.engine.reset();  // before its database
    }
    EXPECT_GT(nth, 5) << "nothing was tested";
}

/// The witness is asked again, and it is no surprise what it says.
TEST(MemoryRunsOut, WhereTheWitnessOfAOnePhaseCommitIsAsked)
{
    for (bool const is_after_effect : {true, false}) {
        bool has_failed = true;
        int nth = 0;
        while (has_failed) {
            SCOPED_TRACE("allocation " + std::to_string(++nth));
            scene at{personality::postgresql};
            transaction tx{at.engine, {}};
            static_cast<assent::testing::memory_connection*>(
                at.engine->lease(*tx.tx, *at.managers[&at.accounts])->handle())
                ->set("row", 1);
            auto lost = at.accounts.db.script().on(verb::commit_one_phase);
            is_after_effect ? lost.lose_after_effect() : lost.lose_before_effect();
            rations = {nth, 1, 0, false};
            said const heard = commit(tx);
            has_failed = rations.has_failed;
            rations = {};
            auto const value = at.accounts.db.value("row");
            if (heard == said::committed) {
                EXPECT_EQ(value, 1);
            } else if (heard != said::in_doubt) {
                EXPECT_EQ(value, std::nullopt);
            }
        }
        EXPECT_GT(nth, 5) << "nothing was tested";
    }
}

TEST(MemoryRunsOut, WhereADatabaseVotesNo)
{
    auto const refuse = [](scene& at) {
        at.accounts.db.script().on(verb::prepare).reply(xa_code::rbdeadlock);
    };
    fail_each({false, 1, refuse});
    fail_each({true, 1, refuse});
}

}  // namespace
