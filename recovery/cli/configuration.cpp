// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// configuration.cpp -- the only file that sees toml++.

#include "recovery/cli/configuration.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <sstream>

#include <toml++/toml.h>

#include <assent/driver.hpp>

#include "recovery/cli/connect_source.hpp"
#include "recovery/cli/failure.hpp"
#include "recovery/cli/nearest.hpp"

namespace assent::cli {

namespace {

/// One table of the file, read key by key.
class section
{
public:
    section(std::string const& path, toml::table const& table) : path_(path), table_(table) {}

    /// Refuses every key but these.
    void allow_only(std::initializer_list<std::string_view> known) const
    {
        for (auto const& [key, value] : table_) {
            std::string_view const name = key.str();
            if (std::find(known.begin(), known.end(), name) != known.end()) continue;
            refuse(key.source(), "unknown key \"" + std::string{name} + "\"; did you mean \"" +
                                     std::string{nearest(name, known)} + "\"?");
        }
    }

    std::optional<std::string> text(std::string_view key) const
    {
        auto const* const node = table_.get(key);
        if (node == nullptr) return std::nullopt;
        auto const* const value = node->as_string();
        if (value == nullptr) refuse_type(*node, key, "a string");
        if (value->get().find('\0') != std::string::npos) {
            refuse(node->source(), "\"" + std::string{key} + "\" holds a NUL character");
        }
        return value->get();
    }

    std::string required_text(std::string_view key, std::string const& advice) const
    {
        auto const value = text(key);
        if (!value || value->empty()) {
            refuse(
                value ? table_.get(key)->source() : table_.source(),
                "\"" + std::string{key} + (value ? "\" is empty: " : "\" is missing: ") + advice);
        }
        return *value;
    }

    std::string optional_text(std::string_view key) const { return text(key).value_or(""); }

    bool flag(std::string_view key) const
    {
        auto const* const node = table_.get(key);
        if (node == nullptr) return false;
        auto const* const value = node->as_boolean();
        if (value == nullptr) refuse_type(*node, key, "true or false");
        return value->get();
    }

    std::optional<std::int64_t> number(std::string_view key) const
    {
        auto const* const node = table_.get(key);
        if (node == nullptr) return std::nullopt;
        auto const* const value = node->as_integer();
        if (value == nullptr) refuse_type(*node, key, "a whole number");
        return value->get();
    }

    bool has(std::string_view key) const { return table_.contains(key); }

    toml::source_region const& where(std::string_view key) const
    {
        auto const* const node = table_.get(key);
        return node == nullptr ? table_.source() : node->source();
    }

    [[noreturn]] void refuse(toml::source_region const& where, std::string const& why) const
    {
        throw failure{exit_code::misused,
                      path_ + ":" + std::to_string(where.begin.line) + ": " + why};
    }

    [[noreturn]] void refuse_type(toml::node const& node, std::string_view key,
                                  std::string const& wanted) const
    {
        std::ostringstream found;
        found << node.type();
        refuse(node.source(),
               "\"" + std::string{key} + "\" must be " + wanted + ", not of type " + found.str());
    }

private:
    std::string const& path_;
    toml::table const& table_;
};

database_kind read_kind(section const& from)
{
    auto const text = from.required_text("kind", "postgresql, mysql, mariadb, odbc or xopen");
    for (auto const kind : {database_kind::postgresql, database_kind::mysql, database_kind::mariadb,
                            database_kind::odbc, database_kind::xopen}) {
        if (text == name_of(kind)) return kind;
    }
    from.refuse(
        from.where("kind"),
        "unknown kind \"" + text + "\"; did you mean \"" +
            std::string{nearest(text, {"postgresql", "mysql", "mariadb", "odbc", "xopen"})} +
            "\"? Known are postgresql, mysql, mariadb, odbc and xopen");
}

/// A switch may do without.
connect_source read_connect(section const& from, configured_database const& of, mode_t mode)
{
    auto const& name = of.name;
    std::optional<connect_source> found;
    for (auto const& [key, where] :
         {std::pair{"connect", connect_source::place::text},
          std::pair{"connect_file", connect_source::place::file},
          std::pair{"connect_env", connect_source::place::environment}}) {
        auto const value = from.text(key);
        if (!value) continue;
        if (found) {
            from.refuse(from.where(key), "resource manager \"" + name +
                                             "\" has more than one of connect, connect_file and "
                                             "connect_env; keep one");
        }
        if (value->empty()) from.refuse(from.where(key), std::string{"\""} + key + "\" is empty");
        found = connect_source{where, *value};
    }
    if (!found && of.kind == database_kind::xopen) return {};
    if (!found) {
        from.refuse(from.where({}), "resource manager \"" + name +
                                        "\" needs one of connect, connect_file and connect_env");
    }
    if (found->where == connect_source::place::text && is_shared(mode) &&
        holds_password(found->value)) {
        from.refuse(from.where("connect"),
                    "\"connect\" holds a password, and others may read this file; chmod 0600 it, "
                    "or move the connect string into a file of its own and name that as "
                    "connect_file");
    }
    if (found->where == connect_source::place::file && found->value[0] != '/') {
        from.refuse(from.where("connect_file"), "\"connect_file\" must be an absolute path");
    }
    return *found;
}

constexpr auto keys_of_switches = {"library",       "symbol",    "identity",
                                   "identity_file", "unguarded", "sessions_end_within_ms"};

/// What the application has said of its switch, and what the program is about to load.
configured_switch read_switch(section const& from, mode_t mode)
{
    configured_switch read;
    read.library = from.required_text("library", "the shared library that has the switch");
    read.symbol = from.required_text("symbol", "the name of the xa_switch_t in the library");
    if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
        from.refuse(from.where("library"),
                    "\"library\" is loaded into this program, and others may write this file; "
                    "chmod go-w it");
    }
    read.identity = from.optional_text("identity");
    read.identity_file = from.optional_text("identity_file");
    if (read.identity.empty() == read.identity_file.empty()) {
        from.refuse(from.where("identity"),
                    "a switch needs either identity or identity_file, as the application has it");
    }
    if (!read.identity_file.empty() && read.identity_file[0] != '/') {
        from.refuse(from.where("identity_file"), "\"identity_file\" must be an absolute path");
    }
    read.is_unguarded = from.flag("unguarded");
    if (!read.is_unguarded) {
        from.refuse(from.where("unguarded"),
                    "a switch has no lock by which copies of this log could be kept apart; if the "
                    "log is never copied, say so: unguarded = true");
    }
    if (auto const wait = from.number("sessions_end_within_ms")) {
        constexpr std::int64_t longest = 1000LL * 3600 * 24 * 365;
        if (*wait < 0 || *wait > longest) {
            from.refuse(from.where("sessions_end_within_ms"),
                        "\"sessions_end_within_ms\" must be 0 to a year");
        }
        read.sessions_end_within = std::chrono::milliseconds{*wait};
    }
    return read;
}

configured_database read_database(section const& from, mode_t mode)
{
    from.allow_only({"name", "kind", "connect", "connect_file", "connect_env", "allow_non_durable",
                     "pools_by_session", "library", "symbol", "identity", "identity_file",
                     "unguarded", "sessions_end_within_ms", "reservations"});
    configured_database database;
    database.name = from.required_text("name", "the name that the application gives it");
    if (!is_good_name(database.name)) {
        from.refuse(from.where("name"),
                    "\"name\" must be 1 to 64 printable ASCII characters without blanks");
    }
    database.kind = read_kind(from);
    database.connect = read_connect(from, database, mode);
    if (database.kind == database_kind::xopen) {
        database.of_switch = read_switch(from, mode);
    } else {
        for (auto const* const key : keys_of_switches) {
            if (!from.has(key)) continue;
            from.refuse(from.where(key),
                        '"' + std::string{key} + "\" is for kind = \"xopen\" only");
        }
    }
    database.allow_non_durable = from.flag("allow_non_durable");
    database.pools_by_session = from.flag("pools_by_session");
    database.holds_reservations = from.flag("reservations");
    return database;
}

void read_databases(section const& root, std::string const& path, toml::table const& table,
                    mode_t mode, configuration& into)
{
    auto const* const node = table.get("resource_manager");
    if (node == nullptr) return;
    auto const* const list = node->as_array();
    if (list == nullptr) {
        root.refuse(node->source(),
                    "\"resource_manager\" must be an array of tables: write "
                    "[[resource_manager]], with two brackets");
    }
    std::map<std::string, toml::source_index> lines;
    for (auto const& each : *list) {
        auto const* const one = each.as_table();
        if (one == nullptr) {
            root.refuse(each.source(),
                        "\"resource_manager\" must be an array of tables: write "
                        "[[resource_manager]], with two brackets");
        }
        section const from{path, *one};
        auto database = read_database(from, mode);
        auto const line = from.where("name").begin.line;
        auto const [earlier, is_new] = lines.emplace(database.name, line);
        if (!is_new) {
            from.refuse(from.where("name"), "a second resource manager named \"" + database.name +
                                                "\"; the first is at line " +
                                                std::to_string(earlier->second) +
                                                ". Give each its own name");
        }
        into.databases.push_back(std::move(database));
    }
}

}  // namespace

configured_database const* configuration::find(std::string_view name) const noexcept
{
    auto const at = std::find_if(databases.begin(), databases.end(),
                                 [name](auto const& each) { return each.name == name; });
    return at == databases.end() ? nullptr : &*at;
}

configuration read_configuration(std::string const& path)
{
    auto const file = read_small_file(path, "the configuration file");
    configuration read;
    read.path = path;
    try {
        toml::table const table = toml::parse(file.text, path);
        section const root{path, table};
        root.allow_only({"log_directory", "node_label", "allow_file_system", "resource_manager"});
        read.log_directory = root.required_text("log_directory", "the directory of the log");
        if (read.log_directory[0] != '/') {
            root.refuse(root.where("log_directory"), "\"log_directory\" must be an absolute path");
        }
        read.node_label =
            root.required_text("node_label", "the label under which the application opens the log");
        read.allow_file_system = root.optional_text("allow_file_system");
        read_databases(root, path, table, file.mode, read);
    } catch (toml::parse_error const& e) {
        // The parser's own words may quote a value, and with it a password.
        throw failure{exit_code::misused,
                      path + ":" + std::to_string(e.source().begin.line) + ":" +
                          std::to_string(e.source().begin.column) +
                          ": this is not TOML; check quotes, brackets and that no key is given "
                          "twice"};
    }
    return read;
}

}  // namespace assent::cli
