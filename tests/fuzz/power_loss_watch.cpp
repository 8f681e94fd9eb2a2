// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// power_loss_watch.cpp -- see power_loss_watch.hpp.

#include "power_loss_watch.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "log/log_reader.hpp"
#include "power_losses.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace assent::testing {

namespace {

constexpr std::size_t failures_max = 10;

std::uint64_t hash_of(std::string const& text)
{
    std::uint64_t made = 0;
    for (char const c : text) {
        made = mix(made, static_cast<unsigned char>(c));
    }
    return made;
}

std::string word_for(log::segment_end end)
{
    switch (end) {
        case log::segment_end::sealed:
            return "clean";
        case log::segment_end::torn:
            return "torn";
        default:
            return "unsealed";
    }
}

bool has_segment(simulated_disk const& disk)
{
    auto const names = disk.names();
    return std::any_of(names.begin(), names.end(),
                       [](std::string const& name) { return name.ends_with(".seg"); });
}

/// What the next opening will find, and whether it still holds what was promised.
std::string look_at(simulated_disk& disk, witness const& promises, std::string& opening)
{
    auto const files = disk.attach_layer();
    auto const found = log::read_log(*files);
    opening = !found ? "nothing" : word_for(found->tail.end);
    if (found && !found->older.empty()) opening += " beside the one before";
    return promises.judge(found ? found->image : log::log_image{}).text();
}

/// Opens it, judges, commits once, and closes it in order or not at all.
std::string carry_on(std::shared_ptr<simulated_disk>& disk, std::uint64_t seed, witness& after,
                     power_loss_watch* watched)
{
    auto options = repeatable(disk->attach_layer(), 7000 + seed % 1000);
    options.segment_bytes = log::segment_pages_min * log::page_bytes;
    auto log = std::make_unique<log::file_log>("simulated", options);
    if (auto const said = after.judge(*log); !said.is_complete()) return "open: " + said.text();
    after.opened(*log);
    if (watched) watched->phase("append after that");
    if (!log->reserve()) return "an opened log has no room: " + log->state().why;
    auto const result = after.commit(*log, decision_of(*log, 1 + seed % 7));
    log->release();
    if (!is_durable(result)) return "an opened log does not commit";
    if (watched) watched->phase("close after that");
    std::shared_ptr<simulated_disk> const killed = seed % 2 == 0 ? disk->process_crash() : nullptr;
    log.reset();
    if (killed) disk = killed;
    return {};
}

}  // namespace

std::uint64_t power_loss_report::total() const
{
    std::uint64_t all = 0;
    for (auto const& [step, count] : images) {
        all += count;
    }
    return all;
}

power_loss_watch::power_loss_watch(std::shared_ptr<simulated_disk> disk, witness const& promises,
                                   power_loss_effort const& effort, power_loss_report& report,
                                   std::string name, unsigned depth)
    : disk_(std::move(disk)),
      promises_(promises),
      effort_(effort),
      report_(report),
      name_(std::move(name)),
      depth_(depth),
      version_(disk_->version())
{
    disk_->watch([this](disk_call const& what) { look(&what); });
}

power_loss_watch::~power_loss_watch()
{
    look(nullptr);
    disk_->watch({});
}

void power_loss_watch::look(disk_call const* what)
{
    if (disk_->version() != version_ && report_.failures.size() < failures_max) {
        version_ = disk_->version();
        ++moment_;
        ++report_.moments;
        std::string const path = name_ + std::to_string(moment_);
        std::uint64_t const seed = mix(effort_.seed, hash_of(path));
        power_losses const all(*disk_, seed);
        std::size_t const wanted = depth_ == 0 ? effort_.images : effort_.nested;
        if (!effort_.only.empty()) {
            std::string const& mine = effort_.only.at(depth_);
            if (mine.starts_with(std::to_string(moment_) + ".")) {
                std::size_t const which = std::stoull(mine.substr(mine.find('.') + 1));
                take(which, all.image(which));
            }
        } else if (wanted == 0 || wanted >= all.count()) {
            for (std::size_t i = 0; i < all.count(); ++i) {
                take(i, all.image(i));
            }
        } else {
            for (std::size_t i = 0; i < wanted; ++i) {
                std::size_t const which = mix(seed, i) % all.count();
                take(which, all.image(which));
            }
        }
    }
    // Until this call everything was as the calls before it left it.
    if (what) action_.see(*what);
}

void power_loss_watch::take(std::size_t which, std::shared_ptr<simulated_disk> const& image)
{
    std::string const path = name_ + std::to_string(moment_) + "." + std::to_string(which);
    std::string const step = action_.name().empty() ? phase_ : phase_ + ", " + action_.name();
    ++report_.images[step];
    std::string why;
    try {
        why = try_image(image, path);
    } catch (std::exception const& error) {
        why = error.what();
    }
    if (!why.empty()) report_.failures.push_back(path + " (" + step + "): " + why);
}

std::string power_loss_watch::try_image(std::shared_ptr<simulated_disk> const& image,
                                        std::string const& path)
{
    if (remedy_ && !has_segment(*image)) {
        ++report_.openings["nothing, or half of it"];
        remedy_(*image);
    }
    std::string opening;
    if (auto const why = look_at(*image, promises_, opening); !why.empty()) return "read: " + why;
    ++report_.openings[opening];
    std::uint64_t const seed = hash_of(path);
    witness after(&promises_);
    auto disk = image;
    std::string why;
    {
        auto const watched = nested(image, after, path, opening);
        why = carry_on(disk, seed, after, watched.get());
    }
    if (!why.empty()) return why;
    if (why = look_at(*disk, after, opening); !why.empty()) return "read again: " + why;
    return carry_on(disk, seed + 1, after, nullptr);
}

std::unique_ptr<power_loss_watch> power_loss_watch::nested(
    std::shared_ptr<simulated_disk> const& image, witness const& promises, std::string const& path,
    std::string const& opening)
{
    bool const is_due = effort_.only.empty()
                            ? mix(hash_of(path), effort_.seed) % effort_.nested_every == 0
                            : effort_.only.size() > depth_ + 1;
    if (!is_due || depth_ + 1 >= effort_.depth_max) return nullptr;
    report_.depth = std::max(report_.depth, depth_ + 1);
    auto made = std::make_unique<power_loss_watch>(image, promises, effort_, report_, path + "/",
                                                   depth_ + 1);
    made->phase("open " + opening);
    return made;
}

}  // namespace assent::testing
