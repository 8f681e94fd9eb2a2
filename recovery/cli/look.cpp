// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "recovery/cli/look.hpp"

#include <system_error>

#include "log/log_error.hpp"
#include "recovery/cli/failure.hpp"

namespace assent::cli {

namespace {

failure explain(configuration const& from, log::log_error const& e)
{
    if (e.code() == std::errc::no_such_file_or_directory) {
        return {exit_code::misused, "there is no log in \"" + from.log_directory +
                                        "\"; check log_directory in " + from.path};
    }
    if (e.code() == std::errc::not_a_directory) {
        return {exit_code::misused, "\"" + from.log_directory +
                                        "\" is not a directory; check log_directory in " +
                                        from.path};
    }
    if (e.code() == std::errc::permission_denied) {
        return {exit_code::failed,
                std::string{e.what()} + "; run as the user who owns the log's directory"};
    }
    return {exit_code::failed, e.what()};
}

void require_same_node(configuration const& from, log::log_view const& view)
{
    if (view.newest.node_label != from.node_label) {
        throw failure{exit_code::misused, "\"" + from.log_directory + "\" is the log of node \"" +
                                              view.newest.node_label + "\", and " + from.path +
                                              " says node_label = \"" + from.node_label +
                                              "\"; correct the one that is wrong"};
    }
    for (auto const& [id, bound] : view.image.bindings()) {
        auto const* const database = from.find(bound.name);
        if (database == nullptr || bound.is_retired || bound.kind == name_of(database->kind))
            continue;
        // The database itself says what it is once it is reached.
        if (database->kind == database_kind::odbc) continue;
        throw failure{exit_code::misused, "the log knows \"" + bound.name + "\" as " + bound.kind +
                                              ", and " + from.path + " says kind = \"" +
                                              std::string{name_of(database->kind)} +
                                              "\"; correct kind"};
    }
}

}  // namespace

log::log_view look(configuration const& from)
{
    try {
        auto view = log::view_log(from.log_directory);
        require_same_node(from, view);
        return view;
    } catch (log::log_error const& e) {
        throw explain(from, e);
    }
}

ports::opening current_of(log::log_view const& view) noexcept
{
    return {view.newest.writer.epoch, view.newest.writer.nonce};
}

std::optional<ports::logged_decision> find_decision(log::log_view const& view, gtrid const& which)
{
    auto const& all = view.image.decisions();
    auto const at = all.find(which);
    if (at == all.end()) return std::nullopt;
    return log::as_logged(at->first, at->second);
}

std::optional<ports::logged_decision> find_decision(two_looks const& seen, gtrid const& which)
{
    auto const after = find_decision(seen.after, which);
    return after ? after : find_decision(seen.before, which);
}

namespace {

std::vector<ports::logged_decision> unfinished_in(log::log_image const& image, std::uint16_t at)
{
    std::vector<ports::logged_decision> all;
    image.visit_unfinished_at(at, {}, image.decisions().size(),
                              [&](auto const& global, auto const& entry) {
                                  all.push_back(log::as_logged(global, entry));
                              });
    return all;
}

}  // namespace

std::vector<xid> due_at(log::log_view const& view, std::uint16_t id)
{
    std::vector<xid> all;
    for (auto const& decision : unfinished_in(view.image, id)) {
        recovery::visit_due(decision, id, [&all](xid const& due) { all.push_back(due); });
    }
    return all;
}

recovery::log_facts facts_of(two_looks const& seen)
{
    recovery::log_facts facts;
    facts.node = seen.after.newest.writer.node;
    facts.current = current_of(seen.after);
    facts.knows = [&seen](ports::opening const& which) {
        return seen.after.image.openings().count({which.epoch, which.nonce}) != 0;
    };
    facts.find = [&seen](gtrid const& which) -> recovery::known_decision {
        if (which.parts().place != decision_place::log) return {};
        return {true, find_decision(seen, which)};
    };
    facts.unfinished_at = [&seen](std::uint16_t id) { return unfinished_in(seen.after.image, id); };
    facts.horizon = [&seen](std::uint16_t id) { return seen.before.image.horizon(id); };
    auto const& epochs = seen.after.image.binding_epochs();
    for (auto const& [id, bound] : seen.after.image.bindings()) {
        auto const given = epochs.find(id);
        if (ports::is_real(bound)) facts.bound_in[id] = given == epochs.end() ? 0 : given->second;
    }
    return facts;
}

recovery::log_facts facts_before(two_looks const& seen)
{
    auto facts = facts_of(seen);
    facts.unfinished_at = [&seen](std::uint16_t id) {
        return unfinished_in(seen.before.image, id);
    };
    return facts;
}

bool is_live(two_looks const& seen, gtrid const& which) noexcept
{
    auto const parts = which.parts();
    return seen.after.lock.is_held &&
           current_of(seen.after) == ports::opening{parts.epoch, parts.nonce};
}

std::string name_of_resource_manager(log::log_view const& view, std::uint16_t id)
{
    auto const& all = view.image.bindings();
    auto const at = all.find(id);
    return at == all.end() ? "?" : at->second.name;
}

}  // namespace assent::cli
