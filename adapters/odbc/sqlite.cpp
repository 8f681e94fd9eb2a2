// Copyright (c) 2026 The Assent authors.  SPDX-License-Identifier: BSL-1.0
//
// sqlite.cpp -- SQLite through sqliteodbc, with autocommit on and transactions as text.
//
//   start              BEGIN | SAVEPOINT assent_mark
//   prepare            there is none: ROLLBACK, and a no vote
//   commit_one_phase   RELEASE assent_mark | COMMIT
//   rollback           ROLLBACK TO assent_mark | ROLLBACK
//
// The savepoint is the mark: a transaction takes its savepoints with it, so one that the
// application ended, or that SQLite rolled back itself (a full disk), has none of that name.
//
// There is no server: no session number, nothing to cancel, nobody to ask about a lost COMMIT.  The
// guardian's lock is one on a file beside the database, "<database>-assent-<node>", which the
// operating system releases with the process.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <random>
#include <set>
#include <utility>

#include "adapters/odbc/dialect.hpp"

namespace assent::odbc_adapter {

namespace {

// SQLite's own codes.
constexpr int sqlite_busy = 5;
constexpr int sqlite_locked = 6;
constexpr int sqlite_constraint = 19;

constexpr char mark[] = "assent_mark";

constexpr char create_identity[] =
    "CREATE TABLE IF NOT EXISTS assent_identity (id INTEGER PRIMARY KEY, value TEXT NOT NULL)";

std::string hexadecimal(std::uint64_t value)
{
    std::string text(16, '0');
    for (std::size_t i = text.size(); i-- > 0; value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    return text;
}

std::string random_identity()
{
    std::random_device random;
    std::string text;
    for (int i = 0; i < 2; ++i)
        text += hexadecimal(std::uint64_t{random()} << 32 | random());
    return text;
}

bool is_busy(execution const& said) noexcept
{
    return said.native_code == sqlite_busy || said.native_code == sqlite_locked;
}

reply to_reply(execution const& said, xa_code code)
{
    reply answer;
    answer.code = code;
    answer.native_code = said.native_code;
    answer.sqlstate = said.sqlstate;
    answer.text = said.text;
    if (said.is_lost) {  // not sent: the session was cut
        answer.code = xa_code::rmfail;
        answer.detail = reply_detail::reply_lost;
    }
    return answer;
}

/// A lock of this process on a file, until it is destroyed.  A record lock, because a forked child
/// does not inherit it; those are no obstacle within one process and end with the first close()
/// there, so the process keeps its own list.
class file_lock
{
public:
    file_lock() = default;
    file_lock(file_lock const&) = delete;
    file_lock& operator=(file_lock const&) = delete;
    ~file_lock() { release(); }

    void release()
    {
        if (descriptor_ < 0) return;
        std::lock_guard const hold(all().mutex);
        close(std::exchange(descriptor_, -1));
        all().paths.erase(path_);
    }

    /// @return whether it is ours.  @throws driver_error  the file cannot be had.
    bool try_lock(std::string const& path)
    {
        if (descriptor_ >= 0) return is_held(path);
        std::lock_guard const hold(all().mutex);
        if (all().paths.count(path) != 0) return false;
        int const file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (file < 0) {
            throw driver_error("cannot open " + path +
                               ", the guardian's lock: " + std::strerror(errno));
        }
        struct flock whole = {};
        whole.l_type = F_WRLCK;
        if (fcntl(file, F_SETLK, &whole) != 0) {
            int const why = errno;
            close(file);
            if (why == EAGAIN || why == EACCES) return false;
            throw driver_error("cannot lock " + path + ": " + std::strerror(why));
        }
        all().paths.insert(path);
        descriptor_ = file;
        path_ = path;
        return true;
    }

    /// Whether the file at `path` is still the one that is locked here.
    bool is_held(std::string const& path) const
    {
        struct stat there = {};
        struct stat here = {};
        return descriptor_ >= 0 && stat(path.c_str(), &there) == 0 &&
               fstat(descriptor_, &here) == 0 && there.st_ino == here.st_ino &&
               there.st_dev == here.st_dev;
    }

private:
    struct held
    {
        std::mutex mutex;
        std::set<std::string> paths;
    };
    static held& all()
    {
        static held* const only = new held;  // sessions may end during static destruction
        return *only;
    }

    int descriptor_ = -1;
    std::string path_;
};

class speaker final : public dialect
{
public:
    speaker(link& on, std::string const& resource_manager) : link_(on), name_(resource_manager) {}

    void introduce(session_purpose purpose) override;
    void inspect() override;
    void check_work(server_facts const& expected) override;
    std::uint64_t id() const override { return 0; }
    peer_view ask_peer() override { return {}; }
    void set_proxied() override {}
    reply run(verb v, xid const& x, bool is_read_only) override;
    bool is_clear() override { return !is_active_ && !is_tainted_ && link_.has_autocommit(); }
    void undo_severed() override
    {
        if (is_active_) link_.execute_anyway("ROLLBACK");
        is_active_ = false;
        lock_.release();
    }

    server_facts preflight(bool allow_non_durable) override;
    scan_result scan() override;
    bool try_guard(std::uint64_t node) override
    {
        guard_path_ = database() + "-assent-" + hexadecimal(node);
        return lock_.try_lock(guard_path_);
    }
    void heartbeat() override
    {
        if (!lock_.is_held(guard_path_)) fail("the guardian's lock was lost");
    }
    session_presence presence(std::uint64_t) override { return session_presence::unknown; }
    /// Nothing is ever prepared here, so no session can hold a PREPARE back.
    session_presence older_sessions() override { return session_presence::gone; }
    void cancel_statement(std::uint64_t, dialects::cancelled_sessions&) override
    {
        fail("SQLite has no sessions that could be cancelled");
    }
    void end_session(std::uint64_t) override { fail("SQLite has no sessions that could be ended"); }
    witness_state ask_witness(std::string const&) override { return witness_state::unknown; }

private:
    reply start(xid const& x, bool is_read_only);
    reply commit();
    reply roll_back(reply planned);
    reply left_behind();
    void set_writable();

    table ask(std::string const& sql);
    std::string ask_value(std::string const& sql);
    std::string database();
    std::string identity();
    [[noreturn]] void fail(std::string const& why) const
    {
        throw driver_error("resource manager '" + name_ + "': " + why);
    }

    link& link_;
    std::string const name_;
    file_lock lock_;
    std::string guard_path_;

    bool is_active_ = false;
    xid branch_;
    bool is_read_only_ = false;  // the session refuses writes now
    bool is_tainted_ = false;
};

table speaker::ask(std::string const& sql)
{
    execution said = link_.execute(sql);
    if (!said.is_ok) {
        throw driver_error("resource manager '" + name_ +
                               "': SQLite refused a request of the manager: " + said.text,
                           said.sqlstate, said.native_code, said.is_lost);
    }
    return said.tables.empty() ? table{} : std::move(said.tables.front());
}

std::string speaker::ask_value(std::string const& sql)
{
    table const rows = ask(sql);
    if (rows.empty() || rows.front().empty()) return {};
    return rows.front().front().value_or(std::string{});
}

/// The path of the file.
std::string speaker::database()
{
    for (row const& each : ask("PRAGMA database_list")) {
        if (each.size() > 2 && each[1] == "main") {
            std::string path = each[2].value_or(std::string{});
            if (!path.empty()) return path;
        }
    }
    fail("the database is in memory, where nothing outlives the process: name a file");
}

void speaker::introduce(session_purpose)
{
    // sqliteodbc sets NORMAL, with which a commit may be lost at power loss; EXTRA also syncs the
    // directory, so that the journal's removal, which is the commit, is on the disk.
    ask("PRAGMA synchronous = EXTRA");
}

void speaker::inspect()
{
    if (ask_value("PRAGMA synchronous") < "2") {
        fail(
            "the connection has synchronous below FULL, so that a commit may be lost at power "
            "loss: PRAGMA synchronous = EXTRA");
    }
    execution const begun = link_.execute("BEGIN");
    if (!begun.is_ok) fail("the connection is in a transaction: end it first");
    ask("ROLLBACK");
}

void speaker::check_work(server_facts const& expected)
{
    if (identity() == expected.identity) return;
    fail("the connection leads to another database, " + database() +
         ", than the manager's own; there is no server, the file is what counts");
}

/// A copy of the file has it as well, and counts as the same database.
std::string speaker::identity()
{
    bool const is_there =
        ask_value("SELECT count(*) FROM sqlite_master WHERE name = 'assent_identity'") == "1";
    if (!is_there) return {};
    return "sqlite:" + ask_value("SELECT value FROM assent_identity WHERE id = 1");
}

server_facts speaker::preflight(bool allow_non_durable)
{
    server_facts facts;
    facts.kind = "sqlite";
    facts.database = database();
    facts.user = "uid " + std::to_string(geteuid());
    facts.server_start = "no server";
    facts.version = ask_value("SELECT sqlite_version()") + " (" + link_.versions() + ")";
    std::string const journal = ask_value("PRAGMA journal_mode");
    if (!allow_non_durable && (journal == "off" || journal == "memory")) {
        fail("journal_mode is " + journal +
             ", so that a crash leaves half of a transaction: PRAGMA journal_mode = DELETE or WAL");
    }
    facts.identity = identity();
    if (!facts.identity.empty()) return facts;
    try {
        ask(create_identity);
        ask("INSERT OR IGNORE INTO assent_identity VALUES (1, '" + random_identity() + "')");
    } catch (driver_error const& error) {
        fail(std::string{"cannot create the table that gives this database an identity ("} +
             error.what() + "); let who may write it run: " + create_identity +
             "; INSERT OR IGNORE INTO assent_identity VALUES (1, lower(hex(randomblob(16))))");
    }
    facts.identity = identity();
    return facts;
}

/// Nothing is prepared, ever; what counts is that it is this database and can be written to.
scan_result speaker::scan()
{
    scan_result seen;
    seen.identity = identity();
    seen.is_writable_primary =
        ask_value("PRAGMA query_only") == "0" && access(database().c_str(), W_OK) == 0;
    return seen;
}

// ---- the verbs -------------------------------------------------------------------------------

reply speaker::run(verb v, xid const& x, bool is_read_only)
{
    bool const is_ours = is_active_ && branch_ == x;
    reply said;
    switch (v) {
        case verb::start:
            return start(x, is_read_only);
        case verb::prepare:
            if (!is_ours) break;
            said.code = xa_code::rbproto;
            said.text =
                "SQLite has no two-phase commit: it can be the only database of a transaction, or "
                "its last resource, and no other";
            return roll_back(std::move(said));
        case verb::commit_one_phase:
            if (is_ours) return commit();
            break;
        case verb::rollback:
            if (is_ours) return roll_back({});
            [[fallthrough]];
        case verb::commit:
        case verb::forget:
            said.code = xa_code::nota;
            said.text = "SQLite prepares no branches, so there is none of that name";
            return said;
    }
    said.code = xa_code::proto;
    said.text = "no such branch is active here";
    return said;
}

reply speaker::start(xid const& x, bool is_read_only)
{
    reply refused;
    refused.code = xa_code::outside;
    if (is_active_) {
        refused.text = "the connection is not idle";
        return refused;
    }
    if (!link_.has_autocommit()) {
        refused.text = "the connection has autocommit off: set SQL_ATTR_AUTOCOMMIT on";
        return refused;
    }
    if (is_read_only) {
        execution const only = link_.execute("PRAGMA query_only = 1");
        if (!only.is_ok) return to_reply(only, xa_code::rmerr);
        is_read_only_ = true;
    }
    execution const begun = link_.execute("BEGIN");
    if (!begun.is_ok) {
        is_tainted_ = true;
        return to_reply(begun, xa_code::outside);
    }
    is_active_ = true;
    branch_ = x;
    execution const marked = link_.execute(std::string{"SAVEPOINT "} + mark);
    if (!marked.is_ok) {
        is_tainted_ = true;
        return roll_back(to_reply(marked, xa_code::rmerr));
    }
    return {};
}

void speaker::set_writable()
{
    if (!is_read_only_) return;
    is_tainted_ = is_tainted_ || !link_.execute("PRAGMA query_only = 0").is_ok;
    is_read_only_ = false;
}

reply speaker::left_behind()
{
    link_.execute("ROLLBACK");
    is_active_ = false;
    is_tainted_ = true;
    set_writable();
    reply gone;
    gone.code = xa_code::proto;
    gone.detail = reply_detail::left_behind;
    gone.text =
        "the branch's transaction was ended behind the manager's back (COMMIT, SQLEndTran, or "
        "SQLite itself): what was written since is permanent";
    return gone;
}

reply speaker::commit()
{
    execution const released = link_.execute(std::string{"RELEASE "} + mark);
    if (!released.is_ok) {
        if (released.is_lost) return to_reply(released, xa_code::rmfail);
        return left_behind();
    }
    execution const done = link_.execute_commit("COMMIT");
    if (done.is_ok) {
        is_active_ = false;
        set_writable();
        return {};
    }
    if (done.is_lost) return to_reply(done, xa_code::rmfail);
    execution const undone = link_.execute("ROLLBACK");
    is_active_ = false;
    is_tainted_ = is_tainted_ || !undone.is_ok;
    set_writable();
    // Others read or write, or a deferred constraint does not hold: nothing was written yet, and
    // the transaction was still open.  Of an I/O error nobody knows on which side of the commit it
    // came.
    bool const is_before = is_busy(done) || done.native_code == sqlite_constraint;
    if (undone.is_ok && is_before) {
        return to_reply(done, is_busy(done) ? xa_code::rbtransient : xa_code::rbintegrity);
    }
    reply unknown = to_reply(done, xa_code::rmfail);
    unknown.detail = reply_detail::reply_lost;
    return unknown;
}

/// Gives `planned` once nothing of the branch is left.
reply speaker::roll_back(reply planned)
{
    execution const back = link_.execute(std::string{"ROLLBACK TO "} + mark);
    if (back.is_lost) return to_reply(back, xa_code::rmfail);
    if (!back.is_ok && planned.code != xa_code::rmerr) return left_behind();
    execution const undone = link_.execute("ROLLBACK");
    if (undone.is_lost) return to_reply(undone, xa_code::rmfail);
    is_active_ = false;
    set_writable();
    if (undone.is_ok) return planned;
    is_tainted_ = true;
    return to_reply(undone, xa_code::proto);
}

}  // namespace

std::unique_ptr<dialect> make_sqlite(link& on, std::string const& resource_manager)
{
    return std::make_unique<speaker>(on, resource_manager);
}

std::unique_ptr<dialect> make_dialect(link& on, std::string const& resource_manager,
                                      link_opener reopen)
{
    switch (on.kind()) {
        case database_kind::postgresql:
            return make_postgresql(on, resource_manager);
        case database_kind::mysql:
        case database_kind::mariadb:
            return make_mysql(on, resource_manager, std::move(reopen));
        case database_kind::sqlite:
            break;
    }
    return make_sqlite(on, resource_manager);
}

}  // namespace assent::odbc_adapter
