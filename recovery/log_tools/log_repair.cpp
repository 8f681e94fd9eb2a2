// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// log_repair.cpp -- see log_repair.hpp.

#include "recovery/log_tools/log_repair.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "log/log_error.hpp"
#include "log/log_opening.hpp"
#include "log/log_reader.hpp"
#include "log/random.hpp"
#include "ports/undisturbed.hpp"
#include "protocol/assert.hpp"

namespace assent::log {

namespace {

/// What is written in the log about the log itself: the null gtrid, and no branch.
operator_record note_of(repair_settings const& how, operator_verdict verdict, std::string why)
{
    operator_record note;
    note.verdict = verdict;
    note.unix_ms = how.unix_ms();
    note.who = how.who.substr(0, name_bytes_max);
    note.why = std::move(why);
    note.why.resize(std::min(note.why.size(), text_bytes_max));
    return note;
}

std::string summary_of(salvage_loss const& loss)
{
    if (loss.is_nothing()) return "nothing is lost";
    std::string text = std::to_string(loss.records.total) + " records are lost";
    for (std::size_t i = 0; i < std::min<std::size_t>(loss.records.first.size(), 4); ++i) {
        auto const& one = loss.records.first[i];
        text +=
            (i == 0 ? ": " : ", ") + std::to_string(one.first) + " to " + std::to_string(one.last);
    }
    if (loss.pages_at_end > 0) {
        text += ", and what " + std::to_string(loss.pages_at_end) + " pages at the end held";
    }
    return text;
}

/// Nothing of what is lost may be presumed aborted, nor any id given away twice.
void guard(log_image& image, salvage_loss const& loss)
{
    if (loss.is_nothing()) return;
    auto const add_placeholder = [&](std::uint16_t id, std::string const& ids) {
        bool const is_new = image.apply(
            record{ports::binding{id, "lost " + ids, std::string(ports::lost_kind),
                                  "the binding of " + ids + " was lost with a damaged log"}});
        ASSENT_ASSERT(is_new);
    };
    for (std::uint16_t const id : loss.ids) {
        add_placeholder(id, std::to_string(id));
    }
    if (loss.maybe_to != 0) {
        bool const is_one = loss.maybe_from == loss.maybe_to;
        add_placeholder(loss.maybe_to, is_one ? std::to_string(loss.maybe_to)
                                              : std::to_string(loss.maybe_from) + " to " +
                                                    std::to_string(loss.maybe_to));
    }
    ports::position const past_all{image.last_epoch(), sequence_max};
    for (auto const& [id, bound] : image.bindings()) {
        image.raise({id, past_all});
    }
}

/// Removes what a salvage that was cut short left; anything else is not ours to write beside.
void require_empty(file_layer& into)
{
    std::vector<std::string> names;
    long const listed = into.list(names);
    if (listed < 0) throw io_failure(listed, into.directory(), "cannot list the directory");
    for (std::string const& name : names) {
        if (name == "lock" || name.ends_with(".seg.tmp")) continue;
        throw log_error(log_fault::bad_option, std::make_error_code(std::errc::file_exists),
                        into.directory(), "it is not empty; name a directory that is, or is new");
    }
    for (std::string const& name : names) {
        if (name == "lock") continue;
        long const removed = into.unlink(name);
        if (removed < 0) {
            throw io_failure(removed, into.directory() + "/" + name,
                             "cannot remove the half-made segment");
        }
    }
}

}  // namespace

ports::opening write_salvage(salvage_plan plan, file_layer& into, repair_settings const& how)
{
    ports::undisturbed const here;
    log_lock lock(into, std::chrono::milliseconds{0});
    require_empty(into);

    auto& image = plan.image;
    guard(image, plan.loss);
    ports::opening const mine{image.last_epoch() + 1, nonzero(how.random, nonce_max)};
    // Should this end early, nobody takes the directory for that of a node that never was.
    lock.write({::getpid(), mine.epoch, how.unix_ms()});
    opening_settings opening;
    opening.unix_ms = how.unix_ms;
    note_opening(image, mine, opening);
    auto const verdict =
        plan.loss.is_nothing() ? operator_verdict::commit : operator_verdict::roll_back;
    image.apply(record{note_of(how, verdict, how.why + "; salvaged, " + summary_of(plan.loss))});

    log_writer::settings settings;
    settings.writer = {plan.from.writer.node, mine.epoch, mine.nonce};
    settings.node_label = plan.from.node_label;
    settings.unix_ms = how.unix_ms;
    log_writer writer(into, settings, plan.at);
    auto const usual = static_cast<std::uint32_t>(how.segment_bytes / page_bytes);
    auto const spare =
        make_spare(into, plan.at.number + 1, pages_for(usual, image.snapshot_pages_max()));
    auto packed = writer.pack(image, segment_end::torn, spare);
    writer.begin_segment(packed, spare);

    page_builder seal(1);
    writer.begin_force(seal, 1);
    seal.seal();
    std::string const path = into.directory() + "/" + segment_name(spare.number);
    if (long const forced = writer.force(seal); forced < 0) {
        throw io_failure(forced, path, "it is whole, and could not be sealed");
    }
    auto const made = read_log(into);
    ASSENT_ASSERT(made && made->tail.end == segment_end::sealed &&
                  made->image.live_decisions() == image.live_decisions());
    return mine;
}

ports::opening repair_torn(file_layer& files, log_lock& lock, std::string const& node_label,
                           repair_settings const& how)
{
    ports::undisturbed const here;
    lock_owner owner{::getpid(), look_at_lock(files).owner.epoch, how.unix_ms()};
    lock.write(owner);
    opening_settings settings;
    settings.node_label = node_label;
    settings.segment_bytes = how.segment_bytes;
    settings.epoch_before = owner.epoch;
    settings.random = how.random;
    settings.unix_ms = how.unix_ms;
    auto opened = open_log(files, settings);
    owner.epoch = opened.current.epoch;
    lock.write(owner);

    page_builder pages(2);
    opened.writer->begin_force(pages, 1);
    auto const added = pages.add(
        record{note_of(how, operator_verdict::commit, how.why + "; torn, nothing is lost")});
    ASSENT_ASSERT(added == add_result::added);
    pages.seal();
    if (long const forced = opened.writer->force(pages); forced < 0) {
        throw io_failure(forced, files.directory(),
                         "the log is repaired, and who did it could not be recorded");
    }
    return opened.current;
}

}  // namespace assent::log
