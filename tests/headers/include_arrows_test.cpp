// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// include_arrows_test.cpp -- the house keeps its arrows, and a wrong arrow would be seen.

#include "tests/headers/include_arrows.hpp"

#include <gtest/gtest.h>

#include "tests/headers/scratch_tree.hpp"

namespace assent::testing {
namespace {

TEST(IncludeArrows, AreThoseOfTheTable)
{
    auto const report = check_include_arrows(ASSENT_ROOT);

    for (auto const& each : report.violations)
        ADD_FAILURE() << each;
    EXPECT_GT(report.files, 10u);
    EXPECT_GT(report.includes, 30u);
}

struct attempt
{
    char const* file;
    char const* header;
};

std::vector<std::string> judge(attempt const& what)
{
    scratch_tree const tree;
    tree.write(what.file, std::string("#pragma once\n  #  include ") + what.header + "\n");

    auto report = check_include_arrows(tree.root());

    EXPECT_EQ(report.files, 1u);
    EXPECT_EQ(report.includes, 1u);
    return report.violations;
}

TEST(IncludeArrows, MayGoWhereTheTableSays)
{
    for (attempt const& each : std::initializer_list<attempt>{
             {"include/assent/xid.hpp", "<string>"},
             {"include/assent/xid.hpp", "<assent/export.hpp>"},
             {"src/protocol/a.cpp", "\"protocol/b.hpp\""},
             {"src/ports/a.hpp", "\"protocol/b.hpp\""},
             {"src/log/a.cpp", "<fcntl.h>"},
             {"src/engine/a.cpp", "\"recovery/scan_plan.hpp\""},
             {"src/api/a.cpp", "\"log/log.hpp\""},
             {"src/observe/a.cpp", "<boost/log/core.hpp>"},
             {"adapters/postgresql/a.cpp", "<libpq-fe.h>"},
             {"adapters/mysql/a.cpp", "<mysql.h>"},
             {"recovery/log_tools/a.cpp", "\"log/log.hpp\""},
             {"recovery/cli/a.cpp", "\"recovery/log_tools/b.hpp\""},
             {"recovery/cli/a.cpp", "\"adapters/mysql/b.hpp\""},
             {"recovery/cli/a.cpp", "<CLI/CLI.hpp>"},
         }) {
        EXPECT_TRUE(judge(each).empty()) << each.file << " includes " << each.header;
    }
}

TEST(IncludeArrows, AreRefusedWhereTheTableHasNone)
{
    for (attempt const& each : std::initializer_list<attempt>{
             {"include/assent/xid.hpp", "<unistd.h>"},
             {"include/assent/xid.hpp", "<libpq-fe.h>"},
             {"include/assent/xid.hpp", "\"ports/decision_port.hpp\""},
             {"src/protocol/a.cpp", "\"ports/decision_port.hpp\""},
             {"src/protocol/a.cpp", "\"engine/engine.hpp\""},
             {"src/protocol/a.cpp", "<pthread.h>"},
             {"src/ports/a.hpp", "\"log/log.hpp\""},
             {"src/log/a.cpp", "\"engine/engine.hpp\""},
             {"src/log/a.cpp", "\"recovery/log_tools/b.hpp\""},
             {"src/api/a.cpp", "\"recovery/log_tools/b.hpp\""},
             {"recovery/a.cpp", "\"recovery/log_tools/b.hpp\""},
             {"recovery/log_tools/a.cpp", "\"recovery/scanner.hpp\""},
             {"recovery/log_tools/a.cpp", "\"recovery/cli/b.hpp\""},
             {"src/engine/a.cpp", "\"log/log.hpp\""},
             {"src/engine/a.cpp", "\"api/door.hpp\""},
             {"src/engine/a.cpp", "\"adapters/mysql/session.hpp\""},
             {"src/engine/a.cpp", "<boost/log/core.hpp>"},
             {"src/api/a.cpp", "\"adapters/mysql/session.hpp\""},
             {"src/api/a.cpp", "\"tests/servers/proxy.hpp\""},
             {"recovery/a.cpp", "\"engine/engine.hpp\""},
             {"src/shared/a.cpp", "\"recovery/scan_plan.hpp\""},
             {"src/shared/a.cpp", "\"engine/engine.hpp\""},
             {"recovery/a.cpp", "\"recovery/cli/main.hpp\""},
             {"adapters/mysql/a.cpp", "\"adapters/postgresql/b.hpp\""},
             {"adapters/mysql/a.cpp", "<libpq-fe.h>"},
             {"adapters/postgresql/a.cpp", "\"src/engine/engine.hpp\""},
         }) {
        auto const violations = judge(each);
        ASSERT_EQ(violations.size(), 1u) << each.file << " includes " << each.header;
        EXPECT_EQ(violations[0].rfind(std::string(each.file) + ":2: ", 0), 0u) << violations[0];
    }
}

TEST(IncludeArrows, RefuseAFolderThatTheTableDoesNotKnow)
{
    scratch_tree const tree;
    tree.write("src/surprise/a.cpp", "#include <string>\n");

    EXPECT_EQ(check_include_arrows(tree.root()).violations.size(), 1u);
}

}  // namespace
}  // namespace assent::testing
