// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// scene.hpp -- where crashes are played: a bank, the logs, victims, and what must hold afterwards.
//
//   plan what = scene.new_plan("work", handles::leased);
//   scene.run(what.set("strike", "decision.durable").set("occurrence", 1));    killed
//   scene.recover(what);
//   scene.expect_whole(what);
//
// From the start on, both servers also hold prepared branches of somebody else: of another manager,
// and of another node.  They must still be there at the end.

#ifndef ASSENT_TESTS_CRASH_SCENE_HPP
#define ASSENT_TESTS_CRASH_SCENE_HPP

#include <sys/types.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/crash/plan.hpp"
#include "tests/crash/point_watch.hpp"
#include "tests/crash/teller.hpp"
#include "tests/integration/bank.hpp"

namespace assent::testing {

/// How a victim ended.
enum class fate { ended, killed, failed };

class scene
{
public:
    scene();
    ~scene();
    scene(scene const&) = delete;
    scene& operator=(scene const&) = delete;

    bank& money() { return bank_; }

    /// An empty directory of this scene, removed with it.
    std::string new_directory();

    /// A plan with a log, an answer file and a prefix of its own.
    plan new_plan(std::string const& mode, handles which);

    pid_t start(plan const& what);
    static fate wait(pid_t victim);
    fate run(plan const& what) { return wait(start(what)); }

    /// Opens the plan's log in this process and closes it when both databases have nothing left of
    /// it.  Fails the test when that takes longer than half a minute, or finds something odd.
    void recover(plan const& what);

    /// Waits until nothing of this node's is prepared, whatever its sessions do.
    void wait_until_nothing_is_prepared(deadline until);

    /// Every transfer in both ledgers or in neither, the money adds up, nothing is prepared but
    /// what is somebody else's, and the answers were true.
    void expect_whole(plan const& what);

    /// Points that a plan's victim reached, from the file it wrote at its clean end.
    static std::map<std::string, int> points_of(plan const& what);

    /// What is prepared now, somebody else's left out.
    std::set<std::string> prepared_in_accounts();
    std::set<std::string> prepared_in_orders();

private:
    void prepare_foreign_branches();
    void expect_answers_true(plan const& what);

    bank bank_;
    std::string directory_;
    std::set<std::string> foreign_in_accounts_;
    std::set<std::string> foreign_in_orders_;
    int plans_ = 0;
    int directories_ = 0;
};

inline deadline in_seconds(int seconds)
{
    return std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
}

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_SCENE_HPP
