// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// control.hpp -- a control experiment: the same work on the same server, by hand and by the
// adapter, and what the application can see of it each time.
//
//   property   how something is brought about, and how it is looked at
//   position   where in a transaction's life that is done
//
// What differs must stand in the table "What differs from the work by hand" of the database's page,
// with its reason; and what stands there must differ, or the page promises too little.

#ifndef ASSENT_TESTS_CONTRACT_CONTROL_HPP
#define ASSENT_TESTS_CONTRACT_CONTROL_HPP

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <assent/driver.hpp>

namespace assent::contract {

/// A statement or verb that was to end a branch was refused.
struct end_failed : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

struct start_refused : std::runtime_error
{
    using std::runtime_error::runtime_error;
};

struct property
{
    char const* name;
    std::vector<std::string> setup;
    std::vector<std::string> look;  ///< the last one's answer counts, with those before it
};

enum class position {
    after_start,       ///< brought about before the branch began
    after_row_start,   ///< ... which will carry a commit row
    across_one_phase,  ///< the same, looked at after its end
    after_rollback,    ///< brought about in the branch
    after_two_phases,
    after_one_phase,
    after_commit_row,
};

/// One connection, and its transaction by hand or by the adapter.
class control_side
{
public:
    /// All rows as text, or the error's number.
    std::function<std::string(std::string const& sql)> run;
    /// What the client library says without a question; may be empty.
    std::function<std::string()> client_view;

    virtual ~control_side() = default;
    /// @param where  the branch will be looked at
    virtual void start(position where) = 0;
    virtual void end(position how) = 0;
};

/// By statements of the application's.
class by_hand final : public control_side
{
public:
    /// @param start, end  the statements, where $ stands for a number of the branch's own.
    by_hand(std::vector<std::string> start, std::function<std::vector<std::string>(position)> end);
    void start(position where) override;
    void end(position how) override;

private:
    void must(std::vector<std::string> const& statements) const;

    std::vector<std::string> start_;
    std::function<std::vector<std::string>(position)> end_;
    std::string number_;
};

/// By a session that the driver borrows.
class by_adapter final : public control_side
{
public:
    by_adapter(resource_manager_driver& driver,
               std::function<std::unique_ptr<driver_session>()> borrow);
    void start(position where) override;
    void end(position how) override;

private:
    template <class Failure>
    void must(verb v);

    resource_manager_driver& driver_;
    std::function<std::unique_ptr<driver_session>()> borrow_;
    std::unique_ptr<driver_session> session_;
    xid branch_;
};

struct experiment
{
    std::vector<property> properties;
    std::vector<position> positions;
    std::function<void()> before_each;
    std::function<std::unique_ptr<control_side>()> by_hand;
    std::function<std::unique_ptr<control_side>()> by_adapter;
    /// Of docs/adapters: the table below the heading "What differs from the work by hand", which
    /// ends with `door`.
    std::string page;
    std::string door;
};

/// Adds a failure for each difference that is not on the page, and for each row there that is none.
void expect_what_the_page_says(experiment const& what);

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_CONTROL_HPP
