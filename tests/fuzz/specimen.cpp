// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// specimen.cpp -- see specimen.hpp.

#include "specimen.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "force_group.hpp"
#include "log/log_reader.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace assent::testing {

namespace {

using log::page_bytes;

constexpr std::size_t databases = 3;

/// The sizes of the groups that are forced, which make the pages.
struct life_plan
{
    std::size_t segment_pages = 32;
    std::vector<std::size_t> groups{406, 271, 226, 136};
    std::size_t torn_group = 100;
};

/// One log and its openings, one after the other.
class life
{
public:
    life(std::uint64_t seed, life_plan plan) : seed_(seed), plan_(std::move(plan)) {}

    void open()
    {
        gate_ = std::make_shared<write_gate>(disk_->attach_layer());
        auto options = repeatable(gate_, seed_ + ++openings_);
        options.segment_bytes = plan_.segment_pages * page_bytes;
        options.force_wait = std::chrono::hours{24};
        log_ = std::make_unique<log::file_log>("simulated", options);
        promises_->opened(*log_);
        sequence_ = 0;
    }
    void close() { log_.reset(); }

    /// Databases, and a heuristic that the operator has dealt with.
    void prepare()
    {
        for (char const* name : {"orders", "ledger", "stock"}) {
            promises_->start(*log_, promises_->bind(*log_, name), "2026-01-01 00:00:00+00");
        }
        auto const strange = next();
        xid const branch{strange.global, strange.branches[0]};
        promises_->record(*log_, {branch, "stock", xa_code::heurrb, "found rolled back", 16});
        promises_->forget(*log_, branch);
    }

    /// A heuristic, the groups of the plan, and what is noted beside them.
    void work()
    {
        auto const strange = next();
        ports::heuristic_record what{
            {strange.global, strange.branches[0]}, "orders", xa_code::heurhaz, "found missing", 17};
        promises_->record(*log_, what);
        promises_->roll_back(*log_, next().global);
        for (std::size_t size : plan_.groups) {
            force(size);
            promises_->roll_back(*log_, next().global);
            for (std::size_t i = 0; i < size; i += 10) {
                promises_->finish(*log_, made_[made_.size() - 1 - i]);
            }
        }
    }

    void force(std::size_t size)
    {
        std::vector<ports::decision> group;
        for (std::size_t i = 0; i < size; ++i) {
            group.push_back(next());
        }
        force_group(*log_, *gate_, group,
                    [this](ports::decision const& what) { promises_->commit(*log_, what); });
        made_.insert(made_.end(), group.begin(), group.end());
    }

    /// Nothing of what was decided so far needs to be kept any more, but for the newest ones.
    void forget_but(std::size_t kept)
    {
        for (std::size_t i = 0; i + kept < made_.size(); ++i) {
            promises_->finish(*log_, made_[i]);
        }
        auto const newest = made_[made_.size() - 1 - kept].global;
        for (std::uint16_t id = 1; id <= databases; ++id) {
            promises_->raise(*log_, id, ports::position_of(newest));
        }
        made_.clear();
    }

    /// A force that the program never saw the end of.
    void force_in_vain()
    {
        // The first force's three calls succeed; whatever is called after them fails though done.
        disk_->fail_call(4, {EIO, disk_fault::effect::full}, true);
        force(plan_.torn_group);
        if (!promises_->has_unanswered()) throw std::logic_error("every force succeeded");
    }

    memory_file newest() const
    {
        auto const names = disk_->names();
        auto const at = std::find_if(names.rbegin(), names.rend(),
                                     [](auto const& name) { return name.ends_with(".seg"); });
        return {*at, disk_->contents(*at)};
    }
    std::shared_ptr<witness const> promises() const { return promises_; }
    /// The decisions of the last group, but for the first, which was forced alone.
    std::set<gtrid> last_force() const
    {
        std::set<gtrid> all;
        for (std::size_t i = 0; i + 1 < plan_.groups.back(); ++i) {
            all.insert(made_[made_.size() - 1 - i].global);
        }
        return all;
    }
    void seal() { log_->seal(); }

private:
    ports::decision next()
    {
        ++sequence_;
        return decision_of(*log_, sequence_, sequence_ % 45 == 0 ? databases : 1);
    }

    std::uint64_t seed_;
    life_plan plan_;
    std::uint64_t openings_ = 0;
    std::uint64_t sequence_ = 0;
    std::shared_ptr<simulated_disk> disk_ = std::make_shared<simulated_disk>();
    std::shared_ptr<write_gate> gate_;
    std::shared_ptr<witness> promises_ = std::make_shared<witness>();
    std::unique_ptr<log::file_log> log_;
    std::vector<ports::decision> made_;
};

/// An opening whose first segment is as full as that of the next opening, which will be damaged.
std::unique_ptr<life> lived(std::uint64_t seed, life_plan const& plan, memory_file& older)
{
    auto one = std::make_unique<life>(seed, plan);
    one->open();
    one->prepare();
    one->work();
    one->forget_but(5);
    older = one->newest();
    while (one->newest().name == older.name) {
        one->force(2);  // until a new segment begins, without what was forgotten
    }
    one->close();
    one->open();
    one->work();
    return one;
}

/// Takes away the sectors of the last three pages that a power loss may keep from the disk: it
/// leaves a part of the first, nothing of the second, and the third.
void tear(std::vector<std::byte>& segment, std::uint32_t last_page)
{
    auto const at = [&](std::size_t page, std::size_t sector) {
        return segment.begin() + static_cast<std::ptrdiff_t>(page * page_bytes + sector * 512);
    };
    std::fill(at(last_page - 2, 3), at(last_page, 0), std::byte{0});
}

std::uint32_t last_page_of(std::vector<memory_file> const& files)
{
    memory_files read(files);
    return log::read_log(read).value().tail.last_page;
}

/// Its pages say that everything before it is durable.
std::uint32_t first_page_of_force(std::vector<std::byte> const& segment, std::uint32_t page)
{
    log::page_header header;
    log::page_view const bytes{segment.data() + page * page_bytes, page_bytes};
    if (log::decode(bytes, header) != log::page_verdict::valid) {
        throw std::logic_error("the last page is not valid");
    }
    return header.durable_up_to;
}

}  // namespace

char const* name_of(log_end end) noexcept
{
    switch (end) {
        case log_end::sealed:
            return "sealed";
        case log_end::unsealed:
            return "unsealed";
        case log_end::torn:
            return "torn";
        case log_end::two_segments:
            return "two_segments";
        default:
            return "reopened";
    }
}

specimen make_specimen(log_end end)
{
    life_plan plan;
    if (end == log_end::torn) plan.segment_pages += 4;
    bool const is_short = end == log_end::two_segments || end == log_end::reopened;
    if (is_short) plan = {14, {91, 46, 91}, 0};
    memory_file older;
    memory_file ignored;
    auto const mine = lived(1000, plan, older);
    auto const other = lived(2000, plan, ignored);

    specimen made;
    made.end = end;
    made.older = older;
    made.foreign = other->newest().bytes;
    made.promises = mine->promises();
    auto before = mine->newest();
    switch (end) {
        case log_end::sealed:
            mine->seal();
            break;
        case log_end::unsealed:
            made.unproved_to = last_page_of({before}) + 1;
            made.unproved_from = first_page_of_force(before.bytes, made.unproved_to - 1);
            made.unproved = mine->last_force();
            break;
        case log_end::torn:
            mine->force_in_vain();
            break;
        case log_end::two_segments:
            while (mine->newest().name == before.name) {
                before = mine->newest();
                mine->force(20);
            }
            mine->seal();
            made.files.push_back(before);
            break;
        case log_end::reopened:
            mine->close();
            mine->open();
            break;
    }
    made.files.push_back(mine->newest());
    if (end == log_end::torn) tear(made.files.back().bytes, last_page_of(made.files));
    memory_files read(made.files);
    made.decisions = log::read_log(read).value().image.decisions().size();
    return made;
}

}  // namespace assent::testing
