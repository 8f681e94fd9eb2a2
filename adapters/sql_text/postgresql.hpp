// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql.hpp -- PostgreSQL through a client that shows little: autocommit on, transactions as
// text.
//
//   start              BEGIN | mark; SAVEPOINT assent_mark
//   prepare            guard | PREPARE TRANSACTION; is it listed?
//   commit_one_phase   mark, xid8 | COMMIT
//   rollback, active   mark; ROLLBACK
//   commit, rollback   COMMIT PREPARED | ROLLBACK PREPARED
//
// The client shows neither the tag of a command (PREPARE TRANSACTION of a failed transaction is a
// success with the tag ROLLBACK) nor whether a transaction is open.  So each message that ends a
// branch stands behind a query that a failed transaction refuses, and what was prepared is looked
// up.  A transaction that refuses queries is brought back to the savepoint of its beginning, which
// also proves that it is ours; then the mark can be asked for.  psqlODBC's own savepoints (its
// default; see Protocol in its documentation) vanish with a transaction as well: 3B001 for one of
// them says that the application ended the branch's transaction.
//
// A client that may reconnect without a word could repeat COMMIT in a session that is in no
// transaction, where the server takes it for a success.  It is told COMMIT AND CHAIN, which is an
// error there.
//
// Invariant: no branch ends here without its mark having been checked, or the reply says
// that it was lost.

#ifndef ASSENT_ADAPTERS_SQL_TEXT_POSTGRESQL_HPP
#define ASSENT_ADAPTERS_SQL_TEXT_POSTGRESQL_HPP

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "adapters/dialects/postgresql/branches.hpp"
#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/examination.hpp"
#include "adapters/dialects/postgresql/server.hpp"
#include "adapters/dialects/subject.hpp"
#include "adapters/sql_text/speaker.hpp"

namespace assent::sql_text {

namespace pg = postgresql_dialect;

// Names as the hexadecimal digits of their bytes: nothing of them needs quoting, whatever the
// client encoding is.
#define ASSENT_PG_HEX(name) \
    "pg_catalog.encode(pg_catalog.convert_to(CAST(" name " AS pg_catalog.text), 'UTF8'), 'hex')"
inline constexpr char role_and_database[] =
    ASSENT_PG_HEX("current_user") ", " ASSENT_PG_HEX("pg_catalog.current_database()");
inline constexpr char is_other_role[] = ASSENT_PG_HEX("current_user") " OPERATOR(pg_catalog.<>) '";
inline constexpr char is_other_database[] =
    ASSENT_PG_HEX("pg_catalog.current_database()") " OPERATOR(pg_catalog.<>) '";
#undef ASSENT_PG_HEX

class postgresql_question final : public pg::question
{
public:
    explicit postgresql_question(link& asked) : asked_(asked) {}

    pg::table ask(std::string const& sql, std::string const& doing) override
    {
        execution said = asked_.execute(sql);
        if (!said.is_ok) {
            throw driver_error(doing + ": " + said.text, said.sqlstate, said.native_code,
                               said.is_lost);
        }
        return said.tables.empty() ? pg::table{} : std::move(said.tables.back());
    }

private:
    link& asked_;
};

class postgresql_speaker final : public speaker
{
public:
    postgresql_speaker(link& on, std::string const& resource_manager)
        : link_(on), name_(resource_manager), question_(on)
    {
    }

    void introduce(session_purpose purpose) override;
    void inspect() override;
    void check_work(server_facts const& expected, bool allow_non_durable) override;
    std::uint64_t id() const override { return who_.is_proxied ? 0 : who_.process; }
    server_life life() const override { return who_.life_of_server(); }
    peer_view ask_peer() override;
    void set_proxied() override { who_.is_proxied = true; }
    reply run(request const& asked) override;
    void let_go() noexcept override
    {
        if (stage_ == stage::prepared) stage_ = stage::idle;
    }

    bool is_clear() override
    {
        return stage_ == stage::idle && !is_tainted_ && link_.has_autocommit().value_or(true);
    }
    std::string login() const override { return who_.login; }

    server_facts preflight(bool allow_non_durable) override;
    examination examine(bool allow_non_durable) override
    {
        return named([&] {
            return pg::examine(
                // A session whose socket is not found may be behind anything, so that is no alarm.
                question_, who_, {allow_non_durable, true},
                {link_.versions(),
                 "by default it undoes a statement that fails alone, and the branch commits "
                 "without it (Protocol=7.4-0 fails the branch); a call that hangs in it cannot be "
                 "interrupted: kind = \"postgresql\" reaches the same database without either"});
        });
    }
    dialects::any_branch_list list_any() override
    {
        return named([&] { return pg::server::list_any(question_); });
    }
    scan_result scan() override
    {
        return named([&] { return pg::server::scan(question_); });
    }
    bool try_guard(std::uint64_t node) override;
    void heartbeat() override
    {
        named([&] { pg::server::heartbeat(question_, held_); });
    }
    std::string guard_holder(std::uint64_t node) override
    {
        return named([&] { return pg::server::guard_holder(question_, node); });
    }
    session_presence presence(std::uint64_t id) override
    {
        return named([&] { return pg::server::presence(question_, who_, id); });
    }
    session_presence sessions_before(std::uint64_t) override
    {
        return named([&] { return pg::server::older_sessions(question_, who_); });
    }
    void cancel_statement(std::uint64_t id, dialects::cancelled_sessions& cancelled) override;
    void end_session(std::uint64_t id) override
    {
        named([&] { pg::server::end_session(question_, who_, id); });
    }
    witness_state ask_witness(std::string const& witness) override
    {
        return named([&] { return pg::server::ask_witness(question_, who_, witness); });
    }

    void ensure_rows() override
    {
        named([&] { pg::decisions::ensure(question_, who_); });
    }
    std::optional<decision_row> fence(gtrid const& row_name,
                                      std::chrono::milliseconds wait) override
    {
        return named([&] { return pg::decisions::fence(question_, row_name, wait); });
    }
    std::vector<decision_row> list_rows(std::string const& prefix, std::size_t at_most) override
    {
        return named([&] { return pg::decisions::list(question_, prefix, at_most); });
    }
    void prune_rows(decision_row const& horizon_row, std::vector<gtrid> const& gone) override
    {
        named([&] { pg::decisions::prune(question_, horizon_row, gone); });
    }

    void ensure_branches() override
    {
        named([&] { pg::branches::ensure(question_, who_); });
    }
    void insert(std::string const&, branch_row const& reserved) override
    {
        named([&] { pg::branches::insert(question_, reserved); });
    }
    std::optional<branch_row> take(std::string const&, xid const& name) override
    {
        return named([&] { return pg::branches::take(question_, name); });
    }
    bool contains(std::string const&, xid const& name) override
    {
        return named([&] { return pg::branches::contains(question_, name); });
    }
    std::vector<xid> list_branches(std::string const& manager) override
    {
        return named([&] { return pg::branches::list(question_, manager); });
    }

private:
    enum class stage : std::uint8_t {
        idle,
        active,    // start succeeded
        prepared,  // PREPARE TRANSACTION succeeded
        in_doubt,  // PREPARE TRANSACTION was not answered, or not understood
    };

    void look(bool is_begun);
    reply start(dialects::branch_name const& x, branch_modes const& modes, bool carries_row);
    reply prepare();
    reply read_vote();
    reply one_phase();
    reply one_phase_with(std::string const& insertion);
    reply commit(std::string const& witness);
    reply roll_back_active();
    reply finish_prepared(char const* words, dialects::branch_name const& x);

    reply after_failed_guard(execution const& failed);
    reply after_failed_prepare(execution const& failed);
    reply undo(reply planned);
    reply left_behind();
    reply end(reply given, stage then);
    bool is_mark(execution const& said, std::size_t table) const;
    std::string guard() const;
    std::string listed_query() const;
    std::optional<bool> is_listed();
    execution back_to_beginning();
    reply after_chained(execution const& done);

    /// Every error of the manager's own work names the resource manager that it came from.
    template <typename Work>
    std::invoke_result_t<Work> named(Work work)
    {
        try {
            return work();
        } catch (driver_error const& error) {
            throw driver_error(error.why(), dialects::subject(name_) + error.what(),
                               error.sqlstate(), error.native_code(), error.must_close());
        }
    }

    link& link_;
    std::string const name_;
    postgresql_question question_;
    pg::session_identity who_;
    std::string role_;      // hexadecimal
    std::string database_;  // hexadecimal
    std::optional<pg::server::guard> held_;

    stage stage_ = stage::idle;
    dialects::branch_name branch_;  // of the stage
    bool is_read_only_ = false;     // it was declared so
    std::string mark_;              // microseconds since the epoch, as the server wrote them
    bool is_tainted_ = false;
};

}  // namespace assent::sql_text

#endif  // ASSENT_ADAPTERS_SQL_TEXT_POSTGRESQL_HPP
