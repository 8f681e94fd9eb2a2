// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include <gmock/gmock.h>

#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <assent/metrics.hpp>

#include "api/exposition.hpp"
#include "tests/unit/api/api_fixture.hpp"

namespace {

using assent::api::exposition;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

/// What Prometheus would refuse: a sample without its family, a family twice, a line of no form.
std::set<std::string> faults_of(std::string const& text)
{
    static std::regex const sample{
        R"re((\w+)(\{(\w+="([^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.e+-]+)re"};
    std::set<std::string> faults;
    std::set<std::string> families;
    std::string family;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string mark;
        std::string kind;
        std::string name;
        words >> mark >> kind >> name;
        if (mark == "#" && kind == "HELP") {
            family = name;
            if (!families.insert(name).second) faults.insert(line);
        } else if (mark == "#") {
            if (kind != "TYPE" || name != family) faults.insert(line);
        } else {
            std::smatch parts;
            if (!std::regex_match(line, parts, sample) || parts[1] != family) faults.insert(line);
        }
    }
    return faults;
}

TEST(Exposition, EscapesWhatLabelsAndWordsMayHold)
{
    exposition text;
    text.family("some_total", "One\nline, with a \\ and a \".");
    text.sample(std::int64_t{-3}, {{"a", "x\"y\\z\n"}, {"b", ""}});
    text.sample(0.25);

    EXPECT_EQ(text.text(),
              "# HELP some_total One\\nline, with a \\\\ and a \".\n"
              "# TYPE some_total counter\n"
              "some_total{a=\"x\\\"y\\\\z\\n\",b=\"\"} -3\n"
              "some_total 0.25\n");
    EXPECT_THAT(faults_of(text.text()), IsEmpty());
}

TEST(Metrics, TellTheStateOfAManager)
{
    assent::manager_state now;
    now.decisions = 12;
    now.force_time = std::chrono::milliseconds{1500};
    now.quarantined = {"a", "b"};
    now.resource_managers.resize(2);
    now.resource_managers[0].name = "accounts";
    now.resource_managers[0].branches_due = 7;
    now.resource_managers[0].oldest_due = 1'500ms;
    now.preparing = {3, 250'000us};
    now.resource_managers[1].name = "orders";
    now.resource_managers[1].is_serving = true;

    auto const text = assent::prometheus_text(now);

    EXPECT_THAT(faults_of(text), IsEmpty());
    for (char const* const line :
         {"\nassent_decisions_total 12\n", "\nassent_force_seconds_total 1.5\n",
          "\nassent_branches_quarantined 2\n",
          "\nassent_branches_due{resource_manager=\"accounts\"} 7\n",
          "\nassent_oldest_due_seconds{resource_manager=\"accounts\"} 1.5\n",
          "\nassent_phases_total{phase=\"prepare\"} 3\n",
          "\nassent_phase_seconds_total{phase=\"prepare\"} 0.25\n",
          "\nassent_serving{resource_manager=\"accounts\"} 0\n",
          "\nassent_serving{resource_manager=\"orders\"} 1\n",
          "# TYPE assent_decisions_total counter", "# TYPE assent_accepting gauge"}) {
        EXPECT_THAT(text, HasSubstr(line));
    }
}

TEST(Metrics, CountForcesAndTheirTime)
{
    api_test::doors at;
    EXPECT_EQ(at.tm->state().force_time.count(), 0);
    at.begin_work().commit();

    auto const now = at.tm->state();

    EXPECT_EQ(now.forces, 1u);
    EXPECT_GT(now.force_time.count(), 0);
    EXPECT_EQ(now.forces_waiting, 0u);
    EXPECT_EQ(now.preparing.count, 1u);
    EXPECT_EQ(now.deciding.count, 1u);
    EXPECT_EQ(now.committing.count, 1u);
    EXPECT_EQ(now.rolling_back.count, 0u);
    EXPECT_GE(now.deciding.time, now.force_time);
    EXPECT_THAT(faults_of(assent::prometheus_text(now)), IsEmpty());
}

}  // namespace
