// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite_target.hpp -- a SQLite database in a directory of its own, reached through sqliteodbc.

#ifndef ASSENT_TESTS_CONTRACT_SQLITE_TARGET_HPP
#define ASSENT_TESTS_CONTRACT_SQLITE_TARGET_HPP

#include <filesystem>
#include <memory>
#include <string>

#include "tests/contract/contract_suite.hpp"
#include "tests/contract/odbc_target.hpp"

namespace assent::contract {

class sqlite_target final : public contract_target
{
public:
    sqlite_target();
    ~sqlite_target() override;

    bool has(feature what) const override
    {
        return what == feature::borrowed_handles || what == feature::modes ||
               what == feature::guardian || what == feature::one_phase ||
               what == feature::session_work || what == feature::session_ends ||
               what == feature::polled_votes;
    }
    std::string why_missing() const override;
    std::string client_version() override;
    std::string server_version() override;

    void reset() override;
    std::shared_ptr<resource_manager_driver> driver() override { return driver_with({}); }
    void write_row(driver_session& session, int key) override;
    int count_rows(int key) override;
    bool runs_at(driver_session&, isolation level) override { return level == default_level(); }
    isolation default_level() const override { return isolation::serializable; }
    void make_read_only(driver_session& session) override;
    void* open_handle(handle_kind kind) override;
    bool is_usable(void* handle) override { return try_by_odbc(handle, "SELECT 1").is_ok; }
    void close_handle(void* handle) override { lent_.close(handle); }

    /// A driver with more of a connect string.
    std::shared_ptr<resource_manager_driver> driver_with(std::string const& more);
    std::string path() const { return directory_ / "ledger.db"; }
    std::string directory() const { return directory_; }

private:
    std::filesystem::path directory_;
    lent_handles lent_;
};

/// The one of this program.
std::shared_ptr<sqlite_target> the_sqlite();
std::shared_ptr<contract_target> make_sqlite_target();

}  // namespace assent::contract

#endif  // ASSENT_TESTS_CONTRACT_SQLITE_TARGET_HPP
