// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// postgresql.cpp -- PostgreSQL through a client that shows little: autocommit on, transactions as
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
// The one invariant: no branch ends here without its mark having been checked, or the reply says
// that it was lost.

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "adapters/dialects/postgresql/decisions.hpp"
#include "adapters/dialects/postgresql/error.hpp"
#include "adapters/dialects/postgresql/examination.hpp"
#include "adapters/dialects/postgresql/server.hpp"
#include "adapters/dialects/postgresql/statements.hpp"
#include "adapters/sql_text/dialect.hpp"

namespace assent::sql_text {

namespace {

namespace pg = postgresql_dialect;
namespace say = pg::statements;

constexpr char no_transaction[] = "25P01";
constexpr char back_to_mark[] = "ROLLBACK TO SAVEPOINT assent_mark";

// Names as the hexadecimal digits of their bytes: nothing of them needs quoting, whatever the
// client encoding is.
#define ASSENT_PG_HEX(name) \
    "pg_catalog.encode(pg_catalog.convert_to(CAST(" name " AS pg_catalog.text), 'UTF8'), 'hex')"
constexpr char role_and_database[] =
    ASSENT_PG_HEX("current_user") ", " ASSENT_PG_HEX("pg_catalog.current_database()");
constexpr char is_other_role[] = ASSENT_PG_HEX("current_user") " OPERATOR(pg_catalog.<>) '";
constexpr char is_other_database[] =
    ASSENT_PG_HEX("pg_catalog.current_database()") " OPERATOR(pg_catalog.<>) '";
#undef ASSENT_PG_HEX

class question final : public pg::question
{
public:
    explicit question(link& asked) : asked_(asked) {}

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

/// A text of the first table's first row.
std::string value_of(execution const& from, std::size_t column)
{
    if (from.tables.empty() || from.tables.front().empty()) return {};
    row const& first = from.tables.front().front();
    return column < first.size() ? first[column].value_or(std::string{}) : std::string{};
}

reply lost(execution const& said)
{
    reply answer = pg::lost_reply(said.text);
    answer.sqlstate = said.sqlstate;
    return answer;
}

/// The branch's name as a literal; it has no byte that would need quoting, or there is none.
std::string literal(xid const& x)
{
    std::string const text = x.text();
    bool const is_plain = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.';
    });
    return is_plain ? "'" + text + "'" : std::string{};
}

reply not_possible(xa_code code, char const* why)
{
    reply answer;
    answer.code = code;
    answer.text = why;
    return answer;
}

class speaker final : public dialect
{
public:
    speaker(link& on, std::string const& resource_manager)
        : link_(on), name_(resource_manager), question_(on)
    {
    }

    void introduce(session_purpose purpose) override;
    void inspect() override;
    void check_work(server_facts const& expected, bool allow_non_durable) override;
    std::uint64_t id() const override { return who_.is_proxied ? 0 : who_.process; }
    peer_view ask_peer() override;
    void set_proxied() override { who_.is_proxied = true; }
    reply run(request const& what) override;
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
                question_, who_, allow_non_durable,
                {link_.versions(),
                 "by default it undoes a statement that fails alone, and the branch commits "
                 "without it (Protocol=7.4-0 fails the branch); a call that hangs in it cannot be "
                 "interrupted: kind = \"postgresql\" reaches the same database without either"});
        });
    }
    scan_result scan() override
    {
        return named([&] { return pg::server::scan(question_); });
    }
    bool try_guard(std::uint64_t node) override;
    void heartbeat() override
    {
        named([&] { pg::server::heartbeat(question_, guard_key_); });
    }
    session_presence presence(std::uint64_t id) override
    {
        return named([&] { return pg::server::presence(question_, who_, id); });
    }
    session_presence older_sessions() override
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
    std::optional<decision_row> fence(gtrid const& which, std::chrono::milliseconds wait) override
    {
        return named([&] { return pg::decisions::fence(question_, which, wait); });
    }
    std::vector<decision_row> list_rows(std::string const& prefix, std::size_t at_most) override
    {
        return named([&] { return pg::decisions::list(question_, prefix, at_most); });
    }
    void prune_rows(decision_row const& horizon, std::vector<gtrid> const& gone) override
    {
        named([&] { pg::decisions::prune(question_, horizon, gone); });
    }

private:
    enum class stage : std::uint8_t {
        idle,
        active,    // start succeeded
        prepared,  // PREPARE TRANSACTION succeeded
        in_doubt,  // PREPARE TRANSACTION was not answered, or not understood
    };

    reply start(xid const& x, bool is_read_only);
    reply prepare();
    reply one_phase();
    reply one_phase_with(std::string const& insertion);
    reply commit(std::string const& witness);
    reply roll_back_active();
    reply finish_prepared(char const* words, xid const& x);

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
            throw driver_error("resource manager '" + name_ + "': " + error.what(),
                               error.sqlstate(), error.native_code(), error.must_close());
        }
    }

    link& link_;
    std::string const name_;
    question question_;
    pg::session_identity who_;
    std::string role_;      // hexadecimal
    std::string database_;  // hexadecimal
    std::optional<std::int64_t> guard_key_;

    stage stage_ = stage::idle;
    xid branch_;        // of the stage
    std::string mark_;  // microseconds since the epoch, as the server wrote them
    bool is_tainted_ = false;
};

// ---- the session -----------------------------------------------------------------------------

void speaker::introduce(session_purpose purpose)
{
    named([&] {
        std::string const doing = "opening a session";
        // 15.0.20 -> 15
        if (std::stoi("0" + link_.server_version()) < 14) {
            throw driver_error(doing + ": PostgreSQL 14 or newer is needed");
        }
        who_ = pg::read_who(
            question_.one_row(std::string{"SELECT "} + pg::who_columns + pg::settings_for(purpose),
                              pg::who_width, doing));
        row const names = question_.one_row(std::string{"SELECT "} + role_and_database, 2, doing);
        role_ = names[0].value_or(std::string{});
        database_ = names[1].value_or(std::string{});
    });
}

void speaker::inspect()
{
    named([&] {
        std::string const doing = "the connection is refused";
        std::string const open =
            doing +
            ": it is in a transaction, or its client begins one before each statement: end "
            "that, and set autocommit on";
        // A client with autocommit off, that does not say so, begins a transaction with the first
        // look: the second finds it.
        int const looks = link_.has_autocommit() ? 1 : 2;
        for (int look = 0; look < looks; ++look) {
            try {
                row const seen = question_.one_row(
                    std::string{"SELECT "} + pg::who_columns + ", " + role_and_database +
                        // Within a transaction block the message is younger than the transaction.
                        ", CASE WHEN pg_catalog.transaction_timestamp() OPERATOR(pg_catalog.=)"
                        " pg_catalog.statement_timestamp() THEN 1 ELSE 0 END",
                    pg::who_width + 3, doing);
                who_ = pg::read_who(seen);
                role_ = seen[pg::who_width].value_or(std::string{});
                database_ = seen[pg::who_width + 1].value_or(std::string{});
                if (seen[pg::who_width + 2] != "1") throw driver_error(open);
            } catch (driver_error const& error) {
                if (error.sqlstate() != "25P02") throw;
                throw driver_error(open);
            }
        }
    });
}

void speaker::check_work(server_facts const& expected, bool)
{
    named([&] {
        std::string const wrong = pg::difference(who_, expected);
        if (!wrong.empty()) throw driver_error("the connection is refused: " + wrong);
    });
}

peer_view speaker::ask_peer()
{
    return named([&] {
        row const seen = question_.one_row(
            "SELECT pg_catalog.host(pg_catalog.inet_client_addr()), pg_catalog.inet_client_port(), "
            "pg_catalog.current_setting('port')",
            3, "opening a session");
        peer_view view;
        std::string const port = seen[2].value_or("0");
        view.server_port = std::stoi(port);
        if (seen[0]) {
            view.by = peer_view::transport::tcp;
            view.address = *seen[0];
            view.port = std::stoi(seen[1].value_or("0"));
        } else {
            view.by = peer_view::transport::local;
            view.server_path = "/.s.PGSQL." + port;
        }
        return view;
    });
}

server_facts speaker::preflight(bool allow_non_durable)
{
    return named([&] {
        // A driver that splits messages, or sends each on its own, would take the guard for
        // nothing: what stands behind a query that fails must not be run.
        execution const both = link_.execute("SELECT 1; SELECT 2");
        if (both.is_ok && both.tables.size() != 2) {
            throw driver_error(
                "preflight: the client does not send several statements in one message, on "
                "which the safety of PREPARE TRANSACTION rests; use psqlODBC, and leave Parse and "
                "similar options as they are");
        }
        server_facts facts = pg::server::preflight(question_, who_, allow_non_durable);
        facts.version += " (" + link_.versions() + ")";
        return facts;
    });
}

bool speaker::try_guard(std::uint64_t node)
{
    return named([&] {
        auto const key = pg::server::try_guard(question_, node);
        if (key) guard_key_ = key;
        return key.has_value();
    });
}

void speaker::cancel_statement(std::uint64_t id, dialects::cancelled_sessions& cancelled)
{
    // Noted before it is sent: a session must not be reused between the two.
    cancelled.add(id);
    named([&] { pg::server::cancel_statement(question_, who_, id); });
}

// ---- the verbs -------------------------------------------------------------------------------

reply speaker::run(request const& what)
{
    auto const& [v, x, is_read_only, insertion] = what;
    if (literal(x).empty()) {
        return not_possible(xa_code::inval, "the xid holds a byte that ours never have");
    }
    bool const is_ours = stage_ == stage::active && branch_ == x;
    switch (v) {
        case verb::start:
            return start(x, is_read_only);
        case verb::prepare:
            if (is_ours) return prepare();
            break;
        case verb::commit_one_phase:
            if (is_ours) return insertion.empty() ? one_phase() : one_phase_with(insertion);
            break;
        case verb::rollback:
            if (is_ours) return roll_back_active();
            return finish_prepared("ROLLBACK PREPARED ", x);
        case verb::commit:
            return finish_prepared("COMMIT PREPARED ", x);
        case verb::forget:
            // The server takes no heuristic decisions, so there is none to forget.
            return not_possible(xa_code::nota, "nothing to forget");
    }
    return not_possible(xa_code::proto, "no such branch is active here");
}

reply speaker::end(reply given, stage then)
{
    stage_ = then;
    return given;
}

reply speaker::left_behind()
{
    is_tainted_ = true;
    return undo(say::left_behind());
}

/// Rolls back whatever is open, and then says `planned`, which is true either way.
reply speaker::undo(reply planned)
{
    execution const undone = link_.execute("ROLLBACK");
    is_tainted_ = is_tainted_ || !undone.is_ok;
    bool const is_certain =
        undone.is_ok || planned.detail == reply_detail::left_behind || pg::is_rolled_back(planned);
    if (is_certain) return end(std::move(planned), stage::idle);
    if (undone.is_lost) return end(lost(undone), stage_);
    return end(pg::map_error(pg::phase::ending, undone.sqlstate, undone.text), stage::idle);
}

bool speaker::is_mark(execution const& said, std::size_t at) const
{
    return at < said.tables.size() && said.tables[at].size() == 1 &&
           !said.tables[at].front().empty() && said.tables[at].front().front() == mark_;
}

std::string speaker::guard() const
{
    return say::guard(mark_, is_other_role + role_ + "' OR " + is_other_database + database_ + "'");
}

reply speaker::start(xid const& x, bool is_read_only)
{
    if (stage_ != stage::idle) {
        return not_possible(xa_code::outside, "the connection is not idle");
    }
    if (link_.has_autocommit() == false) {
        return not_possible(xa_code::outside,
                            "the connection has autocommit off, so that its client begins "
                            "transactions itself: set it on");
    }
    execution const begun = link_.execute(is_read_only ? "BEGIN READ ONLY" : "BEGIN");
    if (begun.is_lost) return lost(begun);
    if (!begun.is_ok) return pg::map_error(pg::phase::beginning, begun.sqlstate, begun.text);
    if (begun.sqlstate == "25001") {  // a warning: there is one already
        is_tainted_ = true;
        return not_possible(xa_code::outside, "the connection is in a transaction");
    }
    execution const marked =
        link_.execute_each({std::string{"SELECT "} + say::begun_at + ", " + role_and_database +
                                ", pg_catalog.pg_backend_pid()",
                            "SAVEPOINT assent_mark"});
    if (marked.is_lost) return lost(marked);
    if (!marked.is_ok) {
        return undo(pg::map_error(pg::phase::beginning, marked.sqlstate, marked.text));
    }
    std::string const mark = value_of(marked, 0);
    if (mark.empty() || mark.find_first_not_of("0123456789") != std::string::npos) {
        return undo(not_possible(xa_code::proto, "the server's answer to BEGIN is not understood"));
    }
    if (value_of(marked, 1) != role_ || value_of(marked, 2) != database_) {
        // A role that was left behind in the connection: the manager's could not finish it.
        is_tainted_ = true;
        reply refused = say::other_role();
        refused.code = xa_code::rmerr;
        return undo(std::move(refused));
    }
    if (value_of(marked, 3) != std::to_string(who_.process)) {
        is_tainted_ = true;
        return undo(not_possible(xa_code::rmerr,
                                 "a proxy gave this connection another session at the server"));
    }
    branch_ = x;
    mark_ = mark;
    return end({}, stage::active);
}

reply speaker::prepare()
{
    execution const guarded = link_.execute("SELECT CAST(" + guard() + " AS pg_catalog.int4)");
    if (guarded.is_lost) return end(lost(guarded), stage::in_doubt);
    if (!guarded.is_ok) return after_failed_guard(guarded);

    // The guard was answered, so the transaction is ours, stands, and has not failed.
    execution const prepared =
        link_.execute_each({"PREPARE TRANSACTION " + literal(branch_), listed_query()});
    if (prepared.is_lost) return end(lost(prepared), stage::in_doubt);
    if (!prepared.is_ok) return after_failed_prepare(prepared);
    if (value_of(prepared, 0) == "1") return end({}, stage::prepared);
    is_tainted_ = true;
    return end(not_possible(xa_code::rbrollback, "the server rolled back instead"), stage::idle);
}

/// Either PREPARE TRANSACTION failed, which ends the transaction, or the look behind it did.
reply speaker::after_failed_prepare(execution const& failed)
{
    auto const listed = is_listed();
    if (listed && *listed) return end({}, stage::prepared);
    is_tainted_ = true;
    reply said = pg::map_error(pg::phase::ending, failed.sqlstate, failed.text);
    if (!listed) {
        // Nobody knows; the manager rolls the name back.
        said.code = xa_code::proto;
        return end(std::move(said), stage::in_doubt);
    }
    is_tainted_ = false;
    stage const then = pg::is_rolled_back(said) ? stage::idle : stage::in_doubt;
    return end(std::move(said), then);
}

std::string speaker::listed_query() const
{
    return "SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts p WHERE p.gid"
           " OPERATOR(pg_catalog.=) " +
           literal(branch_);
}

std::optional<bool> speaker::is_listed()
{
    execution const seen = link_.execute(listed_query());
    if (!seen.is_ok || value_of(seen, 0).empty()) return std::nullopt;
    return value_of(seen, 0) != "0";
}

/// A failed transaction refuses queries, but not the way back to its beginning.
execution speaker::back_to_beginning()
{
    return link_.execute_each({back_to_mark, std::string{"SELECT "} + say::begun_at});
}

/// A query within the branch failed, so nothing that stood behind it was run.  Is the transaction
/// still the one that start began?
reply speaker::after_failed_guard(execution const& failed)
{
    if (failed.text.find(say::other_role_token) != std::string::npos) {
        return undo(say::other_role());
    }
    bool const is_other = failed.text.find(say::left_behind_token) != std::string::npos;
    // 3B001: the driver put a savepoint before the branch's last statement, and it is gone.
    if (is_other || failed.sqlstate == "3B001") return left_behind();
    execution const back = back_to_beginning();
    if (back.is_lost) return end(lost(back), stage::idle);
    if (!back.is_ok || !is_mark(back, 0)) return left_behind();
    reply vote = pg::as_rolled_back(pg::map_error(pg::phase::ending, failed.sqlstate, failed.text));
    if (failed.sqlstate == "25P02") vote.code = xa_code::rbrollback;
    return undo(std::move(vote));
}

/// COMMIT never left, so no server can have obeyed it.
reply never_committed(execution const& said)
{
    reply answer = lost(said);
    answer.code = xa_code::rbcommfail;
    answer.detail = reply_detail::none;
    return answer;
}

reply speaker::one_phase()
{
    execution const seen = link_.execute(say::read_witness);
    if (seen.is_lost) return end(never_committed(seen), stage::idle);
    if (!seen.is_ok) return after_failed_guard(seen);
    if (!is_mark(seen, 0)) return left_behind();
    std::string const number = value_of(seen, 1);
    return commit(number.empty() ? std::string{} : number + '@' + who_.life);
}

/// COMMIT is a message of its own: an error of it ends the transaction, one of the row does not,
/// and the driver does not show which it was.
reply speaker::one_phase_with(std::string const& insertion)
{
    execution const inserted = link_.execute_each(
        {"SELECT CAST(" + guard() + " AS pg_catalog.int4)" + pg::decisions::synchronous_column,
         insertion});
    if (inserted.is_lost) return end(never_committed(inserted), stage::idle);
    if (!inserted.is_ok) return after_failed_guard(inserted);
    return commit({});  // the row is the witness
}

/// A query was answered just before, so the transaction had not failed, and COMMIT's success is no
/// ROLLBACK in disguise.
reply speaker::commit(std::string const& witness)
{
    link_.note_witness(witness);
    bool const is_chained = link_.may_reconnect();
    execution const done = link_.execute_commit(is_chained ? "COMMIT AND CHAIN" : "COMMIT");
    reply said = done.is_lost ? lost(done)
                 : is_chained ? after_chained(done)
                 : done.is_ok ? reply{}
                              : pg::map_error(pg::phase::ending, done.sqlstate, done.text);
    said.witness = witness;
    is_tainted_ = is_tainted_ || done.is_lost;
    return end(std::move(said), stage::idle);
}

reply speaker::after_chained(execution const& done)
{
    if (done.is_ok) {
        is_tainted_ = is_tainted_ || !link_.execute("ROLLBACK").is_ok;  // of the empty one
        return {};
    }
    if (done.sqlstate != no_transaction) {
        return pg::map_error(pg::phase::ending, done.sqlstate, done.text);
    }
    // The transaction was there a moment ago.  Whether an earlier attempt committed it, in a
    // session that is gone now, this one cannot tell.
    is_tainted_ = true;
    return lost(done);
}

reply speaker::roll_back_active()
{
    execution const undone =
        link_.execute_each({std::string{"SELECT "} + say::begun_at, "ROLLBACK"});
    if (undone.is_lost) return end(lost(undone), stage::idle);
    if (undone.is_ok && is_mark(undone, 0)) return end({}, stage::idle);
    if (undone.is_ok || undone.sqlstate == "3B001") return left_behind();
    execution const back = back_to_beginning();
    if (back.is_lost) return end(lost(back), stage::idle);
    if (!back.is_ok || !is_mark(back, 0)) return left_behind();
    return undo({});
}

reply speaker::finish_prepared(char const* words, xid const& x)
{
    // Within a transaction the server would refuse, and fail that transaction.
    if (stage_ == stage::active) {
        return not_possible(xa_code::proto, "the connection is inside a transaction");
    }
    execution const done = link_.execute(words + literal(x));
    bool const is_here = branch_ == x;
    if (done.is_ok) return end({}, is_here ? stage::idle : stage_);
    if (done.is_lost) return end(lost(done), stage_);
    reply said = pg::map_error(pg::phase::finishing, done.sqlstate, done.text);
    bool const is_unknown = said.code == xa_code::nota;
    return end(std::move(said), is_unknown && is_here ? stage::idle : stage_);
}

}  // namespace

std::unique_ptr<dialect> make_postgresql(link& on, std::string const& resource_manager,
                                         link_opener const&)
{
    return std::make_unique<speaker>(on, resource_manager);
}

}  // namespace assent::sql_text
