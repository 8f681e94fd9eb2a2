// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// ledger.hpp -- the third database of a transfer: a SQLite file, the last resource beside both
// servers of the bank.
//
//   transfer of a teller + INSERT INTO entry(id)       in all three, or in none

#ifndef ASSENT_TESTS_CRASH_LEDGER_HPP
#define ASSENT_TESTS_CRASH_LEDGER_HPP

#include <string>

#include <assent/assent.hpp>
#include <assent/odbc.hpp>

namespace assent::testing {

class ledger
{
public:
    /// @param path  of the file, which must be there; see make().
    explicit ledger(std::string path) : path_(std::move(path)) {}
    /// Makes the file and its tables.
    static ledger make(std::string const& path);

    std::string const& path() const noexcept { return path_; }
    std::string connect_string() const;
    odbc::resource_manager manager() const { return {"ledger", connect_string()}; }

    /// Seen past the transaction manager.
    bool has(std::string const& id) const;
    long bulk() const;

    /// The work of one transfer.
    static void enter(odbc::connection on, std::string const& id);
    /// So much work that SQLite writes a part of it into the file before any commit, which leaves a
    /// hot journal when the process dies.
    static void enter_bulk(odbc::connection on);
    /// Writes, and keeps everybody else from writing, until freeze() returns.
    void hold_locked(void (*freeze)()) const;

private:
    std::string path_;
};

}  // namespace assent::testing

#endif  // ASSENT_TESTS_CRASH_LEDGER_HPP
