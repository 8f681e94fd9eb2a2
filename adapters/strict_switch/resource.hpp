// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// resource.hpp -- the resource manager behind a strict switch, by XA's tables.
//
//   resource.cpp   the one way in: objection (may it be called now?), script, effect, record
//   tables.cpp     what tables 6-1 to 6-5 forbid, and the code that they give to it
//   effects.cpp    what a call, or a scripted answer, does
//   work.cpp       the application's side, and dynamic registration (table 6-3)

#ifndef ASSENT_ADAPTERS_STRICT_SWITCH_RESOURCE_HPP
#define ASSENT_ADAPTERS_STRICT_SWITCH_RESOURCE_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <assent/testing_switch.hpp>

#include "adapters/strict_switch/script.hpp"
#include "adapters/strict_switch/store.hpp"

namespace assent::inline v0::testing::strict {

/// One call, with whichever arguments its routine has.
struct asked
{
    switch_call what = switch_call::open;
    int rmid = 0;
    long flags = 0;
    XID* branch = nullptr;
    XID* list = nullptr;
    long count = 0;
    int* handle = nullptr;
    int* retval = nullptr;
};

/// Why a call is not carried out.
struct objection
{
    int code = XA_OK;
    std::string why;  // empty: the caller need not have known
};

/// Thread safety: every member may be called from several threads at once.
class resource
{
public:
    explicit resource(std::string const& file);

    /// As the switch of these flags; those of the last xa_open hold.
    void set_flags(long flags);
    int call(asked const& a);

    void put(std::shared_ptr<rule> one);
    std::size_t pending() const;
    std::string const& path() const noexcept { return store_.path(); }

    // work.cpp
    void add(std::string const& row, std::int64_t delta);
    void begin_outside();
    void end_outside();

    void die(bool stays_dead);
    void revive();
    void complete_calls(bool is_on);
    void settle(std::string const& text, bool by_commit);

    amounts rows() const;
    std::vector<std::string> prepared() const;
    std::vector<std::string> heuristics() const;
    std::size_t unfinished() const;
    std::size_t openings() const;
    /// Whether a thread has it open under that number.
    bool is_open_as(int rmid) const;
    std::vector<switch_event> history() const;
    std::vector<std::string> violations() const;

private:
    using caller = std::pair<int, std::thread::id>;

    /// Table 6-4: S1 active, S2 idle, S3 prepared, S4 rollback only, S5 heuristically completed.
    struct branch
    {
        bool is_prepared = false;
        bool is_rollback_only = false;
        int heuristic = 0;
        amounts adds;
        std::set<caller> associated, suspended;
        std::set<caller> worked;  // whose openings it lives in until it is prepared
        bool is_adrift = false;   // suspended with TMMIGRATE: whoever resumes it

        bool is_idle() const noexcept
        {
            return associated.empty() && suspended.empty() && !is_adrift && !is_prepared &&
                   !is_rollback_only && heuristic == 0;
        }
        bool is_active() const noexcept
        {
            return !associated.empty() || !suspended.empty() || is_adrift;
        }
    };
    using branches = std::map<std::string, branch>;

    struct outstanding
    {
        int handle = 0;
        int answer = 0;
        int polls_left = 0;
    };

    /// One thread of control, towards one rmid: tables 6-1, 6-2, 6-3 and 6-5.
    struct control
    {
        bool is_open = false;
        std::uint64_t life = 0;
        std::string associated;  // with which branch; empty: none
        std::set<std::string> suspended;
        bool is_outside = false;
        std::optional<outstanding> pending;
        std::optional<std::vector<std::string>> scan;
        std::size_t scanned = 0;
    };

    // resource.cpp
    int decide(asked const& a, rule const* scripted);
    void note(asked const& a, std::string const& why);
    void save() const;

    // tables.cpp
    objection object(asked const& a, caller const& who);
    objection object_to_start(asked const& a, caller const& who);
    objection object_to_end(asked const& a, caller const& who);
    objection object_to_ending(asked const& a);
    static objection object_to_scan(asked const& a, control const& me);
    static objection object_to_complete(asked const& a, control const& me);

    // effects.cpp
    int carry_out(asked const& a, caller const& who);
    int start(asked const& a, caller const& who);
    int end(asked const& a, caller const& who);
    int end_branch(asked const& a);
    int recover(asked const& a, control& me) const;
    int complete(asked const& a, control& me) const;
    void take_effect(asked const& a, caller const& who, int code);
    void associate(std::string const& key, caller const& who);
    void dissociate(std::string const& key, caller const& who);
    void finish(branches::iterator at, bool by_commit);
    void settle_heuristically(branches::iterator at, int code);
    void lose(caller const& who);

    // work.cpp
    caller self() const;
    void register_work(std::unique_lock<std::mutex>& held, caller const& who);

    mutable std::mutex mutex_;  // guards what follows
    store store_;
    long flags_ = 0;
    script script_;
    std::uint64_t life_ = 1;
    bool is_dead_ = false;
    bool completes_ = true;
    int last_handle_ = 0;
    amounts rows_;
    branches branches_;
    std::map<caller, control> controls_;
    std::vector<switch_event> history_;
    std::vector<std::string> violations_;
};

}  // namespace assent::inline v0::testing::strict

#endif  // ASSENT_ADAPTERS_STRICT_SWITCH_RESOURCE_HPP
