// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql_target.hpp -- private PostgreSQL servers under test, and plain libpq to look at them.
//
// Every fixture runs on each edition: the installed one, and the newest that was fetched.  Each has
// one server per program, started when its first test needs it.

#ifndef ASSENT_TESTS_CONTRACT_POSTGRESQL_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_POSTGRESQL_TARGET_HPP

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/contract/contract_suite.hpp"
#include "tests/servers/private_server.hpp"

namespace assent::contract {

/// A libpq connection of the tests' own, which throws when a statement fails.
class plain_connection
{
public:
    explicit plain_connection(std::string const& conninfo);
    plain_connection(plain_connection const&) = delete;
    plain_connection& operator=(plain_connection const&) = delete;
    ~plain_connection() { PQfinish(connection_); }

    PGconn* get() const noexcept { return connection_; }

    /// Runs SQL; the last statement's first value, or nothing.
    std::string run(std::string const& sql) { return run(connection_, sql); }
    static std::string run(PGconn* connection, std::string const& sql);

private:
    PGconn* connection_;
};

enum class edition { installed, newest };

/// Why there is none here; empty where there is.
std::string why_missing(edition which);
std::unique_ptr<testing::private_server> make_server(edition which,
                                                     std::vector<std::string> const& settings = {});

class postgresql_target : public contract_target
{
public:
    explicit postgresql_target(edition which = edition::installed,
                               std::vector<std::string> settings = {});

    bool has(feature) const override { return true; }
    std::string why_missing() const override { return assent::contract::why_missing(which_); }
    std::string client_version() override;
    std::string server_version() override;
    void reset() override;
    std::shared_ptr<resource_manager_driver> driver() override;
    void write_row(driver_session& session, int key) override;
    int count_rows(int key) override;
    bool runs_at(driver_session& session, isolation level) override;
    isolation default_level() const override { return isolation::read_committed; }
    void make_read_only(driver_session& session) override;
    void prepare_foreign(int key) override;
    void commit_foreign() override;
    void kill_session(std::uint64_t id) override;
    void freeze() override;
    void thaw() override;
    void crash() override;
    void start() override { server().start(); }
    void restart() override;
    void restart_elsewhere() override;
    std::future<bool> run_blocked(driver_session& session) override;
    void release_blocker() override { blocker_.reset(); }
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override;
    void close_handle(void* handle) override { PQfinish(static_cast<PGconn*>(handle)); }

    testing::private_server& server();
    edition which() const noexcept { return which_; }
    /// 15, 18
    int major_version();
    /// As superuser, on a connection of its own.
    std::string administer(std::string const& sql, std::string const& database = "accounts");

    /// A driver for `database`, with more of a connection string behind it.
    std::shared_ptr<resource_manager_driver> driver_for(std::string const& database,
                                                        std::string const& more = {});

    static std::string insert(int key);

protected:
    /// Runs a statement of the application's.  @return whether it succeeded.
    virtual bool accepts(driver_session& session, std::string const& sql);

    /// Throws the server away; the next use makes a new one.
    void renew() { server_.reset(); }

    /// The one that `kind` means.
    testing::private_server& server_for(handle_kind kind);

    /// Holds a lock that `waits` will wait for.
    void block();
    static constexpr char waits[] = "SELECT count(*) FROM gate";
    void wait_until_blocked(std::uint64_t session);

private:
    edition const which_;
    std::vector<std::string> const settings_;
    std::string version_;                              // as the server said when it was first asked
    std::unique_ptr<testing::private_server> server_;  // made when first asked for
    std::unique_ptr<testing::private_server> other_server_;  // too
    std::unique_ptr<plain_connection> blocker_;
    bool is_frozen_ = false;
};

/// A commit under synchronous_commit = on waits there until it is cancelled: nobody is the standby,
/// so it is durable, and not answered.
class postgresql_without_replica final : public postgresql_target
{
public:
    explicit postgresql_without_replica(edition which)
        : postgresql_target(which, {"synchronous_standby_names=nobody", "synchronous_commit=local"})
    {
    }
};

/// The program's only target of that kind and edition.
template <class Target, edition Which>
std::shared_ptr<contract_target> the_only()
{
    static auto const target = std::make_shared<Target>(Which);
    return target;
}

template <class Target>
std::vector<target_factory> on_each_edition()
{
    return {&the_only<Target, edition::installed>, &the_only<Target, edition::newest>};
}

/// What the adapter's own tests share: a server, and branches whose session the test misuses.
class postgresql_case : public contract
{
protected:
    postgresql_target& pg() { return dynamic_cast<postgresql_target&>(target()); }

    /// The application's own SQL, on a branch's session.
    static std::string apply(driver_session& session, std::string const& sql)
    {
        return plain_connection::run(static_cast<PGconn*>(session.native_handle()), sql);
    }
    /// A statement that fails, and so aborts the transaction that it is in.
    static void fail(driver_session& session);

    /// Whether the server keeps the session waiting for a synchronous replica.
    bool waits_for_replica(std::uint64_t session);
    void wait_for_replica(std::uint64_t session);
};

}  // namespace assent::contract

/// Runs a fixture's tests on each edition of a kind of target.
#define ASSENT_ON_EACH_POSTGRESQL(fixture, target)                                       \
    INSTANTIATE_TEST_SUITE_P(                                                            \
        on, fixture, ::testing::ValuesIn(::assent::contract::on_each_edition<target>()), \
        [](auto const& of) { return of.index == 0 ? "installed" : "newest"; })

#endif  // ASSENT_TESTS_CONTRACT_POSTGRESQL_TARGET_HPP
