// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/simulation/world.hpp"

#include <algorithm>
#include <utility>

#include "log/file_log.hpp"

namespace assent::testing {

namespace {

constexpr std::size_t segment_bytes = 16 * 4096;  // small, so that segments roll often

limits simulated_limits()
{
    limits all;
    all.presumed_abort_delay = limits::duration{0};  // no log here is a copy
    all.transaction = limits::duration{20'000};
    return all;
}

}  // namespace

class world::spy final : public observer
{
public:
    explicit spy(world& whole) : world_(whole) {}
    void on(event const& what) override { world_.on_event(what); }

private:
    world& world_;
};

deadline simulated_clock::now() const noexcept
{
    return world_.now();
}

std::int64_t simulated_clock::unix_ms() const noexcept
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(world_.now().time_since_epoch())
        .count();
}

void simulated_clock::wait(std::unique_lock<std::mutex>& held, std::condition_variable&,
                           deadline until)
{
    held.unlock();
    world_.pass_time(until);
    held.lock();
}

world::world(std::uint64_t seed) : dice_(seed), now_(std::chrono::hours{1'000'000})
{
    memory_options chosen;
    chosen.time.now = [this] { return now_; };
    chosen.time.wait_until = [this](deadline until) { pass_time(until); };
    for (auto const acts_as : {personality::mariadb, personality::postgresql, personality::plain}) {
        chosen.acts_as = acts_as;
        chosen.identity = "server-" + std::to_string(databases_.size());
        databases_.emplace_back(chosen);
    }
    // The last one cannot prepare, so it takes part by its commit row.
    chosen.identity = "server-" + std::to_string(databases_.size());
    chosen.is_two_phase = false;
    databases_.emplace_back(chosen);
    start();
}

world::~world()
{
    if (!process_->is_dead) kill();
    process_.reset();
}

void world::start()
{
    if (process_ && !process_->is_dead) kill();
    process_.reset();
    if (image_) disk_ = std::exchange(image_, nullptr);

    log::file_log_options options;
    options.node_label = "simulated";
    options.segment_bytes = segment_bytes;
    options.lock_wait = std::chrono::milliseconds{0};
    options.idle_seal_wait = std::chrono::milliseconds{0};
    options.makes_segments_ahead = false;
    options.allowed_file_systems = {"tmpfs", "overlay"};
    // Of its own stream, so that a forked history has its own node and nonces.
    auto const random = std::make_shared<std::mt19937_64>(dice_());
    options.random = [random] { return (*random)(); };
    options.unix_ms = [this] { return clock_.unix_ms(); };
    options.files = disk_->attach_layer();

    process_ = std::make_unique<process>();
    process_->engine = std::make_unique<engine::engine>(
        simulated_limits(), std::make_shared<spy>(*this),
        std::make_unique<log::file_log>("simulated", std::move(options)), clock_);
    for (std::size_t i = 0; i < databases_.size(); ++i) {
        process_->databases.emplace_back("db" + std::to_string(i), databases_[i]);
        process_->engine->add(process_->databases.back());
    }
    events_to_death_ = 0;
    note("start " + std::to_string(++openings_));
}

void world::kill()
{
    if (process_->is_dead) return;
    process_->is_dead = true;
    ++kills_;
    image_ = chance(50) ? disk_->process_crash() : disk_->power_loss(dice_());
    for (auto& each : process_->databases)
        each.kill_process();
    note("kill");
}

void world::on_event(event const& what)
{
    if (process_ == nullptr || process_->is_dead) return;
    note(what.name);
    note(what.id);
    if (events_to_death_ != 0 && --events_to_death_ == 0) kill();
}

void world::note(std::string_view text) noexcept
{
    for (char const c : text) {
        trace_ = (trace_ ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    }
}

void world::pass_time(deadline until)
{
    // A keeper that waits inside its step lets time pass, but nobody else's step runs inside it.
    if (is_passing_ || !process_ || process_->is_dead) {
        now_ = std::max(now_, until);
        return;
    }
    is_passing_ = true;
    auto const began = now_;
    constexpr auto tick = std::chrono::milliseconds{5};
    do {
        if (!process_->is_dead) process_->engine->deadlines().step();
        for (auto const& keeper : process_->engine->keepers()) {
            if (!process_->is_dead) keeper->step();
        }
        now_ = std::max(now_, std::min(now_ + tick, until));
    } while (now_ < until && now_ < began + tick * 4);
    // The rest of a long wait in one go would starve deadlines; whoever waits asks again.
    is_passing_ = false;
}

void world::spoil(bool with_heuristics)
{
    auto& target = databases_[roll(databases_.size())];
    constexpr verb verbs[] = {verb::start, verb::prepare, verb::commit, verb::commit_one_phase,
                              verb::rollback};
    auto const what = verbs[roll(5)];
    if (chance(15)) return spoil_call(target);
    auto fault = target.script().on(what, 1 + static_cast<int>(roll(3)));
    switch (roll(with_heuristics ? 12 : 9)) {
        case 0:
            fault.lose_before_effect();
            break;
        case 1:
            fault.lose_after_effect();
            break;
        case 2:
            fault.hang();
            break;
        case 3:
            fault.hang_after_effect();
            break;
        case 4:
            fault.delay(std::chrono::milliseconds{1 + roll(8'000)});
            break;
        case 5:
            fault.crash_server_before_effect();
            break;
        case 6:
            fault.crash_server_after_effect();
            break;
        case 7:
            if (what == verb::prepare || what == verb::commit_one_phase) {
                fault.reply(xa_code::rbdeadlock);
            } else {
                fault.reply(xa_code::proto);
            }
            break;
        case 8:
            fault = target.script().on(verb::commit_one_phase, 1 + static_cast<int>(roll(2)));
            if (chance(50)) {
                fault.hang_in_commit();
            } else {
                fault.hang();
            }
            break;
        case 9:
            fault.reply(xa_code::heurrb);
            break;
        case 10:
            fault.reply(xa_code::heurcom);
            break;
        default:
            fault.reply(xa_code::heurmix);
            break;
    }
}

/// A call about commit rows that fails, is cut, or is cut when it has had its effect.
void world::spoil_call(memory_database& target)
{
    constexpr driver_call calls[] = {driver_call::fence_decision, driver_call::prune_decisions,
                                     driver_call::list_decisions, driver_call::ensure_decisions};
    auto const what = calls[roll(4)];
    auto fault = target.script().on(what);
    switch (roll(3)) {
        case 0:
            fault.fail();
            break;
        case 1:
            fault.cut();
            break;
        default:
            fault.cut_after_effect();
            break;
    }
}

bool world::settle(std::chrono::seconds span)
{
    disk_->heal();
    for (auto& database : databases_) {
        database.script().clear();
        database.script().release();
        if (!database.is_up()) database.restart();
        database.thaw();
        database.reap_sessions();
    }
    auto const until = now_ + span;
    while (now_ < until) {
        pass_time(std::chrono::milliseconds{20});
        auto const state = process_->engine->state();
        bool is_done = state.live_transactions == 0;
        for (auto const& keeper : process_->engine->keepers()) {
            is_done = is_done && keeper->is_drained();
        }
        if (is_done) return true;
    }
    return false;
}

}  // namespace assent::testing
