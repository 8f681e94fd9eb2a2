// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0

#include "adapters/mysql/driver.hpp"

#include <utility>

#include "adapters/dialects/mysql/decisions.hpp"
#include "adapters/dialects/mysql/error.hpp"
#include "adapters/dialects/mysql/examination.hpp"
#include "adapters/dialects/mysql/server.hpp"
#include "adapters/dialects/row_wait.hpp"
#include "adapters/mysql/question.hpp"
#include "adapters/sql_text/lent.hpp"

namespace assent::mysql_adapter {

namespace {

// Sessions reach the driver through the port, and only its own ones do.
session& own(driver_session& from)
{
    return static_cast<session&>(from);
}

[[noreturn]] void refuse(std::string const& resource_manager, std::string const& why)
{
    throw driver_error("resource manager " + resource_manager + ": " + why);
}

// What the client library knows without a round trip.  Nothing was sent when this throws.
void check_handle(MYSQL* handle, std::string const& resource_manager)
{
    if (handle == nullptr) refuse(resource_manager, "the borrowed handle is null");
    if (socket_of(handle) < 0) refuse(resource_manager, "the borrowed handle is not connected");
    if (reconnects(handle)) {
        refuse(resource_manager,
               "the borrowed handle reconnects by itself, which would leave its branch without "
               "telling: switch MYSQL_OPT_RECONNECT off");
    }
    if (handle->status != MYSQL_STATUS_READY || mysql_more_results(handle)) {
        refuse(resource_manager,
               "the borrowed handle is busy: a result was not read to its end; read or free it");
    }
    if ((handle->server_status & SERVER_STATUS_IN_TRANS) != 0) {
        refuse(resource_manager, "the borrowed handle is in a transaction: end it first");
    }
    if ((handle->server_status & SERVER_STATUS_AUTOCOMMIT) == 0) {
        refuse(resource_manager, "the borrowed handle has autocommit off: set it on");
    }
}

// A connection for work, lent or opened.
void check(question& q, server_facts const& expected)
{
    if (!check_work_session(q, expected)) q.asked().set_proxied();
    if ((q.asked().connection().server_status() & SERVER_STATUS_IN_TRANS) != 0) {
        q.fail("the connection is in a transaction: end it first");
    }
}

}  // namespace

driver::driver(std::string name, connection_source source, mysql::safety_options safety)
    : name_(std::move(name)), source_(std::move(source)), safety_(safety)
{
    bool is_printable = !name_.empty() && name_.size() <= 64;
    for (char c : name_)
        is_printable = is_printable && c > ' ' && c < '\x7f';
    if (!is_printable) {
        throw driver_error("a resource manager's name has 1 to 64 printable ASCII bytes");
    }
    lent_->name = name_;
    lent_->make_dialect = &sql_text::make_mysql;
    lent_->cancelled = cancelled_;
    if (source_.connect) return;
    if (source_.where.database.empty()) {
        refuse(name_, "no database is chosen: branches belong to one database");
    }
    if (!source_.where.password.empty() && !source_.where.password_file.empty()) {
        refuse(name_, "both a password and a password_file are given");
    }
}

driver_capabilities driver::capabilities() const noexcept
{
    driver_capabilities can;
    can.stays_attached_after_prepare = keeps_prepared_.load(std::memory_order_relaxed);
    return can;
}

std::unique_ptr<session> driver::adopt(std::unique_ptr<wire> connection)
{
    bool const keeps = is_mariadb(connection->handle());
    keeps_prepared_.store(keeps, std::memory_order_relaxed);
    return std::make_unique<session>(std::move(connection), cancelled_, keeps);
}

std::unique_ptr<driver_session> driver::connect(session_purpose purpose, deadline until)
{
    auto opened = adopt(open_connection(source_, name_, until));
    question q{*opened, name_, until};
    prepare_session(q, purpose);
    if (purpose != session_purpose::work) return opened;
    // A branch that is prepared elsewhere than where it is looked for would seem to be finished.
    std::optional<server_facts> expected;
    {
        std::lock_guard const hold(mutex_);
        expected = facts_;
    }
    if (expected) check(q, *expected);
    if (!source_.connect) opened->allow_reset(what_was_told(q));
    return opened;
}

std::unique_ptr<driver_session> driver::borrow(void* handle, server_facts const& expected,
                                               deadline until)
{
    auto* const lent = static_cast<MYSQL*>(handle);
    check_handle(lent, name_);
    set_close_on_exec(socket_of(lent), name_);
    auto borrowed = adopt(std::make_unique<wire>(lent, ownership::borrowed));
    question q{*borrowed, name_, until};
    try {
        check(q, expected);
    } catch (driver_error const& error) {
        // Bytes were sent.  Where the answer was heard and the handle is idle again its owner may
        // go on with it; else its state is unknown.
        throw driver_error(error.what(), error.sqlstate(), error.native_code(),
                           !borrowed->is_reusable());
    }
    return borrowed;
}

std::unique_ptr<driver_session> driver::borrow_session(sql_session& lent,
                                                       server_facts const& expected, deadline until)
{
    auto const kind = expected.kind == "mariadb" ? sql_text::database_kind::mariadb
                                                 : sql_text::database_kind::mysql;
    return sql_text::borrow(lent, kind, lent_, expected, until);
}

server_facts driver::preflight(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    server_facts facts = read_facts(q, safety_.allow_non_durable);
    std::lock_guard const hold(mutex_);
    facts_ = facts;
    return facts;
}

/// Lent sessions that were to be cut, and could not be: they keep their branches until they end.
void driver::end_unreachable(question& q)
{
    lent_->unreachable.end_all(q.asked(), [&q](std::uint64_t id) { kill_session(q, id); });
}

scan_result driver::scan(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    end_unreachable(q);
    scan_result seen = read_branches(q);
    lent_->unreachable.tell(seen);
    return seen;
}

bool driver::try_guard(driver_session& guardian, std::uint64_t node, deadline until)
{
    question q{own(guardian), name_, until};
    auto lock = take_guard(q, node);
    if (!lock) return false;
    own(guardian).set_guard_name(std::move(*lock));
    return true;
}

void driver::heartbeat(driver_session& guardian, deadline until)
{
    question q{own(guardian), name_, until};
    renew_guard(q, own(guardian).guard_name());
}

session_presence driver::presence(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    end_unreachable(q);
    return find_session(q, id);
}

session_presence driver::older_sessions(driver_session& ours, deadline until)
{
    question q{own(ours), name_, until};
    return find_older_sessions(q);
}

void driver::cancel_statement(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    cancel_running(q, id, *cancelled_);
}

void driver::end_session(driver_session& manage, std::uint64_t id, deadline until)
{
    question q{own(manage), name_, until};
    kill_session(q, id);
}

witness_state driver::ask_witness(driver_session&, std::string const&, deadline)
{
    return witness_state::unknown;  // this server forgets a transaction with its end
}

examination driver::examine(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::examination_settings how;
    how.allow_non_durable = safety_.allow_non_durable;
    how.client.name = client_version();
    return mysql_dialect::examine(q, how);
}

// ---- commit rows -----------------------------------------------------------------------------

void driver::ensure(driver_session& manage, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::decisions::ensure(q);
}

void driver::carry(driver_session& session, decision_row const& row)
{
    std::string database;
    {
        std::lock_guard const hold(mutex_);
        if (!facts_) refuse(name_, "no server was seen yet");
        database = facts_->database;
    }
    own(session).carry(mysql_dialect::decisions::insert(database, row));
}

std::optional<decision_row> driver::fence(driver_session& manage, gtrid const& which,
                                          deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::decisions::fence(q, which, dialects::row_wait(until));
}

std::vector<decision_row> driver::list(driver_session& manage, std::string_view prefix,
                                       std::size_t at_most, deadline until)
{
    question q{own(manage), name_, until};
    return mysql_dialect::decisions::list(q, prefix, at_most);
}

void driver::prune(driver_session& manage, decision_row const& horizon_row,
                   std::vector<gtrid> const& gone, deadline until)
{
    question q{own(manage), name_, until};
    mysql_dialect::decisions::prune(q, horizon_row, gone);
}

}  // namespace assent::mysql_adapter

namespace assent {
inline namespace v0 {
namespace mysql {

namespace {

std::shared_ptr<mysql_adapter::driver> make_driver(std::string name, connect_options where)
{
    auto const safety = where.safety;
    return std::make_shared<mysql_adapter::driver>(
        std::move(name), mysql_adapter::connection_source{std::move(where), {}}, safety);
}

}  // namespace

resource_manager::resource_manager(std::string name, connect_options where)
    : assent::resource_manager(make_driver(std::move(name), std::move(where)))
{
}

resource_manager::resource_manager(std::string name, std::string const& connect_string)
    : resource_manager(std::move(name), parse_connect_string(connect_string))
{
}

resource_manager::resource_manager(std::string name, connect_function connect,
                                   safety_options safety)
    : assent::resource_manager(std::make_shared<mysql_adapter::driver>(
          std::move(name), mysql_adapter::connection_source{{}, std::move(connect)}, safety))
{
}

bool is_retryable(handle_type handle) noexcept
{
    return handle != nullptr &&
           mysql_adapter::is_retryable(mysql_errno(handle), mysql_error(handle));
}

}  // namespace mysql
}  // namespace v0
}  // namespace assent
