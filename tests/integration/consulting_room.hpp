// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// consulting_room.hpp -- `assent doctor` run on databases that a test has spoiled.
//
//   consulting_room room;
//   room.admit("accounts", "postgresql", server->conninfo());
//   auto const told = room.examine();
//   EXPECT_EQ(told.level_of("accounts", "fsync"), "error");

#ifndef ASSENT_TESTS_INTEGRATION_CONSULTING_ROOM_HPP
#define ASSENT_TESTS_INTEGRATION_CONSULTING_ROOM_HPP

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/integration/cli_desk.hpp"

namespace assent::testing {

/// What the doctor said.
class diagnosis
{
public:
    explicit diagnosis(answer told) : told_(std::move(told)), said_(told_.json()) {}

    int status() const { return told_.status; }
    nlohmann::json const& json() const { return said_; }

    /// The finding of that name; a failure, and an empty one, where there is none.
    nlohmann::json finding(std::string const& database, std::string const& check) const
    {
        auto const one = patient(database);
        for (auto const& each : one.at("findings")) {
            if (each.at("check") == check) return each;
        }
        ADD_FAILURE() << "no finding " << check << " of " << database << " in " << told_.out;
        return {{"level", ""}, {"seen", ""}, {"advice", ""}};
    }
    std::string level_of(std::string const& database, std::string const& check) const
    {
        return finding(database, check).at("level");
    }
    std::string advice(std::string const& database, std::string const& check) const
    {
        auto const text = finding(database, check).at("advice");
        return text.is_null() ? std::string{} : text.get<std::string>();
    }
    std::string seen(std::string const& database, std::string const& check) const
    {
        return finding(database, check).at("seen");
    }

    nlohmann::json patient(std::string const& name) const
    {
        if (name == "log") return said_.at("log");
        for (auto const& each : said_.at("databases")) {
            if (each.at("name") == name) return each;
        }
        throw std::runtime_error{"no database " + name};
    }

    /// The findings of a database at that level, but for the times that it took: those depend on
    /// the disk, and on what else the machine does.
    std::vector<std::string> at_level(std::string const& database, std::string const& level) const
    {
        std::vector<std::string> all;
        auto const one = patient(database);
        for (auto const& each : one.at("findings")) {
            std::string const check = each.at("check");
            bool const is_time = check == "round trip" || check == "force";
            if (each.at("level") == level && !is_time) all.push_back(check);
        }
        return all;
    }

private:
    answer told_;
    nlohmann::json said_;
};

class consulting_room
{
public:
    /// `connect` may hold a password: only its owner can read the configuration.
    void admit(std::string const& name, std::string const& kind, std::string const& connect,
               std::string const& more = {})
    {
        databases_ += "[[resource_manager]]\nname = \"" + name + "\"\nkind = \"" + kind +
                      "\"\nconnect = \"" + connect + "\"\n" + more + "\n";
    }
    void keep_secret(std::string secret) { secrets_.push_back(std::move(secret)); }
    void take_log(std::string directory) { log_ = std::move(directory); }

    answer run(std::vector<std::string> words) const
    {
        auto const log = log_.empty() ? desk_.path("log") : log_;
        auto const config = desk_.file(
            "assent.toml", "log_directory = \"" + log + "\"\nnode_label = \"test\"\n" + databases_);
        words.insert(words.begin(), {"--config", config});
        auto told = run_assent(words);
        for (auto const& secret : secrets_)
            EXPECT_THAT(told.out + told.err, ::testing::Not(::testing::HasSubstr(secret)));
        return told;
    }

    diagnosis examine() const { return diagnosis{run({"--json", "doctor"})}; }

    desk const& files() const noexcept { return desk_; }

private:
    desk desk_;
    std::string log_;
    std::string databases_;
    std::vector<std::string> secrets_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_INTEGRATION_CONSULTING_ROOM_HPP
