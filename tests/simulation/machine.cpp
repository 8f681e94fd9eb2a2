// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "tests/simulation/machine.hpp"

#include <exception>
#include <utility>

#include "log/file_log.hpp"
#include "tests/simulation/misled_driver.hpp"
#include "tests/simulation/restored_driver.hpp"
#include "tests/simulation/world.hpp"

namespace assent::testing {

namespace {

constexpr std::size_t segment_bytes = 16 * 4096;  // small, so that segments roll often

}  // namespace

/// Every event is a place to die in, and to be overtaken in.
class machine::spy final : public observer
{
public:
    explicit spy(machine& of) : of_(of) {}
    void on(event const& what) override { of_.world_.on_event(of_, what); }

private:
    machine& of_;
};

machine::machine(world& whole, std::shared_ptr<simulated_disk> disk, unsigned threads)
    : world_(whole), disk_(std::move(disk))
{
    disk_->watch([this](disk_call const& call) { world_.on_disk_call(*this, call); });
    world_.threads().spawn(process_, [this, threads] { run(threads); });
}

machine::~machine()
{
    close();
    world_.threads().bury(process_);
    disk_->watch(nullptr);
}

void machine::run(unsigned threads)
{
    auto& all = world_.threads();
    try {
        log::file_log_options options;
        options.node_label = "simulated";
        options.segment_bytes = segment_bytes;
        options.lock_wait = std::chrono::milliseconds{0};
        options.idle_seal_wait = std::chrono::milliseconds{world_.chance().roll(3) * 10};
        options.makes_segments_ahead = world_.chance().one_in(2);
        options.force_wait = world_.bounds().log_hang;
        options.guardian_lapse = world_.bounds().guardian_lapse;
        options.log_force = world_.bounds().log_force;
        options.allowed_file_systems = {"tmpfs", "overlay"};
        // Of its own stream, so that a forked history has its own node and nonces.
        options.random = [stream = dice{world_.chance()()}]() mutable { return stream(); };
        options.files = disk_->attach_layer();
        auto opened = std::make_unique<log::file_log>("simulated", std::move(options));
        log_ = opened.get();
        engine_ = std::make_unique<engine::engine>(world_.bounds(), std::make_shared<spy>(*this),
                                                   std::move(opened), clock_);
        for (std::size_t i = 0; i < database_count; ++i) {
            databases_.push_back(way_to(i));
            engine_->add(databases_.back());
        }
        for (std::size_t i = 0; world_.holds_reservations(i); ++i) {
            auto const& way = ways_.emplace_back("db" + std::to_string(i), world_.databases()[i]);
            reservations_.push_back(world_.reservations_at(*this, way, i));
            engine_->add(reservations_.back());
        }
        engine_->start_threads();
        is_booted_ = true;
    } catch (std::exception const& failed) {
        world_.tell("world.not_booted", {}, {}, failed.what());
        note_useless();  // the disk fails, or another machine holds the lock
    }
    std::vector<fiber*> working;
    for (unsigned i = 0; i < threads && is_booted_; ++i)
        working.push_back(&all.spawn(process_, [this] { world_.work(*this); }));
    for (auto* each : working)
        all.join(*each);
    is_idle_ = true;
    world_.attend();
    while (!is_asked_to_close_)
        all.wait(this, deadline::max());
    engine_.reset();
    is_closed_ = true;
    world_.attend();
}

/// Behind the address of one of them a replica may answer as well.
resource_manager machine::way_to(std::size_t at)
{
    std::string const name = "db" + std::to_string(at);
    auto const primary = ways_.emplace_back(name, world_.databases()[at]).driver();
    bool const is_doubled = world_.replica() != nullptr && at == replicated;
    if (!is_doubled && world_.may_be_restored()) {
        return resource_manager{std::make_shared<restored_driver>(
            primary, [this, at] { world_.restore_before_list(*this, at); })};
    }
    if (!is_doubled) return resource_manager{primary};
    auto const replica = ways_.emplace_back(name, *world_.replica()).driver();
    return resource_manager{std::make_shared<misled_driver>(
        primary, replica, [this] { return world_.misleads(*this); })};
}

void machine::note_useless() noexcept
{
    is_useless_ = true;
    world_.attend();
}

void machine::replace_log()
{
    replacement_ = disk_->process_crash();
    disk_->is_moved = true;
}

void machine::kill(bool is_power_loss)
{
    if (is_dead()) return;
    auto& named = replacement_ ? *replacement_ : *disk_;
    left_behind_ = is_power_loss ? named.power_loss(world_.chance()()) : named.hand_over();
    static_cast<void>(disk_->hand_over());  // nothing of the dead reaches it
    for (auto& each : ways_)
        each.kill_process();
    world_.threads().kill(process_);
    close();
    world_.attend();
}

void machine::pause(deadline until)
{
    world_.threads().pause(process_, until);
    world_.threads().yield();
}

void machine::close()
{
    is_asked_to_close_ = true;
    world_.threads().wake_all(this);
}

}  // namespace assent::testing
