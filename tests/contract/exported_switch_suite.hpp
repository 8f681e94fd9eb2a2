// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// exported_switch_suite.hpp -- what every exported switch must do, on its real server, for a
// monitor that is not ours.

#ifndef ASSENT_TESTS_CONTRACT_EXPORTED_SWITCH_SUITE_HPP
#define ASSENT_TESTS_CONTRACT_EXPORTED_SWITCH_SUITE_HPP

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/contract/foreign_monitor.hpp"
#include "tests/servers/private_server.hpp"
#include "tests/servers/wire.hpp"

namespace assent::contract {

/// A switch, its server, and the application's side of both.
class exported_target
{
public:
    virtual ~exported_target() = default;

    /// Empty: it is here.
    virtual std::string why_missing() const { return {}; }
    virtual testing::private_server& server() = 0;
    /// No row, nothing prepared; the server runs.
    virtual void reset() = 0;

    virtual xa_switch_t& entries() = 0;
    virtual void* handle(int rmid) = 0;
    virtual char const* message() = 0;

    /// xa_info of the account; `port` 0 is the server's own.
    virtual std::string info(int port = 0) = 0;
    virtual std::string info_with_wrong_password() = 0;
    virtual std::string malformed_info() = 0;
    /// A server of its own whose votes may be lost.
    virtual std::unique_ptr<testing::private_server> make_forgetful() = 0;
    virtual std::string info_of(testing::private_server& other) = 0;

    /// By the switch's handle, in the branch.  @throws std::runtime_error
    virtual void insert(int rmid, int key) = 0;
    virtual bool accepts(void* handle, std::string const& sql) = 0;
    /// The application ends the branch's transaction on its own.
    virtual void leave_branch(int rmid, XID const& x) = 0;
    /// For a proxy between the two, and what it sees of a request to prepare.
    virtual testing::wire_protocol protocol() const { return testing::wire_protocol::mysql; }
    virtual std::string prepare_words() const { return "XA PREPARE"; }
    /// Committed rows with that key.
    virtual int count(int key) = 0;
    /// Prepares what no exported switch can have made.
    virtual void prepare_others() = 0;

    /// A session that fell silent is ended at the server, by its number, before anything is asked.
    virtual bool ends_silent_sessions() const { return false; }
    /// A prepared branch stays with the connection that prepared it.
    virtual bool keeps_prepared() const { return false; }
    /// A failed statement ends the transaction.
    virtual bool fails_whole() const { return false; }
    /// A name that is prepared is seen by xa_start.
    virtual bool sees_prepared_names() const { return false; }
    /// Format ids up to this one.
    virtual long format_id_max() const = 0;
};

/// Runs on a thread of its own, which ends.
template <typename Work>
auto elsewhere(Work work)
{
    std::packaged_task<decltype(work())()> task{std::move(work)};
    auto done = task.get_future();
    std::thread{std::move(task)}.join();
    return done.get();
}

using exported_maker = std::shared_ptr<exported_target> (*)();

class exported_switch : public ::testing::TestWithParam<exported_maker>
{
protected:
    void SetUp() override;
    void TearDown() override;

    exported_target& target() { return *target_; }
    foreign_monitor monitor(int rmid = 1) { return {target().entries(), target().info(), rmid}; }
    foreign_monitor monitor(int rmid, std::string const& info)
    {
        return {target().entries(), info, rmid};
    }

    /// Another name each time.
    XID next_name();
    /// xa_start, a row, xa_end.
    XID work(foreign_monitor& by, int key);
    XID prepared(foreign_monitor& by, int key);

    /// What `call` says when it no longer says that it is to be called again; XA_RETRY after a long
    /// while.  A session that has left may not be gone, and could prepare that name yet.
    template <typename Call>
    static int at_last(Call const& call)
    {
        auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        int answer = call();
        while (answer == XA_RETRY && std::chrono::steady_clock::now() < until)
            answer = call();
        return answer;
    }

private:
    std::shared_ptr<exported_target> target_;
};

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_EXPORTED_SWITCH_SUITE_HPP
