// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// mysql.cpp -- MariaDB and MySQL through a client that shows little, with autocommit on.
//
// The conversation is the dialect's.  What such a client makes different:
//
//   status flags     not shown: XA END's answer is the whole of the mark
//   reconnecting     is not shown either: the session's number is asked for at the beginning of
//                    each branch
//   XA RECOVER       crashes MariaDB's ODBC driver: see mysql_question.hpp

#include <cstdlib>
#include <optional>
#include <utility>

#include "adapters/dialects/mysql/branches.hpp"
#include "adapters/dialects/mysql/conversation.hpp"
#include "adapters/dialects/mysql/decisions.hpp"
#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/examination.hpp"
#include "adapters/dialects/mysql/opening.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/mysql/xid_text.hpp"
#include "adapters/sql_text/mysql_question.hpp"
#include "adapters/sql_text/speaker.hpp"

namespace assent::sql_text {

namespace {

constexpr unsigned no_such_savepoint = 1305;

class mysql_speaker final : public speaker
{
public:
    mysql_speaker(link& on, std::string const& resource_manager, link_opener reopen)
        : link_(on), question_(on, resource_manager, std::move(reopen))
    {
    }

    void introduce(session_purpose purpose) override
    {
        question_.learn();
        my::prepare_session(question_, purpose);
        life_ = my::read_life(question_);
    }
    void inspect() override;
    void check_work(server_facts const& expected, bool) override
    {
        my::check_work_session(question_, expected, whose_, life_);
    }
    std::uint64_t id() const override { return is_proxied_ ? 0 : question_.session_id(); }
    server_life life() const override { return life_; }
    peer_view ask_peer() override;
    void set_proxied() override { is_proxied_ = true; }
    reply run(request const& asked) override;
    void let_go() noexcept override
    {
        if (!question_.is_mariadb()) talk_.let_go();
    }

    bool is_clear() override
    {
        return talk_.is_clear() && !is_replaced_ && link_.has_autocommit().value_or(true);
    }
    bool must_cut() const override { return talk_.must_cut(); }

    server_facts preflight(bool allow_non_durable) override;
    examination examine(bool allow_non_durable) override;
    scan_result scan() override { return my::read_branches(question_); }
    dialects::any_branch_list list_any() override { return my::list_any(question_); }
    std::vector<std::uint64_t> other_sessions() override
    {
        refuse_proxied();
        return my::other_sessions(question_);
    }
    std::optional<kept_past> read_past(std::uint64_t node) override
    {
        return my::read_past(question_, node);
    }
    bool keep_past(std::uint64_t node, kept_past const& past) override
    {
        return my::keep_past(question_, node, past);
    }
    bool try_guard(std::uint64_t node) override
    {
        auto lock = my::take_guard(question_, node);
        if (!lock) return false;
        lock_ = std::move(*lock);
        return true;
    }
    void heartbeat() override { my::renew_guard(question_, lock_); }
    std::string guard_holder(std::uint64_t node) override
    {
        return my::guard_holder(question_, node);
    }
    session_presence presence(std::uint64_t id) override
    {
        return is_proxied_ ? session_presence::unknown : my::find_session(question_, id);
    }
    session_presence sessions_before(std::uint64_t first) override
    {
        return is_proxied_ ? session_presence::unknown : my::find_sessions_before(question_, first);
    }
    void cancel_statement(std::uint64_t id, dialects::cancelled_sessions& cancelled) override
    {
        refuse_proxied();
        my::cancel_running(question_, id, cancelled);
    }
    void end_session(std::uint64_t id) override
    {
        refuse_proxied();
        my::kill_session(question_, id);
    }
    bool end_idle_session(std::uint64_t id) override
    {
        refuse_proxied();
        return my::kill_idle_session(question_, id);
    }
    witness_state ask_witness(std::string const&) override { return witness_state::unknown; }

    void ensure_rows() override { my::decisions::ensure(question_); }
    std::optional<decision_row> fence(gtrid const& row_name,
                                      std::chrono::milliseconds wait) override
    {
        return my::decisions::fence(question_, row_name, wait);
    }
    std::vector<decision_row> list_rows(std::string const& prefix, std::size_t at_most) override
    {
        return my::decisions::list(question_, prefix, at_most);
    }
    void prune_rows(decision_row const& horizon_row, std::vector<gtrid> const& gone) override
    {
        my::decisions::prune(question_, horizon_row, gone);
    }

    void ensure_branches() override { my::branches::ensure(question_); }
    void insert(std::string const& database, branch_row const& row) override
    {
        my::branches::insert(question_, database, row);
    }
    std::optional<branch_row> take(std::string const& database, xid const& name) override
    {
        return my::branches::take(question_, database, name);
    }
    bool contains(std::string const& database, xid const& name) override
    {
        return my::branches::contains(question_, database, name);
    }
    std::vector<xid> list_branches(std::string const& manager) override
    {
        return my::branches::list(question_, manager);
    }

private:
    reply converse(verb v, dialects::branch_name const& x);
    bool is_same_session();
    void refuse_proxied() const
    {
        if (is_proxied_) {
            question_.fail("the connection is proxied, so a session cannot be ended by its number");
        }
    }

    link& link_;
    mysql_question question_;
    my::conversation talk_;
    server_life life_;  // of the server; of a lent session, as its check for work has read it
    std::string lock_;  // of the guardian
    my::whose_session whose_ = my::whose_session::ours;
    bool is_replaced_ = false;
    bool is_proxied_ = false;
};

void mysql_speaker::inspect()
{
    question_.learn();
    whose_ = my::whose_session::lent;
    bool is_outside = false;
    if (question_.is_mariadb()) {
        is_outside =
            my::number_of(question_.one_row("select " + my::as_bytes("@@in_transaction"), 1), 0) ==
            0;
    } else {
        if (my::number_of(question_.one_row("select " + my::as_bytes("@@autocommit + 0"), 1), 0) ==
            0) {
            question_.fail(
                "the connection has autocommit off, and may be in a transaction: switch it on");
        }
        // MySQL has no such variable.  Outside of a transaction it forgets a savepoint at once.
        try {
            question_.ask("savepoint assent_seen");
            question_.ask("release savepoint assent_seen");
        } catch (driver_error const& error) {
            if (error.must_close()) throw;
            is_outside = error.native_code() == static_cast<int>(no_such_savepoint);
        }
    }
    if (!is_outside)
        question_.fail("the connection is in a transaction: end the transaction first");
}

peer_view mysql_speaker::ask_peer()
{
    my::row const seen =
        question_.one_row("select " + my::as_bytes("p.host") + ", " + my::as_bytes("@@port") +
                              ", " + my::as_bytes("@@socket") +
                              " from information_schema.processlist p where p.id = connection_id()",
                          3);
    peer_view view;
    view.server_port = static_cast<int>(my::number_of(seen, 1));
    std::string const host{my::text_of(seen, 0)};
    auto const colon = host.rfind(':');
    if (colon == std::string::npos) {
        // The path that the client used may differ in its beginning, by a link or a mount.
        view.by = peer_view::transport::local;
        std::string const path{my::text_of(seen, 2)};
        auto const slash = path.rfind('/');
        view.server_path = slash == std::string::npos ? path : path.substr(slash);
        return view;
    }
    view.by = peer_view::transport::tcp;
    view.address = host.substr(0, colon);
    view.port = std::atoi(host.c_str() + colon + 1);
    return view;
}

server_facts mysql_speaker::preflight(bool allow_non_durable)
{
    server_facts facts = my::read_facts(question_, allow_non_durable);
    facts.is_proxied = is_proxied_;
    facts.version += " (" + link_.versions() + ")";
    // What cannot be listed could not be recovered: better now than after a crash.
    my::read_branches(question_);
    return facts;
}

examination mysql_speaker::examine(bool allow_non_durable)
{
    my::examination_settings how;
    how.allow_non_durable = allow_non_durable;
    how.may_list = question_.may_list();
    how.client = {link_.versions(),
                  "ODBC hides what the native adapter checks, and takes a thread for each "
                  "connection: kind = \"" +
                      std::string(question_.is_mariadb() ? "mariadb" : "mysql") +
                      "\" reaches the same database"};
    examination told = my::examine(question_, how);
    if (is_proxied_) {
        told.add("translated addresses", finding_level::warning,
                 "the server sees another address than this process has",
                 "connect past the proxy or the translation: sessions are neither cancelled nor "
                 "ended through one");
    }
    return told;
}

reply mysql_speaker::run(request const& asked)
{
    auto const& [v, x, modes, insertion] = asked;
    if (v == verb::start && link_.has_autocommit() == false) {
        reply refused;
        refused.code = xa_code::outside;
        refused.text = "the connection has autocommit off: switch it on";
        return refused;
    }
    if (v == verb::start && !my::is_taken(x, question_.is_mariadb(), question_.server_version())) {
        reply refused;
        refused.code = xa_code::inval;
        refused.text = my::no_nul_in_names;
        return refused;
    }
    if (v == verb::start) {
        talk_.declare(modes);
        talk_.announce(insertion);
    } else if (!insertion.empty()) {
        talk_.carry(insertion);
    }
    reply said = converse(v, x);
    if (v != verb::start || !said.is_ok() || is_same_session()) return said;
    converse(verb::rollback, x);
    is_replaced_ = true;
    said.code = xa_code::proto;
    said.text =
        "the client reconnected since the session was opened: switch that off (ODBC: "
        "AUTO_RECONNECT, with which MariaDB's driver also crashes)";
    return said;
}

reply mysql_speaker::converse(verb v, dialects::branch_name const& x)
{
    auto done = talk_.begin(v, x);
    while (!done) {
        std::string const message = talk_.message(false);
        bool const is_commit = v == verb::commit_one_phase && message.find("XA COMMIT") == 0;
        my::answer const said =
            to_answer(is_commit ? link_.execute_commit(message) : link_.execute(message));
        if (my::is_connection_lost(said.code)) {
            done = talk_.lost(said);
        } else {
            done = talk_.fits(said) ? talk_.advance(said) : talk_.refused(said);
        }
    }
    return std::move(*done);
}

/// Asked behind XA START: before it, a query on a connection that is broken makes MariaDB's ODBC
/// driver crash where it reconnects.
bool mysql_speaker::is_same_session()
{
    execution const seen = link_.execute("select " + my::as_bytes("connection_id()") + " limit 1");
    if (!seen.is_ok || seen.tables.empty() || seen.tables.front().empty()) return false;
    row const& first = seen.tables.front().front();
    return !first.empty() && first.front() == std::to_string(question_.session_id());
}

}  // namespace

std::unique_ptr<speaker> make_mysql(link& on, std::string const& resource_manager,
                                    link_opener const& reopen)
{
    return std::make_unique<mysql_speaker>(on, resource_manager, reopen);
}

}  // namespace assent::sql_text
