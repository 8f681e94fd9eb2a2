// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// corruption_case.cpp -- see corruption_case.hpp.

#include "corruption_case.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "allocation_watch.hpp"
#include "log/log_error.hpp"
#include "log/log_reader.hpp"
#include "tests/simulation/simulated_disk.hpp"
#include "tests/unit/log/log_fixture.hpp"

namespace assent::testing {

namespace {

using log::log_error;
using log::log_fault;

bool ends_with(std::string const& text, std::string const& end)
{
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The error must say where to look.
std::string check_place(damaged_log const& of, log_error const& error)
{
    if (error.fault() == log_fault::io) return "refused as if a call had failed";
    if (of.is_whole_files()) return error.where().empty() ? "names no file" : "";
    bool is_file = false;
    bool is_page = false;
    for (damaged_page const& one : of.pages()) {
        bool const is_it = ends_with(error.where(), "/" + of.files()[one.file].name);
        is_file = is_file || is_it;
        // A header that is whole but not this segment's shows only where the pages begin.
        is_page = is_page || (is_it && (one.page == 0 || one.page == error.page()));
    }
    if (!is_file) return "names another file";
    return is_page ? "" : "names page " + std::to_string(error.page());
}

bool is_in_unproved_force(damaged_log const& of)
{
    auto const& whole = of.original();
    return !of.pages().empty() &&
           std::all_of(of.pages().begin(), of.pages().end(), [&](damaged_page const& one) {
               return one.file + 1 == whole.files.size() && one.page >= whole.unproved_from &&
                      one.page < whole.unproved_to;
           });
}

/// What may be missing, and where.
reading weigh(damaged_log const& of, testimony const& said, std::string& why)
{
    if (said.is_complete()) return reading::complete;
    why = said.text();
    if (of.is_substitution()) return reading::replaced;
    auto const& unproved = of.original().unproved;
    bool const is_all_unproved =
        said.wrong.empty() && std::all_of(said.lost.begin(), said.lost.end(),
                                          [&](gtrid const& one) { return unproved.count(one); });
    bool const is_allowed = is_all_unproved && is_in_unproved_force(of);
    return is_allowed ? reading::unproved : reading::wrong;
}

finding refused(std::string why)
{
    return {why.empty() ? reading::refused : reading::wrong, std::move(why)};
}

finding read_quietly(damaged_log const& of, log::file_layer& files)
try {
    auto const contents = log::read_log(files);
    // Without any segment there is no log: nothing is shown, and nothing is finished.
    if (!contents) return refused(of.is_whole_files() ? "" : "there is no log");
    finding found;
    found.what = weigh(of, of.original().promises->judge(contents->image), found.why);
    return found;
} catch (log_error const& error) {
    std::string why = check_place(of, error);
    if (!why.empty()) why += ": " + std::string(error.what());
    return refused(std::move(why));
} catch (std::exception const& error) {
    return refused(std::string("another exception: ") + error.what());
}

}  // namespace

finding read_damaged(damaged_log const& of)
{
    memory_files files(of.files());
    allocation_watch const memory;
    finding found = read_quietly(of, files);
    found.largest = memory.largest();
    found.peak = memory.peak();
    return found;
}

std::string open_damaged(damaged_log const& of, reading expected)
{
    auto const disk = std::make_shared<simulated_disk>();
    for (memory_file const& file : of.files()) {
        disk->put(file.name, file.bytes);
    }
    auto const owner = std::as_bytes(std::span("pid 1\nepoch 2\nstarted 1\n"));
    disk->put("lock", {owner.begin(), owner.end()});
    try {
        for (std::uint64_t again = 1; again <= 2; ++again) {
            auto const log = open_on(disk, 5000 + again);
            auto const said = of.original().promises->judge(*log);
            if (expected == reading::complete && !said.is_complete()) return said.text();
            if (expected == reading::refused) return "what cannot be read was opened";
        }
    } catch (log_error const& error) {
        if (expected != reading::refused) return error.what();
        for (memory_file const& file : of.files()) {
            if (disk->contents(file.name) != file.bytes) return "a refused log was changed";
        }
    }
    return {};
}

}  // namespace assent::testing
