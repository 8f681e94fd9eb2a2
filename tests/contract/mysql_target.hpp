// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql_target.hpp -- MariaDB or MySQL as a target of the contract, with the native adapter.

#ifndef ASSENT_TESTS_CONTRACT_MYSQL_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_MYSQL_TARGET_HPP

#include <memory>
#include <string>
#include <vector>

#include "tests/contract/contract_suite.hpp"
#include "tests/contract/mysql_client.hpp"

namespace assent::contract {

class mysql_target : public contract_target
{
public:
    explicit mysql_target(server_kind kind) : kind_(kind) {}

    bool has(feature) const override { return true; }

    std::string why_missing() const override { return assent::contract::why_missing(kind_); }
    std::string client_version() override { return assent::contract::client_version(); }
    std::string server_version() override { return assent::contract::server_version(kind_); }

    void reset() override;
    std::shared_ptr<resource_manager_driver> driver() override;
    void write_row(driver_session& session, int key) override;
    int count_rows(int key) override;
    bool runs_at(driver_session& session, isolation level) override;
    isolation default_level() const override { return isolation::repeatable_read; }
    void make_read_only(driver_session& session) override;
    void prepare_foreign(int key) override;
    void commit_foreign() override;
    void kill_session(std::uint64_t id) override;
    void freeze() override { server().freeze(); }
    void thaw() override { server().thaw(); }
    // A frozen server dies without another step.
    void crash() override { server().kill(); }
    void start() override { server().start(); }
    void restart() override;
    void restart_elsewhere() override;
    std::future<bool> run_blocked(driver_session& session) override;
    void release_blocker() override { blocker_.reset(); }
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override;
    void close_handle(void* handle) override { mysql_close(static_cast<MYSQL*>(handle)); }

    server_kind kind() const { return kind_; }

    testing::private_server& server() { return shared_server(kind_); }
    static std::string insert(int key);

protected:
    /// Runs a statement of the application's.  @return whether it succeeded.
    virtual bool accepts(driver_session& session, std::string const& sql);

    /// The one that `kind` means.
    testing::private_server& server_for(handle_kind kind);

    /// Holds a lock that `waits` will wait for.
    void block();
    static constexpr char waits[] = "update t set v = 0 where k = -1";
    void wait_until_blocked(std::uint64_t session);

private:
    server_kind kind_;
    std::unique_ptr<testing::private_server> other_;
    std::unique_ptr<mysql_client> blocker_;
};

/// The program's only target of that kind.
template <class Target, server_kind Kind>
std::shared_ptr<contract_target> the_only()
{
    static auto const target = std::make_shared<Target>(Kind);
    return target;
}

template <class Target>
std::vector<target_factory> on_each_kind()
{
    std::vector<target_factory> all;
    for (server_kind const each : server_kinds()) {
        all.push_back(each == server_kind::mariadb ? &the_only<Target, server_kind::mariadb>
                                                   : &the_only<Target, server_kind::mysql>);
    }
    return all;
}

}  // namespace assent::contract

/// Runs a fixture's tests on each kind of server that the client library reaches.
#define ASSENT_ON_EACH_MYSQL(fixture, target)                                                 \
    INSTANTIATE_TEST_SUITE_P(on, fixture,                                                     \
                             ::testing::ValuesIn(::assent::contract::on_each_kind<target>()), \
                             [](auto const& of) { return name_of(server_kinds()[of.index]); })

#endif  // ASSENT_TESTS_CONTRACT_MYSQL_TARGET_HPP
