// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_story.cpp -- see log_story.hpp.

#include "log_story.hpp"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "force_group.hpp"
#include "log/log_lock.hpp"
#include "log/log_reader.hpp"
#include "power_losses.hpp"
#include "recovery/log_tools/log_inspection.hpp"
#include "recovery/log_tools/log_repair.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace assent::testing {

namespace {

/// A log on a disk, and its witness.
class hero
{
public:
    hero(std::shared_ptr<simulated_disk> disk, witness& promises, std::uint64_t seed)
        : disk_(std::move(disk)), promises_(promises), seed_(seed)
    {
    }

    void open()
    {
        gate_ = std::make_shared<write_gate>(disk_->attach_layer());
        auto options = repeatable(gate_, mix(seed_, ++openings_));
        options.segment_bytes = small_segment;
        options.force_wait = std::chrono::hours{24};
        log_ = std::make_unique<log::file_log>("simulated", options);
        promises_.opened(*log_);
        sequence_ = 0;
    }
    void close() { log_.reset(); }
    log::file_log& log() { return *log_; }

    void bind()
    {
        for (char const* name : {"orders", "ledger"}) {
            promises_.start(*log_, promises_.bind(*log_, name), "since " + std::string(name));
        }
    }

    void commit()
    {
        auto const what = next();
        promises_.commit(*log_, what);
        made_.push_back(what);
        if (made_.size() % 3 == 0) promises_.finish(*log_, made_[made_.size() - 2]);
        if (made_.size() % 4 == 0) promises_.roll_back(*log_, next().global);
    }

    void commit_together(std::size_t count)
    {
        std::vector<ports::decision> group;
        for (std::size_t i = 0; i < count; ++i) {
            group.push_back(next());
        }
        force_group(*log_, *gate_, group,
                    [this](ports::decision const& what) { promises_.commit(*log_, what); });
        made_.insert(made_.end(), group.begin(), group.end());
    }

    void suffer()
    {
        xid const branch{made_.back().global, made_.back().branches[0]};
        promises_.record(*log_, {branch, "orders", xa_code::heurmix, "seen on the way", 5});
    }
    void ask_the_operator()
    {
        xid const branch{made_.front().global, made_.front().branches[0]};
        promises_.record(*log_, {branch, "ledger", xa_code::heurhaz, "not found", 6});
        promises_.forget(*log_, branch);
    }

    /// All but the newest few are finished, and the horizons pass them.
    void forget_most()
    {
        std::size_t const kept = 3;
        for (std::size_t i = 0; i + kept < made_.size(); ++i) {
            promises_.finish(*log_, made_[i]);
        }
        auto const to = ports::position_of(made_[made_.size() - 1 - kept].global);
        promises_.raise(*log_, 1, to);
        if (seed_ % 2 == 0) {
            promises_.raise(*log_, 2, to);
        } else {
            promises_.raise_alone(*log_, 2, to);
        }
    }

    std::string newest_segment() const
    {
        std::string newest;
        for (std::string const& name : disk_->names()) {
            if (name.ends_with(".seg")) newest = name;
        }
        return newest;
    }

    void commit_until_cut()
    {
        auto const before = newest_segment();
        while (newest_segment() == before) {
            commit();
        }
    }

private:
    ports::decision next()
    {
        ++sequence_;
        return decision_of(*log_, sequence_, 1 + (sequence_ + seed_) % 2);
    }

    std::shared_ptr<simulated_disk> disk_;
    witness& promises_;
    std::uint64_t seed_;
    std::uint64_t openings_ = 0;
    std::uint64_t sequence_ = 0;
    std::shared_ptr<write_gate> gate_;
    std::unique_ptr<log::file_log> log_;
    std::vector<ports::decision> made_;
};

std::shared_ptr<simulated_disk> disk_of(story_disk how)
{
    auto disk = std::make_shared<simulated_disk>();
    disk->is_write_through = how.is_write_through;
    return disk;
}

/// What every story ends with.
void open_and_go_on(hero& who, power_loss_watch& watch, std::string const& opening)
{
    watch.phase(opening);
    who.open();
    watch.phase("append alone");
    who.commit();
    who.commit();
    watch.phase("close");
    who.close();
}

void tell_whole_life(story_disk how, power_loss_effort const& effort, power_loss_report& report)
{
    witness promises;
    auto const disk = disk_of(how);
    hero who(disk, promises, effort.seed);
    power_loss_watch watch(disk, promises, effort, report);
    watch.phase("open new");
    who.open();
    watch.phase("append a binding");
    who.bind();
    watch.phase("append alone");
    who.commit();
    who.commit();
    watch.phase("append together");
    who.commit_together(2);                     // one page
    who.commit_together(62 + effort.seed % 5);  // two pages
    watch.phase("seal");
    who.log().seal();
    watch.phase("append a heuristic");
    who.suffer();
    who.ask_the_operator();
    watch.phase("append alone");
    who.commit_until_cut();
    who.forget_most();
    who.commit_until_cut();
    watch.phase("seal");
    who.log().seal();
    watch.phase("append alone");
    who.commit_until_cut();
    watch.phase("close");
    who.close();
    open_and_go_on(who, watch, "open clean");
}

/// A disk that power loss left with a torn last force.
std::shared_ptr<simulated_disk> torn_disk(story_disk how, witness& promises, std::uint64_t seed)
{
    auto disk = disk_of(how);
    {
        hero who(disk, promises, seed);
        who.open();
        who.bind();
        who.commit();
        // The first force succeeds; all that is called after it fails, and leaves what it wrote.
        disk->fail_call(how.is_write_through ? 3 : 4, {EIO, disk_fault::effect::full}, true);
        who.commit_together(120);
        if (!promises.has_unanswered()) throw std::logic_error("every force succeeded");
    }
    disk->heal();
    for (;; ++seed) {
        auto image = disk->power_loss(seed);
        auto const files = image->attach_layer();
        if (log::read_log(*files).value().tail.end == log::segment_end::torn) return image;
    }
}

void tell_torn_end(story_disk how, power_loss_effort const& effort, power_loss_report& report)
{
    witness promises;
    auto const torn = torn_disk(how, promises, effort.seed);
    hero who(torn, promises, effort.seed + 1);
    power_loss_watch watch(torn, promises, effort, report);
    open_and_go_on(who, watch, "open torn");
}

log::repair_settings by_a_person(std::uint64_t seed)
{
    auto const drawn = std::make_shared<std::uint64_t>(seed);
    return {"uid 1000 (ann)", "power was lost", [drawn] { return *drawn = mix(*drawn, 1); },
            [] { return std::int64_t{1'767'225'700'000}; }, small_segment};
}

void tell_repaired(story_disk how, power_loss_effort const& effort, power_loss_report& report)
{
    witness promises;
    auto const torn = torn_disk(how, promises, effort.seed);
    promises.may_hold_another_decree();
    hero who(torn, promises, effort.seed + 1);
    power_loss_watch watch(torn, promises, effort, report);
    watch.phase("repair torn");
    {
        auto const files = torn->attach_layer();
        log::log_lock lock(*files, std::chrono::milliseconds{0});
        promises.opened(log::repair_torn(*files, lock, "shop-1", by_a_person(effort.seed)));
    }
    open_and_go_on(who, watch, "open repaired");
}

void tell_salvaged(story_disk how, power_loss_effort const& effort, power_loss_report& report)
{
    witness promises;
    auto const from = disk_of(how);
    {
        hero who(from, promises, effort.seed);
        who.open();
        who.bind();
        who.commit();
        who.suffer();
        who.commit_together(60);
    }
    auto const damaged = from->attach_layer();
    auto const plan = log::plan_salvage(*damaged, log::inspect_log(*damaged, {}));
    auto const salvage = [&](simulated_disk& into, std::uint64_t seed) {
        return log::write_salvage(plan, *into.attach_layer(), by_a_person(seed));
    };
    promises.may_hold_another_decree();
    auto const into = disk_of(how);
    hero who(into, promises, effort.seed + 1);
    power_loss_watch watch(into, promises, effort, report);
    watch.allow_nothing([&](simulated_disk& left) { salvage(left, effort.seed + 1); });
    watch.phase("salvage");
    promises.opened(salvage(*into, effort.seed));
    watch.allow_nothing({});
    open_and_go_on(who, watch, "open salvaged");
}

void tell_two_segments(story_disk how, power_loss_effort const& effort, power_loss_report& report)
{
    witness promises;
    auto const first = disk_of(how);
    {
        hero who(first, promises, effort.seed);
        who.open();
        who.bind();
        who.commit();
        who.close();
    }
    std::shared_ptr<simulated_disk> both;
    first->watch([&](disk_call const& call) {
        bool const is_removal = call.what == disk_call::kind::unlink && call.name.ends_with(".seg");
        if (is_removal && !both) both = first->process_crash();
    });
    hero(first, promises, effort.seed + 1).open();
    if (!both) throw std::logic_error("nothing was removed");
    hero who(both, promises, effort.seed + 2);
    power_loss_watch watch(both, promises, effort, report);
    open_and_go_on(who, watch, "open two segments");
}

}  // namespace

void tell(story which, story_disk how, power_loss_effort const& effort, power_loss_report& report)
{
    switch (which) {
        case story::whole_life:
            return tell_whole_life(how, effort, report);
        case story::torn_end:
            return tell_torn_end(how, effort, report);
        case story::two_segments:
            return tell_two_segments(how, effort, report);
        case story::repaired:
            return tell_repaired(how, effort, report);
        default:
            return tell_salvaged(how, effort, report);
    }
}

}  // namespace assent::testing
